//! `fakesink` takes whatever comes and forgets it.
//!
//! Invariant: a buffer it counts was rendered, at its time if `sync` is set.
//! In GStreamer: `plugins/elements/gstfakesink.c`.
//! Left out: `last-sample` of the base class.
//!
//! ```text
//! fakesrc num-buffers=3 ! fakesink silent=false
//! ```

use crate::{dump, last_message};
use gst_mini_core::element_prelude::*;

const STATE_ERROR: &str = "enum:none=0,null-to-ready=1,ready-to-paused=2,paused-to-playing=3,\
playing-to-paused=4,paused-to-ready=5,ready-to-null=6";

pub struct FakeSink {
    silent: bool,
    signal_handoffs: bool,
    num_buffers: i32,
    dump: bool,
    state_error: i32,
    can_activate_push: bool,
    can_activate_pull: bool,
    drop_out_of_segment: bool,
    rendered: u64,
}

impl Default for FakeSink {
    fn default() -> Self {
        FakeSink {
            silent: true,
            signal_handoffs: false,
            num_buffers: -1,
            dump: false,
            state_error: 0,
            can_activate_push: true,
            can_activate_pull: false,
            drop_out_of_segment: true,
            rendered: 0,
        }
    }
}

impl Element for FakeSink {
    const NAME: &str = "fakesink";
    const SUMMARY: &str = "Black hole for data";
    const LONG_NAME: &str = "Fake Sink";
    const CLASS: &str = "Sink";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::boolean("silent", "Don't produce last-message", |e: &mut Self| &mut e.silent),
        Prop::published("last-message", types::STRING, "What the last buffer was", ""),
        Prop::boolean("signal-handoffs", "Send a signal for each buffer", |e: &mut Self| {
            &mut e.signal_handoffs
        }),
        Prop::int(
            "num-buffers",
            "Number of buffers to accept going EOS, -1: no limit",
            |e: &mut Self| &mut e.num_buffers,
        )
        .range("-1", "2147483647"),
        Prop::boolean("dump", "Dump buffer contents to stdout", |e: &mut Self| &mut e.dump),
        Prop::choice("state-error", STATE_ERROR, "Fail a state change", |e: &mut Self| {
            &mut e.state_error
        }),
        Prop::boolean("can-activate-push", "Can activate in push mode", |e: &mut Self| {
            &mut e.can_activate_push
        })
        .ready_only(),
        Prop::boolean("can-activate-pull", "Can activate in pull mode", |e: &mut Self| {
            &mut e.can_activate_pull
        })
        .ready_only(),
        Prop::boolean(
            "drop-out-of-segment",
            "Drop buffers that lie outside the segment",
            |e: &mut Self| &mut e.drop_out_of_segment,
        ),
    ];
    const SIGNALS: &[Signal] = &[
        Signal::emitted("handoff", "A buffer is being rendered"),
        Signal::emitted("preroll-handoff", "A buffer is held in preroll"),
    ];

    fn change_state(cx: &Cx, transition: Transition) -> Result<StateReturn, ElementError> {
        let failing = cx.property("state-error").unwrap_or_default();
        let step = format!("{}-to-{}", transition.from.name(), transition.to.name());
        if failing.eq_ignore_ascii_case(&step) {
            let text = "Erroring out on state change as requested";
            return Err(ElementError::new(ErrorKind::Core, text));
        }
        Ok(StateReturn::Success)
    }
}

impl Sink for FakeSink {
    const SYNC: bool = false;

    fn can_push(cx: &Cx) -> bool {
        cx.property_as("can-activate-push").unwrap_or(true)
    }

    fn can_pull(cx: &Cx) -> bool {
        cx.property_as("can-activate-pull").unwrap_or(false)
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.rendered = 0;
        Ok(())
    }

    fn event_arrives(&mut self, cx: &mut Cx, event: &Event) {
        if !self.silent {
            let pad = last_message::pad_of(cx, "sink");
            cx.publish("last-message", last_message::event(&pad, event));
        }
    }

    fn preroll(&mut self, cx: &mut Cx, _: &Buffer) -> FlowResult {
        if !self.silent {
            // GStreamer says no more of it.
            cx.publish("last-message", "preroll   ******* ");
        }
        if self.signal_handoffs {
            cx.emit("preroll-handoff", None);
        }
        Ok(())
    }

    #[inline]
    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        if self.num_buffers >= 0
            || !self.silent
            || self.dump
            || self.signal_handoffs && cx.is_heard()
        {
            return self.work(cx, &buf);
        }
        self.rendered += 1;
        Ok(())
    }
}

impl FakeSink {
    /// What more than letting a buffer go is asked for.
    #[inline(never)]
    fn work(&mut self, cx: &mut Cx, buf: &Buffer) -> FlowResult {
        if self.num_buffers >= 0 && self.rendered >= self.num_buffers as u64 {
            return Err(FlowError::Eos);
        }
        self.rendered += 1;
        if !self.silent {
            let pad = last_message::pad_of(cx, "sink");
            cx.publish("last-message", last_message::rendered(&pad, buf));
        }
        if self.dump {
            dump::dump(cx, buf);
        }
        if self.signal_handoffs {
            cx.emit("handoff", None);
        }
        if self.num_buffers >= 0 && self.rendered >= self.num_buffers as u64 {
            return Err(FlowError::Eos);
        }
        Ok(())
    }
}
