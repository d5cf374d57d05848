//! `fakesink` takes whatever comes and forgets it.
//!
//! Invariant: a buffer it counts was rendered, at its time if `sync` is set.
//! In GStreamer: `plugins/elements/gstfakesink.c`.
//! Left out: `can-activate-pull`, `drop-out-of-segment`, `dump`, `state-error`.
//!
//! ```text
//! fakesrc num-buffers=3 ! fakesink silent=false
//! ```

use crate::last_message;
use gst_mini_core::element_prelude::*;

pub struct FakeSink {
    silent: bool,
    signal_handoffs: bool,
    num_buffers: i32,
    rendered: u64,
}

impl Default for FakeSink {
    fn default() -> Self {
        FakeSink { silent: true, signal_handoffs: false, num_buffers: -1, rendered: 0 }
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
    ];
    const SIGNALS: &[Signal] = &[
        Signal::emitted("handoff", "A buffer is being rendered"),
        Signal::emitted("preroll-handoff", "A buffer is held in preroll"),
    ];
}

impl Sink for FakeSink {
    const SYNC: bool = false;

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

    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        if self.num_buffers >= 0 && self.rendered >= self.num_buffers as u64 {
            return Err(FlowError::Eos);
        }
        self.rendered += 1;
        if !self.silent {
            let pad = last_message::pad_of(cx, "sink");
            cx.publish("last-message", last_message::rendered(&pad, &buf));
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
