//! `hlssegmenter` cuts an H.264 stream into the objects of an HLS recording, for any object sink.
//!
//! ```text
//!    frames ──▶ hlssegmenter ──▶ init.mp4, segment_00000.cmfv, index.m3u8, segment_00001.cmfv, …
//!      ◀── GstForceKeyUnit           └─ object-exists? ──▶ the sink: then names get a run id
//! ```
//! An object's time is that of its first frame, though it is only complete a target duration later:
//! that is the latency this element reports. The init segment carries no time, because a sink that
//! waited for it would hold up the frames behind it. Each closed segment is told in an element message
//! `hls-segment` (`index frames duration name bytes`), each new recording in `hls-recording`
//! (`playlist run-id`). `codec_data` in the caps is text, two hexadecimal digits a byte.
//!
//! When its object sink is about to be replaced (the event `gst-mini-object-seam`), the recording ends before the next
//! key frame, which is asked for: last segment, ENDLIST, and the event as a mark behind them. What follows is
//! another recording. Its first frames are held until the event comes with `over=true`: then the new store is there
//! to be asked for its names.
//!
//! Invariant: a name that was given out is not given out again with other bytes, playlists excepted.
//! In GStreamer: gst-plugins-rs `net/hlssink3` (`HlsCmafSink`), which is a bin with its own file sink.
//! Left out: audio; going on with an earlier playlist; deleting what a live playlist no longer lists.
//!
//! ```text
//! videotestsrc is-live=true ! openh264enc ! hlssegmenter target-duration=2 ! dirsink location=out
//! ```

use gst_mini_core::element_prelude::*;

use crate::hls::{Object, PlaylistKind, Recording, Role, Sample, Settings, Track, date, track_of};

const SINK_CAPS: &str = "video/x-h264, stream-format=(string)avc, alignment=(string)au";
const KINDS: [PlaylistKind; 3] = [PlaylistKind::Live, PlaylistKind::Event, PlaylistKind::Vod];

pub struct HlsSegmenter {
    target_duration: f64,
    playlist_type: i32,
    playlist_length: u32,
    playlist_name: String,
    run_id: String,
    track: Option<Track>,
    recording: Option<Recording<Payload>>,
    segment: Option<Segment>,
    /// The stream was flushed: what is held ends where it is.
    flushed: bool,
    /// Where a key frame was last asked for; `Some(None)`: at once.
    asked: Option<Option<ClockTime>>,
    requests: u32,
    segments: u32,
    frames: u64,
    objects: u64,
    /// A recording was begun since this element was made.
    has_recorded: bool,
    /// The number of the seam that the sink asked for.
    seam: Option<u64>,
    /// A key frame was asked for because of it.
    seam_asked: bool,
    /// The number of the seam that what comes now lies behind; the new store is not there yet.
    crossing: Option<u64>,
    /// The first frames behind a seam.
    held: Vec<Buffer>,
}

/// A frame's bytes, kept until their segment closes.
#[derive(Debug)]
struct Payload(Buffer);

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self.0.data()
    }
}

impl Default for HlsSegmenter {
    fn default() -> Self {
        HlsSegmenter {
            target_duration: 6.0,
            playlist_type: 1,
            playlist_length: 0,
            playlist_name: "index.m3u8".to_owned(),
            run_id: String::new(),
            track: None,
            recording: None,
            segment: None,
            flushed: false,
            asked: None,
            requests: 0,
            segments: 0,
            frames: 0,
            objects: 0,
            has_recorded: false,
            seam: None,
            seam_asked: false,
            crossing: None,
            held: Vec::new(),
        }
    }
}

impl Element for HlsSegmenter {
    const NAME: &str = "hlssegmenter";
    const SUMMARY: &str = "Cuts H.264 into the CMAF segments and playlists of HTTP Live Streaming";
    const LONG_NAME: &str = "HLS segmenter";
    const CLASS: &str = "Codec/Muxer";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(SINK_CAPS), PadTemplate::src(OBJECT_CAPS)];
    const PROPS: &[Prop<Self>] = &[
        Prop::double("target-duration", "Length of a segment", |e: &mut Self| &mut e.target_duration)
            .unit("s")
            .range("0.1", "3600")
            .ready_only(),
        Prop::choice(
            "playlist-type",
            "enum:live=0,event=1,vod=2",
            "live: a window that slides; event: it grows; vod: written once, at the end",
            |e: &mut Self| &mut e.playlist_type,
        )
        .ready_only(),
        Prop::uint(
            "playlist-length",
            "Segments that a live playlist lists, 0: all",
            |e: &mut Self| &mut e.playlist_length,
        )
        .unit("segments")
        .ready_only(),
        Prop::string("playlist-name", "Name of the playlist", |e: &mut Self| &mut e.playlist_name)
            .ready_only(),
        Prop::string(
            "run-id",
            "Put into every name; empty: the time of the first frame, if there is a recording already",
            |e: &mut Self| &mut e.run_id,
        )
        .ready_only(),
        Prop::published("segments", types::UINT, "Segments closed in this recording", "0"),
        Prop::published("frames", types::UINT64, "Frames in the closed segments of this recording", "0"),
    ];
    const UPSTREAM_EVENTS: &str = OBJECT_SEAM;
}

impl HlsSegmenter {
    fn target(&self) -> ClockTime {
        ClockTime::from_nanos((self.target_duration * 1e9).round() as u64)
    }

    /// Begins a recording with the frame at `pts`, under names that the store does not have yet.
    fn begin(&mut self, cx: &Cx, utc: u64) -> FlowResult<Recording<Payload>> {
        let mut settings = Settings {
            target_duration: self.target(),
            kind: KINDS.get(self.playlist_type as usize).copied().unwrap_or_default(),
            playlist_length: self.playlist_length as usize,
            run_id: None,
            first_sequence: 0,
            playlist_name: Some(self.playlist_name.clone()),
        };
        if !self.run_id.is_empty() {
            name_after(&mut settings, &self.playlist_name, &self.run_id);
            if exists(cx, &settings, None) == Some(true) {
                let text = format!(
                    "there is a recording with run-id={} already; choose another, or leave run-id empty",
                    self.run_id
                );
                return Err(cx.error(ErrorKind::Settings, text));
            }
        } else if exists(cx, &settings, Some(true)).unwrap_or(self.has_recorded) {
            let moment = date::iso8601_millis(utc);
            let digits: String = moment.chars().filter(|c| !matches!(c, '-' | ':')).collect();
            let second = format!("{}Z", digits.split('.').next().unwrap_or(""));
            name_after(&mut settings, &self.playlist_name, &second);
            let mut more = 1;
            // Runs may begin in one second; a store that always says yes must not hold us here.
            while more < 1000 && exists(cx, &settings, None) == Some(true) {
                more += 1;
                name_after(&mut settings, &self.playlist_name, &format!("{second}-{more}"));
            }
        }
        let run_id = settings.run_id.clone().unwrap_or_default();
        let recording = Recording::new(settings);
        cx.post_element(
            Structure::new("hls-recording")
                .with("playlist", recording.playlist_name())
                .with("run-id", run_id),
        );
        (self.has_recorded, self.segments, self.frames, self.objects) = (true, 0, 0, 0);
        self.asked = None;
        self.publish(cx);
        Ok(recording)
    }

    fn publish(&self, cx: &Cx) {
        cx.publish("segments", self.segments);
        cx.publish("frames", self.frames);
    }

    /// Queues objects for the sink, and tells of the segments among them.
    fn put_out(&mut self, cx: &Cx, objects: Vec<Object<Payload>>, with_time: bool) {
        for object in objects {
            let bytes = object.to_bytes();
            if object.role == Role::Segment {
                cx.post_element(
                    Structure::new("hls-segment")
                        .with("index", self.segments)
                        .with("frames", object.frames)
                        .with("duration", object.duration.nanos())
                        .with("name", object.name.as_str())
                        .with("bytes", bytes.len() as u64),
                );
                self.segments += 1;
                self.frames += u64::from(object.frames);
                self.publish(cx);
            }
            let mut buf = Buffer::from_vec(bytes);
            if with_time && object.role != Role::Init {
                buf.set_pts(Some(object.first_pts));
                buf.set_duration(Some(object.duration));
            }
            if object.role == Role::Init {
                buf.set_flags(BufferFlags::HEADER);
            }
            buf.set_offset(Some(self.objects));
            self.objects += 1;
            let meta = ObjectMeta {
                name: object.name,
                content_type: object.role.content_type().to_owned(),
                cache_control: object.cache_control,
                role: match object.role {
                    Role::Init => ObjectRole::Init,
                    Role::Segment => ObjectRole::Segment,
                    Role::Playlist => ObjectRole::Playlist,
                },
                last: true,
                ends: object.last,
            };
            meta.attach(&mut buf);
            cx.output(SECOND_PAD, buf);
        }
    }

    /// Closes the open segment: what follows does not continue it.
    fn interrupt(&mut self, cx: &Cx, with_time: bool) -> FlowResult {
        if let Some(recording) = self.recording.as_mut().filter(|r| !r.playlist().is_ended()) {
            let objects = recording.interrupt().map_err(|error| fail(cx, &error))?;
            self.put_out(cx, objects, with_time);
        }
        Ok(())
    }

    fn finish(&mut self, cx: &Cx, with_time: bool) -> FlowResult {
        if let Some(recording) = &mut self.recording {
            let objects = recording.finish().map_err(|error| fail(cx, &error))?;
            self.put_out(cx, objects, with_time);
        }
        Ok(())
    }

    /// Puts a frame into the recording, or into a new one.
    fn record(&mut self, cx: &Cx, buf: Buffer) -> FlowResult {
        if self.track.is_none() {
            let text = "a frame came before its format (caps with codec_data)";
            return Err(cx.error(ErrorKind::Negotiation, text));
        }
        let Some(pts) = buf.pts() else {
            let text = "a frame has no timestamp (PTS); where to cut cannot be told";
            return Err(cx.error(ErrorKind::Format, text));
        };
        let is_sync = !buf.has(BufferFlags::DELTA_UNIT);
        let utc = self.utc_of(cx, pts);
        let mut recording = match self.recording.take().filter(|r| !r.playlist().is_ended()) {
            Some(recording) => recording,
            None => {
                let mut recording = self.begin(cx, utc)?;
                if let Some(track) = self.track.clone() {
                    recording.set_track(track).map_err(|error| fail(cx, &error))?;
                }
                recording
            }
        };
        if is_sync {
            recording.set_wall_clock(pts, utc);
        }
        let (dts, duration) = (buf.dts(), buf.duration());
        let result = recording.push(Sample { pts, dts, duration, is_sync, data: Payload(buf) });
        self.recording = Some(recording);
        let objects = result.map_err(|error| fail(cx, &error))?;
        self.put_out(cx, objects, true);
        Ok(())
    }

    /// Ends the recording before `buf` if the sink is to be replaced and nothing is lost by it; `None`: it did, and
    /// keeps the frame.
    fn end_at_seam(&mut self, cx: &Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        let Some(serial) = self.seam else { return Ok(Some(buf)) };
        let is_open = self.recording.as_ref().is_some_and(|r| !r.playlist().is_ended());
        if is_open && buf.has(BufferFlags::DELTA_UNIT) {
            if !std::mem::replace(&mut self.seam_asked, true) {
                self.requests += 1;
                cx.output_event(FIRST_PAD, Event::force_key_unit(None, self.requests));
            }
            return Ok(Some(buf));
        }
        self.finish(cx, true)?;
        self.mark_seam(cx, serial);
        self.held.push(buf);
        Ok(None)
    }

    /// What came before goes to the sink that asked.
    fn mark_seam(&mut self, cx: &Cx, serial: u64) {
        (self.seam, self.crossing) = (None, Some(serial));
        let mark = Structure::new(OBJECT_SEAM).with("serial", serial);
        cx.output_event(SECOND_PAD, Event::new(EventKind::Custom(CustomKind::Downstream, mark)));
    }

    /// Records the frames that were held behind a seam.
    fn record_held(&mut self, cx: &Cx) -> FlowResult {
        std::mem::take(&mut self.held).into_iter().try_for_each(|buf| self.record(cx, buf))
    }

    /// Asks the encoder for the key frame at which the open segment shall end.
    fn ask_for_key_frame(&mut self, cx: &Cx) {
        let Some(recording) = &self.recording else { return };
        let at = recording.next_key_frame_at();
        if self.asked == Some(at) {
            return;
        }
        self.asked = Some(at);
        let running_time = match (at, self.segment) {
            (Some(at), Some(segment)) => match segment.to_running_time(at) {
                Some(running_time) => Some(ClockTime::from_nanos(running_time.nanos())),
                // Beyond the end of the segment there will be no frame.
                None => return,
            },
            (at, None) => at,
            (None, _) => None,
        };
        self.requests += 1;
        cx.output_event(FIRST_PAD, Event::force_key_unit(running_time, self.requests));
    }

    /// The wall-clock moment of a frame: now, less how long ago it was due.
    fn utc_of(&self, cx: &Cx, pts: ClockTime) -> u64 {
        let now = cx.utc_now();
        let due = self.segment.and_then(|segment| segment.to_running_time(pts));
        match cx.running_time().zip(due) {
            Some((running_time, due)) => now.saturating_add_signed(due.diff(running_time)),
            None => now,
        }
    }
}

impl Transform for HlsSegmenter {
    fn transform_caps(_: &Cx, direction: Direction, _: &Caps) -> Caps {
        let text = if direction == Direction::Sink { OBJECT_CAPS } else { SINK_CAPS };
        Caps::parse(text).unwrap_or_else(|_| Caps::any())
    }

    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        (self.track, self.recording, self.segment) = (None, None, None);
        (self.flushed, self.asked) = (false, None);
        (self.seam, self.seam_asked, self.crossing) = (None, false, None);
        self.held.clear();
        let live = KINDS.get(self.playlist_type as usize) == Some(&PlaylistKind::Live);
        if self.playlist_length > 0 && !live {
            let text =
                "playlist-length needs playlist-type=live: the other playlists list all segments";
            return Err(ElementError::new(ErrorKind::Settings, text));
        }
        let plain =
            |text: &str| !text.contains(['/', '\\', '"']) && !text.chars().any(char::is_control);
        if self.playlist_name.is_empty() || !plain(&self.playlist_name) || !plain(&self.run_id) {
            let text =
                "playlist-name and run-id are parts of a file name: no \"/\", \"\\\" or quotes";
            return Err(ElementError::new(ErrorKind::Settings, text));
        }
        cx.set_latency(self.target(), Some(self.target()));
        Ok(())
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.recording = None;
        self.held.clear();
        Ok(())
    }

    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, _: &Caps) -> FlowResult {
        let track = track_of(input).map_err(|why| cx.error(ErrorKind::Negotiation, why))?;
        self.record_held(cx)?;
        if let Some(recording) = self.recording.as_mut().filter(|r| !r.playlist().is_ended()) {
            let objects = recording.set_track(track.clone()).map_err(|error| fail(cx, &error))?;
            self.put_out(cx, objects, true);
        }
        self.track = Some(track);
        Ok(())
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        if self.crossing.is_some() {
            self.held.push(buf);
            return Ok(None);
        }
        self.record_held(cx)?;
        if std::mem::take(&mut self.flushed) {
            // Their time lies before the flush, so they go out without one.
            self.interrupt(cx, false)?;
        }
        if let Some(buf) = self.end_at_seam(cx, buf)? {
            self.record(cx, buf)?;
            self.ask_for_key_frame(cx);
        }
        Ok(None)
    }

    fn src_event(&mut self, _: &mut Cx, event: &Event) {
        let EventKind::Custom(_, asked) = &event.kind else { return };
        let Some(serial) = asked.get("serial").and_then(|value| value.as_u64()) else { return };
        if asked.bool("over") == Some(true) {
            self.seam.take_if(|wanted| *wanted == serial);
            self.crossing.take_if(|wanted| *wanted == serial);
        } else {
            (self.seam, self.seam_asked) = (Some(serial), false);
        }
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        match &event.kind {
            EventKind::Segment(segment) => {
                self.record_held(cx)?;
                let same = |a: &Segment, b: &Segment| {
                    let bare = |s: &Segment| Segment { position: None, duration: None, ..*s };
                    bare(a) == bare(b)
                };
                // After a flush the end of what is held comes with the next frame.
                if !self.flushed && self.segment.is_some_and(|old| !same(&old, segment)) {
                    self.interrupt(cx, true)?;
                }
                self.segment = Some(*segment);
            }
            EventKind::Eos => {
                self.record_held(cx)?;
                let with_time = !std::mem::take(&mut self.flushed);
                self.finish(cx, with_time)?;
                if let Some(serial) = self.seam {
                    self.mark_seam(cx, serial);
                }
            }
            // A sink would wait for the gap's time and hold up the frames: an object has none to fill.
            EventKind::Gap { .. } => return Ok(false),
            EventKind::Custom(_, structure) if structure.name() == "GstForceKeyUnit" => {
                return Ok(false);
            }
            _ => {}
        }
        Ok(true)
    }

    fn flush(&mut self, _: &mut Cx) {
        // Nothing may be pushed from here; the frames held were good, so they are not forgotten.
        (self.flushed, self.asked) = (true, None);
    }
}

fn fail(cx: &Cx, error: &crate::hls::RecordingError) -> FlowError {
    cx.error(ErrorKind::Format, error.to_string())
}

/// Puts a run id into all names, that of the playlist before its extension.
fn name_after(settings: &mut Settings, playlist_name: &str, run_id: &str) {
    let (stem, extension) = playlist_name.rsplit_once('.').unwrap_or((playlist_name, "m3u8"));
    settings.playlist_name = Some(format!("{stem}_{run_id}.{extension}"));
    settings.run_id = Some(run_id.to_owned());
}

/// Whether the sink has a recording under these names; `None` if nobody answers. A store that was
/// asked and could not say counts as `unsure`: a name too many is better than a name used twice.
fn exists(cx: &Cx, settings: &Settings, unsure: Option<bool>) -> Option<bool> {
    // The playlist may not have come yet when a run was killed; its init segment came first.
    let run_id = settings.run_id.as_deref().map_or(String::new(), |run_id| format!("_{run_id}"));
    let names = [settings.playlist_name.clone().unwrap_or_default(), format!("init{run_id}.mp4")];
    let answers = names.map(|name| {
        let mut query = Query::Custom(Structure::new("object-exists").with("name", name));
        match cx.peer_query(SECOND_PAD, &mut query).then_some(query) {
            Some(Query::Custom(answer)) => {
                answer.bool("exists").or(if answer.has("error") { unsure } else { None })
            }
            _ => None,
        }
    });
    answers.into_iter().flatten().reduce(|a, b| a || b)
}
