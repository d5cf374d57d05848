//! One element of each role that panics in the callback that its property `panic-in` names.
//!
//! Invariant: a callback that is not named does what it must, so that the stream gets as far as the named one.
//! In GStreamer: nothing; its elements are trusted.
//! Left out: panics of threads of the element's own, which are in `surface`.

use gst_mini_core::element_prelude::*;
use gst_mini_core::event::{Seek, Seqnum};
use std::sync::{Arc, Mutex, PoisonError};

/// Which callback is to panic.
#[derive(Default)]
pub struct Trap(Mutex<String>);

impl Trap {
    fn name(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn at(&self, callback: &str) {
        if self.name() == callback {
            panic!("told to, in {callback}");
        }
    }
}

impl LiveField for Trap {
    fn set_text(&self, text: &str) -> Result<(), String> {
        text.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
    fn text(&self) -> String {
        self.name()
    }
}

/// For class functions, which have no instance.
fn class(cx: &Cx, callback: &str) {
    if cx.property("panic-in").as_deref() == Some(callback) {
        panic!("told to, in {callback}");
    }
}

/// The part that any thread may reach.
#[derive(Default)]
pub struct Reach(Trap);

impl Shared for Reach {
    fn unlock(&self, on: bool) {
        if on {
            self.0.at("unlock");
        }
    }
    fn query(&self, _: &Cx, query: &mut Query) -> bool {
        if matches!(query, Query::Custom(_)) {
            self.0.at("query");
        }
        false
    }
    fn seek(&self, _: &Cx, seek: &Seek, _: Seqnum) -> Option<Seek> {
        self.0.at("seek_through");
        Some(seek.clone())
    }
    fn transform_caps(&self, _: &Cx, _: Direction, _: &Caps) -> Option<Caps> {
        self.0.at("instance_caps");
        None
    }
    fn action(&self, _: &Cx, _: &mut Action) -> FlowResult {
        self.0.at("action");
        Ok(())
    }
    fn provide_clock(&self) -> Option<String> {
        self.0.at("provide_clock");
        (self.0.name() == "clock_now").then(|| "FixtureClock".to_owned())
    }
    fn clock_now(&self) -> u64 {
        self.0.at("clock_now");
        0
    }
}

/// A field whose set and get panic.
#[derive(Default)]
pub struct Trigger(Arc<Reach>);

impl LiveField for Trigger {
    fn set_text(&self, _: &str) -> Result<(), String> {
        self.0.0.at("set_property");
        Ok(())
    }
    fn text(&self) -> String {
        self.0.0.at("get_property");
        String::new()
    }
}

macro_rules! element {
    ($(#[$doc:meta])* $ty:ident $name:literal $pads:expr) => {
        $(#[$doc])*
        pub struct $ty {
            reach: Arc<Reach>,
            trigger: Trigger,
        }

        impl Default for $ty {
            fn default() -> Self {
                let reach = Arc::<Reach>::default();
                $ty { trigger: Trigger(reach.clone()), reach }
            }
        }

        impl $ty {
            fn at(&self, callback: &str) {
                self.reach.0.at(callback);
            }
        }

        impl Drop for $ty {
            fn drop(&mut self) {
                self.at("destroy");
            }
        }

        impl Element for $ty {
            const NAME: &str = $name;
            const SUMMARY: &str = "Panics where it is told to";
            const CLASS: &str = "Test";
            const PADS: &[PadTemplate] = $pads;
            const PROPS: &[Prop<Self>] = &[
                Prop::live("panic-in", types::STRING, "Name of the callback", |e: &Self| &e.reach.0),
                Prop::live("trigger", types::STRING, "Panics in a set or get", |e: &Self| &e.trigger),
            ];
            const SIGNALS: &[Signal] = &[Signal::action("act", "Does nothing")];
            const UPSTREAM_EVENTS: &str = "hello";

            fn change_state(cx: &Cx, _: Transition) -> Result<StateReturn, ElementError> {
                class(cx, "change_state");
                Ok(StateReturn::Success)
            }
            fn shared(&self) -> Option<Arc<dyn Shared>> {
                Some(self.reach.clone())
            }
        }
    };
}

element! {
    /// A source.
    PanicSrc "fixturepanicsrc" &[PadTemplate::src(super::CAPS)]
}
element! {
    /// A transform.
    PanicFilter "fixturepanicfilter" &[PadTemplate::sink(super::CAPS), PadTemplate::src(super::CAPS)]
}
element! {
    /// A source of ranges.
    PanicRanges "fixturepanicranges" &[PadTemplate::src(ANY)]
}
element! {
    /// A transform that pulls.
    PanicPuller "fixturepanicpuller" &[PadTemplate::sink(ANY), PadTemplate::src(ANY)]
}
element! {
    /// A sink.
    PanicSink "fixturepanicsink" &[PadTemplate::sink(super::CAPS)]
}
element! {
    /// Without a role.
    PanicMulti "fixturepanicmulti"
    &[
        PadTemplate::sink(super::CAPS),
        PadTemplate::request_src("src_%u", super::CAPS),
        PadTemplate::request_src("work_%u", super::CAPS).with_task(),
    ]
}

impl Source for PanicSrc {
    const SEEKABLE: bool = true;

    fn format(cx: &Cx) -> Format {
        class(cx, "info");
        Format::Time
    }
    fn caps(cx: &Cx) -> Option<Caps> {
        class(cx, "caps");
        None
    }
    fn fixate(cx: &Cx, caps: Caps) -> Caps {
        class(cx, "fixate");
        caps.fixate()
    }
    fn is_live(cx: &Cx) -> bool {
        class(cx, "is_live");
        false
    }
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.at("start");
        Ok(())
    }
    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.at("stop");
        Ok(())
    }
    fn set_caps(&mut self, _: &mut Cx, _: &Caps) -> FlowResult {
        self.at("set_caps");
        Ok(())
    }
    fn create(&mut self, _: &mut Cx) -> FlowResult<Buffer> {
        self.at("create");
        let mut buf = Buffer::from_vec(vec![1; 8]);
        buf.set_duration(Some(ClockTime::from_millis(10)));
        Ok(buf)
    }
    fn unsent(&mut self, _: &mut Cx) {
        self.at("unsent");
    }
    fn seek(&mut self, _: &mut Cx, _: &Segment) -> bool {
        self.at("seek");
        true
    }
    fn src_event(&mut self, _: &mut Cx, _: &Event) {
        self.at("src_event");
    }
}

impl Source for PanicRanges {
    const SEEKABLE: bool = true;
    const RANGES: bool = true;

    fn format(_: &Cx) -> Format {
        Format::Bytes
    }
    fn can_pull(cx: &Cx) -> bool {
        class(cx, "modes");
        true
    }
    fn create(&mut self, _: &mut Cx) -> FlowResult<Buffer> {
        Err(FlowError::Eos)
    }
    fn get_range(&mut self, _: &mut Cx, offset: u64, size: u32) -> FlowResult<Buffer> {
        self.at("get_range");
        if offset > 100_000 {
            Err(FlowError::Eos)
        } else {
            Ok(Buffer::from_vec(vec![1; size as usize]))
        }
    }
}

impl Transform for PanicPuller {
    const PULLS: bool = true;

    fn next_range(&mut self, _: &mut Cx, next: u64) -> FlowResult<(u64, u32)> {
        self.at("next_range");
        Ok((next, 4096))
    }
    fn transform(&mut self, _: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        self.at("transform");
        Ok(Some(buf))
    }
}

impl Transform for PanicFilter {
    fn transform_caps(cx: &Cx, _: Direction, caps: &Caps) -> Caps {
        class(cx, "transform_caps");
        caps.clone()
    }
    fn fixate(cx: &Cx, _: &Caps, caps: Caps) -> Caps {
        class(cx, "fixate");
        caps.fixate()
    }
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.at("start");
        Ok(())
    }
    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.at("stop");
        Ok(())
    }
    fn set_caps(&mut self, _: &mut Cx, _: &Caps, _: &Caps) -> FlowResult {
        self.at("set_caps");
        Ok(())
    }
    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        self.at("transform");
        cx.foreign(ClockTime::ZERO, || self.at("foreign"));
        Ok(Some(buf))
    }
    fn passes(&mut self, _: &Cx) -> Passing {
        self.at("passes");
        Passing::No
    }
    fn event_arrives(&mut self, _: &mut Cx, _: &Event) {
        self.at("event_arrives");
    }
    fn sink_event(&mut self, _: &mut Cx, _: &Event) -> FlowResult<bool> {
        self.at("sink_event");
        Ok(true)
    }
    fn src_event(&mut self, _: &mut Cx, _: &Event) {
        self.at("src_event");
    }
    fn flush(&mut self, _: &mut Cx) {
        self.at("flush");
    }
}

impl Sink for PanicSink {
    fn caps(cx: &Cx) -> Option<Caps> {
        class(cx, "caps");
        None
    }
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.at("start");
        Ok(())
    }
    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.at("stop");
        Ok(())
    }
    fn set_caps(&mut self, _: &mut Cx, _: &Caps) -> FlowResult {
        self.at("set_caps");
        Ok(())
    }
    fn preroll(&mut self, _: &mut Cx, _: &Buffer) -> FlowResult {
        self.at("preroll");
        Ok(())
    }
    fn render(&mut self, _: &mut Cx, _: Buffer) -> FlowResult {
        self.at("render");
        Ok(())
    }
    fn event_arrives(&mut self, _: &mut Cx, _: &Event) {
        self.at("event_arrives");
    }
    fn sink_event(&mut self, _: &mut Cx, _: &Event) -> FlowResult {
        self.at("sink_event");
        Ok(())
    }
    fn flush(&mut self, _: &mut Cx) {
        self.at("flush");
    }
}

impl MultiPad for PanicMulti {
    const TAKES_LISTS: bool = true;

    fn start(&self, _: &Cx) -> Result<(), ElementError> {
        self.at("start");
        Ok(())
    }
    fn stop(&self, _: &Cx) -> Result<(), ElementError> {
        self.at("stop");
        Ok(())
    }
    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        self.at("chain");
        let mut pads = cx.pads().into_iter().filter(|(_, name, _)| name.starts_with("src_"));
        pads.try_for_each(|(pad, ..)| cx.push(pad, buf.clone()))
    }
    fn chain_list(&self, cx: &Cx, list: BufferList) -> FlowResult {
        self.at("chain_list");
        list.into_iter().try_for_each(|buf| self.chain(cx, buf))
    }
    fn produce(&self, cx: &Cx) -> FlowResult<Option<Buffer>> {
        self.at("produce");
        if self.reach.0.name() == "stopped" {
            return Ok(Some(Buffer::from_vec(vec![1])));
        }
        cx.wait(0, cx.ticket(0), None)?;
        Ok(None)
    }
    fn stopped(&self, _: &Cx, _: FlowError) {
        self.at("stopped");
    }
    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        self.at("sink_event");
        cx.event_default(&event);
        Ok(())
    }
    fn src_event(&self, cx: &Cx, event: &Event) -> bool {
        self.at("src_event");
        cx.event_default(event)
    }
    fn query(&self, _: &Cx, query: &mut Query) -> bool {
        if matches!(query, Query::Custom(_)) {
            self.at("query");
        }
        false
    }
    fn flush(&self, _: &Cx) {
        self.at("flush");
    }
    fn oob_event(&self, _: &Cx, _: &Event) -> bool {
        self.at("oob_event");
        true
    }
    fn property_changed(&self, _: &Cx, name: &str) {
        if name == "trigger" {
            self.at("property_changed");
        }
    }
    fn pad_name(&self, _: &Cx, _: &str) -> Option<String> {
        self.at("pad_name");
        None
    }
    fn pad_added(&self, _: &Cx, _: &str) -> bool {
        self.at("pad_added");
        true
    }
    fn pad_removed(&self, _: &Cx) {
        self.at("pad_removed");
    }
    fn action(&self, _: &Cx, _: &mut Action) -> FlowResult {
        self.at("action");
        Ok(())
    }
}

/// Cannot even be made.
pub struct PanicMake;

impl Default for PanicMake {
    fn default() -> Self {
        panic!("told to, in the making");
    }
}

impl Element for PanicMake {
    const NAME: &str = "fixturepanicmake";
    const SUMMARY: &str = "Panics while it is made";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
}

impl Sink for PanicMake {
    fn render(&mut self, _: &mut Cx, _: Buffer) -> FlowResult {
        Ok(())
    }
}
