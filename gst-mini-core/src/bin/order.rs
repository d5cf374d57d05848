//! The order in which a bin changes the state of its children: whoever takes data before whoever gives it.
//!
//! Invariant: a child comes before those that feed it; among sinks the newest is first.
//! In GStreamer: `gst/gstbin.c` (`gst_bin_iterate_sorted`, `update_degree`, `find_element`).
//! Left out: starting anew when a link changes meanwhile; the next change sees it.

use crate::element::Direction;
use crate::handle::ElementRef;
use crate::pad::{Pad, PadCore};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// One child: what it feeds that has not been handed out, and who feeds it.
struct Node {
    element: ElementRef,
    /// Links to children that still come before it.
    feeds: usize,
    /// The children at the other ends of its sink pads that are linked within the bin: from here on in the list
    /// of all such links, up to where the next child's begin.
    fed_by: usize,
    is_out: bool,
}

/// Mixes addresses, which nobody chooses for us to collide.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }
    fn write_usize(&mut self, address: usize) {
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

/// Sorts children, given in the order in which they were added.
pub(super) fn sinks_first(children: Vec<ElementRef>) -> Vec<ElementRef> {
    let (mut nodes, links) = read(children);
    // Sinks first, the newest before the others; a child that feeds another is none, whatever it says.
    let mut ready: VecDeque<usize> = (0..nodes.len())
        .filter(|at| nodes[*at].feeds == 0 && nodes[*at].element.is_sink())
        .collect();
    let mut order = Vec::with_capacity(nodes.len());
    loop {
        let at = match ready.pop_front() {
            Some(at) => at,
            None => match best(&nodes) {
                Some(at) => at,
                None => return order,
            },
        };
        nodes[at].is_out = true;
        order.push(nodes[at].element.clone());
        let end = nodes.get(at + 1).map_or(links.len(), |next| next.fed_by);
        for &from in &links[nodes[at].fed_by..end] {
            nodes[from].feeds = nodes[from].feeds.saturating_sub(1);
            if nodes[from].feeds == 0 && !nodes[from].is_out && !ready.contains(&from) {
                ready.push_back(from);
            }
        }
    }
}

/// The next one when nothing is ready: with the fewest links left, no source if there is a choice.
/// Links are left only in a cycle.
fn best(nodes: &[Node]) -> Option<usize> {
    let left = nodes.iter().enumerate().filter(|(_, node)| !node.is_out);
    left.min_by_key(|(_, node)| (node.feeds, node.element.is_source())).map(|(at, _)| at)
}

/// The newest first, as they are looked at, and who feeds each.
fn read(mut children: Vec<ElementRef>) -> (Vec<Node>, Vec<usize>) {
    children.reverse();
    let mut owners: HashMap<*const PadCore, usize, BuildHasherDefault<AddressHasher>> =
        HashMap::with_capacity_and_hasher(children.len(), BuildHasherDefault::default());
    for (at, child) in children.iter().enumerate() {
        let pads = child.core().pads.read();
        let src_pads = pads.iter().filter(|pad| pad.direction() == Direction::Src);
        owners.extend(src_pads.map(|pad| (Arc::as_ptr(pad), at)));
    }
    let mut links: Vec<usize> = Vec::with_capacity(children.len());
    let mut nodes: Vec<Node> = Vec::with_capacity(children.len());
    let mut sinks: Vec<Arc<PadCore>> = Vec::new();
    for element in children {
        let fed_by = links.len();
        let is_sink = |pad: &&Arc<PadCore>| pad.direction() == Direction::Sink;
        sinks.extend(element.core().pads.read().iter().filter(is_sink).cloned());
        // Peers are looked up without the lock over the pads.
        for peer in sinks.drain(..).filter_map(|pad| pad.peer()) {
            links.extend(owners.get(&Arc::as_ptr(&peer)));
        }
        nodes.push(Node { element, feeds: 0, fed_by, is_out: false });
    }
    for from in &links {
        nodes[*from].feeds += 1;
    }
    (nodes, links)
}
