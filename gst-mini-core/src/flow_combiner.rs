//! A [`FlowCombiner`] makes one flow result of those of several source pads.
//!
//! An element that feeds several branches goes on while one of them takes data: branches that are not
//! linked or have ended count only when all of them are, and any other refusal counts at once.
//!
//! ```
//! use gst_mini_core::cx::PadId;
//! use gst_mini_core::error::FlowError::{Eos, NotLinked};
//! use gst_mini_core::flow_combiner::FlowCombiner;
//! let mut combiner = FlowCombiner::new();
//! combiner.add_pad(PadId(1));
//! combiner.add_pad(PadId(2));
//! assert_eq!(combiner.update_pad_flow(PadId(1), Err(NotLinked)), Ok(()));
//! assert_eq!(combiner.update_pad_flow(PadId(2), Err(Eos)), Err(Eos));
//! ```
//!
//! Invariant: a refusal that is neither not-linked nor the end of the stream is never hidden by a success.
//! In GStreamer: `libs/gst/base/gstflowcombiner.c` (`gst_flow_combiner_update_pad_flow`).
//! Left out: reading a pad's own last flow; it is given when the pad is added.

use crate::cx::PadId;
use crate::error::{FlowError, FlowResult};
use std::collections::HashMap;

/// Combines the flow results of the pads it was told of. One thread.
#[derive(Clone, Debug)]
pub struct FlowCombiner {
    /// Newest first: of several refusals that of the newest pad is told.
    pads: Vec<PadId>,
    /// What each pad came to last, those that were removed included.
    flows: HashMap<PadId, FlowResult>,
    last: FlowResult,
}

impl Default for FlowCombiner {
    fn default() -> Self {
        FlowCombiner { pads: Vec::new(), flows: HashMap::new(), last: Ok(()) }
    }
}

impl FlowCombiner {
    /// Without pads: every result is passed on as it is.
    pub fn new() -> FlowCombiner {
        FlowCombiner::default()
    }

    /// Adds a pad that is active and has pushed nothing.
    pub fn add_pad(&mut self, pad: PadId) {
        self.add_pad_with(pad, Ok(()));
    }

    /// Adds a pad whose last push came to `last`; an inactive one's is `Err(Flushing)`. What this
    /// combiner heard of the pad before goes first.
    pub fn add_pad_with(&mut self, pad: PadId, last: FlowResult) {
        self.pads.insert(0, pad);
        self.flows.entry(pad).or_insert(last);
    }

    /// A pad no longer counts.
    pub fn remove_pad(&mut self, pad: PadId) {
        if let Some(at) = self.pads.iter().position(|other| *other == pad) {
            self.pads.remove(at);
        }
    }

    /// Forgets all pads.
    pub fn clear(&mut self) {
        *self = FlowCombiner::default();
    }

    /// All pads begin anew, as after a flush.
    pub fn reset(&mut self) {
        for pad in &self.pads {
            self.flows.insert(*pad, Ok(()));
        }
        self.last = Ok(());
    }

    /// A push through `pad` came to `flow`; what all pads come to together.
    pub fn update_pad_flow(&mut self, pad: PadId, flow: FlowResult) -> FlowResult {
        self.flows.insert(pad, flow);
        self.update_flow(flow)
    }

    /// Something came to `flow`; what all pads come to together.
    pub fn update_flow(&mut self, flow: FlowResult) -> FlowResult {
        if self.last != flow {
            let counts_at_once = self.pads.is_empty() || flow.is_err_and(counts_at_once);
            self.last = if counts_at_once { flow } else { self.combined() };
        }
        self.last
    }

    fn combined(&self) -> FlowResult {
        let flows = || self.pads.iter().map(|pad| self.flows.get(pad).copied().unwrap_or(Ok(())));
        let refusals = || flows().filter_map(Result::err);
        if let Some(refusal) = refusals().find(|flow| counts_at_once(*flow)) {
            return Err(refusal);
        }
        if flows().all(|flow| flow == Err(FlowError::NotLinked)) {
            return Err(FlowError::NotLinked);
        }
        let is_over = |flow| matches!(flow, Err(FlowError::NotLinked | FlowError::Eos));
        if flows().all(is_over) { Err(FlowError::Eos) } else { Ok(()) }
    }
}

/// Whether one pad's refusal is that of all.
fn counts_at_once(flow: FlowError) -> bool {
    !matches!(flow, FlowError::NotLinked | FlowError::Eos | FlowError::CustomSuccess)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_counts_at_once_and_not_linked_only_when_all_are() {
        let mut combiner = FlowCombiner::new();
        let [a, b] = [PadId(1), PadId(2)];
        combiner.add_pad(a);
        combiner.add_pad(b);
        assert_eq!(combiner.update_pad_flow(a, Err(FlowError::NotLinked)), Ok(()));
        assert_eq!(
            combiner.update_pad_flow(b, Err(FlowError::NotLinked)),
            Err(FlowError::NotLinked)
        );
        assert_eq!(combiner.update_pad_flow(b, Ok(())), Ok(()));
        assert_eq!(combiner.update_pad_flow(b, Err(FlowError::Error)), Err(FlowError::Error));
        combiner.reset();
        assert_eq!(combiner.update_flow(Ok(())), Ok(()));
    }

    #[test]
    fn a_combiner_without_pads_passes_on_what_it_is_told() {
        let mut combiner = FlowCombiner::new();
        assert_eq!(combiner.update_flow(Err(FlowError::Eos)), Err(FlowError::Eos));
        combiner.add_pad(PadId(0));
        combiner.remove_pad(PadId(0));
        assert_eq!(combiner.update_flow(Err(FlowError::NotLinked)), Err(FlowError::NotLinked));
    }
}
