//! [`Cx`] is what the host lends an element for one call: clock, bus, pads, waits and its own name.
//!
//! Invariant: it holds no lock and keeps nothing; it is a table of functions of the host.
//! In GStreamer: what an element reaches through `GST_ELEMENT_CLOCK`, `gst_element_post_message` and its pads.
//! Left out: the parent; an element never sees what it is part of.

use crate::buffer::{Buffer, BufferList};
use crate::caps::Caps;
use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
use crate::event::Event;
use crate::message::MessageKind;
use crate::plugin::abi::{
    GM_FLOW_OK, GM_TIME_NONE, GmBuffer, GmCx, GmCxVTable, GmPoster, GmPosterVTable, GmStr, GmText,
};
use crate::query::Query;
use crate::segment::Segment;
use crate::structure::Structure;
use crate::time::{AbsoluteTime, ClockTime, RunningTime};
use crate::value::Value;
use std::ffi::c_void;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A pad's number within its element: template order for those that are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PadId(pub u32);

/// Log levels, with GStreamer's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is wrong, but it goes on.
    Warning = 2,
    /// A known gap was met.
    Fixme = 3,
    /// Something that happens once.
    Info = 4,
    /// What an element's author wants to see.
    Debug = 5,
    /// Each buffer.
    Log = 6,
    /// Everything.
    Trace = 7,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Somebody called `wake`.
    Woken,
    /// The deadline came.
    TimedOut,
}

/// What the host lends for one call. Not to be kept.
pub struct Cx<'a> {
    raw: &'a GmCx,
}

impl<'a> Cx<'a> {
    /// Wraps what crossed the boundary.
    ///
    /// # Safety
    /// `raw` must point to a context that stays valid for `'a`.
    #[inline]
    pub unsafe fn from_raw(raw: *const GmCx) -> Option<Cx<'a>> {
        // SAFETY: the caller's promise.
        unsafe { raw.as_ref() }.filter(|raw| !raw.vtable.is_null()).map(|raw| Cx { raw })
    }

    #[inline]
    fn vtable(&self) -> &GmCxVTable {
        // SAFETY: checked for null in `from_raw`; the host's table lives for the process.
        unsafe { &*self.raw.vtable }
    }

    fn text(&self, write: impl FnOnce(*mut GmText) -> u8) -> Option<String> {
        let mut text = String::new();
        let answered = write(&mut GmText::for_string(&mut text)) != 0;
        answered.then_some(text)
    }

    /// What a host of the next version answers; `None` from one of this version.
    #[cfg(gst_mini_abi_next)]
    pub(crate) fn next(&self) -> Option<u32> {
        // SAFETY: the host's own context.
        crate::plugin::abi::tail!(self.vtable(), GmCxVTable, next).map(|f| unsafe { f(self.raw) })
    }

    /// The pad this call is about.
    pub fn pad(&self) -> PadId {
        PadId(self.raw.pad)
    }

    /// A buffer of `size` bytes for what goes out: from the pool agreed on with downstream where its buffers are
    /// large enough, otherwise from one of this element's own. Its bytes are those of its last use. For
    /// the streaming calls of a [`Source`](crate::element::Source) or [`Transform`](crate::element::Transform).
    pub fn acquire(&self, size: usize) -> Buffer {
        // SAFETY: the host's own context; what it gives is ours.
        let given =
            self.vtable().acquire.and_then(|f| unsafe { Buffer::from_raw(f(self.raw, size)) });
        given.unwrap_or_else(|| Buffer::from_vec(vec![0; size]))
    }

    /// Queues a buffer; the host pushes it from source pad `pad` when the callback has returned,
    /// before a buffer that the callback returns.
    pub fn output(&self, pad: PadId, buf: Buffer) {
        if let Some(output) = self.vtable().output {
            // SAFETY: `raw` is the host's own context; the buffer's reference moves.
            unsafe { output(self.raw, pad.0, buf.into_raw()) }
        }
    }

    /// Queues an event; the host sends it when the callback has returned: from a source pad
    /// downstream, from a sink pad upstream.
    pub fn output_event(&self, pad: PadId, event: Event) {
        if let Some(output_event) = self.vtable().output_event {
            let text = event.text();
            // SAFETY: the text lives for the call.
            unsafe { output_event(self.raw, pad.0, GmStr::new(&text)) }
        }
    }

    /// Pushes a buffer now. Only for [`MultiPad`](crate::element::MultiPad), holding no lock; in `produce`
    /// also through the task's own pad.
    pub fn push(&self, pad: PadId, buf: Buffer) -> FlowResult {
        let Some(push) = self.vtable().push else { return Err(FlowError::NotSupported) };
        // SAFETY: the buffer's reference moves.
        FlowError::from_code(unsafe { push(self.raw, pad.0, buf.into_raw()) })
    }

    /// Pushes buffers now, in one go. As [`Cx::push`].
    pub fn push_list(&self, pad: PadId, list: BufferList) -> FlowResult {
        let Some(push_list) = self.vtable().push_list else { return Err(FlowError::NotSupported) };
        let raw: Vec<*mut GmBuffer> = list.into_iter().map(Buffer::into_raw).collect();
        // SAFETY: the buffers' references move; the array lives for the call.
        let code = unsafe { push_list(self.raw, pad.0, raw.as_ptr(), raw.len() as u32) };
        FlowError::from_code(code)
    }

    /// Remembers a sticky event on source pad `pad` without sending it: it goes out before the next
    /// buffer or serialized event there. `false` if the pad is not active or has ended.
    pub fn store_event(&self, pad: PadId, event: &Event) -> bool {
        let Some(store_event) = self.vtable().store_event else { return false };
        let text = event.text();
        // SAFETY: the text lives for the call.
        unsafe { store_event(self.raw, pad.0, GmStr::new(&text)) != 0 }
    }

    /// Starts the task of source pad `pad` again, which rests since
    /// [`MultiPad::produce`](crate::element::MultiPad::produce) gave back an error. Not lost when it is about to
    /// rest. Any thread, holding no lock.
    pub fn start_task(&self, pad: PadId) -> bool {
        // SAFETY: the host's own context.
        self.vtable().start_task.is_some_and(|f| unsafe { f(self.raw, pad.0) } != 0)
    }

    /// Sends an event from pad `pad` now. Only for [`MultiPad`](crate::element::MultiPad), holding no lock.
    pub fn push_event(&self, pad: PadId, event: &Event) -> bool {
        let Some(push_event) = self.vtable().push_event else { return false };
        let text = event.text();
        // SAFETY: the text lives for the call.
        unsafe { push_event(self.raw, pad.0, GmStr::new(&text)) != 0 }
    }

    /// The host's default handling of an event that arrived at `self.pad()`.
    pub fn event_default(&self, event: &Event) -> bool {
        let Some(event_default) = self.vtable().event_default else { return false };
        let text = event.text();
        // SAFETY: the text lives for the call.
        unsafe { event_default(self.raw, self.raw.pad, GmStr::new(&text)) != 0 }
    }

    /// Asks the peer of `pad`; `false` if nobody answered.
    pub fn peer_query(&self, pad: PadId, query: &mut Query) -> bool {
        let Some(peer_query) = self.vtable().peer_query else { return false };
        let text = query.text();
        // SAFETY: text and place live for the call.
        let answer =
            self.text(|out| unsafe { peer_query(self.raw, pad.0, GmStr::new(&text), out) });
        self.take_answer(query, answer)
    }

    /// The host's default answer to a query that arrived at `self.pad()`.
    pub fn query_default(&self, query: &mut Query) -> bool {
        let Some(query_default) = self.vtable().query_default else { return false };
        let text = query.text();
        // SAFETY: text and place live for the call.
        let answer = self
            .text(|out| unsafe { query_default(self.raw, self.raw.pad, GmStr::new(&text), out) });
        self.take_answer(query, answer)
    }

    fn take_answer(&self, query: &mut Query, answer: Option<String>) -> bool {
        match answer.as_deref().and_then(Query::from_text) {
            Some(answered) => {
                *query = answered;
                true
            }
            None => false,
        }
    }

    /// Posts a message on the bus.
    pub fn post(&self, message: MessageKind) {
        let (Some(post), Some(text)) = (self.vtable().post, message.to_text()) else { return };
        // SAFETY: the text lives for the call.
        unsafe { post(self.raw, GmStr::new(&text)) }
    }

    /// Posts an element message with this structure.
    pub fn post_element(&self, structure: Structure) {
        self.post(MessageKind::Element(structure));
    }

    /// Posts an error and gives the flow result to return: `return Err(cx.fail(…))`.
    pub fn fail(&self, error: ElementError) -> FlowError {
        let flow = match error.kind {
            ErrorKind::Negotiation => FlowError::NotNegotiated,
            _ => FlowError::Error,
        };
        self.post(MessageKind::Error(error));
        flow
    }

    /// [`Cx::fail`] with a kind and a sentence.
    pub fn error(&self, kind: ErrorKind, text: impl Into<String>) -> FlowError {
        self.fail(ElementError::new(kind, text))
    }

    /// Posts a warning.
    pub fn warning(&self, kind: ErrorKind, text: impl Into<String>) {
        self.post(MessageKind::Warning(ElementError::new(kind, text)));
    }

    /// Writes to the log under the element's factory name. The text is only made when it is kept.
    pub fn log(&self, level: Level, text: impl FnOnce() -> String) {
        let (Some(log), Some(enabled)) = (self.vtable().log, self.vtable().log_enabled) else {
            return;
        };
        // SAFETY: the text lives for the call.
        unsafe {
            if enabled(self.raw, level as u32) != 0 {
                let text = text();
                log(self.raw, level as u32, GmStr::new(&text));
            }
        }
    }

    /// The present value of one of this element's properties, as text, as the host has it. Any thread.
    pub fn property(&self, name: &str) -> Option<String> {
        let property = self.vtable().property?;
        // SAFETY: name and place live for the call.
        self.text(|out| unsafe { property(self.raw, GmStr::new(name), out) })
    }

    /// [`Cx::property`], read as a number or switch.
    pub fn property_as<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        unsafe extern "C" fn read<T: std::str::FromStr>(
            obj: *mut c_void,
            ptr: *const u8,
            len: usize,
        ) {
            // SAFETY: `property_as` made `obj` from its own place, which outlives the call; the writer passes
            // readable bytes.
            let (place, text) =
                unsafe { (&mut *obj.cast::<Option<T>>(), GmStr { ptr, len }.to_str()) };
            // A panic of the type's own must not go through the host.
            *place = text.and_then(|text| {
                std::panic::catch_unwind(|| text.parse().ok()).unwrap_or_default()
            });
        }
        let property = self.vtable().property?;
        let mut value = None::<T>;
        let mut place = GmText { obj: (&raw mut value).cast(), write: Some(read::<T>) };
        // SAFETY: name and place live for the call.
        let told = unsafe { property(self.raw, GmStr::new(name), &mut place) } != 0;
        value.filter(|_| told)
    }

    /// Publishes the value of a read-only property.
    pub fn publish(&self, name: &str, value: impl ToString) {
        if let Some(publish) = self.vtable().publish {
            let text = value.to_string();
            // SAFETY: both texts live for the call.
            unsafe { publish(self.raw, GmStr::new(name), GmStr::new(&text)) }
        }
    }

    /// Emits a signal; handlers run on this thread before it returns.
    #[inline]
    pub fn emit(&self, signal: &str, args: Option<&Structure>) {
        if self.is_heard() {
            self.emit_heard(signal, args);
        }
    }

    /// Whether signals of this element may have handlers: where not, emitting does nothing.
    #[inline]
    pub fn is_heard(&self) -> bool {
        let has_field = self.raw.struct_size as usize > std::mem::offset_of!(GmCx, listeners);
        // SAFETY: the host's counter lives as long as the element, and is only read atomically.
        !has_field
            || self.raw.listeners.is_null()
            || unsafe { AtomicUsize::from_ptr(self.raw.listeners.cast_mut()) }
                .load(Ordering::Relaxed)
                != 0
    }

    fn emit_heard(&self, signal: &str, args: Option<&Structure>) {
        if let Some(emit) = self.vtable().emit {
            let args = args.map(Structure::to_string).unwrap_or_default();
            // SAFETY: both texts live for the call.
            unsafe { emit(self.raw, GmStr::new(signal), GmStr::new(&args)) }
        }
    }

    /// [`Cx::emit`] for a signal whose handlers answer: what the one that was connected last gave
    /// back, or `None` if none did.
    pub fn emit_for(&self, signal: &str, args: Option<&Structure>) -> Option<Value> {
        let emit_for = self.vtable().emit_for?;
        let args = args.map(Structure::to_string).unwrap_or_default();
        // SAFETY: texts and place live for the call.
        let answer = self.text(|out| unsafe {
            emit_for(self.raw, GmStr::new(signal), GmStr::new(&args), out)
        })?;
        answer.parse::<Structure>().ok()?.get("value").cloned()
    }

    /// Adds a pad of the [`PadTemplate::sometimes_src`](crate::element::PadTemplate::sometimes_src)
    /// template `template` (its name as written there, such as `src_%u`) under the name `name`.
    ///
    /// The pad is active when the element is. The sticky `events` (stream-start, caps, segment) are
    /// stored on it first, so that whoever is told of it can see its format and is sent them before
    /// the first buffer. Then handlers of `pad-added` run on this thread; they may link it, and a
    /// delayed link of a launch line does. `None`: refused, because the template is no *sometimes*
    /// template or the name is taken.
    ///
    /// Only for [`MultiPad`](crate::element::MultiPad), holding no lock. Streaming or control thread.
    pub fn add_pad(&self, template: &str, name: &str, events: &[Event]) -> Option<PadId> {
        let add_pad = self.vtable().add_pad?;
        let texts: Vec<Rc<str>> = events.iter().map(Event::to_text).collect();
        let texts: Vec<GmStr> = texts.iter().map(|text| GmStr::new(text)).collect();
        let (template, name, count) = (GmStr::new(template), GmStr::new(name), texts.len() as u32);
        // SAFETY: all texts live for the call.
        let id = unsafe { add_pad(self.raw, template, name, texts.as_ptr(), count) };
        (id != u32::MAX).then_some(PadId(id))
    }

    /// Takes away a pad that [`Cx::add_pad`] made: it is deactivated and unlinked, then handlers of
    /// `pad-removed` run on this thread. `false` if there is no such pad.
    ///
    /// Waits for a push through it to come back, so never from within one. Holding no lock.
    pub fn remove_pad(&self, pad: PadId) -> bool {
        // SAFETY: the host's own context.
        self.vtable().remove_pad.is_some_and(|f| unsafe { f(self.raw, pad.0) } != 0)
    }

    /// Tells handlers of `no-more-pads` that all *sometimes* pads of this stream are there. A
    /// delayed link that still waits for one is told on the bus as a warning.
    pub fn no_more_pads(&self) {
        if let Some(no_more_pads) = self.vtable().no_more_pads {
            // SAFETY: the host's own context.
            unsafe { no_more_pads(self.raw) }
        }
    }

    /// What the pipeline's clock reads.
    pub fn clock_now(&self) -> Option<AbsoluteTime> {
        // SAFETY: the host's own context.
        let nanos = self.vtable().clock_now.map(|f| unsafe { f(self.raw) })?;
        (nanos != GM_TIME_NONE).then(|| AbsoluteTime::from_nanos(nanos))
    }

    /// The clock reading at which running time was zero.
    pub fn base_time(&self) -> Option<AbsoluteTime> {
        // SAFETY: the host's own context.
        let nanos = self.vtable().base_time.map(|f| unsafe { f(self.raw) })?;
        (nanos != GM_TIME_NONE).then(|| AbsoluteTime::from_nanos(nanos))
    }

    /// Running time now.
    pub fn running_time(&self) -> Option<RunningTime> {
        Some(self.clock_now()?.running_time(self.base_time()?))
    }

    /// Wall-clock time in ns since the Unix epoch; simulated under simulation.
    pub fn utc_now(&self) -> u64 {
        // SAFETY: the host's own context.
        self.vtable().utc_now.map_or(0, |f| unsafe { f(self.raw) })
    }

    /// Whether time is simulated: then no thread of the element's own may be left at work when a
    /// call returns; do it in [`Cx::foreign`].
    pub fn is_simulated(&self) -> bool {
        // SAFETY: the host's own context.
        self.vtable().simulated.is_some_and(|f| unsafe { f(self.raw) } != 0)
    }

    /// Waits on the pipeline's clock; `Err(Flushing)` when a flush or a stop interrupts.
    pub fn wait_clock(&self, target: AbsoluteTime) -> FlowResult {
        // SAFETY: the host's own context.
        let code = self.vtable().clock_wait.map(|f| unsafe { f(self.raw, target.nanos()) });
        FlowError::from_code(code.unwrap_or(GM_FLOW_OK))
    }

    /// Holds until PLAYING, then waits until that running time, moved by `offset` ns, on the clock; a pause
    /// holds again. `Err(Flushing)` when a flush or a stop interrupts. For elements that are no
    /// source and no sink; at once without a clock.
    pub fn sync(&self, running_time: RunningTime, offset: i64) -> FlowResult {
        // SAFETY: the host's own context.
        let code = self.vtable().sync.map(|f| unsafe { f(self.raw, running_time.nanos(), offset) });
        FlowError::from_code(code.unwrap_or(GM_FLOW_OK))
    }

    /// Waits that long; `Err(Flushing)` when a flush or a stop interrupts.
    pub fn sleep(&self, length: ClockTime) -> FlowResult {
        // SAFETY: the host's own context.
        let code = self.vtable().sleep.map(|f| unsafe { f(self.raw, length.nanos()) });
        FlowError::from_code(code.unwrap_or(GM_FLOW_OK))
    }

    /// A ticket of this element's waiter `n` (0 to 3). Take it while the state you wait for is
    /// locked, then unlock, then [`Cx::wait`]: a wake in between is not lost.
    pub fn ticket(&self, n: u32) -> u64 {
        // SAFETY: the host's own context.
        self.vtable().ticket.map_or(0, |f| unsafe { f(self.raw, n) })
    }

    /// Waits until waiter `n` was woken after `ticket`, or until `deadline` of [`Cx::runtime_now`];
    /// `Err(Flushing)` when the pad of this call is flushing. May wake for no reason.
    pub fn wait(&self, n: u32, ticket: u64, deadline: Option<AbsoluteTime>) -> FlowResult<Woken> {
        let Some(wait) = self.vtable().wait else { return Err(FlowError::NotSupported) };
        let deadline = deadline.map_or(GM_TIME_NONE, AbsoluteTime::nanos);
        // SAFETY: the host's own context.
        match unsafe { wait(self.raw, n, ticket, deadline) } {
            0 => Ok(Woken::TimedOut),
            1.. => Ok(Woken::Woken),
            code => Err(FlowError::from_code(code).err().unwrap_or(FlowError::Error)),
        }
    }

    /// Wakes everybody who waits on waiter `n`.
    pub fn wake(&self, n: u32) {
        if let Some(wake) = self.vtable().wake {
            // SAFETY: the host's own context.
            unsafe { wake(self.raw, n) }
        }
    }

    /// The runtime's monotonic time, for deadlines.
    pub fn runtime_now(&self) -> AbsoluteTime {
        // SAFETY: the host's own context.
        AbsoluteTime::from_nanos(self.vtable().runtime_now.map_or(0, |f| unsafe { f(self.raw) }))
    }

    /// Caps of a pad.
    pub fn pad_caps(&self, pad: PadId) -> Option<Caps> {
        let pad_caps = self.vtable().pad_caps?;
        // SAFETY: the place lives for the call.
        let text = self.text(|out| unsafe { pad_caps(self.raw, pad.0, out) })?;
        Caps::parse(&text).ok()
    }

    /// Segment of a pad.
    pub fn pad_segment(&self, pad: PadId) -> Option<Segment> {
        let pad_segment = self.vtable().pad_segment?;
        // SAFETY: the place lives for the call.
        self.text(|out| unsafe { pad_segment(self.raw, pad.0, out) })?.parse().ok()
    }

    /// The sticky events of a pad, in their order.
    pub fn sticky_events(&self, pad: PadId) -> Vec<Event> {
        let Some(sticky_event) = self.vtable().sticky_event else { return Vec::new() };
        (0..)
            // SAFETY: the place lives for the call.
            .map_while(|n| self.text(|out| unsafe { sticky_event(self.raw, pad.0, n, out) }))
            .filter_map(|text| Event::from_text(&text))
            .collect()
    }

    /// All pads of this element with their names and directions (`true`: source).
    pub fn pads(&self) -> Vec<(PadId, String, bool)> {
        let Some(pads) = self.vtable().pads else { return Vec::new() };
        let mut text = String::new();
        // SAFETY: the place lives for the call.
        unsafe { pads(self.raw, &mut GmText::for_string(&mut text)) };
        text.lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                let id = words.next()?.parse().ok()?;
                Some((PadId(id), words.next()?.to_owned(), words.next()? == "src"))
            })
            .collect()
    }

    /// Declares that this element holds data for `min` to `max`; the pipeline asks again for its
    /// latency.
    pub fn set_latency(&self, min: ClockTime, max: Option<ClockTime>) {
        if let Some(set_latency) = self.vtable().set_latency {
            let max = max.map_or(GM_TIME_NONE, ClockTime::nanos);
            // SAFETY: the host's own context.
            unsafe { set_latency(self.raw, min.nanos(), max) }
        }
    }

    /// Says that the element throws `buf` away on purpose, and why, in a word or two: for traces, and so that
    /// whoever looks for lost buffers does not accuse it. A [`Transform`](crate::element::Transform)'s next
    /// buffer carries DISCONT then. May be called under the element's own lock.
    pub fn dropped(&self, buf: &Buffer, why: &str) {
        if let Some(dropped) = self.vtable().dropped {
            // SAFETY: the host's own context; the buffer and the text live for the call.
            unsafe { dropped(self.raw, buf.as_raw(), GmStr::new(why)) }
        }
    }

    /// Whether the pad of this call is flushing, so that a long loop should return.
    pub fn is_flushing(&self) -> bool {
        // SAFETY: the host's own context.
        self.vtable().flushing.is_some_and(|f| unsafe { f(self.raw) } != 0)
    }

    /// Work outside the framework that may block: an upload, a slow disk. Under simulation it is
    /// finished before anything else runs, and takes `virtual_time`. A panic of `work` goes on here.
    pub fn foreign<R>(&self, virtual_time: ClockTime, work: impl FnOnce() -> R) -> Option<R> {
        struct Job<F, R>(Option<F>, Option<Result<R, Box<dyn std::any::Any + Send>>>);
        unsafe extern "C" fn call<F: FnOnce() -> R, R>(data: *mut c_void) {
            // SAFETY: `data` is the job below, alive for the call.
            let job = unsafe { &mut *data.cast::<Job<F, R>>() };
            if let Some(work) = job.0.take() {
                job.1 = Some(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)));
            }
        }
        fn thunk<F: FnOnce() -> R, R>(_: &Job<F, R>) -> unsafe extern "C" fn(*mut c_void) {
            call::<F, R>
        }
        let mut job = Job(Some(work), None);
        match self.vtable().foreign {
            Some(foreign) => {
                let call = thunk(&job);
                // SAFETY: the job lives for the call, which is synchronous.
                unsafe {
                    let data = (&raw mut job).cast();
                    foreign(self.raw, virtual_time.nanos(), Some(call), data);
                }
                // Not through the host's frames, but on from here.
                job.1.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            }
            None => job.0.take().map(|work| work()),
        }
    }

    /// A handle with which a thread of the element's own posts messages and wakes waits.
    pub fn poster(&self) -> Option<Poster> {
        let poster = self.vtable().poster?;
        let mut raw = GmPoster { obj: std::ptr::null_mut(), vtable: std::ptr::null() };
        // SAFETY: the place lives for the call.
        let given = unsafe { poster(self.raw, &mut raw) } != 0;
        (given && !raw.vtable.is_null()).then_some(Poster(raw))
    }
}

/// Posts from threads that an element owns (an upload's), until it is dropped.
pub struct Poster(GmPoster);

// SAFETY: the host's functions in it may be called from any thread.
unsafe impl Send for Poster {}
// SAFETY: as above.
unsafe impl Sync for Poster {}

impl Poster {
    fn vtable(&self) -> &GmPosterVTable {
        // SAFETY: checked for null where it was given; the host's table lives for the process.
        unsafe { &*self.0.vtable }
    }
    /// Posts a message on the bus.
    pub fn post(&self, message: MessageKind) {
        if let (Some(post), Some(text)) = (self.vtable().post, message.to_text()) {
            // SAFETY: `obj` is alive while this handle is; the text lives for the call.
            unsafe { post(self.0.obj, GmStr::new(&text)) }
        }
    }
    /// Writes to the log.
    pub fn log(&self, level: Level, text: &str) {
        if let Some(log) = self.vtable().log {
            // SAFETY: as above.
            unsafe { log(self.0.obj, level as u32, GmStr::new(text)) }
        }
    }
    /// Publishes the value of a read-only property.
    pub fn publish(&self, name: &str, value: impl ToString) {
        if let Some(publish) = self.vtable().publish {
            let text = value.to_string();
            // SAFETY: as above.
            unsafe { publish(self.0.obj, GmStr::new(name), GmStr::new(&text)) }
        }
    }
    /// Wakes everybody who waits on the element's waiter `n`.
    pub fn wake(&self, n: u32) {
        if let Some(wake) = self.vtable().wake {
            // SAFETY: as above.
            unsafe { wake(self.0.obj, n) }
        }
    }
}

impl Clone for Poster {
    fn clone(&self) -> Self {
        if let Some(clone) = self.vtable().clone {
            // SAFETY: as above; the copy owns the added reference.
            unsafe { clone(self.0.obj) }
        }
        Poster(GmPoster { ..self.0 })
    }
}

impl Drop for Poster {
    fn drop(&mut self) {
        if let Some(unref) = self.vtable().unref {
            // SAFETY: this handle's own reference, given back once.
            unsafe { unref(self.0.obj) }
        }
    }
}
