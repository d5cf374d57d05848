//! `funnel` sends whatever arrives at any of its sink pads out through one source pad.
//!
//! Invariant: a buffer follows the sticky events of the pad it came through, unless
//! `forward-sticky-events` is off. The end is sent when every sink pad has seen it.
//! In GStreamer: `plugins/elements/gstfunnel.c`.
//! Left out: buffer lists.
//!
//! ```text
//! funnel name=f ! fakesink fakesrc num-buffers=3 ! f. fakesrc num-buffers=3 ! f.
//! ```

use crate::routing::{Turn, fixed_caps};
use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;

const SRC: PadId = FIRST_PAD;
const TURN: u32 = 0;

pub struct Funnel {
    forward_sticky_events: Live<bool>,
    /// Who sends at the source pad.
    turn: Turn,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The sink pads, and whether the stream has ended there.
    pads: Vec<(PadId, bool)>,
    /// Whose sticky events were sent.
    last: Option<PadId>,
}

impl Default for Funnel {
    fn default() -> Self {
        Funnel {
            forward_sticky_events: Live::new(true),
            turn: Turn::default(),
            state: Mutex::default(),
        }
    }
}

impl Element for Funnel {
    const NAME: &str = "funnel";
    const SUMMARY: &str = "N-to-1 pipe fitting";
    const LONG_NAME: &str = "Funnel pipe fitting";
    const PADS: &[PadTemplate] = &[
        PadTemplate::src(ANY),
        PadTemplate::request_sink("sink_%u", ANY).with_allocation().of_type("GstFunnelPad"),
    ];
    const PROPS: &[Prop<Self>] = &[Prop::live(
        "forward-sticky-events",
        types::BOOLEAN,
        "Forward sticky events on stream changes",
        |e: &Self| &e.forward_sticky_events,
    )
    .ready_only()];
}

impl State {
    fn set_ended(&mut self, pad: PadId, ended: bool) {
        if let Some(entry) = self.pads.iter_mut().find(|(other, _)| *other == pad) {
            entry.1 = ended;
        }
    }

    fn all_ended(&self) -> bool {
        !self.pads.is_empty() && self.pads.iter().all(|(_, ended)| *ended)
    }
}

impl Funnel {
    /// Before data of this call's pad: its sticky events, if another's were sent last. In turn.
    fn introduce(&self, cx: &Cx) {
        let again = self.forward_sticky_events.get();
        {
            let mut state = self.state.lock();
            if state.last.is_some_and(|last| !again || last == cx.pad()) {
                return;
            }
            state.last = Some(cx.pad());
        }
        for event in cx.sticky_events(cx.pad()) {
            if !matches!(event.kind, EventKind::Eos) {
                cx.push_event(SRC, &event);
            }
        }
    }
}

impl MultiPad for Funnel {
    fn stop(&self, _: &Cx) -> Result<(), ElementError> {
        self.state.lock().pads.iter_mut().for_each(|(_, ended)| *ended = false);
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        let _turn = self.turn.take(cx, TURN)?;
        self.introduce(cx);
        cx.push(SRC, buf)
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        let ends = matches!(event.kind, EventKind::Eos);
        // Those of a pad that does not send now are sent when its data comes; they need no turn, so
        // that nothing waits with them for a sink that holds another pad's buffer.
        let is_last = || self.state.lock().last == Some(cx.pad());
        if event.is_sticky() && !ends && !is_last() {
            return Ok(());
        }
        let _turn = self.turn.take(cx, TURN)?;
        if ends {
            let mut state = self.state.lock();
            state.set_ended(cx.pad(), true);
            if !state.all_ended() {
                return Ok(());
            }
        } else if event.is_sticky() && !is_last() {
            return Ok(());
        }
        self.introduce(cx);
        if cx.push_event(SRC, &event) { Ok(()) } else { Err(FlowError::Error) }
    }

    fn flush(&self, cx: &Cx) {
        self.state.lock().set_ended(cx.pad(), false);
    }

    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        fixed_caps(cx, SRC, query)
    }

    fn pad_name(&self, _: &Cx, wanted: &str) -> Option<String> {
        wanted.contains("%u").then(|| "funnelpad%u".to_owned())
    }

    fn pad_added(&self, cx: &Cx, _: &str) -> bool {
        self.state.lock().pads.push((cx.pad(), false));
        true
    }

    fn pad_removed(&self, cx: &Cx) {
        let ends = {
            let mut state = self.state.lock();
            let had_ended = state.pads.contains(&(cx.pad(), true));
            state.pads.retain(|(pad, _)| *pad != cx.pad());
            !had_ended && state.all_ended()
        };
        if ends {
            cx.push_event(SRC, &Event::eos());
        }
    }
}
