//! A [`Schedule`] decides which object may be put next. Pure: no thread, no lock, no I/O.
//!
//! Media objects go in order of submission, several at once. A playlist goes when everything it can
//! list is stored; while it waits, a newer version takes its place.
//!
//! ```text
//! submitted   seg1  PL1  seg2  PL2  seg3  PL3          seg2 is slow
//! stored      seg1  PL1  seg3 ............ seg2  PL3   PL2 was replaced
//! ```
//!
//! Invariant: a playlist starts only when all media before it, and a first version of each playlist
//! before it, are stored; at most one put per name at a time; the newest version is never dropped.
//! In GStreamer: nothing; `awss3hlssink` sends one object at a time, and others their playlist any time.
//! Left out: deletion; priorities among media.

use crate::report::Report;
use crate::upload::Role;
use object_store::PutPayload;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// One object on its way.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Position in the order of submission.
    pub seq: u64,
    pub name: Arc<str>,
    pub path: object_store::path::Path,
    pub role: Role,
    pub running_time: Option<u64>,
    pub content_type: Option<String>,
    pub cache_control: Option<String>,
    /// Shares the submitted chunks; gone when the job is.
    pub body: PutPayload,
    pub submitted: Instant,
}

impl Job {
    pub(crate) fn size(&self) -> u64 {
        self.body.content_length() as u64
    }

    fn is_playlist(&self) -> bool {
        self.role == Role::Playlist
    }
}

#[derive(Debug)]
pub(crate) struct Schedule {
    /// Media puts at once.
    workers: usize,
    keep_every_version: bool,
    media: VecDeque<Job>,
    playlists: VecDeque<Job>,
    /// Names being put, with whether each is a playlist.
    in_flight: BTreeMap<Arc<str>, bool>,
    /// Media submitted and not acknowledged; its least member holds playlists back.
    unstored_media: BTreeSet<u64>,
    /// Playlists submitted, by position, of which no version is stored yet.
    unstored_playlists: BTreeMap<u64, Arc<str>>,
    /// Playlists of which some version is stored.
    published: BTreeSet<Arc<str>>,
    report: Report,
}

impl Schedule {
    pub(crate) fn new(workers: usize, keep_every_version: bool) -> Self {
        Self {
            workers: workers.max(1),
            keep_every_version,
            media: VecDeque::new(),
            playlists: VecDeque::new(),
            in_flight: BTreeMap::new(),
            unstored_media: BTreeSet::new(),
            unstored_playlists: BTreeMap::new(),
            published: BTreeSet::new(),
            report: Report::default(),
        }
    }

    pub(crate) fn report(&self) -> Report {
        self.report
    }

    pub(crate) fn note_retry(&mut self) {
        self.report.retries += 1;
    }

    /// Whether `size` more bytes fit under `limit`. An object larger than that goes alone.
    pub(crate) fn has_room(&self, size: u64, limit: u64) -> bool {
        self.report.backlog == 0 || self.report.backlog.saturating_add(size) <= limit
    }

    /// Nothing waits and nothing is on its way.
    pub(crate) fn is_drained(&self) -> bool {
        self.media.is_empty() && self.playlists.is_empty() && self.in_flight.is_empty()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(crate) fn submit(&mut self, job: Job) {
        self.report.submitted += 1;
        self.report.backlog += job.size();
        self.report.peak_backlog = self.report.peak_backlog.max(self.report.backlog);
        if !job.is_playlist() {
            self.unstored_media.insert(job.seq);
            self.media.push_back(job);
            return;
        }
        if !self.keep_every_version
            && let Some(index) = self.replaceable(&job.name)
            && let Some(old) = self.playlists.remove(index)
        {
            self.unstored_playlists.remove(&old.seq);
            self.report.backlog -= old.size();
            self.report.playlists_skipped += 1;
        }
        if !self.published.contains(&job.name) {
            self.unstored_playlists.insert(job.seq, job.name.clone());
        }
        self.playlists.push_back(job);
    }

    /// The waiting version of a playlist that a new one may replace. A first version may not once
    /// another playlist stands behind it: that one may list it, and would wait for the new version,
    /// which waits for more.
    fn replaceable(&self, name: &str) -> Option<usize> {
        let index = self.playlists.iter().rposition(|job| *job.name == *name)?;
        let first = self.unstored_playlists.iter().find(|(_, other)| ***other == *name);
        let is_first = first.is_some_and(|(seq, _)| *seq == self.playlists[index].seq);
        let others_behind = self.playlists.iter().skip(index + 1).any(|job| *job.name != *name);
        (!is_first || !others_behind).then_some(index)
    }

    /// The next object to put, if one may start now.
    pub(crate) fn start(&mut self) -> Option<Job> {
        let job = self.start_playlist().or_else(|| self.start_media())?;
        self.in_flight.insert(job.name.clone(), job.is_playlist());
        Some(job)
    }

    /// Playlists do not compete with media for workers: what holds one back is order alone.
    fn start_playlist(&mut self) -> Option<Job> {
        let first_media = self.unstored_media.first().copied().unwrap_or(u64::MAX);
        let index = self.playlists.iter().position(|job| {
            let others =
                self.unstored_playlists.range(..job.seq).any(|(_, name)| *name != job.name);
            job.seq < first_media && !others && !self.in_flight.contains_key(&job.name)
        })?;
        self.playlists.remove(index)
    }

    fn start_media(&mut self) -> Option<Job> {
        let running = self.in_flight.values().filter(|is_playlist| !**is_playlist).count();
        if running >= self.workers {
            return None;
        }
        // Two puts under one name could end in either order.
        let index = self.media.iter().position(|job| !self.in_flight.contains_key(&job.name))?;
        self.media.remove(index)
    }

    /// The store acknowledged `job`, `delay` after it was submitted.
    pub(crate) fn stored(&mut self, job: &Job, delay: Duration) {
        self.finished(job);
        self.report.objects += 1;
        self.report.bytes += job.size();
        self.report.worst_delay = self.report.worst_delay.max(delay);
        if job.is_playlist() {
            self.report.playlists_written += 1;
            self.unstored_playlists.retain(|_, name| *name != job.name);
            self.published.insert(job.name.clone());
        } else {
            self.unstored_media.remove(&job.seq);
        }
    }

    /// `job` was given up. Whatever waits is given up with it, so that no playlist lists a gap.
    pub(crate) fn failed(&mut self, job: &Job) {
        self.finished(job);
        self.report.abandoned += 1;
        self.abandon();
    }

    /// `job` was interrupted before it was stored; it goes again, before all others.
    pub(crate) fn put_back(&mut self, job: Job) {
        self.in_flight.remove(&job.name);
        if job.is_playlist() {
            self.playlists.push_front(job);
        } else {
            self.media.push_front(job);
        }
    }

    /// Drops everything that waits.
    pub(crate) fn abandon(&mut self) {
        self.report.abandoned += (self.media.len() + self.playlists.len()) as u64;
        for job in self.media.drain(..).chain(self.playlists.drain(..)) {
            self.report.backlog -= job.size();
        }
    }

    fn finished(&mut self, job: &Job) {
        self.in_flight.remove(&job.name);
        self.report.backlog -= job.size();
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
