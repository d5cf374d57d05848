//! [`put_until_stored`] brings one object into the store: attempts, their limits, the waits between.
//!
//! Invariant: it returns `Ok` only after the store acknowledged the whole object; an interrupted
//! upload in parts is aborted, so that nothing unfinished stays behind and costs money.
//! In GStreamer: `net/aws/src/s3utils.rs` (`wait`), `net/aws/src/s3sink/multipartsink.rs`.
//! Left out: retrying a single part: a failed upload in parts begins again.

use crate::fault::{Fault, UploadError};
use crate::location::Location;
use crate::upload::Options;
use crate::upload::schedule::Job;
use bytes::Bytes;
use object_store::{Attribute, Attributes, PutMultipartOptions, PutOptions, PutPayload};
use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// Larger objects go in parts of this size; S3 wants at least 5 MiB.
const PART: usize = 8 << 20;

/// The slowest link a try is given time for, in bytes a second.
const SLOWEST: u64 = 1 << 20;

const FIRST_WAIT: Duration = Duration::from_millis(100);

/// A live sink looks again often: what a server saves by a longer wait, viewers pay for.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How long a stop may be held up by an abort.
const ABORT_LIMIT: Duration = Duration::from_secs(1);

/// What an object took.
pub(crate) struct Stored {
    pub attempts: u32,
    pub took: Duration,
}

/// A failed attempt that another one follows: attempt, why, and the wait before the next.
pub(crate) type OnRetry<'a> = &'a (dyn Fn(u32, &Fault, Duration) + Sync);

/// Puts `job` until the store acknowledges it, a permanent fault appears, `retry-timeout` has passed
/// since the first attempt, or `cancel` turns true.
pub(crate) async fn put_until_stored(
    location: &Location,
    options: &Options,
    job: &Job,
    mut cancel: watch::Receiver<bool>,
    on_retry: OnRetry<'_>,
) -> Result<Stored, UploadError> {
    let first = Instant::now();
    let mut backoff = Backoff::new(options.seed ^ job.seq.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut attempts = 0;
    loop {
        attempts += 1;
        let Err(mut fault) = put_once(location, options, job, &mut cancel).await else {
            return Ok(Stored { attempts, took: first.elapsed() });
        };
        let left = options.retry_timeout.map(|limit| limit.saturating_sub(first.elapsed()));
        let give_up = fault.permanent || left.is_some_and(|left| left.is_zero());
        if !give_up {
            // The last attempt falls on the deadline, not a wait before it.
            let wait = backoff.next_wait().min(left.unwrap_or(Duration::MAX));
            on_retry(attempts, &fault, wait);
            tokio::select! {
                () = tokio::time::sleep(wait) => continue,
                () = canceled(&mut cancel) => fault = Fault::canceled(),
            }
        }
        let object = location.url_of(&job.name);
        let retry_timeout = options.retry_timeout.filter(|_| !fault.permanent);
        return Err(UploadError {
            object,
            attempts,
            tried_for: first.elapsed(),
            retry_timeout,
            fault: fault.into(),
        });
    }
}

/// Waits until called off; for ever if nobody can.
pub(crate) async fn canceled(cancel: &mut watch::Receiver<bool>) {
    if cancel.wait_for(|canceled| *canceled).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn put_once(
    location: &Location,
    options: &Options,
    job: &Job,
    cancel: &mut watch::Receiver<bool>,
) -> Result<(), Fault> {
    if location.has_multipart && job.body.content_length() > PART {
        return put_in_parts(location, options, job, cancel).await;
    }
    let put_options = PutOptions { attributes: attributes(location, job), ..PutOptions::default() };
    let put = location.store.put_opts(&job.path, job.body.clone(), put_options);
    tokio::select! {
        result = limited(location, options, job.size(), put) => result.map(|_| ()),
        () = canceled(cancel) => Err(Fault::canceled()),
    }
}

async fn put_in_parts(
    location: &Location,
    options: &Options,
    job: &Job,
    cancel: &mut watch::Receiver<bool>,
) -> Result<(), Fault> {
    let put_options =
        PutMultipartOptions { attributes: attributes(location, job), ..Default::default() };
    let begin = location.store.put_multipart_opts(&job.path, put_options);
    let mut upload = limited(location, options, 0, begin).await?;
    let all_parts = async {
        for part in parts(&job.body, PART) {
            let size = part.content_length() as u64;
            limited(location, options, size, upload.put_part(part)).await?;
        }
        // Some servers copy the parts together before they answer.
        limited(location, options, job.size(), upload.complete()).await.map(|_| ())
    };
    let result = tokio::select! {
        result = all_parts => result,
        () = canceled(cancel) => Err(Fault::canceled()),
    };
    if result.is_err() {
        // Its own failure adds nothing to the story; bucket rules sweep up what a dead server kept.
        let _ = timeout(ABORT_LIMIT, upload.abort()).await;
    }
    result
}

/// Runs one request with the limit for its size, and judges its failure.
pub(crate) async fn limited<T>(
    location: &Location,
    options: &Options,
    size: u64,
    request: impl Future<Output = object_store::Result<T>>,
) -> Result<T, Fault> {
    let limit =
        options.try_timeout + Duration::from_micros(size.saturating_mul(1_000_000) / SLOWEST);
    match timeout(limit, request).await {
        Ok(result) => result.map_err(|error| Fault::of(&error, &location.scrubber)),
        Err(_) if location.lacks_credentials => Err(Fault::no_credentials(limit)),
        Err(_) => Err(Fault::timeout(limit)),
    }
}

fn attributes(location: &Location, job: &Job) -> Attributes {
    let mut attributes = Attributes::new();
    if location.has_attributes {
        if let Some(content_type) = &job.content_type {
            attributes.insert(Attribute::ContentType, content_type.clone().into());
        }
        if let Some(cache_control) = &job.cache_control {
            attributes.insert(Attribute::CacheControl, cache_control.clone().into());
        }
    }
    attributes
}

/// Cuts a body into parts of `size` bytes, the last one shorter, without copying.
fn parts(body: &PutPayload, size: usize) -> Vec<PutPayload> {
    let mut parts = Vec::new();
    let mut part: Vec<Bytes> = Vec::new();
    let mut room = size;
    for chunk in body.iter() {
        let mut chunk = chunk.clone();
        while !chunk.is_empty() {
            let piece = chunk.split_to(chunk.len().min(room));
            room -= piece.len();
            part.push(piece);
            if room == 0 {
                parts.push(part.drain(..).collect());
                room = size;
            }
        }
    }
    if !part.is_empty() {
        parts.push(part.into_iter().collect());
    }
    parts
}

/// Waits that double up to a limit, each shortened at random by up to half, so that several
/// uploads do not come back at the same moment.
struct Backoff {
    next: Duration,
    state: u64,
}

impl Backoff {
    fn new(seed: u64) -> Self {
        Self { next: FIRST_WAIT, state: seed }
    }

    fn next_wait(&mut self) -> Duration {
        // splitmix64: an even spread from any seed.
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let spread = ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        let wait = self.next.mul_f64(0.5 + spread / 2.0);
        self.next = (self.next * 2).min(LONGEST_WAIT);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_within_their_spread_and_repeat_with_the_seed() {
        let waits = |seed| {
            let mut backoff = Backoff::new(seed);
            std::iter::from_fn(move || Some(backoff.next_wait())).take(8).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
        let mut full = FIRST_WAIT;
        for wait in waits(3) {
            assert!(wait >= full / 2 && wait <= full, "{wait:?} of {full:?}");
            full = (full * 2).min(LONGEST_WAIT);
        }
    }

    #[test]
    fn parts_share_the_body_and_add_up_to_it() {
        let body: PutPayload =
            [Bytes::from_static(b"abcdefg"), Bytes::new(), Bytes::from_static(b"hi")]
                .into_iter()
                .collect();
        let cut: Vec<Bytes> = parts(&body, 4).into_iter().map(Bytes::from).collect();
        assert_eq!(cut, ["abcd", "efgh", "i"]);
        assert!(parts(&PutPayload::new(), 4).is_empty());
    }
}
