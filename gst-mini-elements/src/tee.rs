//! `tee` sends every buffer to all its source pads, one after the other, in one thread.
//!
//! Invariant: no data is copied; each branch gets a reference.
//! In GStreamer: `plugins/elements/gsttee.c` (`gst_tee_handle_data`).
//! Left out: pull mode and `pull-mode`, `alloc-pad`.
//!
//! ```text
//! fakesrc num-buffers=3 ! tee name=t t. ! queue ! fakesink t. ! queue ! fakesink
//! ```

use crate::last_message;
use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;
use std::sync::Arc;

pub struct Tee {
    allow_not_linked: Live<bool>,
    has_chain: Live<bool>,
    silent: Live<bool>,
    /// Made anew for each change, so that a buffer copies no list.
    branches: Mutex<Arc<[PadId]>>,
}

impl Default for Tee {
    fn default() -> Self {
        Tee {
            allow_not_linked: Live::new(false),
            has_chain: Live::new(true),
            silent: Live::new(true),
            branches: Mutex::new(Arc::new([])),
        }
    }
}

impl Element for Tee {
    const NAME: &str = "tee";
    const SUMMARY: &str = "1-to-N pipe fitting";
    const LONG_NAME: &str = "Tee pipe fitting";
    const PADS: &[PadTemplate] =
        &[PadTemplate::sink(ANY), PadTemplate::request_src("src_%u", ANY).of_type("GstTeePad")];
    const PROPS: &[Prop<Self>] = &[
        Prop::live(
            "allow-not-linked",
            types::BOOLEAN,
            "Return ok even if no source pad is linked",
            |e: &Self| &e.allow_not_linked,
        ),
        Prop::live("has-chain", types::BOOLEAN, "Whether it takes what is pushed", |e: &Self| {
            &e.has_chain
        }),
        Prop::live("silent", types::BOOLEAN, "Don't produce last-message", |e: &Self| &e.silent),
        Prop::published("last-message", types::STRING, "What came last", ""),
        Prop::published("num-src-pads", types::INT, "The number of source pads", "0")
            .range("0", "2147483647"),
    ];
}

impl Tee {
    /// Hands `data` to every branch. The last one gets it itself, so that it alone may write in place.
    fn deal<T: Clone>(&self, data: T, push: impl Fn(PadId, T) -> FlowResult) -> FlowResult {
        let branches = self.branches.lock().clone();
        let mut linked = self.allow_not_linked.get();
        let mut left = Some(data);
        for (i, pad) in branches.iter().enumerate() {
            let last = i + 1 == branches.len();
            let Some(data) = (if last { left.take() } else { left.clone() }) else { break };
            match push(*pad, data) {
                Ok(()) => linked = true,
                Err(FlowError::NotLinked) => {}
                // The first branch that refuses ends it; later ones do not see this data.
                Err(other) => return Err(other),
            }
        }
        if linked { Ok(()) } else { Err(FlowError::NotLinked) }
    }
}

impl Tee {
    /// What all branches together want of the buffers they get: the largest size, the strictest
    /// alignment, and the metas all of them understand; no branch's own pool. `false` if one does not say.
    fn merge_offers(&self, cx: &Cx, asked: &mut Allocation) -> bool {
        let branches = self.branches.lock().clone();
        let (mut size, mut min, mut asked_of) = (0, 0, 0);
        let mut params = AllocationParams::default();
        let mut metas: Option<Vec<String>> = None;
        for pad in branches.iter().copied() {
            let mut query = Query::allocation(asked.caps.clone(), false);
            if !cx.peer_query(pad, &mut query) {
                if self.allow_not_linked.get() && !cx.peer_query(pad, &mut Query::caps(None)) {
                    // Nobody is there.
                    continue;
                }
                return false;
            }
            let Query::Allocation(theirs) = query else { return false };
            asked_of += 1;
            for one in &theirs.params {
                params.align = params.align.max(one.align);
                params.prefix = params.prefix.max(one.prefix);
                params.padding = params.padding.max(one.padding);
            }
            if let Some(offer) = theirs.pools.first() {
                (size, min) = (size.max(offer.size), min.max(offer.min));
            }
            metas = Some(match metas {
                None => theirs.metas,
                Some(all) => all.into_iter().filter(|meta| theirs.metas.contains(meta)).collect(),
            });
        }
        if asked_of > 1 {
            // So that a branch that holds one does not starve the others.
            min += 1;
        }
        asked.metas = metas.unwrap_or_default();
        if params != AllocationParams::default() {
            asked.params.push(params);
        }
        if size > 0 {
            asked.pools.push(PoolOffer { pool: None, size, min, max: 0 });
        }
        true
    }
}

impl MultiPad for Tee {
    const TAKES_LISTS: bool = true;

    fn start(&self, _: &Cx) -> Result<(), ElementError> {
        if self.has_chain.get() {
            return Ok(());
        }
        let text = "with has-chain=false nothing can be pushed to this tee";
        Err(ElementError::new(ErrorKind::Settings, text))
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        if !self.silent.get() {
            let pad = last_message::pad_of(cx, "sink");
            cx.publish("last-message", last_message::dealt(&pad, &buf));
        }
        self.deal(buf, |pad, buf| cx.push(pad, buf))
    }

    fn passes(&self, _: &Cx) -> bool {
        self.silent.get() && !self.allow_not_linked.get() && self.branches.lock().len() == 1
    }

    fn chain_list(&self, cx: &Cx, list: BufferList) -> FlowResult {
        if !self.silent.get() {
            let pad = last_message::pad_of(cx, "sink");
            cx.publish("last-message", format!("chain-list   ******* ({pad})t 0x0"));
        }
        self.deal(list, |pad, list| cx.push_list(pad, list))
    }

    /// Nobody pulls from a tee: it has no mode to speak of.
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        match query {
            Query::Allocation(asked) if cx.pad() == FIRST_PAD => self.merge_offers(cx, asked),
            _ => matches!(query, Query::Scheduling(_)) && cx.pad() != FIRST_PAD,
        }
    }

    fn pad_added(&self, cx: &Cx, _: &str) -> bool {
        let count = {
            let mut branches = self.branches.lock();
            *branches = branches.iter().copied().chain([cx.pad()]).collect();
            branches.len()
        };
        cx.publish("num-src-pads", count);
        true
    }

    fn pad_removed(&self, cx: &Cx) {
        let count = {
            let mut branches = self.branches.lock();
            *branches = branches.iter().copied().filter(|pad| *pad != cx.pad()).collect();
            branches.len()
        };
        cx.publish("num-src-pads", count);
    }
}
