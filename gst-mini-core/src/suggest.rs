//! Names near a misspelled one, for sentences that end in "did you mean".
//!
//! Invariant: a name that is merely unlike is never suggested; no suggestion beats a silly one.
//! In GStreamer: nothing; `gst-launch-1.0` only says that there is no such element.
//! Left out: ranking by how often a name is used.

/// Up to three of `candidates` that are closest to `name`, closest first, equals by alphabet.
///
/// Upper and lower case count as equal, two neighbors swapped as one slip. About one letter in
/// three may differ.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name: Vec<char> = name.chars().map(|letter| letter.to_ascii_lowercase()).collect();
    let limit = name.len().div_ceil(3);
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let other: Vec<char> =
                candidate.chars().map(|letter| letter.to_ascii_lowercase()).collect();
            if name.len().abs_diff(other.len()) > limit {
                return None;
            }
            let distance = distance(&name, &other);
            (distance <= limit && distance < name.len()).then_some((distance, candidate))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(3);
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Edits between two words: one letter added, dropped or changed, or two neighbors swapped.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, letter) in a.iter().enumerate() {
        let mut current = vec![row + 1; b.len() + 1];
        for (column, other) in b.iter().enumerate() {
            let changed = last[column] + usize::from(letter != other);
            let mut best = changed.min(last[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0 && column > 0 && *letter == b[column - 1] && a[row - 1] == *other;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            current[column + 1] = best;
        }
        before = std::mem::replace(&mut last, current);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 7] =
        ["fakesink", "fakesrc", "filesink", "filesrc", "identity", "queue", "queue2"];

    #[test]
    fn suggestion_for_a_slip_is_the_name_meant() {
        assert_eq!(nearest("faksrc", NAMES).first(), Some(&"fakesrc"));
        assert_eq!(nearest("Fakesink", NAMES).first(), Some(&"fakesink"));
        assert_eq!(nearest("qeueu", NAMES), ["queue", "queue2"]);
        assert_eq!(nearest("fake-src", NAMES).first(), Some(&"fakesrc"));
    }

    #[test]
    fn suggestion_for_an_unlike_name_is_none() {
        assert!(nearest("x264enc", NAMES).is_empty());
        assert!(nearest("", NAMES).is_empty());
        assert!(nearest("q", ["z"]).is_empty());
    }
}
