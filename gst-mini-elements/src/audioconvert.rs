//! `audioconvert` changes how samples are stored and how many channels there are.
//!
//! Invariant: times, flags and metas are those of the input; where nothing differs, the very buffer is passed on.
//! In GStreamer: `gst/audioconvert/gstaudioconvert.c` (`gst_audio_convert_transform_caps`, `gst_audio_convert_fixate_caps`).
//! Left out: planar samples; a mix-matrix that changes while samples flow.
//!
//! ```text
//! audiotestsrc num-buffers=3 ! audioconvert ! audio/x-raw,format=F32LE,channels=2 ! fakesink
//! ```

use crate::audio::clip::clip;
use crate::audio::convert::{Converter, Settings};
use crate::audio::dither::{Dither, Shaping};
use crate::audio::info::{AudioInfo, RAW_BY_PRECISION, fallback_mask};
use crate::audio::{AudioFormat, rows_of};
use gst_mini_core::element_prelude::*;

const DITHERING: &str = "enum:none=0,rpdf=1,tpdf=2,tpdf-hf=3";
const SHAPING: &str = "enum:none=0,error-feedback=1,simple=2,medium=3,high=4";
const KEPT_BUFFERS: usize = 8;

pub struct AudioConvert {
    dithering: i32,
    shaping: i32,
    threshold: u32,
    mix_matrix: String,
    segment: Segment,
    input: Option<AudioInfo>,
    /// None while the input is passed on.
    work: Option<Work>,
}

struct Work {
    converter: Converter,
    output: AudioInfo,
    pool: BufferPool,
}

impl Default for AudioConvert {
    fn default() -> Self {
        AudioConvert {
            dithering: 2,
            shaping: 0,
            threshold: 20,
            mix_matrix: String::new(),
            segment: Segment::time(),
            input: None,
            work: None,
        }
    }
}

impl Element for AudioConvert {
    const NAME: &str = "audioconvert";
    const SUMMARY: &str = "Convert audio to different formats";
    const LONG_NAME: &str = "Audio converter";
    const CLASS: &str = "Filter/Converter/Audio";
    const RANK: u32 = 128;
    const PADS: &[PadTemplate] =
        &[PadTemplate::sink(RAW_BY_PRECISION), PadTemplate::src(RAW_BY_PRECISION)];
    const PROPS: &[Prop<Self>] = &[
        Prop::choice("dithering", DITHERING, "Noise that hides what rounding does", |e: &mut Self| {
            &mut e.dithering
        }),
        Prop::uint(
            "dithering-threshold",
            "Formats of more bits than this are rounded without noise",
            |e: &mut Self| &mut e.threshold,
        )
        .unit("bits")
        .range("0", "32"),
        Prop::string(
            "mix-matrix",
            "Factors for each input channel, a row for each output channel: \"<<1.0, 0.0>, <0.0, 1.0>>\"",
            |e: &mut Self| &mut e.mix_matrix,
        )
        .ready_only(),
        Prop::choice(
            "noise-shaping",
            SHAPING,
            "How the error of rounding is carried on",
            |e: &mut Self| &mut e.shaping,
        ),
    ];
}

/// The matrix of the application, if it set one that can be read.
fn matrix(cx: &Cx) -> Option<Vec<Vec<f32>>> {
    rows_of(&cx.property("mix-matrix")?).ok().flatten()
}

/// The lowest `count` bits of a mask.
fn lowest_bits(mask: u64, count: u32) -> u64 {
    let mut rest = mask;
    for _ in 0..count {
        rest &= rest.wrapping_sub(1);
    }
    mask - rest
}

fn mask_of(structure: &Structure) -> Option<u64> {
    match structure.get("channel-mask") {
        Some(Value::Bitmask(mask)) => Some(*mask),
        _ => None,
    }
}

/// As many channels as come in if that is possible, in their places.
fn fixate_channels(input: &Structure, output: &mut Structure) {
    let Some(in_channels) = input.int("channels") else { return };
    output.fixate_field_nearest_int("channels", in_channels);
    let Some(channels) = output.int("channels").and_then(|n| u32::try_from(n).ok()) else {
        output.remove("channel-mask");
        return;
    };
    let in_channels = in_channels.max(0) as u32;
    let stereo = |channels: u32| (channels == 2).then(|| fallback_mask(2));
    if mask_of(output).is_none()
        && let Some(mask) = stereo(channels)
    {
        output.set("channel-mask", Value::Bitmask(mask));
    }
    let out_mask = mask_of(output);
    let in_mask = mask_of(input).or(stereo(in_channels));
    if out_mask.is_none() && channels == 1 && (in_channels != 1 || in_mask.is_none()) {
        return;
    }
    let wanted = out_mask.unwrap_or(0);
    let chosen = if in_channels == channels && (in_mask.is_some() || channels == 1) {
        let given = in_mask.unwrap_or(0);
        match out_mask {
            None => Some(given),
            Some(_) if given == wanted || wanted.count_ones() == channels => return,
            Some(_) if wanted.count_ones() < channels => None,
            Some(_) if (given & wanted).count_ones() >= channels => Some(given),
            Some(_) => Some(lowest_bits(wanted, channels)),
        }
    } else if out_mask == Some(0) {
        Some(0)
    } else {
        (wanted.count_ones() >= channels).then(|| lowest_bits(wanted, channels))
    };
    if let Some(mask) = chosen {
        output.set("channel-mask", Value::Bitmask(mask));
    } else if channels > 1 {
        output.set("channel-mask", Value::Bitmask(fallback_mask(channels)));
    }
}

/// The format that loses least, of those in a list.
fn fixate_format(input: &Structure, output: &mut Structure) {
    let (Some(given), Some(Value::List(list))) = (
        input.str("format").and_then(|name| name.parse::<AudioFormat>().ok()),
        output.get("format"),
    ) else {
        return;
    };
    let possible = list.iter().filter_map(|name| name.as_str()?.parse::<AudioFormat>().ok());
    let mut best: Option<AudioFormat> = None;
    for format in possible {
        if format == given {
            best = Some(format);
            break;
        }
        let Some(so_far) = best else {
            best = Some(format);
            continue;
        };
        let (depth, best_depth, wanted) = (format.depth(), so_far.depth(), given.depth());
        let is_same_kind =
            format.is_float() == given.is_float() && so_far.is_float() != given.is_float();
        let is_better = if depth == wanted && (best_depth != wanted || is_same_kind) {
            // Exactly as many bits.
            true
        } else if depth >= wanted && (best_depth < wanted || is_same_kind) {
            // More, if there are not enough yet.
            true
        } else {
            (depth > best_depth && best_depth < wanted) || (is_same_kind && depth == best_depth)
        };
        if is_better {
            best = Some(format);
        }
    }
    if let Some(best) = best {
        output.set("format", best.name());
    }
}

impl Transform for AudioConvert {
    fn transform_caps(cx: &Cx, direction: Direction, caps: &Caps) -> Caps {
        if caps.is_any() {
            return Caps::any();
        }
        let matrix = matrix(cx);
        let mut possible = Caps::empty();
        for (structure, features) in caps.iter() {
            let mut free = structure.clone();
            free.remove("format");
            free.remove("layout");
            // Channels that belong nowhere can only stay as many as they are.
            let is_placeless = mask_of(&free) == Some(0) && free.int("channels") != Some(1);
            let matrix = matrix.as_ref().filter(|rows| !rows.is_empty());
            if matrix.is_some() || !is_placeless {
                free.remove("channel-mask");
                free.remove("channels");
            }
            if let Some(rows) = matrix {
                let columns = rows.first().map_or(0, Vec::len);
                let other = if direction == Direction::Src { columns } else { rows.len() };
                free.set("channels", i32::try_from(other).unwrap_or(i32::MAX));
            }
            possible.push(free, features.clone());
        }
        possible
    }

    fn fixate(_: &Cx, input: &Caps, caps: Caps) -> Caps {
        let Some(given) = input.structure(0) else { return caps.fixate() };
        // What need not change stays.
        let mut stored_otherwise = given.clone();
        stored_otherwise.remove("format");
        stored_otherwise.remove("layout");
        let same = caps.intersect(input);
        let mut chosen = if !same.is_empty() {
            same
        } else {
            let same = caps.intersect(&Caps::new(stored_otherwise));
            if same.is_empty() { caps } else { same }
        };
        if let Some(output) = chosen.structure_mut(0) {
            fixate_channels(given, output);
            fixate_format(given, output);
        }
        chosen.fixate()
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        rows_of(&self.mix_matrix)
            .map(drop)
            .map_err(|why| ElementError::new(ErrorKind::Settings, format!("mix-matrix: {why}")))
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.work, self.input) = (None, None);
        self.segment = Segment::time();
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, output: &Caps) -> FlowResult {
        let refused = |error: String| cx.error(ErrorKind::Negotiation, error);
        let from = AudioInfo::from_caps(input).map_err(|error| refused(error.to_string()))?;
        let to = AudioInfo::from_caps(output).map_err(|error| refused(error.to_string()))?;
        let settings = Settings {
            dither: Dither::ALL.get(self.dithering.max(0) as usize).copied().unwrap_or_default(),
            shaping: Shaping::ALL.get(self.shaping.max(0) as usize).copied().unwrap_or_default(),
            threshold: self.threshold,
            matrix: rows_of(&self.mix_matrix).map_err(refused)?,
        };
        let converter =
            Converter::new(&from, &to, &settings).map_err(|error| refused(error.to_string()))?;
        self.work = converter.map(|converter| Work {
            converter,
            output: to,
            pool: BufferPool::new(0, KEPT_BUFFERS),
        });
        self.input = Some(from);
        Ok(())
    }

    fn sink_event(&mut self, _: &mut Cx, event: &Event) -> FlowResult<bool> {
        if let EventKind::Segment(segment) = &event.kind {
            self.segment = *segment;
        }
        Ok(true)
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        let Some(input) = &self.input else { return Err(FlowError::NotNegotiated) };
        let Some(buf) = clip(buf, &self.segment, input.rate, input.frame_bytes()) else {
            return Ok(None);
        };
        let Some(work) = &mut self.work else { return Ok(Some(buf)) };
        let frames = buf.size() / input.frame_bytes();
        let Some(bytes) = frames.checked_mul(work.output.frame_bytes()) else {
            return Err(cx.error(ErrorKind::Failed, "a buffer is too long to be converted"));
        };
        if work.pool.size() < bytes {
            work.pool = BufferPool::new(bytes, KEPT_BUFFERS);
        }
        let mut out = work.pool.acquire();
        out.truncate(bytes);
        if buf.has(BufferFlags::GAP) {
            work.output.format.silence(out.data_mut());
        } else {
            work.converter.convert(buf.data(), out.data_mut());
        }
        out.copy_header_from(&buf);
        Ok(Some(out))
    }
}
