//! Around an element that drives its input: the task that pulls range after range, and goes elsewhere for seeks.
//!
//! ```text
//!   READY to PAUSED:  upstream asked how it can be had ─▶ both pads in pull mode, with all above ─▶ task
//!   task:             pull a range ─▶ the element, as if it had been pushed ─▶ the next one … the end
//!   seek:             [flush up and down] ─▶ another place ─▶ task goes on
//! ```
//!
//! A seek without flush comes back when it was made. While a push holds a buffer in PAUSED it is left to
//! the task, as in a source.
//!
//! Invariant: a range is pulled from the task, under the sink pad's stream lock.
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_loop`, `gst_base_sink_perform_seek`), and each demuxer's own loop.
//! Left out: pulling by elements with several pads.

use crate::error::{ElementError, FlowError, FlowResult};
use crate::event::{Event, Seek, Seqnum};
use crate::host::core::ElementCore;
use crate::message::StreamStatus;
use crate::pad::{Pad, PadCore, PadHandler, PadMode};
use crate::query::{Query, Scheduling};
use crate::runtime::{self, Monitor, Task};
use crate::segment::SeekFlags;
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};

/// What the task of a pulling pad waits for when its stream has ended.
pub(crate) const PULLER_RESTS: &str = "the puller to be started again";

/// The task of a sink pad in pull mode, and what others ask of it; made when there first is one, as most elements are
/// pushed to.
#[derive(Default)]
pub(crate) struct PullTask(OnceLock<Box<Pulling>>);

#[derive(Default)]
struct Pulling {
    control: Monitor<Control>,
    thread: Mutex<Option<Task>>,
}

#[derive(Default)]
struct Control {
    stop: bool,
    rest: bool,
    /// What flows on from here is not held in PAUSED.
    playing: bool,
    /// A seek without flush, to be made between two ranges.
    seek: Option<Box<(Seek, Seqnum)>>,
    /// Seeks made of those, and how the last one went.
    seeks_made: u64,
    seek_worked: bool,
}

/// A base whose sink pad can be in pull mode.
pub(crate) trait Puller: PadHandler + 'static {
    fn core(&self) -> &ElementCore;
    fn pad(&self) -> &Arc<PadCore>;
    fn task(&self) -> &PullTask;
    /// Pulls one range and sees it through.
    ///
    /// # Safety
    /// Under the sink pad's stream lock.
    unsafe fn pull(&self) -> FlowResult;
    /// The task rests because of `why`.
    ///
    /// # Safety
    /// Under the sink pad's stream lock.
    unsafe fn ended(&self, why: FlowError);
    /// Goes elsewhere; `false` if it cannot.
    ///
    /// # Safety
    /// Under the sink pad's stream lock.
    unsafe fn go(&self, seek: &Seek, seqnum: Seqnum) -> bool;
}

/// Puts the sink pad into pull mode, and all above it, if upstream says it can be had in a way that is
/// `wanted`. Control.
pub(crate) fn activate(pad: &PadCore, wanted: impl Fn(Scheduling) -> bool) -> bool {
    let mut query = Query::scheduling();
    let answered = pad.peer_query(&mut query);
    matches!(query, Query::Scheduling(way) if answered && wanted(way))
        && pad.activate_mode(PadMode::Pull, true)
}

/// Begins to pull; the pad is in pull mode. Control.
pub(crate) fn begin<P: Puller>(puller: &Arc<P>) -> Result<(), ElementError> {
    let task = puller.task().pulling();
    *task.control.lock() = Control::default();
    let (name, pulling) = (format!("{}:sink", puller.core().name), puller.clone());
    let tell = |puller: &P, status| puller.core().post_status(puller.pad(), status);
    tell(puller, StreamStatus::Create);
    let thread = runtime::spawn(&name, move || {
        tell(&pulling, StreamStatus::Enter);
        run(&*pulling);
        tell(&pulling, StreamStatus::Leave);
    })?;
    *task.thread.lock() = Some(thread);
    Ok(())
}

/// Ends the task and leaves pull mode; the pad's waits were ended before. Control.
pub(crate) fn end<P: Puller>(puller: &P) {
    let task = puller.task().pulling();
    {
        let mut control = task.control.lock();
        control.stop = true;
        control.notify_all();
    }
    puller.pad().start_flushing();
    puller.pad().activate_mode(PadMode::Pull, false);
    let thread = task.thread.lock().take();
    // An element that stops its own pipeline from its task: that ends when it gets back to its loop.
    if let Some(thread) = thread.filter(|thread| !runtime::in_task(thread)) {
        thread.join();
    }
}

fn run<P: Puller>(puller: &P) {
    let task = puller.task().pulling();
    loop {
        let seek = {
            let mut control = task.control.lock();
            while control.rest && !control.stop {
                runtime::at(&puller.core().name, || control.wait(PULLER_RESTS));
            }
            if control.stop {
                return;
            }
            control.seek.take()
        };
        runtime::breathe();
        let Ok(_streaming) = puller.pad().stream_lock().lock() else { return };
        if let Some((seek, seqnum)) = seek.map(|seek| *seek) {
            // SAFETY: the lock above.
            let done = unsafe { puller.go(&seek, seqnum) };
            let mut control = task.control.lock();
            control.seeks_made += 1;
            control.seek_worked = done;
            control.notify_all();
        }
        // SAFETY: the lock above.
        if let Err(why) = unsafe { puller.pull() } {
            {
                let mut control = task.control.lock();
                // A seek that was left to the task is still to be made, but not in a flush.
                control.rest = control.seek.is_none() || why == FlowError::Flushing;
            }
            // SAFETY: the lock above.
            unsafe { puller.ended(why) };
        }
    }
}

/// Carries out a seek in bytes. Any thread, no lock held.
pub(crate) fn seek<P: Puller>(puller: &P, seek: &Seek, seqnum: Seqnum) -> bool {
    let is_mine = puller.pad().stream_lock().is_mine();
    if !seek.flags.contains(SeekFlags::FLUSH) {
        return seek_in_order(puller, seek, seqnum, is_mine);
    }
    if is_mine {
        // The task cannot wait for itself to return.
        return false;
    }
    let pad = puller.pad();
    let around = |event: Event| event.with_seqnum(seqnum);
    pad.push_event(around(Event::flush_start()));
    let _ = puller.event(pad, around(Event::flush_start()));
    let Ok(_streaming) = pad.stream_lock().lock() else { return false };
    pad.push_event(around(Event::flush_stop(true)));
    let _ = puller.event(pad, around(Event::flush_stop(true)));
    // SAFETY: the lock above.
    let done = unsafe { puller.go(seek, seqnum) };
    puller.task().pulling().resume();
    done
}

fn seek_in_order<P: Puller>(puller: &P, seek: &Seek, seqnum: Seqnum, is_mine: bool) -> bool {
    let task = puller.task().pulling();
    if !is_mine && let Some(_streaming) = puller.pad().stream_lock().try_lock() {
        // SAFETY: the lock above.
        let done = unsafe { puller.go(seek, seqnum) };
        task.resume();
        return done;
    }
    let mut control = task.control.lock();
    let number = control.seeks_made;
    control.seek = Some(Box::new((seek.clone(), seqnum)));
    control.rest = false;
    control.notify_all();
    while !is_mine && control.playing && !control.stop && control.seeks_made == number {
        let why = "the range under way to be seen through, for a seek";
        runtime::at(&puller.core().name, || control.wait(why));
    }
    // One that was left to the task will do what it can.
    !control.stop && (control.seeks_made == number || control.seek_worked)
}

impl PullTask {
    fn pulling(&self) -> &Pulling {
        self.0.get_or_init(Box::default)
    }

    /// Whether there is a task.
    pub fn is_there(&self) -> bool {
        self.0.get().is_some_and(|pulling| pulling.thread.lock().is_some())
    }

    /// The element begins or ends to be PLAYING; a task that begins takes it not to be.
    pub fn set_playing(&self, playing: bool) {
        let Some(pulling) = self.0.get() else { return };
        let mut control = pulling.control.lock();
        control.playing = playing;
        control.notify_all();
    }
}

impl Pulling {
    fn resume(&self) {
        let mut control = self.control.lock();
        control.rest = false;
        control.notify_all();
    }
}
