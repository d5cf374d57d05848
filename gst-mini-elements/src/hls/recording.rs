//! Cuts a stream of encoded frames into the objects of one HLS recording.
//!
//! ```text
//! frames   K d d d d d K d d d d d K …       K: key frame
//! objects  init        seg 0, index  seg 1, index   …   finish: seg n, index with ENDLIST
//! ```
//! A segment closes when a key frame comes at least `target-duration` after its first frame, give
//! or take half a frame. If the encoder's key frames do not meet the target and waiting on would
//! make the segment too long, it is cut at the last key frame it contains.
//!
//! Invariant: every segment begins with a key frame; decode times continue from segment to segment,
//! or a DISCONTINUITY says that they do not; a playlist comes out after everything it lists.
//! In GStreamer: gst-plugins-rs `net/hlssink3` (`HlsCmafSink`), `mux/isobmff` (`FMP4Mux`), which
//! waits for the next key frame however late it comes.
//! Left out: more than one track; cutting without a key frame.

use gst_mini_core::time::ClockTime;

use super::cmaf::{self, Track, TrackError};
use super::object::{Chunk, Object, Role};
use super::playlist::{Entry, Playlist, PlaylistError, PlaylistKind, Removed, ResumeError};
use super::timeline::{Pending, Timeline, fragment_samples};

/// What the user chose. All of it is fixed for the length of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Length a segment should have; TARGETDURATION is this, rounded up to seconds.
    pub target_duration: ClockTime,
    /// How the playlist lives.
    pub kind: PlaylistKind,
    /// Segments a live playlist lists; 0 for all.
    pub playlist_length: usize,
    /// Put into every name, so that two recordings in one place share none.
    pub run_id: Option<String>,
    /// Number of the first segment.
    pub first_sequence: u64,
    /// Name of the playlist, if not `index.m3u8` or, with a run id, `index_RUN.m3u8`.
    pub playlist_name: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            target_duration: ClockTime::from_secs(6),
            kind: PlaylistKind::Live,
            playlist_length: 5,
            run_id: None,
            first_sequence: 0,
            playlist_name: None,
        }
    }
}

/// One encoded frame: an AVC access unit with four-byte NAL lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample<P> {
    /// When it is shown.
    pub pts: ClockTime,
    /// When it is decoded; `None` says as `pts`, for streams without reordering.
    pub dts: Option<ClockTime>,
    /// How long it is shown, if known. Used for the last sample before an end or a break.
    pub duration: Option<ClockTime>,
    /// Whether decoding can begin here.
    pub is_sync: bool,
    /// The bytes.
    pub data: P,
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames taken.
    pub frames: u64,
    /// Frames dropped because no key frame had come yet, at the start or after a break.
    pub dropped_before_key_frame: u64,
    /// Frames without bytes, which no MP4 sample can be.
    pub dropped_empty: u64,
    /// Frames whose decode time did not rise and was moved one tick behind the previous one.
    pub repaired: u64,
    /// Frames refused with an error. After a refusal that came together with objects, the error is
    /// the answer to the next call.
    pub refused: u64,
    /// Segments closed.
    pub segments: u64,
    /// Segments closed at an earlier key frame because waiting would have made them too long.
    pub cut_early: u64,
    /// Breaks: a new format, time going backwards, or a hole longer than a segment may be.
    pub discontinuities: u64,
}

/// Why a frame or a format was refused. The recording stays usable: [`Recording::finish`] closes
/// what was taken before; pushing on makes a hole of what was refused, which is a DISCONTINUITY.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// Frames before the first [`Recording::set_track`].
    #[error("a frame came before its format (caps with codec_data)")]
    NoTrack,
    /// The recording was finished.
    #[error("the recording is finished; start a new one")]
    Finished,
    /// The format or a segment cannot be written.
    #[error(transparent)]
    Track(#[from] TrackError),
    /// The segment cannot be listed.
    #[error(transparent)]
    Playlist(#[from] PlaylistError),
}

/// The result of feeding a recording: objects to be stored in this order.
pub type Objects<P> = Result<Vec<Object<P>>, RecordingError>;

/// A recording under way. `P` is the payload's type, kept until its segment closes and passed on.
#[derive(Debug)]
pub struct Recording<P> {
    settings: Settings,
    playlist: Playlist,
    stats: Stats,
    track: Option<Track>,
    init_name: Option<String>,
    inits: u32,
    timeline: Option<Timeline>,
    pending: Vec<Pending<P>>,
    discontinuity: bool,
    wall_clock: Option<(ClockTime, u64)>,
    /// An error found after objects were complete: they are answered first, it is at the next call.
    failed: Option<RecordingError>,
}

impl<P: AsRef<[u8]>> Recording<P> {
    /// A recording of nothing yet.
    pub fn new(settings: Settings) -> Self {
        let target = settings.target_duration.nanos().div_ceil(1_000_000_000);
        let playlist = Playlist::new(settings.kind, target, settings.playlist_length)
            .starting_at(settings.first_sequence, 0);
        Self {
            settings,
            playlist,
            stats: Stats::default(),
            track: None,
            init_name: None,
            inits: 0,
            timeline: None,
            pending: Vec::new(),
            discontinuity: false,
            wall_clock: None,
            failed: None,
        }
    }

    /// A recording that goes on with the playlist an earlier run left behind, after a
    /// DISCONTINUITY. For that, both runs must have the same `playlist_name` and different run ids:
    /// the earlier one may have stored segments that it did not come to list.
    pub fn resume(settings: Settings, playlist: &str) -> Result<Self, ResumeError> {
        let mut recording = Self::new(settings);
        recording.playlist = recording.playlist.resume(playlist)?;
        recording.discontinuity = !recording.playlist.is_empty();
        Ok(recording)
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// The playlist as it stands.
    pub fn playlist(&self) -> &Playlist {
        &self.playlist
    }

    /// Tells which moment (nanoseconds since 1970 UTC) a timestamp was. Taken up at the start of the
    /// recording and after each break, because in between PROGRAM-DATE-TIME must follow EXTINF.
    pub fn set_wall_clock(&mut self, pts: ClockTime, utc: u64) {
        self.wall_clock = Some((pts, utc));
        if let Some(timeline) = &mut self.timeline {
            timeline.utc = timeline.utc.or(utc_of(self.wall_clock, timeline.first_pts));
        }
    }

    /// Sets the format of the frames to come. A format other than the last closes the open segment
    /// and goes on, after a DISCONTINUITY, with the next key frame and a new init segment.
    pub fn set_track(&mut self, track: Track) -> Objects<P> {
        if self.playlist.is_ended() {
            return Err(RecordingError::Finished);
        }
        if self.track.as_ref() == Some(&track) {
            return Ok(Vec::new());
        }
        track.stream_info()?;
        let objects = self.interrupt()?;
        self.track = Some(track);
        self.init_name = None;
        Ok(objects)
    }

    /// Closes the open segment; what follows is no continuation of it.
    pub fn interrupt(&mut self) -> Objects<P> {
        let objects = match self.pending.last() {
            Some(last) => self.close(self.pending.len(), last.natural_end, false)?,
            None => Vec::new(),
        };
        if self.timeline.take().is_some() {
            self.discontinuity = true;
            self.stats.discontinuities += 1;
        }
        Ok(objects)
    }

    /// The timestamp from which the next key frame will be cut at, for the request to the encoder.
    /// `None`: at once, because no segment is open.
    pub fn next_key_frame_at(&self) -> Option<ClockTime> {
        self.pending.first().map(|first| first.pts + self.settings.target_duration)
    }

    /// Takes a frame, in decode order. Answers the objects it completes.
    pub fn push(&mut self, sample: Sample<P>) -> Objects<P> {
        if self.playlist.is_ended() {
            return Err(RecordingError::Finished);
        }
        if let Some(error) = self.failed.take() {
            self.stats.refused += 1;
            return Err(error);
        }
        let Some(track) = self.track.take() else { return Err(RecordingError::NoTrack) };
        let mut objects = Vec::new();
        let result = self.push_to(&track, sample, &mut objects);
        self.track = Some(track);
        self.stats.refused += u64::from(result.is_err());
        match result {
            Err(error) if !objects.is_empty() => self.failed = Some(error),
            other => other?,
        }
        Ok(objects)
    }

    fn push_to(
        &mut self,
        track: &Track,
        sample: Sample<P>,
        objects: &mut Vec<Object<P>>,
    ) -> Result<(), RecordingError> {
        if sample.data.as_ref().is_empty() {
            self.stats.dropped_empty += 1;
            return Ok(());
        }
        let tick = self.timeline.map(|timeline| timeline.decode_tick(&sample));
        if tick.is_some_and(|tick| self.is_break(tick, sample.is_sync)) {
            objects.extend(self.interrupt()?);
        }
        if self.timeline.is_none() && !sample.is_sync {
            self.stats.dropped_before_key_frame += 1;
            return Ok(());
        }
        let timeline = match self.timeline {
            Some(timeline) => timeline,
            None => self.begin_timeline(track, &sample, objects)?,
        };
        let sample = self.place(timeline, track.frame_rate, sample);
        self.cut_before(&sample, objects)?;
        self.stats.frames += 1;
        self.pending.push(sample);
        Ok(())
    }

    /// Ends the recording: the open segment as it is, and the playlist with ENDLIST. Without a
    /// single frame there is no playlist either. A second call answers nothing.
    pub fn finish(&mut self) -> Objects<P> {
        if self.playlist.is_ended() {
            return Ok(Vec::new());
        }
        match self.pending.last() {
            Some(last) => self.close(self.pending.len(), last.natural_end, true),
            None => {
                self.playlist.end();
                let nothing_listed = self.playlist.is_empty();
                Ok(if nothing_listed {
                    Vec::new()
                } else {
                    vec![self.playlist_object(None, Vec::new())]
                })
            }
        }
    }

    /// Whether a frame decoded at `tick` is no continuation: time went back, or the hole before it
    /// would make a segment too long wherever it is cut.
    fn is_break(&self, tick: i64, is_sync: bool) -> bool {
        let (Some(timeline), Some(last)) = (self.timeline, self.pending.last()) else {
            return false;
        };
        let back = last.tick.cast_signed() - tick;
        if back >= 0 {
            return is_sync || back > i64::from(timeline.timescale);
        }
        let tick = tick.cast_unsigned();
        let hole = tick.saturating_sub(last.natural_end);
        let frame = last.natural_end - last.tick;
        let cut_at = self.pending.iter().rfind(|sample| sample.is_sync).unwrap_or(last).tick;
        let end = if is_sync { tick } else { tick + 2 * frame };
        hole > self.target_ticks(timeline)
            || hole > frame / 2 && !self.playlist.fits(timeline.micros(cut_at, end))
    }

    fn begin_timeline(
        &mut self,
        track: &Track,
        sample: &Sample<P>,
        objects: &mut Vec<Object<P>>,
    ) -> Result<Timeline, RecordingError> {
        if self.init_name.is_none() {
            let bytes = track.init_segment()?;
            let number = if self.inits > 0 { format!("_{}", self.inits) } else { String::new() };
            let name = self.name("init", &number, "mp4");
            self.inits += 1;
            self.init_name = Some(name.clone());
            objects.push(Object {
                name,
                role: Role::Init,
                cache_control: IMMUTABLE.to_owned(),
                chunks: vec![Chunk::Made(bytes)],
                first_pts: sample.pts,
                duration: ClockTime::ZERO,
                frames: 0,
                last: false,
                removed: Vec::new(),
            });
        }
        let timeline = Timeline {
            timescale: track.timescale(),
            first_pts: sample.pts,
            first_dts: sample.dts.unwrap_or(sample.pts),
            utc: utc_of(self.wall_clock, sample.pts),
        };
        self.timeline = Some(timeline);
        Ok(timeline)
    }

    /// Puts a sample on the grid of ticks, always behind the previous one.
    fn place(
        &mut self,
        timeline: Timeline,
        frame_rate: Option<(u32, u32)>,
        sample: Sample<P>,
    ) -> Pending<P> {
        let wanted = timeline.decode_tick(&sample).max(0) as u64;
        let previous = self.pending.last().map(|last| last.tick);
        let tick = match previous {
            Some(previous) if wanted <= previous => {
                self.stats.repaired += 1;
                previous + 1
            }
            _ => wanted,
        };
        let composition_offset = match sample.dts {
            Some(_) => timeline.presentation_tick(&sample).saturating_sub_unsigned(tick),
            None => 0,
        };
        let limit = self.settings.target_duration;
        let by_duration =
            sample.duration.filter(|d| *d > ClockTime::ZERO && *d <= limit).map(|d| {
                timeline.ticks_since_first_dts(sample.dts.unwrap_or(sample.pts) + d).max(0) as u64
            });
        let timescale = u64::from(timeline.timescale);
        let by_rate = frame_rate
            .filter(|(n, d)| *n > 0 && *d > 0)
            .map(|(n, d)| tick + timescale * u64::from(d) / u64::from(n));
        // No more than double, so that a hole is not taken for a slow frame rate.
        let by_previous = (self.pending.last())
            .map(|last| tick + (tick - last.tick).min(2 * (last.natural_end - last.tick)));
        // A single frame must never be too long for a segment.
        let longest = tick + self.target_ticks(timeline);
        let natural_end =
            by_duration.or(by_rate).or(by_previous).unwrap_or(tick + timescale / GUESSED_RATE);
        Pending {
            tick,
            natural_end: natural_end.min(longest).max(tick + 1),
            composition_offset: composition_offset.clamp(i64::from(i32::MIN), i64::from(i32::MAX))
                as i32,
            pts: sample.pts,
            is_sync: sample.is_sync,
            data: sample.data,
        }
    }

    /// Closes what must be closed before `sample` can join the open segment or begin the next.
    fn cut_before(
        &mut self,
        sample: &Pending<P>,
        objects: &mut Vec<Object<P>>,
    ) -> Result<(), RecordingError> {
        let Some(timeline) = self.timeline else { return Ok(()) };
        let target = self.target_ticks(timeline);
        let half_frame = (sample.natural_end - sample.tick).min(target) / 2;
        while let Some(start) = self.pending.first().map(|first| first.tick) {
            let cut_fits = self.playlist.fits(timeline.micros(start, sample.tick));
            let joined = timeline.micros(start, sample.natural_end);
            let join_fits = self.playlist.fits(joined);
            let is_due = sample.tick - start + half_frame >= target;
            if sample.is_sync && cut_fits && (is_due || !join_fits) {
                objects.extend(self.close(self.pending.len(), sample.tick, false)?);
            } else if join_fits {
                break;
            } else if let Some(index @ 1..) = self.pending.iter().rposition(|s| s.is_sync) {
                self.stats.cut_early += 1;
                objects.extend(self.close(index, self.pending[index].tick, false)?);
            } else {
                self.playlist.check_length(&self.segment_name(), joined)?;
                break;
            }
        }
        Ok(())
    }

    /// Closes the open segment after `count` samples, at the tick `end`.
    fn close(&mut self, count: usize, end: u64, last: bool) -> Objects<P> {
        let (Some(timeline), Some(first)) = (self.timeline, self.pending.first()) else {
            return Ok(Vec::new());
        };
        let (start, first_pts) = (first.tick, first.pts);
        let sequence = self.playlist.next_sequence();
        let head = cmaf::segment_head(
            (sequence + 1) as u32,
            start,
            &fragment_samples(&self.pending[..count], end)?,
        )?;
        let name = self.segment_name();
        let removed = self.playlist.add(Entry {
            name: name.clone(),
            init: self.init_name.clone().unwrap_or_default(),
            micros: timeline.micros(start, end),
            discontinuity: self.discontinuity,
            utc: timeline.utc.map(|utc| utc.saturating_add(timeline.time(start).nanos())),
            gap: false,
        })?;
        self.discontinuity = false;
        self.stats.segments += 1;
        let payload = self.pending.drain(..count).map(|sample| Chunk::Payload(sample.data));
        let segment = Object {
            name,
            role: Role::Segment,
            cache_control: IMMUTABLE.to_owned(),
            chunks: std::iter::once(Chunk::Made(head)).chain(payload).collect(),
            first_pts,
            duration: timeline.time(end - start),
            frames: count as u32,
            last: false,
            removed: Vec::new(),
        };
        if last {
            self.playlist.end();
        }
        let playlist = (last || self.settings.kind != PlaylistKind::Vod)
            .then(|| self.playlist_object(Some(&segment), removed));
        Ok(std::iter::once(segment).chain(playlist).collect())
    }

    fn playlist_object(&self, newest: Option<&Object<P>>, removed: Vec<Removed>) -> Object<P> {
        let last = self.playlist.is_ended();
        // A finished playlist never changes, but its plain name may be used by a later recording.
        let max_age = if last { 3600 } else { (self.playlist.target() / 2).max(1) };
        Object {
            name: self.playlist_name(),
            role: Role::Playlist,
            cache_control: format!("public, max-age={max_age}"),
            chunks: vec![Chunk::Made(self.playlist.text().into_bytes())],
            first_pts: newest.map_or(ClockTime::ZERO, |segment| segment.first_pts),
            duration: newest.map_or(ClockTime::ZERO, |segment| segment.duration),
            frames: newest.map_or(0, |segment| segment.frames),
            last,
            removed,
        }
    }

    fn target_ticks(&self, timeline: Timeline) -> u64 {
        let nanos = i64::try_from(self.settings.target_duration.nanos()).unwrap_or(i64::MAX);
        cmaf::ticks_from_nanos(nanos, timeline.timescale).max(0) as u64
    }

    /// Name under which the playlist is stored.
    pub fn playlist_name(&self) -> String {
        self.settings.playlist_name.clone().unwrap_or_else(|| self.name("index", "", "m3u8"))
    }

    fn segment_name(&self) -> String {
        self.name("segment", &format!("_{:05}", self.playlist.next_sequence()), "cmfv")
    }

    fn name(&self, stem: &str, number: &str, extension: &str) -> String {
        match &self.settings.run_id {
            Some(run_id) => format!("{stem}_{run_id}{number}.{extension}"),
            None => format!("{stem}{number}.{extension}"),
        }
    }
}

fn utc_of(wall_clock: Option<(ClockTime, u64)>, pts: ClockTime) -> Option<u64> {
    wall_clock.and_then(|(anchor, utc)| utc.checked_add_signed(pts.diff(anchor)))
}

/// Names of segments and init segments are never used twice, so copies may be kept for a year.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Frames a second assumed for the only frame of a stream that tells nothing about its rate.
const GUESSED_RATE: u64 = 25;
