//! `s3sink` stores named objects in S3 and whatever else takes objects by URL.
//!
//! ```text
//!  streaming thread (host)                  upload threads (ours)
//!  wait for the clock ─▶ render ─ submit ─▶ backlog ─▶ put, again and again ─▶ object-stored
//!  end of stream ─▶ waits here until all is acknowledged ─▶ sink-report ─▶ EOS is posted
//! ```
//!
//! The plugin keeps threads, locks and waits of its own: nothing here is seen by the host's runtime
//! but the calls themselves. On simulated time there is no such thread: an object is stored inside the
//! call, which takes `store-delay` of virtual time whatever `max-backlog` is (a failed attempt is repeated
//! in real time).
//!
//! Invariant: a playlist is stored only after all it lists; EOS is posted only after everything is
//! stored; after a failure nothing more is taken.
//! In GStreamer: `net/aws/src/s3hlssink/imp.rs`, `net/aws/src/s3sink/multipartsink.rs`.
//! Left out: deleting what left the playlist; bytes without a name.
//!
//! ```text
//! livesource ! queue ! openh264enc ! hlssegmenter ! s3sink location=s3://bucket/prefix
//! ```

use crate::fault::UploadError;
use crate::location::{Environment, Location, Settings};
use crate::secret::Secret;
use crate::telling::{Telling, role};
use crate::upload::{Object, Options, SubmitError, Uploader};
use bytes::Bytes;
use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Asked for at start, to find out whether the store lets us in. Whether it is there does not matter.
const PROBE: &str = "index.m3u8";

/// `retry-timeout` that never runs out.
const FOREVER: u64 = u64::MAX;

/// See the module's page.
pub struct S3Sink {
    location: String,
    endpoint: String,
    region: String,
    path_style: bool,
    access_key: String,
    secret_access_key: String,
    session_token: String,
    retry_timeout: ClockTime,
    try_timeout: ClockTime,
    max_backlog: u64,
    workers: u32,
    fsync: bool,
    store_delay: ClockTime,
    /// What other threads reach: the upload in progress.
    upload: Arc<Upload>,
    telling: Option<Arc<Telling>>,
    partial: Option<Partial>,
    /// The closing report is out.
    is_reported: bool,
}

/// An object of which the last buffer has not come.
struct Partial {
    meta: ObjectMeta,
    running_time: Option<u64>,
    body: Vec<Bytes>,
}

impl Default for S3Sink {
    fn default() -> Self {
        let options = Options::default();
        S3Sink {
            location: String::new(),
            endpoint: String::new(),
            region: String::new(),
            path_style: true,
            access_key: String::new(),
            secret_access_key: String::new(),
            session_token: String::new(),
            retry_timeout: ClockTime::from_secs(60),
            try_timeout: ClockTime::from_secs(5),
            max_backlog: options.max_backlog,
            workers: options.workers as u32,
            fsync: false,
            store_delay: ClockTime::ZERO,
            upload: Arc::default(),
            telling: None,
            partial: None,
            is_reported: false,
        }
    }
}

impl Element for S3Sink {
    const NAME: &str = "s3sink";
    const SUMMARY: &str = "Stores named objects in S3, GCS, Azure, WebDAV, a directory or memory";
    const LONG_NAME: &str = "Object store sink";
    const CLASS: &str = "Sink/Network/Object";
    const RANK: u32 = 256;
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::string(
            "location",
            "Where to: s3://bucket/prefix, file:///dir, memory://name, gs://, az://, https://",
            |e: &mut Self| &mut e.location,
        )
        .ready_only(),
        Prop::string(
            "endpoint",
            "Server other than Amazon's, as http://host:port; empty: AWS_ENDPOINT_URL, then Amazon",
            |e: &mut Self| &mut e.endpoint,
        )
        .ready_only(),
        Prop::string(
            "region",
            "S3 region; empty: AWS_REGION or AWS_DEFAULT_REGION, then us-east-1",
            |e: &mut Self| &mut e.region,
        )
        .ready_only(),
        Prop::boolean(
            "path-style",
            "The bucket is the first part of the path, not of the host name",
            |e: &mut Self| &mut e.path_style,
        )
        .ready_only(),
        Prop::string("access-key", "S3 access key; empty: AWS_ACCESS_KEY_ID", |e: &mut Self| {
            &mut e.access_key
        })
        .ready_only()
        .secret(),
        Prop::string(
            "secret-access-key",
            "S3 secret; empty: AWS_SECRET_ACCESS_KEY",
            |e: &mut Self| &mut e.secret_access_key,
        )
        .ready_only()
        .secret(),
        Prop::string(
            "session-token",
            "For temporary S3 credentials; empty: AWS_SESSION_TOKEN",
            |e: &mut Self| &mut e.session_token,
        )
        .ready_only()
        .secret(),
        Prop::time(
            "retry-timeout",
            "Give an object up this long after its first attempt; 0: one attempt, \
             18446744073709551615: never",
            |e: &mut Self| &mut e.retry_timeout,
        )
        .ready_only(),
        Prop::time(
            "try-timeout",
            "Longest time for one attempt, plus 1 s for each MiB",
            |e: &mut Self| &mut e.try_timeout,
        )
        .range("1000000", "3600000000000")
        .ready_only(),
        Prop::uint64(
            "max-backlog",
            "Bytes accepted and not yet stored before rendering blocks; 0: each object is stored \
             when its render returns",
            |e: &mut Self| &mut e.max_backlog,
        )
        .unit("bytes")
        .ready_only(),
        Prop::uint("workers", "Media objects stored at once", |e: &mut Self| &mut e.workers)
            .range("1", "64")
            .ready_only(),
        Prop::boolean(
            "fsync",
            "A file counts as stored only when it has reached the disk (file:// only)",
            |e: &mut Self| &mut e.fsync,
        )
        .ready_only(),
        Prop::time(
            "store-delay",
            "Slow each put down by this much with object_store's throttling wrapper, for \
             demonstrations",
            |e: &mut Self| &mut e.store_delay,
        )
        .ready_only(),
        Prop::published("objects", types::UINT64, "Objects stored", "0"),
        Prop::published("bytes", types::UINT64, "Bytes stored", "0").unit("bytes"),
        Prop::published("retries", types::UINT64, "Attempts that failed and were repeated", "0"),
        Prop::published(
            "worst-delay",
            types::UINT64,
            "Longest time from an object's submission to the store's acknowledgment",
            "0",
        )
        .unit("ns"),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.upload.clone())
    }
}

/// The part that any thread reaches.
#[derive(Default)]
struct Upload {
    /// There between start and stop. The lock is held to look, never during a call.
    uploader: Mutex<Option<Arc<Uploader>>>,
}

impl Upload {
    fn uploader(&self) -> Option<Arc<Uploader>> {
        self.uploader.lock().clone()
    }
}

impl Shared for Upload {
    fn unlock(&self, on: bool) {
        match self.uploader() {
            Some(uploader) if on => uploader.unlock(),
            Some(uploader) => uploader.unlock_stop(),
            None => {}
        }
    }

    /// `object-exists, name=…`: sets `exists`; `error` instead, a sentence, if the store did not say.
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        let Query::Custom(question) = query else { return false };
        let Some((name, uploader)) = question.str("name").map(str::to_owned).zip(self.uploader())
        else {
            return false;
        };
        if question.name() != "object-exists" {
            return false;
        }
        match cx.foreign(ClockTime::ZERO, || uploader.exists(&name)) {
            Some(Ok(exists)) => question.set("exists", exists),
            Some(Err(error)) => question.set("error", error.to_string()),
            None => return false,
        }
        true
    }
}

fn length(time: ClockTime) -> Duration {
    Duration::from_nanos(time.nanos())
}

impl S3Sink {
    fn settings(&self, is_simulated: bool) -> Settings {
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        let secret = |text: &String| given(text).map(Secret::new);
        Settings {
            endpoint: given(&self.endpoint),
            region: given(&self.region),
            path_style: self.path_style,
            access_key: secret(&self.access_key),
            secret_access_key: secret(&self.secret_access_key),
            session_token: secret(&self.session_token),
            fsync: self.fsync,
            // Simulated time passes in `store` instead.
            store_delay: if is_simulated { Duration::ZERO } else { length(self.store_delay) },
        }
    }

    fn options(&self, cx: &Cx) -> Options {
        let is_simulated = cx.is_simulated();
        Options {
            workers: self.workers as usize,
            max_backlog: self.max_backlog,
            retry_timeout: (self.retry_timeout.nanos() != FOREVER)
                .then(|| length(self.retry_timeout)),
            // What the throttling wrapper takes is no fault of the store.
            try_timeout: length(self.try_timeout) + self.settings(is_simulated).store_delay,
            keep_every_version: false,
            seed: cx.utc_now(),
            inline: is_simulated,
        }
    }

    /// One question shows most mistakes before the first frame is made: a wrong key, a missing bucket.
    fn knock(&self, cx: &Cx, uploader: &Uploader) -> Result<(), ElementError> {
        let Some(Err(error)) = cx.foreign(ClockTime::ZERO, || uploader.exists(PROBE)) else {
            return Ok(());
        };
        if error.fault.may_be_write_only() {
            // Whoever may only write is told nothing about what is there.
            cx.log(Level::Info, || error.to_string());
            return Ok(());
        }
        if error.fault.permanent || error.fault.kind == ErrorKind::NotAuthorized {
            return Err(error.to_element_error());
        }
        // It may be up again before the first object is given up; a recorder does not stay off for that.
        cx.warning(error.fault.kind, format!("{error}; recording goes on, and tries again"));
        Ok(())
    }

    /// Hands an object on; returns when the uploader has room for it.
    fn store(&mut self, cx: &Cx, Partial { meta, running_time, body }: Partial) -> FlowResult {
        let (Some(uploader), Some(telling)) = (self.upload.uploader(), &self.telling) else {
            return Err(cx.error(ErrorKind::Core, "a buffer came before start"));
        };
        let text = |text: String| (!text.is_empty()).then_some(text);
        let object = Object {
            role: role(meta.role),
            name: meta.name,
            content_type: text(meta.content_type),
            cache_control: text(meta.cache_control),
            running_time,
            body,
        };
        let virtual_delay = if cx.is_simulated() { self.store_delay } else { ClockTime::ZERO };
        let submitted = cx.foreign(virtual_delay, || uploader.submit(object));
        telling.release(length(virtual_delay));
        self.is_reported = false;
        outcome(cx, telling, submitted)
    }

    /// Waits until everything is stored, and reports.
    fn finish(&mut self, cx: &Cx) -> FlowResult {
        if let Some(partial) = self.partial.take() {
            return Err(cx.error(
                ErrorKind::Format,
                format!("the stream ended within the object \"{}\"", partial.meta.name),
            ));
        }
        let (Some(uploader), Some(telling)) = (self.upload.uploader(), &self.telling) else {
            return Ok(());
        };
        let finished = cx.foreign(ClockTime::ZERO, || uploader.finish());
        telling.release(Duration::ZERO);
        outcome(cx, telling, finished)?;
        telling.report();
        self.is_reported = true;
        Ok(())
    }
}

/// What became of a call of the uploader; `None` is a panic in it.
fn outcome(cx: &Cx, telling: &Telling, result: Option<Result<(), SubmitError>>) -> FlowResult {
    match result {
        Some(Ok(())) => Ok(()),
        Some(Err(SubmitError::Flushing | SubmitError::Stopped)) => Err(FlowError::Flushing),
        Some(Err(SubmitError::Failed(error))) => {
            telling.tell_failure(&error);
            Err(FlowError::Error)
        }
        None => Err(cx.error(ErrorKind::Panic, "the uploader panicked; please report it")),
    }
}

fn refused(error: UploadError) -> ElementError {
    error.to_element_error()
}

impl Sink for S3Sink {
    const SYNC: bool = true;

    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        if self.location.is_empty() {
            let text = "no location is set; set location=s3://bucket/prefix, or file:///directory";
            return Err(ElementError::new(ErrorKind::Settings, text));
        }
        let settings = self.settings(cx.is_simulated());
        let location = Location::open(&self.location, &settings, &Environment::of_process())
            .map_err(refused)?;
        let Some(poster) = cx.poster() else {
            let text = "this host lends no way to post from other threads; use a newer one";
            return Err(ElementError::new(ErrorKind::Core, text));
        };
        let telling = Arc::new(Telling::new(poster, cx.is_simulated()));
        let listener = telling.clone();
        let listener = Box::new(move |event| listener.hear(event));
        let uploader = Uploader::new(location, self.options(cx), listener).map_err(refused)?;
        self.knock(cx, &uploader)?;
        cx.log(Level::Info, || format!("storing in {}", uploader.location()));
        *self.upload.uploader.lock() = Some(Arc::new(uploader));
        (self.telling, self.partial, self.is_reported) = (Some(telling), None, false);
        Ok(())
    }

    fn stop(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        self.partial = None;
        let uploader = self.upload.uploader.lock().take();
        let (Some(uploader), Some(telling)) = (uploader, self.telling.take()) else {
            return Ok(());
        };
        let Some(report) = cx.foreign(ClockTime::ZERO, || uploader.stop()) else { return Ok(()) };
        cx.log(Level::Info, || report.to_string());
        if !self.is_reported {
            telling.report();
            if report.abandoned > 0 {
                let text = format!(
                    "{} objects were accepted but not stored; end the stream before stopping",
                    report.abandoned
                );
                cx.warning(ErrorKind::Write, text);
            }
        }
        Ok(())
    }

    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        let mut partial = match (self.partial.take(), ObjectMeta::of(&buf)) {
            (None, Some(meta)) => {
                let running_time = running_time_of(cx, &buf);
                Partial { meta, running_time, body: Vec::new() }
            }
            (Some(partial), Some(meta)) if meta.name == partial.meta.name => {
                Partial { meta, ..partial }
            }
            (Some(partial), None) => partial,
            (Some(partial), Some(meta)) => {
                let text = format!(
                    "object \"{}\" began before \"{}\" was complete",
                    meta.name, partial.meta.name
                );
                return Err(cx.error(ErrorKind::Format, text));
            }
            (None, None) => {
                let text = "a buffer without a name arrived, and s3sink stores named objects; put \
                            hlssegmenter before it";
                return Err(cx.error(ErrorKind::Format, text));
            }
        };
        if buf.size() > 0 {
            partial.body.push(Bytes::from_owner(Chunk(buf)));
        }
        if !partial.meta.last {
            self.partial = Some(partial);
            return Ok(());
        }
        self.store(cx, partial)
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult {
        match event.kind {
            EventKind::Eos => self.finish(cx),
            _ => Ok(()),
        }
    }

    fn flush(&mut self, _: &mut Cx) {
        self.partial = None;
    }
}

fn running_time_of(cx: &Cx, buf: &Buffer) -> Option<u64> {
    let pts = buf.pts()?;
    Some(cx.pad_segment(FIRST_PAD)?.to_running_time(pts)?.nanos())
}

/// A buffer as the uploader holds it: shared, not copied.
struct Chunk(Buffer);

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self.0.data()
    }
}
