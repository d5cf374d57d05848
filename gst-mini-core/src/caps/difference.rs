//! Why two caps do not meet, in one sentence.
//!
//! Invariant: there is a sentence exactly when the caps have no format in common.
//! In GStreamer: nothing; there a failed negotiation says "not-negotiated (-4)".
//! Left out: differences beyond the first of the pair that came closest.

use super::{Caps, CapsFeatures};
use crate::structure::Structure;

/// What keeps `a` and `b` apart: the first differing field and its value in both, `format: I420
/// against { RGBA, BGRA }`, or the media types, or the memory. `None` if they do meet.
///
/// Of several structures, the pair that agrees in most is described.
pub fn first_difference(a: &Caps, b: &Caps) -> Option<String> {
    if a.can_intersect(b) {
        return None;
    }
    if a.is_empty() || b.is_empty() {
        return Some(match (a.is_empty(), b.is_empty()) {
            (true, true) => "both caps are EMPTY: neither side has any format".to_owned(),
            _ => "one of the caps is EMPTY: that side has no format left".to_owned(),
        });
    }
    let pairs = a.iter().flat_map(|left| b.iter().map(move |right| (left, right)));
    let media_types_meet = pairs.clone().any(|(left, right)| left.0.name() == right.0.name());
    if !media_types_meet {
        return Some(format!("media type: {} against {}", media_types(a), media_types(b)));
    }
    // The first of the closest pairs: `max_by_key` would give the last.
    let closest = pairs
        .filter(|(left, right)| left.0.name() == right.0.name())
        .map(|(left, right)| (agreement(left, right), left, right))
        .reduce(|best, pair| if pair.0 > best.0 { pair } else { best });
    closest.map(|(_, left, right)| describe(left, right))
}

type Entry<'a> = (&'a Structure, &'a CapsFeatures);

/// Whether the features meet, and how many common fields do.
fn agreement(left: Entry<'_>, right: Entry<'_>) -> (bool, usize) {
    let meeting = left.0.fields().filter(|(name, value)| {
        right.0.get(name).is_some_and(|other| value.intersect(other).is_some())
    });
    (left.1.is_equal(right.1), meeting.count())
}

fn describe(left: Entry<'_>, right: Entry<'_>) -> String {
    if !left.1.is_equal(right.1) {
        return format!("memory of {}: {} against {}", left.0.name(), left.1, right.1);
    }
    match left.0.first_conflict(right.0) {
        Some((field, value, other)) if value.element_type_name() == other.element_type_name() => {
            format!("{field}: {value} against {other}")
        }
        Some((field, value, other)) => {
            format!("{field}: {} against {}", value.serialize_typed(), other.serialize_typed())
        }
        None => format!("{} against {}", left.0, right.0),
    }
}

fn media_types(caps: &Caps) -> String {
    let mut names: Vec<&str> = Vec::new();
    for structure in caps.structures() {
        if !names.contains(&structure.name()) {
            names.push(structure.name());
        }
    }
    names.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expected: Option<&str>) {
        let (a, b) = (Caps::parse(a).unwrap(), Caps::parse(b).unwrap());
        assert_eq!(first_difference(&a, &b).as_deref(), expected);
    }

    #[test]
    fn difference_names_the_field_that_keeps_caps_apart() {
        check(
            "video/x-raw, width=320, format=I420",
            "video/x-raw, format={ RGBA, BGRA }",
            Some("format: I420 against { RGBA, BGRA }"),
        );
        check("video/x-raw, width=320", "video/x-raw, height=2", None);
        check("a/b, x=(int)1", "a/b, x=(double)1", Some("x: (int)1 against (double)1"));
    }

    #[test]
    fn difference_of_several_structures_describes_the_closest_pair() {
        check(
            "video/x-raw, format=I420, width=8; video/x-raw, format=RGBA, width=16",
            "video/x-raw, format=RGBA, width=9",
            Some("width: 16 against 9"),
        );
    }

    #[test]
    fn difference_of_media_types_and_of_memory_says_so() {
        check(
            "video/x-raw; image/png",
            "audio/x-raw",
            Some("media type: video/x-raw or image/png against audio/x-raw"),
        );
        check(
            "video/x-raw(memory:DMABuf)",
            "video/x-raw",
            Some("memory of video/x-raw: memory:DMABuf against memory:SystemMemory"),
        );
    }
}
