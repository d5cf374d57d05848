//! An [`Event`] tells what happened to one object; a [`Report`] sums up what happened to all.
//!
//! Invariant: an object counts as stored only after the store acknowledged it.
//! In GStreamer: the `stats` property of `net/aws/src/s3hlssink/imp.rs`.
//! Left out: histograms; the worst delay is kept.

use crate::fault::UploadError;
use crate::upload::Role;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What happened to one object. Handed to the listener on an upload thread.
#[derive(Clone, Debug)]
pub enum Event {
    /// The store acknowledged it.
    Stored {
        /// The object's name below the location.
        name: Arc<str>,
        /// What it is to the recording.
        role: Role,
        /// Its size.
        bytes: u64,
        /// Attempts it took; 1 if all went well.
        attempts: u32,
        /// From the first attempt to the acknowledgment.
        took: Duration,
        /// From `submit` to the acknowledgment: what [`Report::worst_delay`] is the longest of.
        delay: Duration,
        /// As submitted.
        running_time: Option<u64>,
    },
    /// An attempt failed and another one follows.
    Retrying {
        /// The object's name below the location.
        name: Arc<str>,
        /// The attempt that failed; 1 is the first.
        attempt: u32,
        /// Why, free of credentials.
        reason: String,
        /// The wait before the next attempt.
        next_delay: Duration,
    },
    /// The object was given up, and the upload with it.
    Failed(Arc<UploadError>),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Stored { name, bytes, attempts, took, .. } => {
                write!(f, "stored {name}: {bytes} bytes, {:.3} s", took.as_secs_f64())?;
                if *attempts > 1 {
                    write!(f, ", {attempts} attempts")?;
                }
                Ok(())
            }
            Event::Retrying { name, attempt, reason, next_delay } => {
                write!(
                    f,
                    "{name}: attempt {attempt}: {reason}; again in {:.3} s",
                    next_delay.as_secs_f64()
                )
            }
            Event::Failed(error) => error.fmt(f),
        }
    }
}

/// What happened to all objects so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Objects handed in, every playlist version included.
    pub submitted: u64,
    /// Objects acknowledged, every stored playlist version included.
    pub objects: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Attempts that failed and were followed by another.
    pub retries: u64,
    /// The longest time from submit to acknowledgment.
    pub worst_delay: Duration,
    /// Playlist versions acknowledged.
    pub playlists_written: u64,
    /// Playlist versions that a newer one replaced before their turn.
    pub playlists_skipped: u64,
    /// Objects accepted but neither stored nor replaced, because of a failure or a stop.
    pub abandoned: u64,
    /// Bytes accepted and not yet acknowledged.
    pub backlog: u64,
    /// The most that was ever in the backlog.
    pub peak_backlog: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} objects, {} bytes, {} retries, worst delay {:.3} s, playlists {} written {} skipped",
            self.objects,
            self.bytes,
            self.retries,
            self.worst_delay.as_secs_f64(),
            self.playlists_written,
            self.playlists_skipped
        )?;
        if self.abandoned > 0 {
            write!(f, ", {} NOT STORED", self.abandoned)?;
        }
        Ok(())
    }
}
