//! `identity` passes data on, and can look, wait, drop or fail on the way.
//!
//! Invariant: a buffer that goes on is the one that came.
//! In GStreamer: `plugins/elements/gstidentity.c`.
//! Left out: `check-imperfect-timestamp`, `check-imperfect-offset`, `single-segment`, `datarate`, `dump`, `eos-after`, `ts-offset`, `sync`, `drop-allocation`, `stats`.
//!
//! ```text
//! fakesrc num-buffers=3 ! identity sleep-time=1000 ! fakesink
//! ```

use crate::last_message;
use gst_mini_core::element_prelude::*;

pub struct Identity {
    sleep_time: u32,
    error_after: i32,
    drop_probability: f64,
    drop_buffer_flags: u32,
    silent: bool,
    signal_handoffs: bool,
    passed: i64,
    random: u64,
}

impl Default for Identity {
    fn default() -> Self {
        Identity {
            sleep_time: 0,
            error_after: -1,
            drop_probability: 0.0,
            drop_buffer_flags: 0,
            silent: true,
            signal_handoffs: true,
            passed: 0,
            random: 0x2545_f491_4f6c_dd1d,
        }
    }
}

impl Element for Identity {
    const NAME: &str = "identity";
    const SUMMARY: &str = "Pass data without modification";
    const LONG_NAME: &str = "Identity";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY), PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::uint("sleep-time", "Time to sleep between buffers", |e: &mut Self| &mut e.sleep_time)
            .unit("us"),
        Prop::int("error-after", "Error after N buffers, -1: never", |e: &mut Self| {
            &mut e.error_after
        })
        .range("-1", "2147483647"),
        Prop::double("drop-probability", "The probability a buffer is dropped", |e: &mut Self| {
            &mut e.drop_probability
        })
        .range("0", "1"),
        Prop::uint("drop-buffer-flags", "Drop buffers with any of these flags", |e: &mut Self| {
            &mut e.drop_buffer_flags
        }),
        Prop::boolean("silent", "Don't produce last-message", |e: &mut Self| &mut e.silent),
        Prop::published("last-message", types::STRING, "What the last buffer was", ""),
        Prop::boolean(
            "signal-handoffs",
            "Send a signal before pushing a buffer",
            |e: &mut Self| &mut e.signal_handoffs,
        ),
    ];
    const SIGNALS: &[Signal] = &[Signal::emitted("handoff", "A buffer passes")];
}

impl Identity {
    fn tell(&self, cx: &Cx, what: &str, buf: &Buffer) {
        let pad = last_message::pad_of(cx, "sink");
        cx.publish("last-message", last_message::passed(what, &pad, buf));
    }

    fn drop(&self, cx: &Cx, buf: &Buffer) -> FlowResult<Option<Buffer>> {
        if !self.silent {
            self.tell(cx, "dropping", buf);
        }
        cx.dropped(buf, "as asked");
        Ok(None)
    }
}

impl Transform for Identity {
    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.passed = 0;
        Ok(())
    }

    fn event_arrives(&mut self, cx: &mut Cx, event: &Event) {
        if !self.silent {
            let pad = last_message::pad_of(cx, "sink");
            cx.publish("last-message", last_message::event(&pad, event));
        }
    }

    fn transform(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        if self.error_after > 0 {
            self.passed += 1;
            if self.passed == i64::from(self.error_after) {
                let text = "Failed after iterations as requested.";
                return Err(cx.error(ErrorKind::Failed, text));
            }
        }
        if self.drop_probability > 0.0 {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            if ((self.random >> 11) as f64 / (1u64 << 53) as f64) < self.drop_probability {
                return self.drop(cx, &buf);
            }
        }
        if self.drop_buffer_flags & buf.flags().0 != 0 {
            return self.drop(cx, &buf);
        }
        if !self.silent {
            self.tell(cx, "chain", &buf);
        }
        if self.signal_handoffs {
            cx.emit("handoff", None);
        }
        if self.sleep_time > 0 {
            cx.sleep(ClockTime::from_micros(u64::from(self.sleep_time)))?;
        }
        Ok(Some(buf))
    }
}
