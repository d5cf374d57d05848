//! `openh264enc` encodes I420 pictures as H.264.
//!
//! Size, rate and colors come with the input; `codec_data`, profile and level are known with the first
//! coded picture. So the output's caps go out before that picture, and a segment that came earlier
//! waits for them. Caps have no type for bytes here: `codec_data` is text, two hexadecimal digits a byte.
//!
//! Invariant: one access unit for each picture, with its times; a request for a key frame is met by
//! the first picture at or after its running time.
//! In GStreamer: `ext/openh264/gstopenh264enc.cpp`, `gst-libs/gst/video/gstvideoencoder.c` (`gst_video_encoder_src_event_default`).
//! Left out: `rate-control max-bitrate qp-min qp-max deblocking multi-thread num-slices slice-mode usage-type`
//! and the filters; `scene-change-detection` and `enable-frame-skip` (both are off, see
//! [`encoder`](crate::encoder)); interlaced pictures. More than there: `stream-format=avc`.
//!
//! ```text
//! videotestsrc num-buffers=60 ! openh264enc bitrate=1000000 ! video/x-h264,stream-format=avc ! fakesink
//! ```

use gst_mini_core::element_prelude::*;

use crate::avc::{AccessUnit, ProfileLevel};
use crate::encoder::{Effort, H264Encoder, I420Frame, Matrix, Settings};

const SINK_CAPS: &str = "video/x-raw, format=(string)I420, width=(int)[ 1, 2147483647 ], \
                         height=(int)[ 1, 2147483647 ], framerate=(fraction)[ 0/1, 2147483647/1 ]";
const SRC_CAPS: &str = "video/x-h264, stream-format=(string){ byte-stream, avc }, \
                        alignment=(string)au, profile=(string)constrained-baseline";
/// What both sides have in common.
const SHARED: [&str; 6] =
    ["width", "height", "framerate", "pixel-aspect-ratio", "interlace-mode", "colorimetry"];
/// Every level that the codec may choose, so that output caps stay open until it has chosen.
const LEVELS: [&str; 17] = [
    "1", "1b", "1.1", "1.2", "1.3", "2", "2.1", "2.2", "3", "3.1", "3.2", "4", "4.1", "4.2", "5",
    "5.1", "5.2",
];

/// The element.
pub struct OpenH264Enc {
    bitrate: u32,
    gop_size: u32,
    complexity: i32,
    stream: Option<Stream>,
    /// Caps that were sent; `None`: they are due, and `held` waits for them.
    announced: Option<Caps>,
    held: Vec<Event>,
    segment: Option<Segment>,
    requests: Vec<Request>,
    /// The next picture begins something new.
    begins: bool,
}

/// What is fixed while the input's format is.
struct Stream {
    input: Caps,
    is_avc: bool,
    encoder: H264Encoder,
    /// From the last IDR picture.
    setup: Option<(Vec<u8>, ProfileLevel)>,
}

/// A key frame that somebody asked for.
struct Request {
    /// `None`: at once.
    running_time: Option<u64>,
    all_headers: bool,
    count: u32,
}

impl Default for OpenH264Enc {
    fn default() -> Self {
        OpenH264Enc {
            bitrate: 128_000,
            gop_size: 90,
            complexity: 1,
            stream: None,
            announced: None,
            held: Vec::new(),
            segment: None,
            requests: Vec::new(),
            begins: false,
        }
    }
}

impl Element for OpenH264Enc {
    const NAME: &str = "openh264enc";
    const TYPE_NAME: &str = "GstOpenh264Enc";
    const SUMMARY: &str = "OpenH264 video encoder";
    const CLASS: &str = "Encoder/Video";
    const RANK: u32 = 64;
    const PADS: &[PadTemplate] = &[PadTemplate::sink(SINK_CAPS), PadTemplate::src(SRC_CAPS)];
    const PROPS: &[Prop<Self>] = &[
        Prop::uint("bitrate", "Bitrate aimed at", |e: &mut Self| &mut e.bitrate)
            .unit("bit/s")
            .range("1000", "240000000"),
        Prop::uint(
            "gop-size",
            "Number of frames between intra frames, 0: only when asked",
            |e: &mut Self| &mut e.gop_size,
        )
        .unit("frames")
        .ready_only(),
        Prop::choice(
            "complexity",
            "enum:low=0,medium=1,high=2",
            "Time against quality",
            |e: &mut Self| &mut e.complexity,
        )
        .ready_only(),
    ];
    const UPSTREAM_EVENTS: &str = "GstForceKeyUnit";
}

impl OpenH264Enc {
    fn settings(&self, input: &Structure) -> Result<Settings, String> {
        if let Some(mode) = input.str("interlace-mode").filter(|mode| *mode != "progressive") {
            return Err(format!("interlace-mode={mode} is not supported, only progressive"));
        }
        let side =
            |name: &str| input.int(name).and_then(|side| u32::try_from(side).ok()).unwrap_or(0);
        let fps = input.fraction("framerate").map_or((0, 1), |rate| (rate.num, rate.den));
        let (width, height) = (side("width"), side("height"));
        Ok(Settings {
            width,
            height,
            fps,
            bitrate: self.bitrate,
            gop_size: self.gop_size,
            matrix: matrix(input.str("colorimetry"), height)?,
            effort: match self.complexity {
                0 => Effort::Low,
                2 => Effort::High,
                _ => Effort::Medium,
            },
        })
    }

    /// Whether the picture due at `pts` must be a key frame, and what to tell downstream about it.
    fn take_requests(&mut self, pts: Option<ClockTime>) -> (bool, Option<Event>) {
        if self.requests.is_empty() {
            return (std::mem::take(&mut self.begins), None);
        }
        let segment = self.segment;
        let running_time =
            pts.zip(segment).and_then(|(pts, s)| s.to_running_time(pts)).map(|t| t.nanos());
        let is_met = |request: &Request| match (request.running_time, running_time) {
            (Some(wanted), Some(now)) => now >= wanted,
            _ => true,
        };
        let met = self.requests.iter().rfind(|request| is_met(request)).map(|request| {
            let stream_time = pts.zip(segment).and_then(|(pts, s)| s.to_stream_time(pts));
            let none_or = |time: Option<u64>| time.unwrap_or(u64::MAX);
            let structure = Structure::new("GstForceKeyUnit")
                .with("timestamp", none_or(pts.map(ClockTime::nanos)))
                .with("stream-time", none_or(stream_time.map(ClockTime::nanos)))
                .with("running-time", none_or(running_time))
                .with("all-headers", request.all_headers)
                .with("count", request.count);
            Event::new(EventKind::Custom(CustomKind::Downstream, structure))
        });
        self.requests.retain(|request| !is_met(request));
        (std::mem::take(&mut self.begins) || met.is_some(), met)
    }

    /// Sends the output's caps, if they are new, and what waited for them.
    fn announce(&mut self, cx: &Cx) {
        let Some(caps) = self.stream.as_ref().and_then(Stream::caps) else { return };
        if self.announced.as_ref() != Some(&caps) {
            cx.output_event(SECOND_PAD, Event::caps(caps.clone()));
            self.announced = Some(caps);
        }
        self.release(cx);
    }

    fn release(&mut self, cx: &Cx) {
        for event in self.held.drain(..) {
            cx.output_event(SECOND_PAD, event);
        }
    }
}

impl Stream {
    fn caps(&self) -> Option<Caps> {
        let (codec_data, found) = self.setup.as_ref()?;
        let mut caps = Structure::new("video/x-h264")
            .with("stream-format", if self.is_avc { "avc" } else { "byte-stream" })
            .with("alignment", "au")
            .with("profile", found.profile)
            .with("level", found.level());
        copy_shared(self.input.structure(0)?, &mut caps);
        if self.is_avc {
            caps.set("codec_data", hex(codec_data));
        }
        Some(Caps::new(caps))
    }

    fn encode(&mut self, cx: &Cx, buf: &Buffer, force_idr: bool) -> FlowResult<AccessUnit> {
        let Settings { width, height, .. } = *self.encoder.settings();
        let (width, height) = (width as usize, height as usize);
        // GStreamer's layout of I420, for even sides: rows are padded to four bytes.
        let strides = [width.next_multiple_of(4), (width / 2).next_multiple_of(4)];
        let (luma, chroma) = (strides[0] * height, strides[1] * (height / 2));
        let (need, have) = (luma + 2 * chroma, buf.size());
        if have < need {
            let text =
                format!("a frame has {have} bytes, but I420 at {width}x{height} needs {need}");
            return Err(cx.error(ErrorKind::Format, text));
        }
        let (y, rest) = buf.data().split_at(luma);
        let (u, v) = rest.split_at(chroma);
        let frame = I420Frame { planes: [y, u, v], strides: [strides[0], strides[1], strides[1]] };
        let unit = self
            .encoder
            .encode(frame, force_idr)
            .map_err(|error| cx.error(ErrorKind::Encode, error.to_string()))?;
        if let Some(setup) = unit.codec_data().zip(unit.profile_level()) {
            self.setup = Some(setup);
        }
        Ok(unit)
    }
}

impl Transform for OpenH264Enc {
    fn transform_caps(_: &Cx, direction: Direction, caps: &Caps) -> Caps {
        let mut out = Caps::empty();
        for structure in caps.structures() {
            let mut other = match direction {
                Direction::Sink => Structure::new("video/x-h264")
                    .with("level", Value::List(LEVELS.map(Value::from).to_vec())),
                Direction::Src => Structure::new("video/x-raw").with("format", "I420"),
            };
            copy_shared(structure, &mut other);
            out.append(&Caps::new(other));
        }
        match caps.is_any() {
            true => Caps::any(),
            false => out,
        }
    }

    fn fixate(_: &Cx, _: &Caps, caps: Caps) -> Caps {
        let mut one = caps.fixate();
        // Left open: the codec chooses, and the element announces what it chose.
        one.set("level", Value::List(LEVELS.map(Value::from).to_vec()));
        one
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.stream, self.announced, self.segment, self.begins) = (None, None, None, false);
        self.held.clear();
        self.requests.clear();
        Ok(())
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.stream = None;
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, output: &Caps) -> FlowResult {
        let output = output.structure(0).and_then(|output| output.str("stream-format"));
        let is_avc = output == Some("avc");
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.input == *input) {
            if stream.is_avc != is_avc {
                // Another shape in the middle of the stream: whoever reads it now begins here.
                (stream.is_avc, self.begins) = (is_avc, true);
            }
            return Ok(());
        }
        let refuse = |why: String| cx.error(ErrorKind::Negotiation, why);
        let Some(fields) = input.structure(0) else { return Err(FlowError::NotNegotiated) };
        let settings = self.settings(fields).map_err(refuse)?;
        let encoder = H264Encoder::new(settings).map_err(|error| refuse(error.to_string()))?;
        self.stream = Some(Stream { input: input.clone(), is_avc, encoder, setup: None });
        self.announced = None;
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        let (force_idr, met) = self.take_requests(buf.pts());
        let Some(stream) = &mut self.stream else {
            return Err(cx.error(ErrorKind::Negotiation, "a frame came before its format (caps)"));
        };
        if stream.encoder.settings().bitrate != self.bitrate
            && let Err(error) = stream.encoder.set_bitrate(self.bitrate)
        {
            let keep = stream.encoder.settings().bitrate;
            cx.warning(ErrorKind::Settings, format!("bitrate stays at {keep} bit/s: {error}"));
            self.bitrate = keep;
        }
        let unit = stream.encode(cx, &buf, force_idr)?;
        let data = if stream.is_avc { unit.to_avc() } else { unit.to_byte_stream() };
        self.announce(cx);
        if let Some(met) = met {
            cx.output_event(SECOND_PAD, met);
        }
        let mut out = Buffer::from_vec(data);
        out.copy_header_from(&buf);
        // Nothing is reordered.
        out.set_dts(buf.pts());
        out.unset_flags(BufferFlags::GAP | BufferFlags::DELTA_UNIT);
        if !unit.is_idr() {
            out.set_flags(BufferFlags::DELTA_UNIT);
        }
        Ok(Some(out))
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        match event.kind {
            EventKind::StreamStart { .. } => return Ok(true),
            EventKind::Eos => {
                self.release(cx);
                return Ok(true);
            }
            EventKind::Segment(segment) => self.segment = Some(segment),
            _ => {}
        }
        if self.announced.is_some() {
            return Ok(true);
        }
        self.held.push(event.clone());
        Ok(false)
    }

    fn src_event(&mut self, _: &mut Cx, event: &Event) {
        let EventKind::Custom(_, request) = &event.kind else { return };
        self.requests.push(Request {
            running_time: request.uint64("running-time").filter(|nanos| *nanos != u64::MAX),
            all_headers: request.bool("all-headers").unwrap_or(false),
            count: request.uint64("count").map_or(0, |count| count as u32),
        });
    }

    fn flush(&mut self, _: &mut Cx) {
        // Tags outlive a flush, as on pads.
        self.held.retain(|event| matches!(event.kind, EventKind::Tag(_)));
        self.requests.clear();
        self.begins = true;
    }
}

fn copy_shared(from: &Structure, to: &mut Structure) {
    for field in SHARED {
        if let Some(value) = from.get(field) {
            to.set(field, value.clone());
        }
    }
}

/// The matrix that the caps' colorimetry names; without one, GStreamer's default for the height.
fn matrix(colorimetry: Option<&str>, height: u32) -> Result<Matrix, String> {
    let Some(text) = colorimetry else {
        return Ok(if height > 576 { Matrix::Bt709 } else { Matrix::Bt601 });
    };
    // GStreamer's numbers: range (2: 16 to 235, or 0: unknown), matrix, transfer, primaries.
    let mut numbers = text.split(':');
    match (text, numbers.next(), numbers.next()) {
        ("bt601", ..) | (_, Some("2" | "0"), Some("4")) => Ok(Matrix::Bt601),
        ("bt709", ..) | (_, Some("2" | "0"), Some("3")) => Ok(Matrix::Bt709),
        _ => Err(format!(
            "colorimetry={text} is not supported, only bt601 and bt709; put `videoconvert` before it"
        )),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
