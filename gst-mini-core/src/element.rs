//! What an author writes: an [`Element`]'s facts as constants, and the callbacks of one role.
//!
//! ```text
//!   Source     create()            -> buffer            the host runs the thread, waits, pushes
//!   Transform  transform(buffer)   -> buffer or none    the host negotiates and pushes
//!   Sink       render(buffer)                           the host prerolls and waits for the clock
//!   MultiPad   chain(pad, buffer), produce(pad)         several pads or threads: queue, tee
//! ```
//!
//! Invariant: streaming calls of a role come one at a time with `&mut self`, and no `&mut self` is
//! held while anything leaves the element: a callback returns its output and the host pushes it.
//! In GStreamer: `libs/gst/base/gstbasesrc.c`, `gstbasetransform.c`, `gstbasesink.c`, `gst/gstelement.c`.
//! Left out: an element's own state-change function; `start` and `stop` are what it was used for.

use crate::buffer::{Buffer, BufferList, Passing};
use crate::caps::Caps;
use crate::cx::{Cx, PadId};
use crate::error::{ElementError, FlowError, FlowResult};
use crate::event::{Event, Seek, Seqnum};
use crate::plugin::abi::{
    GM_PAD_SINK, GM_PAD_SRC, GM_PRESENCE_ALWAYS, GM_PRESENCE_REQUEST, GM_PRESENCE_SOMETIMES,
    GM_TEMPLATE_ALLOCATION, GM_TEMPLATE_OWN_CAPS, GM_TEMPLATE_PAIRED, GM_TEMPLATE_TASK,
    GmPadTemplate, GmSignalSpec, GmStr,
};
use crate::property::Prop;
use crate::query::Query;
use crate::segment::{Format, Segment};
use crate::state::{StateReturn, Transition};
use crate::structure::Structure;
use std::sync::Arc;

/// Bytes of a range that an element pulls if it has no wish of its own.
pub const PULL_SIZE: u32 = 64 * 1024;

/// Caps text for pads that take anything.
pub const ANY: &str = "ANY";

/// A pad before it exists.
#[repr(transparent)]
pub struct PadTemplate(pub(crate) GmPadTemplate);

impl PadTemplate {
    const fn new(name: &'static str, direction: u32, presence: u32, caps: &'static str) -> Self {
        PadTemplate(GmPadTemplate {
            struct_size: size_of::<GmPadTemplate>() as u32,
            direction,
            presence,
            flags: 0,
            name: GmStr::new(name),
            caps: GmStr::new(caps),
            pad_type: GmStr::EMPTY,
            #[cfg(gst_mini_abi_next)]
            next: crate::plugin::abi::NEXT,
        })
    }
    /// The always-there sink pad `sink`.
    pub const fn sink(caps: &'static str) -> Self {
        Self::new("sink", GM_PAD_SINK, GM_PRESENCE_ALWAYS, caps)
    }
    /// The always-there source pad `src`.
    pub const fn src(caps: &'static str) -> Self {
        Self::new("src", GM_PAD_SRC, GM_PRESENCE_ALWAYS, caps)
    }
    /// Sink pads made on request, named by a pattern such as `sink_%u`.
    pub const fn request_sink(name: &'static str, caps: &'static str) -> Self {
        Self::new(name, GM_PAD_SINK, GM_PRESENCE_REQUEST, caps)
    }
    /// Source pads made on request, named by a pattern such as `src_%u`.
    pub const fn request_src(name: &'static str, caps: &'static str) -> Self {
        Self::new(name, GM_PAD_SRC, GM_PRESENCE_REQUEST, caps)
    }
    /// Source pads that appear when the stream is known: the element adds them with
    /// [`Cx::add_pad`] and takes them away with [`Cx::remove_pad`].
    pub const fn sometimes_src(name: &'static str, caps: &'static str) -> Self {
        Self::new(name, GM_PAD_SRC, GM_PRESENCE_SOMETIMES, caps)
    }
    /// What GStreamer calls such a pad, as `GstTeePad`; without it, `GstPad`.
    pub const fn of_type(mut self, name: &'static str) -> Self {
        self.0.pad_type = GmStr::new(name);
        self
    }
    /// A streaming task of the host runs [`MultiPad::produce`] for this source pad.
    pub const fn with_task(mut self) -> Self {
        self.0.flags |= GM_TEMPLATE_TASK;
        self
    }
    /// What flows here is of another format than at the element's other pads, as in a demuxer: a
    /// caps query is answered with the pad's present caps, or else with the template's, and not
    /// passed on through the element. Only for [`MultiPad`].
    pub const fn with_own_caps(mut self) -> Self {
        self.0.flags |= GM_TEMPLATE_OWN_CAPS;
        self
    }
    /// What comes in leaves by the pad of the other direction that has the same number, as in a
    /// multiqueue: events, flushes and queries concern that one only. For the templates of both
    /// directions, whose names end in `%u`. Only for [`MultiPad`].
    pub const fn paired(mut self) -> Self {
        self.0.flags |= GM_TEMPLATE_PAIRED;
        self
    }
    /// What comes in at this sink pad goes out unchanged, so an allocation query goes on to those beyond.
    /// Only for [`MultiPad`].
    pub const fn with_allocation(mut self) -> Self {
        self.0.flags |= GM_TEMPLATE_ALLOCATION;
        self
    }
}

/// A signal an element emits, or an action it performs.
#[repr(transparent)]
pub struct Signal(pub(crate) GmSignalSpec);

impl Signal {
    /// Emitted by the element with [`Cx::emit`].
    pub const fn emitted(name: &'static str, blurb: &'static str) -> Self {
        Self::new(name, blurb, 0)
    }
    /// Performed by the element when the application asks.
    pub const fn action(name: &'static str, blurb: &'static str) -> Self {
        Self::new(name, blurb, 1)
    }
    const fn new(name: &'static str, blurb: &'static str, action: u32) -> Self {
        Signal(GmSignalSpec {
            struct_size: size_of::<GmSignalSpec>() as u32,
            action,
            name: GmStr::new(name),
            blurb: GmStr::new(blurb),
            #[cfg(gst_mini_abi_next)]
            next: crate::plugin::abi::NEXT,
        })
    }
}

/// The facts about an element, and the part of it that other threads may reach.
pub trait Element: Default + Send + 'static {
    /// Factory name, kebab-case or one word.
    const NAME: &'static str;
    /// One sentence.
    const SUMMARY: &'static str;
    /// What GStreamer calls the element's type, as `GstFakeSink`, for paths that people know. Empty: `Gst`
    /// and the name of the Rust type.
    const TYPE_NAME: &'static str = "";
    /// A few words, as a title.
    const LONG_NAME: &'static str = Self::SUMMARY;
    /// GStreamer's class words: `Source/Video`, `Filter/Converter/Video`, `Sink/File`.
    const CLASS: &'static str = "Generic";
    /// Who wrote it.
    const AUTHOR: &'static str = "The GstMini developers";
    /// Preference among elements that could do the same; 0 is never chosen automatically.
    const RANK: u32 = 0;
    /// Pads. The order numbers them: the first is [`PadId`] 0.
    const PADS: &'static [PadTemplate];
    /// Properties.
    const PROPS: &'static [Prop<Self>] = &[];
    /// Signals and actions.
    const SIGNALS: &'static [Signal] = &[];
    /// Upstream events taken by [`Transform::src_event`] or [`Source::src_event`], separated by commas.
    const UPSTREAM_EVENTS: &'static str = "";

    /// A step between two states begins; no streaming callback is told. [`StateReturn::NoPreroll`]: in
    /// PAUSED nothing comes out, as from a camera. Any thread.
    ///
    /// # Errors
    /// Refuses the step.
    fn change_state(cx: &Cx, transition: Transition) -> Result<StateReturn, ElementError> {
        let _ = (cx, transition);
        Ok(StateReturn::Success)
    }

    /// A property that is no [`Live`](crate::property::Live) field has a new value: for what follows from it. On
    /// the streaming thread, before the next callback.
    fn property_set(&mut self, name: &str) {
        let _ = name;
    }

    /// The part that queries, actions and `unlock` reach from any thread, beside streaming calls.
    /// Asked once, right after the element was made.
    fn shared(&self) -> Option<Arc<dyn Shared>> {
        None
    }
}

/// The part of an element that any thread may reach at any time.
pub trait Shared: Send + Sync {
    /// `true`: a blocking call inside a streaming callback must return [`FlowError::Flushing`] soon,
    /// and the next ones at once; `false`: blocking is allowed again.
    fn unlock(&self, on: bool) {
        let _ = on;
    }
    /// Answers a query; `false` leaves it to the host.
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        let _ = (cx, query);
        false
    }
    /// [`Transform`]s: a seek came from downstream. What is asked of upstream in its place, with the
    /// same sequence number; `None` refuses it. Called by whoever seeks; default: the same seek.
    fn seek(&self, cx: &Cx, seek: &Seek, seqnum: Seqnum) -> Option<Seek> {
        let _ = (cx, seqnum);
        Some(seek.clone())
    }
    /// [`Transform`]s: as [`Transform::transform_caps`], for those that know more than their properties tell.
    /// `None`, the default: that one answers.
    fn transform_caps(&self, cx: &Cx, direction: Direction, caps: &Caps) -> Option<Caps> {
        let _ = (cx, direction, caps);
        None
    }
    /// A [`Live`](crate::property::Live) property was set. Called by whoever sets it.
    fn property_changed(&self, cx: &Cx, name: &str) {
        let _ = (cx, name);
    }
    /// Performs an action of [`Element::SIGNALS`].
    fn action(&self, cx: &Cx, action: &mut Action) -> FlowResult {
        let _ = (cx, action);
        Err(FlowError::NotSupported)
    }
    /// The name of the clock this element can provide now, such as `GstAudioSinkClock`; `None`: none. A
    /// pipeline asks when it goes to PLAYING. An element whose answer changes says so with the messages
    /// clock-provide and clock-lost. Any thread.
    fn provide_clock(&self) -> Option<String> {
        None
    }
    /// What that clock reads, in nanoseconds; it never goes back. Any thread, often.
    fn clock_now(&self) -> u64 {
        0
    }
}

/// An action the application asks for, and its answer.
#[derive(Default)]
pub struct Action {
    /// Which.
    pub name: String,
    /// Arguments.
    pub args: Option<Structure>,
    /// A buffer passed in; afterwards the one given back.
    pub buf: Option<Buffer>,
    /// The answer's values.
    pub answer: Option<Structure>,
}

/// Makes buffers. The host gives it `blocksize num-buffers do-timestamp` and the streaming thread.
pub trait Source: Element {
    /// Whether [`Source::seek`] does anything, unless [`Source::is_seekable`] says otherwise.
    const SEEKABLE: bool = false;
    /// The unit its segments count in, with the present property values. Any thread.
    fn format(cx: &Cx) -> Format {
        let _ = cx;
        Format::Time
    }
    /// Whether [`Source::seek`] does anything, with the present property values. Any thread.
    fn is_seekable(cx: &Cx) -> bool {
        let _ = cx;
        Self::SEEKABLE
    }
    /// How long the stream is, in the unit of [`Source::format`], where that is known. Any thread.
    fn duration(cx: &Cx) -> Option<u64> {
        let _ = cx;
        None
    }
    /// The caps it can make with the present property values; `None`: the template's. Any thread.
    fn caps(cx: &Cx) -> Option<Caps> {
        let _ = cx;
        None
    }
    /// Picks one format out of those that downstream takes. Called once per negotiation.
    fn fixate(cx: &Cx, caps: Caps) -> Caps {
        let _ = cx;
        caps.fixate()
    }
    /// Whether frames exist only while PLAYING, as a camera's do. Asked before READY to PAUSED.
    fn is_live(cx: &Cx) -> bool {
        let _ = cx;
        false
    }
    /// READY to PAUSED: opens things.
    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        let _ = cx;
        Ok(())
    }
    /// PAUSED to READY: closes them.
    fn stop(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        let _ = cx;
        Ok(())
    }
    /// The format is decided. Before the first buffer, and again when it changes.
    fn set_caps(&mut self, cx: &mut Cx, caps: &Caps) -> FlowResult {
        let _ = (cx, caps);
        Ok(())
    }
    /// The next buffer; `Err(Eos)` after the last. The host waits for a live buffer's time before
    /// it pushes it.
    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer>;
    /// Whether [`Source::get_range`] does anything, so that who comes next may pull.
    const RANGES: bool = false;
    /// Whether it can push, with the present property values. Any thread.
    fn can_push(cx: &Cx) -> bool {
        let _ = cx;
        true
    }
    /// Whether ranges can be pulled from it, with the present property values, where [`Source::RANGES`] says
    /// that it has any. Any thread. Default: if it counts bytes and can seek.
    fn can_pull(cx: &Cx) -> bool {
        Self::format(cx) == Format::Bytes && Self::is_seekable(cx)
    }
    /// In pull mode, in place of [`Source::create`]: `size` bytes from byte `offset`. Fewer at the end; behind
    /// it `Err(Eos)`. On the thread of who pulls.
    fn get_range(&mut self, cx: &mut Cx, offset: u64, size: u32) -> FlowResult<Buffer> {
        let _ = (cx, offset, size);
        Err(FlowError::NotSupported)
    }
    /// The buffer made last was not sent: the end, a flush or a stop came while it waited for its time.
    fn unsent(&mut self, cx: &mut Cx) {
        let _ = cx;
    }
    /// Goes to the position of a new segment, which played backwards is its end; `false` if that is
    /// not possible. The host ends the stream where the segment ends.
    fn seek(&mut self, cx: &mut Cx, segment: &Segment) -> bool {
        let _ = (cx, segment);
        false
    }
    /// An upstream event named in [`Element::UPSTREAM_EVENTS`], before the next buffer.
    fn src_event(&mut self, cx: &mut Cx, event: &Event) {
        let _ = (cx, event);
    }
}

/// Turns a buffer into one or none; more go out through [`Cx::output`]. The host gives it the property
/// `qos`: what a slow sink would get too late is dropped before the call.
pub trait Transform: Element {
    /// Whether a format that the other side has goes first in what this side says it can have, so
    /// that nothing need be changed on the way. A filter keeps its own order.
    const PREFER_PASSTHROUGH: bool = true;
    /// Whether it has the property `qos`. Elements that are no base transform in GStreamer have none.
    const QOS: bool = true;
    /// Whether it pulls its input where upstream can give any range of it, as a parser of files does: the host
    /// then asks [`Transform::next_range`], hands what was there to [`Transform::transform`], and makes seeks
    /// itself, in bytes, as [`Shared::seek`] puts them. Elsewhere it is pushed to.
    const PULLS: bool = false;
    /// Whether who comes next may pull through it: it gives a buffer for each it takes and leaves bytes where
    /// they are.
    const RANGES: bool = false;
    /// In pull mode: where it wants to read next, in bytes, and how much; `next` is the byte behind what it
    /// got last, or the one a seek went to. `Err(Eos)`: nothing more.
    fn next_range(&mut self, cx: &mut Cx, next: u64) -> FlowResult<(u64, u32)> {
        let _ = cx;
        Ok((next, PULL_SIZE))
    }
    /// What `caps` at the pad of `direction` become at the other one. Any thread.
    fn transform_caps(cx: &Cx, direction: Direction, caps: &Caps) -> Caps {
        let _ = (cx, direction);
        caps.clone()
    }
    /// Picks one output format for these fixed input caps. Called once per negotiation.
    fn fixate(cx: &Cx, input: &Caps, caps: Caps) -> Caps {
        let _ = (cx, input);
        caps.fixate()
    }
    /// READY to PAUSED.
    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        let _ = cx;
        Ok(())
    }
    /// PAUSED to READY.
    fn stop(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        let _ = cx;
        Ok(())
    }
    /// The formats on both sides are decided. Before the first buffer, and on each change.
    /// Output caps that only the stream can tell are sent with [`Cx::output_event`] instead.
    fn set_caps(&mut self, cx: &mut Cx, input: &Caps, output: &Caps) -> FlowResult {
        let _ = (cx, input, output);
        Ok(())
    }
    /// One buffer, in stream order. What throws it away for good says so with [`Cx::dropped`].
    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>>;
    /// Whether the host may pass on by itself what comes next, unchanged and without asking: until there is an event,
    /// a property that was set, a change of format or state, or a new handler of a signal. Asked now and then, after
    /// a call of [`Transform::transform`]. An element that counts or compares what passes does so in a
    /// [`Passed`](crate::buffer::Passed), which the host writes in its place.
    fn passes(&mut self, cx: &Cx) -> Passing {
        let _ = cx;
        Passing::No
    }
    /// A serialized event arrived, and nothing was done about it yet. For elements that tell what they see.
    fn event_arrives(&mut self, cx: &mut Cx, event: &Event) {
        let _ = (cx, event);
    }
    /// A serialized event, before it goes on; at end of stream the last chance to put out what is
    /// held. `false` keeps the event from going on.
    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult<bool> {
        let _ = (cx, event);
        Ok(true)
    }
    /// An upstream event named in [`Element::UPSTREAM_EVENTS`], before the next buffer.
    fn src_event(&mut self, cx: &mut Cx, event: &Event) {
        let _ = (cx, event);
    }
    /// The stream was flushed: forget what is held.
    fn flush(&mut self, cx: &mut Cx) {
        let _ = cx;
    }
}

/// Consumes buffers, each when its time has come. The host gives it GStreamer's base properties:
/// `sync async max-lateness qos ts-offset render-delay throttle-time max-bitrate processing-deadline`.
pub trait Sink: Element {
    /// Default of `sync`.
    const SYNC: bool = true;
    /// Default of `async`: whether going to PAUSED waits for the first buffer.
    const ASYNC: bool = true;
    /// Whether it can be pushed to, with the present property values. Any thread.
    fn can_push(cx: &Cx) -> bool {
        let _ = cx;
        true
    }
    /// Whether it may pull, `blocksize` bytes at a time, where upstream can be pulled from. Any thread.
    fn can_pull(cx: &Cx) -> bool {
        let _ = cx;
        false
    }
    /// The caps it takes with the present property values; `None`: the template's. Any thread.
    fn caps(cx: &Cx) -> Option<Caps> {
        let _ = cx;
        None
    }
    /// NULL to READY: opens the place that buffers go to.
    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        let _ = cx;
        Ok(())
    }
    /// READY to NULL: closes it.
    fn stop(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        let _ = cx;
        Ok(())
    }
    /// The format is decided.
    fn set_caps(&mut self, cx: &mut Cx, caps: &Caps) -> FlowResult {
        let _ = (cx, caps);
        Ok(())
    }
    /// The first buffer after PAUSED was entered, while its time has not come.
    fn preroll(&mut self, cx: &mut Cx, buf: &Buffer) -> FlowResult {
        let _ = (cx, buf);
        Ok(())
    }
    /// The buffer's time has come.
    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult;
    /// A serialized event arrived, and nothing was done about it yet. For elements that tell what they see.
    fn event_arrives(&mut self, cx: &mut Cx, event: &Event) {
        let _ = (cx, event);
    }
    /// A serialized event, in its place; end of stream before the application hears of it: what is
    /// not stored yet must be stored when this returns.
    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult {
        let _ = (cx, event);
        Ok(())
    }
    /// The stream was flushed: forget what is held.
    fn flush(&mut self, cx: &mut Cx) {
        let _ = cx;
    }
}

/// An element with several pads or threads. It has no `&mut self`: what its threads share is behind
/// its own lock, never held during a call of `cx` that pushes or waits.
pub trait MultiPad: Element + Sync {
    /// READY to PAUSED, before pads are active.
    fn start(&self, cx: &Cx) -> Result<(), ElementError> {
        let _ = cx;
        Ok(())
    }
    /// PAUSED to READY, after pads became inactive.
    fn stop(&self, cx: &Cx) -> Result<(), ElementError> {
        let _ = cx;
        Ok(())
    }
    /// A buffer arrived at sink pad `cx.pad()`. One call at a time for each pad.
    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult;
    /// Whether what arrives at `cx.pad()` goes on as it is through the only source pad there is, and what comes of that
    /// push is all that [`MultiPad::chain`] would give back: then the host may let buffers pass without a call of it.
    /// Asked again when a property was set, a pad came or went, or a handler of a signal did. Streaming; must not use
    /// the host.
    fn passes(&self, cx: &Cx) -> bool {
        let _ = cx;
        false
    }
    /// Whether [`MultiPad::chain_list`] is called; otherwise the buffers of a list come one by one.
    const TAKES_LISTS: bool = false;
    /// Buffers arrived at sink pad `cx.pad()` in one go. As `chain`.
    fn chain_list(&self, cx: &Cx, list: BufferList) -> FlowResult {
        list.into_iter().try_for_each(|buf| self.chain(cx, buf))
    }
    /// What the task of source pad `cx.pad()` sends next; events queued with [`Cx::output_event`]
    /// go first. Blocks in [`Cx::wait`] only. It may push itself, with [`Cx::push`]. After an error
    /// the task rests until a flush ends or [`Cx::start_task`] is called.
    fn produce(&self, cx: &Cx) -> FlowResult<Option<Buffer>> {
        let _ = cx;
        Err(FlowError::NotSupported)
    }
    /// The task of source pad `cx.pad()` stops because a push returned `why`.
    fn stopped(&self, cx: &Cx, why: FlowError) {
        let _ = (cx, why);
    }
    /// A serialized event arrived at sink pad `cx.pad()`. Default: sent on through all source pads.
    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        if cx.event_default(&event) { Ok(()) } else { Err(event.refusal()) }
    }
    /// An upstream event arrived at source pad `cx.pad()`. Any thread. Default: sent on upstream.
    fn src_event(&self, cx: &Cx, event: &Event) -> bool {
        cx.event_default(event)
    }
    /// A query at `cx.pad()`; `false` leaves it to the host. Any thread.
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        let _ = (cx, query);
        false
    }
    /// The stream was flushed: forget what is held. No streaming call is running.
    fn flush(&self, cx: &Cx) {
        let _ = cx;
    }
    /// An event around the data came to sink pad `cx.pad()`: flush-start or flush-stop, which the pad has
    /// followed, or one out of band. `true`, the default: it goes on through all source pads. Any
    /// thread but for flush-stop.
    fn oob_event(&self, cx: &Cx, event: &Event) -> bool {
        let _ = (cx, event);
        true
    }
    /// A property was set. Any thread.
    fn property_changed(&self, cx: &Cx, name: &str) {
        let _ = (cx, name);
    }
    /// How a request pad is to be called that was asked for as `wanted`: a name that fits a template,
    /// or the template's pattern when any name will do. `%u` in the answer stands for the next
    /// number. `None`, the default: as wanted, and numbers go up.
    fn pad_name(&self, cx: &Cx, wanted: &str) -> Option<String> {
        let _ = (cx, wanted);
        None
    }
    /// A request pad was made, and is `cx.pad()`; `false` refuses it.
    fn pad_added(&self, cx: &Cx, name: &str) -> bool {
        let _ = (cx, name);
        true
    }
    /// Request pad `cx.pad()` is going away.
    fn pad_removed(&self, cx: &Cx) {
        let _ = cx;
    }
    /// Performs an action. Any thread.
    fn action(&self, cx: &Cx, action: &mut Action) -> FlowResult {
        let _ = (cx, action);
        Err(FlowError::NotSupported)
    }
}

/// Which way data goes through a pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Data leaves here.
    Src,
    /// Data arrives here.
    Sink,
}

impl Direction {
    /// The other one.
    pub const fn opposite(self) -> Direction {
        match self {
            Direction::Src => Direction::Sink,
            Direction::Sink => Direction::Src,
        }
    }
    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Direction::Src => "src",
            Direction::Sink => "sink",
        }
    }
    pub(crate) const fn from_raw(raw: u32) -> Direction {
        if raw == GM_PAD_SRC { Direction::Src } else { Direction::Sink }
    }
}

/// Number of an element's first pad, by template order.
pub const FIRST_PAD: PadId = PadId(0);
/// Number of an element's second pad, by template order.
pub const SECOND_PAD: PadId = PadId(1);
