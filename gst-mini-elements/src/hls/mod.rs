//! From encoded frames to an HLS recording of CMAF files: the pure part of `hlssegmenter`.
//!
//! ```text
//! Sample ─▶ Recording ─▶ Object (init.mp4, segment_00000.cmfv, …, index.m3u8) ─▶ any object sink
//!              │ cmaf: boxes      date: wall clock text
//!              │ avc: codec_data  playlist: text, window, what to delete
//!              └ rules: judges the playlists, shares no code with them
//! ```
//!
//! Invariant: nothing in here reads a clock, starts a thread or does I/O; the same samples give the
//! same bytes.
//! In GStreamer: gst-plugins-rs `net/hlssink3` (`HlsCmafSink`), `mux/isobmff` (`CMAFMux`).
//! Left out: audio and multivariant playlists; low-latency parts (a plain bucket cannot hold a
//! request open); encryption; byte ranges; producer reference times (`prft`).

pub mod avc;
pub mod cmaf;
pub mod date;
mod format;
pub mod object;
pub mod playlist;
pub mod recording;
pub mod rules;
mod timeline;

pub use cmaf::{Track, TrackError};
pub use format::track_of;
pub use object::{Chunk, Object, Role};
pub use playlist::{Playlist, PlaylistError, PlaylistKind, Removed, ResumeError};
pub use recording::{Recording, RecordingError, Sample, Settings, Stats};
