//! [`AppSrc`] and [`AppSink`] are an application's ends of a pipeline, as plain calls.
//!
//! ```
//! use gst_mini_core::prelude::*;
//! use gst_mini_elements::app::AppSink;
//! gst_mini_elements::register();
//! let pipeline = parse_launch("fakesrc num-buffers=3 ! appsink name=frames")?;
//! let frames = pipeline.by_name("frames").as_ref().and_then(AppSink::from).expect("it is in the line");
//! pipeline.set_state(State::Playing);
//! assert_eq!(frames.samples().count(), 3);
//! pipeline.set_state(State::Null);
//! # Ok::<(), gst_mini_core::launch::LaunchError>(())
//! ```
//!
//! Invariant: a call that waits ends when the pipeline is stopped; on simulated time it waits there.
//! In GStreamer: `gst-libs/gst/app/gstappsrc.h`, `gstappsink.h`.
//! Left out: callbacks in place of signals.

use gst_mini_core::PropertyError;
use gst_mini_core::prelude::*;

/// Where the application puts buffers in. Any thread; clones are the same end.
#[derive(Clone, Debug)]
pub struct AppSrc(ElementRef);

impl AppSrc {
    /// The `appsrc` behind a handle; `None` if it is another kind of element.
    pub fn from(element: &ElementRef) -> Option<AppSrc> {
        (element.factory().name == "appsrc").then(|| AppSrc(element.clone()))
    }

    /// The element.
    pub fn element(&self) -> &ElementRef {
        &self.0
    }

    /// Queues a buffer. Waits for room only if the property `block` is set.
    ///
    /// # Errors
    /// `Eos` after [`AppSrc::end_of_stream`], `Flushing` when the pipeline is being stopped or flushed.
    pub fn push(&self, buf: Buffer) -> FlowResult {
        let mut action = named("push-buffer");
        action.buf = Some(buf);
        self.0.act(&mut action)
    }

    /// Says that no more will be pushed; what is queued is still sent.
    ///
    /// # Errors
    /// `Flushing` when the pipeline is stopped.
    pub fn end_of_stream(&self) -> FlowResult {
        self.0.act(&mut named("end-of-stream"))
    }

    /// The format of the buffers pushed from now on.
    ///
    /// # Errors
    /// When the caps are not one fixed format.
    pub fn set_caps(&self, caps: &Caps) -> Result<(), PropertyError> {
        self.0.set("caps", caps)
    }
}

/// Where the application takes buffers out. Any thread; clones are the same end.
#[derive(Clone, Debug)]
pub struct AppSink(ElementRef);

impl AppSink {
    /// The `appsink` behind a handle; `None` if it is another kind of element.
    pub fn from(element: &ElementRef) -> Option<AppSink> {
        (element.factory().name == "appsink").then(|| AppSink(element.clone()))
    }

    /// The element.
    pub fn element(&self) -> &ElementRef {
        &self.0
    }

    /// Waits for the next sample. `None` at the end of the stream, and when the pipeline is stopped.
    pub fn pull(&self) -> Option<Sample> {
        self.perform(named("pull-sample")).ok().flatten()
    }

    /// Waits at most `timeout` for the next sample; `Ok(None)` when it passed.
    ///
    /// # Errors
    /// `Eos` at the end of the stream, and when the pipeline is stopped.
    pub fn try_pull(&self, timeout: ClockTime) -> FlowResult<Option<Sample>> {
        let mut action = named("try-pull-sample");
        action.args = Some(Structure::new("args").with("timeout", timeout));
        self.perform(action)
    }

    /// Waits for the buffer that is held in PAUSED. `None` as for [`AppSink::pull`].
    pub fn pull_preroll(&self) -> Option<Sample> {
        self.perform(named("pull-preroll")).ok().flatten()
    }

    /// Whether there is nothing more to pull.
    pub fn is_eos(&self) -> bool {
        self.0.get_as("eos").unwrap_or(true)
    }

    /// All samples up to the end.
    pub fn samples(&self) -> impl Iterator<Item = Sample> + use<> {
        let end = self.clone();
        std::iter::from_fn(move || end.pull())
    }

    fn perform(&self, mut action: Action) -> FlowResult<Option<Sample>> {
        self.0.act(&mut action)?;
        let facts = action.answer.unwrap_or_else(|| Structure::new("sample"));
        Ok(action.buf.map(|buffer| Sample {
            buffer,
            caps: facts.str("caps").and_then(|text| Caps::parse(text).ok()),
            segment: facts.str("segment").and_then(|text| text.parse().ok()),
        }))
    }
}

/// A buffer, and what is needed to understand it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Data and times.
    pub buffer: Buffer,
    /// Its format, where the stream has one.
    pub caps: Option<Caps>,
    /// What turns its times into running time.
    pub segment: Option<Segment>,
}

impl Sample {
    /// When the buffer is due, as the pipeline counts its playing time.
    pub fn running_time(&self) -> Option<RunningTime> {
        self.segment?.to_running_time(self.buffer.pts()?)
    }
}

fn named(name: &str) -> Action {
    Action { name: name.to_owned(), ..Action::default() }
}
