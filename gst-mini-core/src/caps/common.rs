//! Pairs of caps that were intersected before, with what they have in common.
//!
//! While a chain negotiates, its elements intersect the same few caps: a template's with what comes from behind it, a
//! filter's with a template's. Pipelines of the same elements do so too, each in a thread of its own, and what a thread
//! allocates for that once stays with it.
//!
//! Invariant: what is remembered of two contents is what intersecting them gives. Both are held here, so their addresses
//! are no other's, and shared content is never changed in place.
//! In GStreamer: nothing; each pair is intersected again.
//! Left out: pairs with ANY or EMPTY, and those of which a look tells, which cost less.

use super::{Caps, Content};
use parking_lot::Mutex;
use std::sync::Arc;

/// How many couples of pairs are remembered: with them those of one negotiation.
const PLACES: usize = 64;

/// Two pairs share a place, the newer one first: as many meet by chance, and would put each other out.
static KNOWN: Mutex<[[Option<Pair>; 2]; PLACES]> =
    Mutex::new([const { [const { None }; 2] }; PLACES]);

struct Pair {
    first: Arc<Content>,
    second: Arc<Content>,
    common: Caps,
}

/// The formats of both in the order of the first, made with `intersect` if they are not known.
pub(super) fn of(first: &Caps, second: &Caps, intersect: impl FnOnce() -> Caps) -> Caps {
    let (Some(left), Some(right)) = (&first.content, &second.content) else { return intersect() };
    let place = place(left, right);
    let is_it = |pair: &&Pair| Arc::ptr_eq(&pair.first, left) && Arc::ptr_eq(&pair.second, right);
    if let Some(pair) = KNOWN.lock()[place].iter().flatten().find(is_it) {
        return pair.common.clone();
    }
    let common = intersect();
    let pair = Pair { first: left.clone(), second: right.clone(), common: common.clone() };
    // What was there longest is dropped when the lock is free again.
    let _before = {
        let [newer, older] = &mut KNOWN.lock()[place];
        std::mem::replace(older, newer.replace(pair))
    };
    common
}

fn place(left: &Arc<Content>, right: &Arc<Content>) -> usize {
    let address = |content: &Arc<Content>| Arc::as_ptr(content).addr() as u64;
    let mixed =
        (address(left).rotate_left(32) ^ address(right)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::Structure;

    fn caps(text: &str) -> Caps {
        Caps::parse(text).unwrap()
    }

    #[test]
    fn a_pair_is_intersected_once() {
        let (a, b) = (caps("audio/x-a, rate=[ 1, 9 ]"), caps("audio/x-a, rate=[ 3, 20 ]"));
        let is_known = || {
            let mut is_new = false;
            let common = of(&a, &b, || {
                is_new = true;
                a.intersect(&b)
            });
            assert_eq!(common, caps("audio/x-a, rate=[ 3, 9 ]"));
            !is_new
        };
        // Other tests may put a pair out between two looks, but not each time.
        assert!((0..1000).any(|_| is_known()));
    }

    #[test]
    fn caps_that_are_changed_afterwards_are_intersected_as_they_are() {
        let mut own = Caps::new(Structure::new("audio/x-b").with("rate", 1));
        let other = caps("audio/x-b, rate=[ 1, 9 ]");
        for rate in 1..=12 {
            // Nobody else holds the content but who remembers it.
            own.set("rate", rate);
            let common = own.intersect_first(&other);
            assert_eq!(common.is_empty(), rate > 9, "{rate}: {common}");
            assert!(common.is_empty() || common == own, "{rate}: {common}");
        }
    }

    #[test]
    fn caps_in_the_memory_of_others_that_are_gone_are_intersected_anew() {
        let other = caps("audio/x-c, rate=[ 1, 500 ]");
        for rate in 1..=1000 {
            let own = Caps::new(Structure::new("audio/x-c").with("rate", rate));
            assert_eq!(own.intersect_first(&other).is_empty(), rate > 500, "{rate}");
        }
    }
}
