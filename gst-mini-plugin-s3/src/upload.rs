//! An [`Uploader`] stores the objects of one streaming thread, in the background and in the right order.
//!
//! ```text
//! streaming thread          upload threads (2, with up to `workers` puts at once)
//! submit(seg 1) ─► backlog ─► put ─ attempts ─► acknowledged ─► Event::Stored
//! submit(playlist) ─► waits until everything before it is acknowledged ─► put
//! submit(seg 2) ··· blocks while `max_backlog` bytes wait; unlock() wakes it
//! finish() ··· blocks until all is acknowledged       stop() ─► called off, threads joined
//! ```
//!
//! With [`Options::inline`] nothing runs in the background: `submit` returns when the object is
//! stored. That is how it works under simulated time, where no foreign thread may be at work.
//!
//! Invariant: no object that a stored playlist lists is missing; after a failure every call says so.
//! In GStreamer: `net/aws/src/s3hlssink/imp.rs` (`s3_request`), whose thread ends at the first failure.
//! Left out: a spool on disk behind the backlog; going on after an object was given up.

use crate::fault::{Fault, UploadError, is_missing_object};
use crate::location::Location;
use crate::report::{Event, Report};
use bytes::Bytes;
use futures::FutureExt;
use object_store::GetOptions;
use parking_lot::{Condvar, Mutex, MutexGuard};
use put::{canceled, limited, put_until_stored};
use schedule::{Job, Schedule};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;
use tokio::time::Instant;

mod put;
mod schedule;

/// Enough for signatures and sockets: the waiting is asynchronous.
const THREADS: usize = 2;

/// How long `stop` waits for puts to notice that they were called off.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// How an upload behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Media objects put at once.
    pub workers: usize,
    /// Bytes accepted and not yet acknowledged before `submit` blocks. At 0 it returns only when the
    /// object it was given is acknowledged.
    pub max_backlog: u64,
    /// An object is given up this long after its first attempt; `None`: never.
    pub retry_timeout: Option<Duration>,
    /// How long one try may take, plus a second for each MiB.
    pub try_timeout: Duration,
    /// Store each version of a playlist, also those that a newer one has overtaken. For tests.
    pub keep_every_version: bool,
    /// For the random part of the waits between attempts.
    pub seed: u64,
    /// Put on the caller's thread; see the module's page.
    pub inline: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: 4,
            max_backlog: 64 << 20,
            retry_timeout: Some(Duration::from_secs(60)),
            try_timeout: Duration::from_secs(5),
            keep_every_version: false,
            seed: 0,
            inline: false,
        }
    }
}

/// What an object is to the recording; decides when it may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// What a decoder needs before the first segment.
    Init,
    /// A piece of media.
    Segment,
    /// Lists what was submitted before it, so it is stored after that.
    Playlist,
    /// Anything else; treated as media.
    Other,
}

/// A named object to be stored. A second one of the same name overwrites the first.
#[derive(Clone, Debug)]
pub struct Object {
    /// Relative to the location, with single `/` between its parts.
    pub name: String,
    /// As `video/mp4`; a directory does not keep it.
    pub content_type: Option<String>,
    /// As `max-age=1`; a directory does not keep it.
    pub cache_control: Option<String>,
    /// When it may be stored.
    pub role: Role,
    /// When it was due in the stream, in ns; told with its fate.
    pub running_time: Option<u64>,
    /// Its content in order. Not copied; freed when the store has acknowledged the object.
    pub body: Vec<Bytes>,
}

/// Why an object was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// `unlock` was called. What had been accepted is still going to be stored.
    #[error("flushing")]
    Flushing,
    /// `stop` was called.
    #[error("stopped")]
    Stopped,
    /// This object or an earlier one could not be stored.
    #[error(transparent)]
    Failed(#[from] Arc<UploadError>),
}

/// Called with what happens to each object, on an upload thread (inline: on the caller's), outside
/// of any lock. It may ask for a report; it must not wait for the uploader.
pub type Listener = Box<dyn Fn(Event) + Send + Sync>;

/// Stores objects. All methods may be called from any thread; `submit` from one at a time.
/// None may be called from within an asynchronous runtime. Dropping it stops it.
pub struct Uploader {
    shared: Arc<Shared>,
    /// Gone once stopped. Held while a put runs inline.
    runtime: Mutex<Option<Runtime>>,
}

struct Shared {
    location: Location,
    options: Options,
    listener: Listener,
    handle: Handle,
    state: Mutex<State>,
    /// The backlog shrank, something failed, or a flag changed.
    changed: Condvar,
    /// Calls off what is being put: by `stop`, and inline also by `unlock`.
    cancel: watch::Sender<bool>,
    /// The first failure is the one that is told.
    has_failed: AtomicBool,
}

struct State {
    schedule: Schedule,
    error: Option<Arc<UploadError>>,
    is_flushing: bool,
    is_stopped: bool,
    next_seq: u64,
}

impl State {
    fn check(&self) -> Result<(), SubmitError> {
        match &self.error {
            _ if self.is_stopped => Err(SubmitError::Stopped),
            Some(error) => Err(error.clone().into()),
            None if self.is_flushing => Err(SubmitError::Flushing),
            None => Ok(()),
        }
    }
}

impl Uploader {
    /// Starts the upload threads.
    ///
    /// # Errors
    /// The system gives no threads or no sockets.
    pub fn new(
        location: Location,
        options: Options,
        listener: Listener,
    ) -> Result<Self, UploadError> {
        let mut builder = if options.inline {
            Builder::new_current_thread()
        } else {
            Builder::new_multi_thread()
        };
        if !options.inline {
            builder.worker_threads(THREADS);
        }
        // Blocking threads serve files and names; one more than puts, for a question in between.
        let runtime = builder
            .thread_name("s3sink-upload")
            .max_blocking_threads(options.workers.max(1) + 1)
            .enable_all()
            .build()
            .map_err(|error| {
                UploadError::refused(
                    location.to_string(),
                    Fault::internal(format!("no upload threads: {error}")),
                )
            })?;
        let state = State {
            schedule: Schedule::new(options.workers, options.keep_every_version),
            error: None,
            is_flushing: false,
            is_stopped: false,
            next_seq: 0,
        };
        let shared = Shared {
            location,
            options,
            listener,
            handle: runtime.handle().clone(),
            state: Mutex::new(state),
            changed: Condvar::new(),
            cancel: watch::channel(false).0,
            has_failed: AtomicBool::new(false),
        };
        Ok(Self { shared: Arc::new(shared), runtime: Mutex::new(Some(runtime)) })
    }

    /// Where it stores.
    pub fn location(&self) -> &Location {
        &self.shared.location
    }

    /// Accepts an object. Blocks while the backlog is full; see [`Options::max_backlog`].
    ///
    /// # Errors
    /// Flushing, stopped, or the failure of this or an earlier object.
    pub fn submit(&self, object: Object) -> Result<(), SubmitError> {
        let shared = &self.shared;
        let path = shared.location.path(&object.name).map_err(Arc::new)?;
        let submitted = Instant::now();
        let body: object_store::PutPayload = object.body.into_iter().collect();
        let size = body.content_length() as u64;

        let mut state = shared.state.lock();
        state.check()?;
        while !shared.options.inline && !state.schedule.has_room(size, shared.options.max_backlog) {
            shared.changed.wait(&mut state);
            state.check()?;
        }
        let seq = state.next_seq;
        state.next_seq += 1;
        state.schedule.submit(Job {
            seq,
            name: object.name.into(),
            path,
            role: object.role,
            running_time: object.running_time,
            content_type: object.content_type,
            cache_control: object.cache_control,
            body,
            submitted,
        });
        if shared.options.inline {
            drop(state);
            return self.put_inline();
        }
        shared.start_puts(&mut state);
        if shared.options.max_backlog == 0 {
            return shared.wait_drained(state);
        }
        Ok(())
    }

    /// Waits until every accepted object is acknowledged.
    ///
    /// # Errors
    /// Flushing, stopped, or the failure of an object.
    pub fn finish(&self) -> Result<(), SubmitError> {
        if self.shared.options.inline {
            return self.put_inline();
        }
        self.shared.wait_drained(self.shared.state.lock())
    }

    /// Makes a blocked `submit` or `finish` return [`SubmitError::Flushing`], and so every later one
    /// until [`unlock_stop`](Self::unlock_stop). Nothing accepted is lost.
    pub fn unlock(&self) {
        self.set_flushing(true);
    }

    /// Accepts objects again after `unlock`.
    pub fn unlock_stop(&self) {
        self.set_flushing(false);
    }

    fn set_flushing(&self, is_flushing: bool) {
        let mut state = self.shared.state.lock();
        state.is_flushing = is_flushing;
        if self.shared.options.inline && !state.is_stopped {
            self.shared.cancel.send_replace(is_flushing);
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// What happened so far.
    pub fn report(&self) -> Report {
        self.shared.state.lock().schedule.report()
    }

    /// Whether an object of that name is there: does this place already hold a recording? One try.
    ///
    /// # Errors
    /// The store could not be asked, or does not let us: the same sentence that a put would end in.
    /// Some stores answer 403 for an absent object to those who may not list the bucket.
    pub fn exists(&self, name: &str) -> Result<bool, UploadError> {
        let shared = &self.shared;
        let path = shared.location.path(name)?;
        let guard = self.runtime.lock();
        let Some(runtime) = guard.as_ref() else {
            return Err(UploadError::refused(shared.location.url_of(name), Fault::canceled()));
        };
        let started = Instant::now();
        // Not a HEAD: only the body of a refusal tells a missing bucket from a missing object.
        let ask = async {
            match shared.location.store.get_opts(&path, GetOptions::default()).await {
                Ok(_) => Ok(true),
                Err(error) if is_missing_object(&error) => Ok(false),
                Err(error) => Err(error),
            }
        };
        let mut cancel = shared.cancel.subscribe();
        let ask_or_stop = async {
            tokio::select! {
                result = limited(&shared.location, &shared.options, 0, ask) => result,
                () = canceled(&mut cancel) => Err(Fault::canceled()),
            }
        };
        runtime.block_on(ask_or_stop).map_err(|fault| UploadError {
            object: shared.location.url_of(name),
            attempts: 1,
            tried_for: started.elapsed(),
            retry_timeout: None,
            fault: fault.of_question().into(),
        })
    }

    /// Calls off whatever is not stored and joins the threads. Says what became of everything.
    pub fn stop(&self) -> Report {
        let shared = &self.shared;
        let mut state = shared.state.lock();
        state.is_stopped = true;
        state.schedule.abandon();
        shared.cancel.send_replace(true);
        shared.changed.notify_all();
        shared.changed.wait_while_for(
            &mut state,
            |state| state.schedule.in_flight() > 0,
            STOP_LIMIT,
        );
        drop(state);
        if let Some(runtime) = self.runtime.lock().take() {
            runtime.shutdown_timeout(STOP_LIMIT);
        }
        self.report()
    }

    /// Puts everything that waits, here and now.
    fn put_inline(&self) -> Result<(), SubmitError> {
        let shared = &self.shared;
        let guard = self.runtime.lock();
        let runtime = guard.as_ref().ok_or(SubmitError::Stopped)?;
        loop {
            let mut state = shared.state.lock();
            state.check()?;
            let Some(job) = state.schedule.start() else { return Ok(()) };
            drop(state);
            let result = runtime.block_on(shared.put(&job));
            let mut state = shared.state.lock();
            if result.is_err() && state.is_flushing && !state.is_stopped {
                state.schedule.put_back(job);
                return Err(SubmitError::Flushing);
            }
            drop(state);
            shared.finish_put(&job, result);
        }
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn wait_drained(&self, mut state: MutexGuard<'_, State>) -> Result<(), SubmitError> {
        loop {
            if state.schedule.is_drained() && state.error.is_none() && !state.is_stopped {
                return Ok(());
            }
            state.check()?;
            self.changed.wait(&mut state);
        }
    }

    /// Starts what may be started.
    fn start_puts(self: &Arc<Self>, state: &mut State) {
        while let Some(job) = state.schedule.start() {
            let shared = self.clone();
            self.handle.spawn(async move {
                let result = shared.put(&job).await;
                shared.finish_put(&job, result);
                let mut state = shared.state.lock();
                if !state.is_stopped {
                    shared.start_puts(&mut state);
                }
                drop(state);
                shared.changed.notify_all();
            });
        }
    }

    async fn put(&self, job: &Job) -> Result<put::Stored, UploadError> {
        let on_retry = |attempt, fault: &Fault, next_delay| {
            self.state.lock().schedule.note_retry();
            let reason = fault.reason.clone();
            self.tell(Event::Retrying { name: job.name.clone(), attempt, reason, next_delay });
        };
        let put = put_until_stored(
            &self.location,
            &self.options,
            job,
            self.cancel.subscribe(),
            &on_retry,
        );
        // A panic must not leave the object on its way for ever.
        AssertUnwindSafe(put).catch_unwind().await.unwrap_or_else(|_| {
            Err(UploadError::refused(
                self.location.url_of(&job.name),
                Fault::internal("the store's code panicked"),
            ))
        })
    }

    /// Tells, then books: who sees an empty backlog has also heard of everything in it.
    fn finish_put(&self, job: &Job, result: Result<put::Stored, UploadError>) {
        match result {
            Ok(put::Stored { attempts, took }) => {
                let delay = job.submitted.elapsed();
                self.tell(Event::Stored {
                    name: job.name.clone(),
                    role: job.role,
                    bytes: job.size(),
                    attempts,
                    took,
                    delay,
                    running_time: job.running_time,
                });
                self.state.lock().schedule.stored(job, delay);
            }
            Err(error) => {
                let error = Arc::new(error);
                let is_called_off = self.state.lock().is_stopped;
                if !is_called_off && !self.has_failed.swap(true, Ordering::Relaxed) {
                    self.tell(Event::Failed(error.clone()));
                }
                let mut state = self.state.lock();
                state.error.get_or_insert(error);
                state.schedule.failed(job);
            }
        }
        self.changed.notify_all();
    }

    fn tell(&self, event: Event) {
        // A listener's panic is the listener's; the upload goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.listener)(event)));
    }
}

#[cfg(test)]
#[path = "upload_tests.rs"]
mod tests;
