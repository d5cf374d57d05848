//! `valve` lets everything through, or drops it.
//!
//! Invariant: the first buffer after a drop carries DISCONT, and follows every sticky event that was
//! dropped.
//! In GStreamer: `plugins/elements/gstvalve.c`.
//! Left out: refusing queries that are kept in order with the data; there are none.
//!
//! ```text
//! fakesrc num-buffers=3 ! valve drop=true drop-mode=forward-sticky-events ! fakesink
//! ```

use gst_mini_core::element_prelude::*;

const DROP_MODE: &str = "enum:drop-all=0,forward-sticky-events=1,transform-to-gap=2";
const DROP_ALL: i32 = 0;
const FORWARD_STICKY_EVENTS: i32 = 1;
const TRANSFORM_TO_GAP: i32 = 2;
const SINK: PadId = FIRST_PAD;
const SRC: PadId = SECOND_PAD;

pub struct Valve {
    drop: Live<bool>,
    drop_mode: Live<i32>,
    /// `drop` as it was when it was last looked at by a set.
    was_dropping: Live<bool>,
    /// The next buffer follows a hole.
    discont: Live<bool>,
    /// Downstream lacks sticky events that the sink pad has.
    owes_sticky: Live<bool>,
}

impl Default for Valve {
    fn default() -> Self {
        let no = || Live::new(false);
        Valve {
            drop: no(),
            drop_mode: Live::new(DROP_ALL),
            was_dropping: no(),
            discont: no(),
            owes_sticky: no(),
        }
    }
}

impl Element for Valve {
    const NAME: &str = "valve";
    const SUMMARY: &str = "Drops buffers and events or lets them through";
    const LONG_NAME: &str = "Valve element";
    const CLASS: &str = "Filter";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY).with_allocation(), PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::live(
            "drop",
            types::BOOLEAN,
            "Whether to drop buffers and events or let them through",
            |e: &Self| &e.drop,
        ),
        Prop::live(
            "drop-mode",
            DROP_MODE,
            "What is dropped, and what becomes of it",
            |e: &Self| &e.drop_mode,
        )
        .ready_only(),
    ];
}

impl Valve {
    fn drops(&self, event: &Event) -> bool {
        self.drop.get()
            && match self.drop_mode.get() {
                FORWARD_STICKY_EVENTS => !event.is_sticky(),
                TRANSFORM_TO_GAP => {
                    !event.is_sticky() && !matches!(event.kind, EventKind::Gap { .. })
                }
                _ => true,
            }
    }

    fn pay_sticky(&self, cx: &Cx) {
        if self.owes_sticky.get() {
            self.owes_sticky.set(false);
            for event in cx.sticky_events(SINK) {
                if !cx.push_event(SRC, &event) {
                    self.owes_sticky.set(true);
                }
            }
        }
    }
}

impl MultiPad for Valve {
    fn chain(&self, cx: &Cx, mut buf: Buffer) -> FlowResult {
        let mut flow = Ok(());
        if self.drop.get() {
            self.discont.set(true);
            cx.dropped(&buf, "the valve is closed");
            if self.drop_mode.get() == TRANSFORM_TO_GAP
                && let Some(pts) = buf.pts()
            {
                let gap = EventKind::Gap { pts, duration: buf.duration() };
                cx.push_event(SRC, &Event::new(gap));
            }
        } else {
            if self.discont.get() {
                self.discont.set(false);
                buf.set_flags(BufferFlags::DISCONT);
            }
            self.pay_sticky(cx);
            flow = cx.push(SRC, buf);
        }
        // Closed while downstream held the buffer: what it said is of no interest any more.
        if self.drop.get() { Ok(()) } else { flow }
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        let mut taken = true;
        if self.drops(&event) {
            if event.is_sticky() {
                self.owes_sticky.set(true);
            }
        } else {
            self.pay_sticky(cx);
            taken = cx.event_default(&event);
        }
        if self.drop.get() {
            if self.drop_mode.get() == DROP_ALL && event.is_sticky() {
                self.owes_sticky.set(true);
            }
            taken = true;
        }
        if taken { Ok(()) } else { Err(FlowError::Error) }
    }

    fn oob_event(&self, _: &Cx, event: &Event) -> bool {
        !self.drops(event)
    }

    fn property_changed(&self, cx: &Cx, _: &str) {
        let drop = self.drop.get();
        if drop != self.was_dropping.get() {
            self.was_dropping.set(drop);
            cx.push_event(SINK, &Event::new(EventKind::Reconfigure));
        }
    }
}
