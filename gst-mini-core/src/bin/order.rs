//! The order in which a bin changes the state of its children: whoever takes data before whoever gives it.
//!
//! Invariant: a child comes before those that feed it; among sinks the newest is first.
//! In GStreamer: `gst/gstbin.c` (`gst_bin_iterate_sorted`, `update_degree`, `find_element`).
//! Left out: starting anew when a link changes meanwhile; the next change sees it.

use crate::element::Direction;
use crate::handle::ElementRef;
use crate::pad::{Pad, PadCore};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// One child: what it feeds that has not been handed out, and who feeds it.
struct Node {
    element: ElementRef,
    /// Links to children that still come before it.
    feeds: usize,
    /// The child at the other end of each of its sink pads that are linked within the bin.
    fed_by: Vec<usize>,
    is_out: bool,
}

/// Sorts children, given in the order in which they were added.
pub(super) fn sinks_first(children: Vec<ElementRef>) -> Vec<ElementRef> {
    let mut nodes = read(children);
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
        for from in std::mem::take(&mut nodes[at].fed_by) {
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

/// The newest first, as they are looked at.
fn read(children: Vec<ElementRef>) -> Vec<Node> {
    let children: Vec<ElementRef> = children.into_iter().rev().collect();
    let mut owners: HashMap<*const PadCore, usize> = HashMap::new();
    for (at, child) in children.iter().enumerate() {
        let src_pads = child.pads().into_iter().filter(|pad| pad.direction() == Direction::Src);
        owners.extend(src_pads.map(|pad| (Arc::as_ptr(&pad), at)));
    }
    let mut feeds = vec![0; children.len()];
    let mut nodes: Vec<Node> = children
        .into_iter()
        .map(|element| {
            let pads = element.pads();
            let sinks = pads.iter().filter(|pad| pad.direction() == Direction::Sink);
            let fed_by: Vec<usize> =
                sinks.filter_map(|pad| owners.get(&Arc::as_ptr(&pad.peer()?)).copied()).collect();
            for from in &fed_by {
                feeds[*from] += 1;
            }
            Node { element, feeds: 0, fed_by, is_out: false }
        })
        .collect();
    for (node, feeds) in nodes.iter_mut().zip(feeds) {
        node.feeds = feeds;
    }
    nodes
}
