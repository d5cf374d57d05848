//! `fakesink` takes whatever comes and forgets it.
//!
//! Invariant: a buffer it counts was rendered, at its time if `sync` is set.
//! In GStreamer: `plugins/elements/gstfakesink.c`.
//! Left out: `can-activate-pull`, `drop-out-of-segment`, `dump`, `state-error`.
//!
//! ```text
//! fakesrc num-buffers=3 ! fakesink silent=false
//! ```

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

impl FakeSink {
    fn tell(&self, cx: &Cx, what: &str, buf: &Buffer) {
        let time = |time: Option<ClockTime>| time.map_or("none".to_owned(), |t| t.to_string());
        cx.publish(
            "last-message",
            format!(
                "{what}   ******* ({}:sink) ({} bytes, dts: {}, pts: {}, duration: {}, offset: {}, offset_end: {}, flags: {:08x} {})",
                cx.property("name").unwrap_or_default(),
                buf.size(),
                time(buf.dts()),
                time(buf.pts()),
                time(buf.duration()),
                buf.offset().map_or(-1, |offset| offset as i64),
                buf.offset_end().map_or(-1, |offset| offset as i64),
                buf.flags().0,
                buf.flags()
            ),
        );
    }
}

impl Sink for FakeSink {
    const SYNC: bool = false;

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.rendered = 0;
        Ok(())
    }

    fn preroll(&mut self, cx: &mut Cx, buf: &Buffer) -> FlowResult {
        if !self.silent {
            self.tell(cx, "preroll", buf);
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
            self.tell(cx, "chain", &buf);
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
