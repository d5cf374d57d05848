//! An element's C functions, made callable.
//!
//! Invariant: a function is called with an object its factory made, a context valid for the call, and
//! under the threading rule its documentation states; the base that owns the instance sees to it.
//! In GStreamer: calling `GstElementClass` and base class virtual functions.
//! Left out: nothing.

use crate::buffer::{Buffer, BufferList};
use crate::caps::Caps;
use crate::element::{Action, Direction, PULL_SIZE};
use crate::error::{FlowError, FlowResult};
use crate::event::Event;
use crate::host::context::Context;
use crate::pad::route::StageFn;
use crate::plugin::abi::*;
use crate::query::Query;
use crate::registry::factory::FactoryInfo;
use crate::registry::factory::growth::{self, Whole};
use crate::segment::Format;
use crate::state::{State, StateReturn, Transition};
use crate::structure::{ScratchText, Structure};
use std::ffi::c_void;

/// An instance with its functions. Destroyed when dropped.
pub(crate) struct Instance {
    obj: *mut c_void,
    /// As long as this program knows it.
    vtable: *const GmElementVTable,
    /// What `vtable` points to if the plugin's own is shorter.
    _completed: Option<Box<GmElementVTable>>,
}

// SAFETY: the boundary's contract: an object may move between threads, and its functions keep the
// threading rules of `GmElementVTable`, which the bases honor.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(destroy) = self.vtable().destroy {
            // SAFETY: once, last.
            unsafe { destroy(self.obj) }
        }
    }
}

/// What a source says of its stream.
#[derive(Clone, Copy)]
pub(crate) struct SourceInfo {
    pub format: Format,
    pub seekable: bool,
    pub duration: Option<u64>,
}

/// What a streaming callback gave back.
pub(crate) enum Given {
    /// A buffer to push.
    Buffer(Buffer),
    /// Nothing this time.
    Nothing,
}

impl Given {
    /// What a callback's two registers say.
    #[inline]
    pub fn from_raw(raw: GmFlowBuf) -> FlowResult<Given> {
        match raw.code {
            0 => {
                // SAFETY: with code 0 the buffer is ours.
                let buf = unsafe { Buffer::from_raw(raw.buf) };
                buf.map(Given::Buffer).ok_or(FlowError::Error)
            }
            code if code == i64::from(GM_FLOW_DROPPED) => Ok(Given::Nothing),
            code => Err(FlowError::from_code(i32::try_from(code).unwrap_or(-5))
                .err()
                .unwrap_or(FlowError::Error)),
        }
    }
}

impl Instance {
    /// Makes an instance.
    ///
    /// # Errors
    /// Why its factory could not, as far as it says so.
    pub fn make(factory: &FactoryInfo) -> Result<Instance, String> {
        let mut raw = GmElement { obj: std::ptr::null_mut(), vtable: std::ptr::null() };
        let create = factory.raw.create.ok_or("its factory has no function for that")?;
        let mut why = String::new();
        // SAFETY: the factory was checked by `FactoryInfo::read`; the host table lives for ever.
        let made = unsafe {
            create(super::table::host(), &mut raw, &mut GmText::for_string(&mut why)) != 0
        };
        if !made {
            return Err(if why.is_empty() { "its plugin did not say why".to_owned() } else { why });
        }
        let mut completed = None;
        let vtable: *const GmElementVTable = if raw.vtable == factory.raw.vtable {
            factory.vtable
        } else {
            // SAFETY: a plugin's tables live for ever, and begin with their size.
            match unsafe { growth::read(raw.vtable) } {
                Some(Whole::Given(vtable)) => vtable,
                Some(Whole::Completed(vtable)) => &raw const **completed.insert(vtable),
                None => return Err("its table of functions is damaged".to_owned()),
            }
        };
        let instance = Instance { obj: raw.obj, vtable, _completed: completed };
        #[cfg(gst_mini_abi_next)]
        if let Some(next) = instance.vtable().next {
            // SAFETY: this module's invariant.
            assert_eq!(u64::from(unsafe { next(instance.obj) }), crate::plugin::abi::NEXT);
        }
        Ok(instance)
    }

    #[inline]
    pub fn vtable(&self) -> &GmElementVTable {
        // SAFETY: of a factory, which lives for ever, or of `_completed`, which lives as long as this.
        unsafe { &*self.vtable }
    }

    fn flow(&self, code: i32) -> FlowResult {
        FlowError::from_code(code)
    }

    /// READY to PAUSED (sinks: NULL to READY). Control.
    pub fn start(&self, cx: &Context) -> FlowResult {
        // SAFETY: this module's invariant, here and below.
        self.vtable().start.map_or(Ok(()), |f| self.flow(unsafe { f(self.obj, cx.raw()) }))
    }
    pub fn stop(&self, cx: &Context) -> FlowResult {
        // SAFETY: see above.
        let stopped = self.vtable().stop.map_or(GM_FLOW_OK, |f| unsafe { f(self.obj, cx.raw()) });
        // A panic was told, and what is left of the instance is as good as stopped.
        if stopped == GM_FLOW_PANICKED { Ok(()) } else { self.flow(stopped) }
    }
    pub fn unlock(&self, on: bool) {
        if let Some(f) = self.vtable().unlock {
            // SAFETY: see above.
            unsafe { f(self.obj, u8::from(on)) }
        }
    }
    pub fn set_property(&self, cx: &Context, name: &str, value: &str) -> Result<(), String> {
        let Some(f) = self.vtable().set_property else { return Ok(()) };
        let mut why = String::new();
        // SAFETY: see above.
        let done = unsafe {
            let (name, value) = (GmStr::new(name), GmStr::new(value));
            f(self.obj, cx.raw(), name, value, &mut GmText::for_string(&mut why))
        };
        if done != 0 { Ok(()) } else { Err(why) }
    }
    pub fn get_property(&self, name: &str) -> Option<String> {
        let f = self.vtable().get_property?;
        let mut text = String::new();
        // SAFETY: see above.
        let found =
            unsafe { f(self.obj, GmStr::new(name), &mut GmText::for_string(&mut text)) != 0 };
        found.then_some(text)
    }
    pub fn set_caps(
        &self,
        cx: &Context,
        input: Option<&Caps>,
        output: Option<&Caps>,
    ) -> FlowResult {
        let Some(f) = self.vtable().set_caps else { return Ok(()) };
        let (input, output) = (text_of(input), text_of(output));
        // SAFETY: see above.
        self.flow(unsafe { f(self.obj, cx.raw(), input, output) })
    }
    pub fn create(&self, cx: &Context) -> FlowResult<Given> {
        let f = self.vtable().create.ok_or(FlowError::NotSupported)?;
        // SAFETY: see above.
        Given::from_raw(unsafe { f(self.obj, cx.raw()) })
    }
    /// Whether ranges can be had of a source.
    pub fn has_ranges(&self) -> bool {
        self.vtable().get_range.is_some()
    }
    pub fn get_range(&self, cx: &Context, offset: u64, size: u32) -> FlowResult<Given> {
        let f = self.vtable().get_range.ok_or(FlowError::NotSupported)?;
        // SAFETY: see above.
        Given::from_raw(unsafe { f(self.obj, cx.raw(), offset, size) })
    }
    /// Whether a transform pulls where it can.
    pub fn pulls(&self) -> bool {
        self.vtable().next_range.is_some()
    }
    /// The range a transform wants next; `next` is where the last one ended.
    pub fn next_range(&self, cx: &Context, next: u64) -> FlowResult<(u64, u32)> {
        let f = self.vtable().next_range.ok_or(FlowError::NotSupported)?;
        let (mut offset, mut size) = (next, PULL_SIZE);
        // SAFETY: see above; both places live for the call.
        self.flow(unsafe { f(self.obj, cx.raw(), &mut offset, &mut size) })?;
        Ok((offset, size))
    }
    /// Whether a source or sink can be used in push mode, and in pull mode.
    pub fn modes(&self, cx: &Context) -> (bool, bool) {
        // SAFETY: see above.
        let bits = self.vtable().modes.map_or(GM_MODE_PUSH, |f| unsafe { f(cx.raw()) });
        (bits & GM_MODE_PUSH != 0, bits & GM_MODE_PULL != 0)
    }
    pub fn seek(&self, cx: &Context, segment: &crate::segment::Segment) -> bool {
        let text = segment.to_string();
        // SAFETY: see above.
        self.vtable().seek.is_some_and(|f| unsafe { f(self.obj, cx.raw(), GmStr::new(&text)) } != 0)
    }
    #[inline]
    pub fn transform(&self, cx: &Context, buf: Buffer) -> FlowResult<Given> {
        let Some(f) = self.vtable().transform else { return Ok(Given::Buffer(buf)) };
        // SAFETY: see above; the buffer's reference moves.
        Given::from_raw(unsafe { f(self.obj, cx.raw(), buf.into_raw()) })
    }
    /// What [`Instance::transform`] calls, and with what object; `None`: nothing, buffers go on as they are.
    pub fn transform_function(&self) -> Option<(StageFn, *mut c_void)> {
        Some((self.vtable().transform?, self.obj))
    }
    /// Whether the host may pass buffers on by itself: null if not, or where it counts them, as the boundary has it.
    pub fn passes(&self, cx: &Context) -> *mut GmPassed {
        // SAFETY: see above.
        self.vtable().passes.map_or(std::ptr::null_mut(), |f| unsafe { f(self.obj, cx.raw()) })
    }
    /// Whether [`Instance::passes`] would ask at all.
    pub fn can_pass(&self) -> bool {
        self.vtable().passes.is_some()
    }
    pub fn preroll(&self, cx: &Context, buf: &Buffer) -> FlowResult {
        // SAFETY: see above; the buffer is lent.
        self.vtable()
            .preroll
            .map_or(Ok(()), |f| self.flow(unsafe { f(self.obj, cx.raw(), buf.as_raw()) }))
    }
    #[inline]
    pub fn render(&self, cx: &Context, buf: Buffer) -> FlowResult {
        let f = self.vtable().render.ok_or(FlowError::NotSupported)?;
        // SAFETY: see above; the buffer's reference moves.
        self.flow(unsafe { f(self.obj, cx.raw(), buf.into_raw()) })
    }
    #[inline]
    pub fn chain(&self, cx: &Context, buf: Buffer) -> FlowResult {
        let f = self.vtable().chain.ok_or(FlowError::NotSupported)?;
        // SAFETY: see above; the buffer's reference moves.
        self.flow(unsafe { f(self.obj, cx.raw(), buf.into_raw()) })
    }
    /// Whether lists may be given to `chain_list`.
    pub fn takes_lists(&self) -> bool {
        self.vtable().chain_list.is_some()
    }
    pub fn chain_list(&self, cx: &Context, list: BufferList) -> FlowResult {
        let f = self.vtable().chain_list.ok_or(FlowError::NotSupported)?;
        let raw: Vec<*mut GmBuffer> = list.into_iter().map(Buffer::into_raw).collect();
        // SAFETY: see above; the buffers' references move.
        self.flow(unsafe { f(self.obj, cx.raw(), raw.as_ptr(), raw.len() as u32) })
    }
    #[inline]
    pub fn produce(&self, cx: &Context) -> FlowResult<Given> {
        let f = self.vtable().produce.ok_or(FlowError::NotSupported)?;
        // SAFETY: see above.
        Given::from_raw(unsafe { f(self.obj, cx.raw()) })
    }
    pub fn stopped(&self, cx: &Context, why: FlowError) {
        if let Some(f) = self.vtable().stopped {
            // SAFETY: see above.
            unsafe { f(self.obj, cx.raw(), why.code()) }
        }
    }
    pub fn event_arrives(&self, cx: &Context, event: &Event) {
        if let Some(f) = self.vtable().event_arrives {
            let text = event.text();
            // SAFETY: see above.
            unsafe { f(self.obj, cx.raw(), GmStr::new(&text)) };
        }
    }
    /// `Ok(false)`: the event is not to go on.
    pub fn sink_event(&self, cx: &Context, event: &Event) -> FlowResult<bool> {
        let Some(f) = self.vtable().sink_event else { return Ok(true) };
        let text = event.text();
        // SAFETY: see above.
        match unsafe { f(self.obj, cx.raw(), GmStr::new(&text)) } {
            GM_FLOW_DROPPED => Ok(false),
            code => self.flow(code).map(|()| true),
        }
    }
    /// `None`: the element has no such function.
    pub fn src_event(&self, cx: &Context, event: &Event) -> Option<bool> {
        let f = self.vtable().src_event?;
        let text = event.text();
        // SAFETY: see above.
        Some(unsafe { f(self.obj, cx.raw(), GmStr::new(&text)) } != 0)
    }
    pub fn query(&self, cx: &Context, query: &mut Query) -> bool {
        let Some(f) = self.vtable().query else { return false };
        let (question, mut text) = (query.text(), ScratchText::new());
        // SAFETY: see above.
        let answered = unsafe {
            let place = &mut GmText::for_string(text.text_mut());
            f(self.obj, cx.raw(), GmStr::new(&question), place) != 0
        };
        match answered.then(|| Query::from_text(&text)).flatten() {
            Some(answer) => {
                *query = answer;
                true
            }
            None => false,
        }
    }
    pub fn flush(&self, cx: &Context) {
        if let Some(f) = self.vtable().flush {
            // SAFETY: see above.
            unsafe { f(self.obj, cx.raw()) }
        }
    }
    pub fn action(&self, cx: &Context, action: &mut Action) -> FlowResult {
        let f = self.vtable().action.ok_or(FlowError::NotSupported)?;
        let args = action.args.as_ref().map(Structure::to_string).unwrap_or_default();
        let mut answer = String::new();
        let mut place = GmText::for_string(&mut answer);
        let mut raw = GmAction {
            struct_size: size_of::<GmAction>() as u32,
            reserved: 0,
            name: GmStr::new(&action.name),
            args: GmStr::new(&args),
            buf: action.buf.take().map_or(std::ptr::null_mut(), Buffer::into_raw),
            answer: &mut place,
        };
        // SAFETY: see above; buffers move both ways.
        let result = self.flow(unsafe { f(self.obj, cx.raw(), &mut raw) });
        // SAFETY: what is left in the field is ours.
        action.buf = unsafe { Buffer::from_raw(raw.buf) };
        action.answer = answer.parse().ok();
        result
    }
    /// `false`: the element does not want that pad.
    pub fn pad_added(&self, cx: &Context, name: &str) -> bool {
        // SAFETY: see above.
        self.vtable()
            .pad_added
            .is_none_or(|f| unsafe { f(self.obj, cx.raw(), GmStr::new(name)) != 0 })
    }
    pub fn pad_removed(&self, cx: &Context) {
        if let Some(f) = self.vtable().pad_removed {
            // SAFETY: see above.
            unsafe { f(self.obj, cx.raw()) }
        }
    }
    /// Whether an event around the data goes on.
    pub fn oob_event(&self, cx: &Context, event: &Event) -> bool {
        let Some(f) = self.vtable().oob_event else { return true };
        let text = event.text();
        // SAFETY: see above.
        unsafe { f(self.obj, cx.raw(), GmStr::new(&text)) != 0 }
    }
    /// How the element calls a pad that was asked for as `wanted`; `None`: as the host likes.
    pub fn pad_name(&self, cx: &Context, wanted: &str) -> Option<String> {
        let f = self.vtable().pad_name?;
        let mut name = String::new();
        // SAFETY: see above.
        let named = unsafe {
            f(self.obj, cx.raw(), GmStr::new(wanted), &mut GmText::for_string(&mut name)) != 0
        };
        named.then_some(name)
    }

    /// Class functions. Any thread.
    pub fn pad_caps(&self, cx: &Context, pad: u32) -> Option<Caps> {
        let f = self.vtable().pad_caps?;
        // SAFETY: see above.
        caps_of(|place| unsafe { f(cx.raw(), pad, place) })
    }
    pub fn transform_caps(&self, cx: &Context, direction: Direction, caps: &Caps) -> Caps {
        let direction = if direction == Direction::Src { GM_PAD_SRC } else { GM_PAD_SINK };
        let text = GmStr::new(caps.text());
        if let Some(f) = self.vtable().instance_caps {
            // SAFETY: see above.
            return caps_of(|place| unsafe { f(self.obj, cx.raw(), direction, text, place) })
                .unwrap_or_else(Caps::empty);
        }
        let Some(f) = self.vtable().transform_caps else { return caps.clone() };
        // SAFETY: see above.
        caps_of(|place| unsafe { f(cx.raw(), direction, text, place) }).unwrap_or_else(Caps::empty)
    }
    pub fn fixate(&self, cx: &Context, input: Option<&Caps>, caps: &Caps) -> Caps {
        let Some(f) = self.vtable().fixate else { return caps.fixate() };
        let (input, text) = (text_of(input), GmStr::new(caps.text()));
        // SAFETY: see above.
        let fixed = caps_of(|place| unsafe { f(cx.raw(), input, text, place) });
        fixed.unwrap_or_else(|| caps.fixate())
    }
    /// `None`: the element does not say.
    pub fn source_info(&self, cx: &Context) -> Option<SourceInfo> {
        let f = self.vtable().source_info?;
        let mut raw = GmSourceInfo {
            struct_size: size_of::<GmSourceInfo>() as u32,
            format: Format::Time.number(),
            seekable: 0,
            reserved: 0,
            duration: GM_TIME_NONE,
        };
        // SAFETY: see above.
        let told = unsafe { f(cx.raw(), &mut raw) } != 0;
        told.then(|| SourceInfo {
            format: Format::of_number(raw.format),
            seekable: raw.seekable != 0,
            duration: (raw.duration != GM_TIME_NONE).then_some(raw.duration),
        })
    }
    /// What goes on upstream in place of a seek; `None`: it is refused.
    pub fn seek_through(&self, cx: &Context, event: Event) -> Option<Event> {
        let Some(f) = self.vtable().seek_through else { return Some(event) };
        let (text, mut onward) = (event.text(), String::new());
        // SAFETY: see above.
        let passes = unsafe {
            let place = &mut GmText::for_string(&mut onward);
            f(self.obj, cx.raw(), GmStr::new(&text), place) != 0
        };
        if passes { Event::from_text(&onward) } else { None }
    }
    /// A step between two states begins: what it comes to without preroll, or a refusal.
    pub fn change_state(&self, cx: &Context, transition: Transition) -> FlowResult<StateReturn> {
        let Some(f) = self.vtable().change_state else { return Ok(StateReturn::Success) };
        let number = |state: State| match state {
            State::Null => 0,
            State::Ready => 1,
            State::Paused => 2,
            State::Playing => 3,
        };
        // SAFETY: see above.
        match unsafe { f(cx.raw(), number(transition.from), number(transition.to)) } {
            1.. => Ok(StateReturn::NoPreroll),
            code => FlowError::from_code(code).map(|()| StateReturn::Success),
        }
    }
    /// The name of the clock the element can provide now.
    pub fn provide_clock(&self) -> Option<String> {
        let f = self.vtable().provide_clock?;
        let mut name = String::new();
        // SAFETY: see above.
        let given = unsafe { f(self.obj, &mut GmText::for_string(&mut name)) != 0 };
        given.then_some(name)
    }
    /// What that clock reads.
    pub fn clock_now(&self) -> u64 {
        // SAFETY: see above.
        self.vtable().clock_now.map_or(0, |f| unsafe { f(self.obj) })
    }
    pub fn is_live(&self, cx: &Context) -> bool {
        // SAFETY: see above.
        self.vtable().is_live.is_some_and(|f| unsafe { f(cx.raw()) } != 0)
    }
}

/// The text of caps, which lives as long as they do.
fn text_of(caps: Option<&Caps>) -> GmStr {
    caps.map_or(GmStr::EMPTY, |caps| GmStr::new(caps.text()))
}

/// Caps that an element writes as text: read while it lends that, without a copy.
fn caps_of(call: impl FnOnce(*mut GmText) -> u8) -> Option<Caps> {
    // No text is EMPTY, as is one that is not UTF-8; one that is not caps is none.
    let mut read = Some(Caps::empty());
    let mut place = GmText { obj: (&raw mut read).cast(), write: Some(read_caps) };
    let given = call(&mut place) != 0;
    read.filter(|_| given)
}

unsafe extern "C" fn read_caps(obj: *mut c_void, ptr: *const u8, len: usize) {
    // SAFETY: `caps_of` made `obj` from its own place, which outlives the call.
    let place = unsafe { &mut *obj.cast::<Option<Caps>>() };
    // SAFETY: the writer passes readable bytes.
    let bytes = unsafe { GmStr { ptr, len }.to_bytes() };
    *place = match Caps::from_bytes(bytes) {
        None if std::str::from_utf8(bytes).is_err() => Some(Caps::empty()),
        read => read,
    };
}
