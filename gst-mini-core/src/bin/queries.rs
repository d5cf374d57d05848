//! What a bin is asked and sent, it asks and sends its children.
//!
//! Invariant: a downstream event goes to the sources and an upstream one to the sinks; so do queries,
//! to the sinks. A pad in the wall of the bin counts as one of them.
//! In GStreamer: `gst/gstbin.c` (`gst_bin_query`, `gst_bin_send_event`, `gst_bin_do_latency_func`), `gst/gstpipeline.c` (`gst_pipeline_do_latency`).
//! Left out: the signal `do-latency`.

use super::BinCore;
use crate::cx::Level;
use crate::element::Direction;
use crate::error::{ElementError, ErrorKind};
use crate::event::{Event, EventKind};
use crate::handle::ElementRef;
use crate::message::MessageKind;
use crate::pad::{Pad, PadCore};
use crate::query::Query;
use crate::time::ClockTime;
use std::sync::Arc;

/// What answers for a bin.
enum Asked {
    Sink(ElementRef),
    Pad(Arc<PadCore>),
}

impl Asked {
    fn query(&self, query: &mut Query) -> bool {
        match self {
            Asked::Sink(element) => element.query(query),
            Asked::Pad(pad) => pad.query(query),
        }
    }
}

impl BinCore {
    /// Asks for the latency again, and tells all elements.
    pub(crate) fn recalculate_latency(&self) -> bool {
        let forced = self.forced_latency();
        let mut query = Query::latency();
        let answered = self.query(&mut query);
        let (mut latency, mut most) = (ClockTime::ZERO, None);
        if let Query::Latency { min, max, .. } = query
            && answered
        {
            (latency, most) = (min, max);
        }
        if !answered && forced.is_none() {
            return false;
        }
        if let Some(most) = most.filter(|most| latency > *most) {
            self.warn(format!(
                "latency: at least {latency} is needed, but only {most} can be held; add queues where it is short"
            ));
        }
        if let Some(forced) = forced {
            if forced < latency {
                self.warn(format!(
                    "latency: {forced} was asked for, but {latency} is needed; much will come too late"
                ));
            }
            latency = forced;
        }
        self.core.log(Level::Info, || format!("latency {latency}"));
        self.send_event(Event::new(EventKind::Latency(latency)))
    }

    fn warn(&self, text: String) {
        self.core.post(MessageKind::Warning(ElementError::new(ErrorKind::Core, text)));
    }

    pub(super) fn send_event(&self, event: Event) -> bool {
        let upstream = event.is_upstream()
            && !matches!(event.kind, EventKind::FlushStart | EventKind::FlushStop { .. });
        let mut taken = true;
        for child in self.children() {
            let wanted = if upstream { child.is_sink() } else { child.is_source() };
            if wanted {
                taken &= child.send_event(event.clone());
            }
        }
        let direction = if upstream { Direction::Src } else { Direction::Sink };
        for pad in self.core.pads_of(direction) {
            taken &= pad.receive_event(event.clone()).is_ok();
        }
        taken
    }

    pub(super) fn query(&self, query: &mut Query) -> bool {
        let sinks = self.children().into_iter().filter(ElementRef::is_sink).map(Asked::Sink);
        let sinks: Vec<Asked> = sinks.collect();
        if let Query::Latency { .. } = query {
            *query = Query::latency();
        }
        ask(&sinks, query) || {
            let pads = self.core.pads_of(Direction::Src).into_iter().map(Asked::Pad);
            let pads: Vec<Asked> = pads.collect();
            // Of a latency, what some sinks answered counts, whether the others could or not.
            ask(&pads, query)
        }
    }
}

/// Puts a question to all, and puts the answers together: the longest duration, the farthest position, the
/// latency that does for all. Of other questions the first answer counts.
fn ask(asked: &[Asked], query: &mut Query) -> bool {
    match query {
        Query::Latency { .. } => latency(asked, query),
        Query::Duration { format, duration } => {
            let mut answered = false;
            let mut longest = None;
            for one in asked {
                let mut ask = Query::Duration { format: *format, duration: None };
                if !one.query(&mut ask) {
                    continue;
                }
                answered = true;
                let Query::Duration { duration: Some(theirs), .. } = ask else {
                    // Known to be unknown.
                    longest = None;
                    break;
                };
                longest = longest.max(Some(theirs));
            }
            if answered {
                *duration = longest;
            }
            answered
        }
        Query::Position { format, position } => {
            let mut answered = false;
            let mut farthest = None;
            for one in asked {
                let mut ask = Query::Position { format: *format, position: None };
                if one.query(&mut ask)
                    && let Query::Position { position: theirs, .. } = ask
                {
                    answered = true;
                    farthest = farthest.max(theirs);
                }
            }
            if answered {
                *position = farthest;
            }
            answered
        }
        _ => asked.iter().any(|one| one.query(query)),
    }
}

/// The largest of the least and the least of the largest latencies of those that are live, with what the
/// query says already. `false` if one did not answer; the others' answers are there all the same.
fn latency(asked: &[Asked], query: &mut Query) -> bool {
    let Query::Latency { live: mut is_live, min: mut least, max: mut most } = *query else {
        return false;
    };
    let mut all = true;
    for one in asked {
        let mut ask = Query::latency();
        if !one.query(&mut ask) {
            all = false;
            continue;
        }
        let Query::Latency { live: true, min, max } = ask else { continue };
        is_live = true;
        least = least.max(min);
        most = match (most, max) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    *query = Query::Latency { live: is_live, min: least, max: most };
    all
}
