//! Where a stream is held, and where its end is caught: the two probes of an exchange.
//!
//! Invariant: once a [`Hold`] is reached, nothing is under way between its pad and the element behind it; what comes
//! later waits until the hold is dropped.
//! In GStreamer: none of its own; `GST_PAD_PROBE_TYPE_IDLE` and `GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM` by hand.
//! Left out: nothing.

use super::{OBJECT_SEAM, PATIENCE, ReplaceError, ask, next_seqnum};
use crate::event::EventKind;
use crate::pad::{Pad, PadCore, ProbeData, ProbeId, ProbeReturn, ProbeType, attention};
use crate::runtime::{self, Monitor};
use crate::time::ClockTime;
use std::sync::Arc;

/// How often is looked whether the stream is still there.
const LOOK: ClockTime = ClockTime::from_millis(20);

/// It does not come to a place where elements could be exchanged.
pub(super) fn stuck(old: &str) -> ReplaceError {
    ReplaceError::Stuck {
        old: old.to_owned(),
        seconds: 0,
        held: " until PLAYING; exchange it in PLAYING",
    }
}

#[derive(Default)]
struct Reached {
    /// Everything passes until this mark comes.
    until: Option<u64>,
    is_reached: bool,
    /// The end of the stream came before the mark.
    has_ended: bool,
}

/// Holds what comes through a source pad.
pub(super) struct Hold {
    pad: Arc<PadCore>,
    /// The number of the question that went upstream.
    asked: Option<u64>,
    probes: Vec<ProbeId>,
    reached: Arc<Monitor<Reached>>,
}

impl Hold {
    fn install(pad: &Arc<PadCore>, until: Option<u64>) -> Hold {
        let reached = Arc::new(Monitor::new(Reached { until, ..Reached::default() }));
        let shared = reached.clone();
        let block = pad.add_probe(
            ProbeType::BLOCK | ProbeType::DATA_DOWNSTREAM,
            Box::new(move |data| {
                let mut reached = shared.lock();
                match reached.until {
                    Some(serial) if !is_mark(&data, serial) => {
                        if is_end(&data) {
                            reached.has_ended = true;
                            reached.notify_all();
                        }
                        return ProbeReturn::Pass;
                    }
                    _ => reached.until = None,
                }
                reached.is_reached = true;
                reached.notify_all();
                ProbeReturn::Ok
            }),
        );
        Hold { pad: pad.clone(), asked: None, probes: vec![block], reached }
    }

    /// Holds whatever comes next.
    pub fn now(pad: &Arc<PadCore>) -> Hold {
        let mut hold = Hold::install(pad, None);
        hold.watch_for_idle();
        hold
    }

    /// Holds at the mark of whoever upstream of `sink` makes objects; without such a one whatever comes next.
    pub fn at_object_seam(pad: &Arc<PadCore>, sink: &Arc<PadCore>) -> Hold {
        let serial = u64::from(next_seqnum());
        let mut hold = Hold::install(pad, Some(serial));
        if sink.push_event(ask(serial, false)) {
            hold.asked = Some(serial);
        } else {
            hold.reached.lock().until = None;
            hold.watch_for_idle();
        }
        hold
    }

    /// Nothing under way is as good as something held.
    fn watch_for_idle(&mut self) {
        let shared = self.reached.clone();
        self.probes.push(self.pad.add_probe(
            ProbeType::IDLE,
            Box::new(move |_| {
                shared.lock().is_reached = true;
                shared.notify_all();
                ProbeReturn::Remove
            }),
        ));
    }

    /// Whether it waits for no mark.
    pub fn is_at_once(&self) -> bool {
        self.asked.is_none()
    }

    /// Waits until the stream is held; without `may_wait` it must be already.
    pub fn wait(&self, old: &str, may_wait: bool) -> Result<(), ReplaceError> {
        let deadline = runtime::now() + PATIENCE;
        loop {
            {
                let mut reached = self.reached.lock();
                if reached.is_reached {
                    return Ok(());
                }
                if !may_wait {
                    return Err(stuck(old));
                }
                reached.wait_until(runtime::now() + LOOK, "the stream to come to a seam");
                if reached.is_reached {
                    return Ok(());
                }
                if reached.has_ended {
                    return Err(ReplaceError::Ended(old.to_owned()));
                }
            }
            if !self.pad.is_active() {
                return Err(ReplaceError::Stopped(old.to_owned()));
            }
            if runtime::now() >= deadline {
                let seconds = PATIENCE.nanos() / ClockTime::SECOND.nanos();
                return Err(ReplaceError::Stuck { old: old.to_owned(), seconds, held: "" });
            }
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(serial) = self.asked {
            // As if it came from downstream, where there is another sink now.
            let _ = self.pad.receive_event(ask(serial, true));
        }
        for probe in &self.probes {
            self.pad.remove_probe(*probe);
        }
    }
}

fn is_end(data: &ProbeData<'_>) -> bool {
    matches!(data, ProbeData::Event(event) if matches!(event.kind, EventKind::Eos))
}

fn is_mark(data: &ProbeData<'_>, serial: u64) -> bool {
    let ProbeData::Event(event) = data else { return false };
    let EventKind::Custom(_, structure) = &event.kind else { return false };
    structure.name() == OBJECT_SEAM
        && structure.get("serial").and_then(|value| value.as_u64()) == Some(serial)
}

/// Catches the end of the stream that is sent to drain an element.
pub(super) struct End {
    pad: Arc<PadCore>,
    probe: ProbeId,
    caught: Arc<Monitor<bool>>,
}

impl End {
    pub fn at(pad: &Arc<PadCore>) -> End {
        let caught = Arc::new(Monitor::new(false));
        let shared = caught.clone();
        let probe = pad.add_probe(
            ProbeType::EVENT_DOWNSTREAM,
            Box::new(move |data| {
                if !is_end(&data) {
                    return ProbeReturn::Ok;
                }
                *shared.lock() = true;
                shared.notify_all();
                ProbeReturn::Drop
            }),
        );
        End { pad: pad.clone(), probe, caught }
    }

    /// Whether the end had gone by before it could be caught.
    pub fn is_past(&self) -> bool {
        !*self.caught.lock() && self.pad.has(attention::EOS)
    }

    /// Waits for the end, but not for ever; whether it came.
    pub fn wait(&self) -> bool {
        let deadline = runtime::now() + PATIENCE;
        let mut caught = self.caught.lock();
        while !*caught {
            if !caught.wait_until(deadline, "the end of what an element holds") {
                break;
            }
        }
        *caught
    }

    /// Waits for the end as long as the pad is active.
    pub fn wait_while_active(&self, old: &str) -> Result<(), ReplaceError> {
        loop {
            {
                let mut caught = self.caught.lock();
                if *caught {
                    return Ok(());
                }
                caught.wait_until(runtime::now() + LOOK, "the end of a source");
                if *caught {
                    return Ok(());
                }
            }
            if !self.pad.is_active() {
                return Err(ReplaceError::Stopped(old.to_owned()));
            }
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.pad.remove_probe(self.probe);
    }
}
