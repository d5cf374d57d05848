//! What was meant by caps in a line that fit nowhere: the nearest media type, value or field.
//!
//! Invariant: only what a neighbor really has is suggested, and nothing for caps that merely differ.
//! In GStreamer: nothing; `gst-launch-1.0` says `could not link`, and keeps silent about fields.
//! Left out: numbers, and caps set as a property.

use crate::caps::Caps;
use crate::structure::Structure;
use crate::suggest::nearest;
use crate::value::Value;

/// For caps that cannot be linked: `; did you mean "I420"?`, or nothing.
pub(super) fn instead(typed: &Caps, neighbors: &[Caps]) -> String {
    let near = typed.structures().iter().find_map(|typed| {
        let known = alike(typed, neighbors);
        if known.is_empty() {
            let names = neighbors.iter().flat_map(Caps::structures).map(Structure::name);
            return some_near(typed.name(), names);
        }
        typed.fields().find_map(|(field, value)| {
            let word = value.as_str()?;
            let words: Vec<&str> =
                known.iter().filter_map(|other| other.get(field)).flat_map(words).collect();
            if words.contains(&word) { None } else { some_near(word, words) }
        })
    });
    crate::host::props::hint(&near.unwrap_or_default())
}

/// For caps that could be linked: a sentence about a field that no neighbor knows and that looks like one
/// that some neighbor has. GStreamer takes it for a field that happens to be new.
pub(super) fn strange_field(typed: &Caps, neighbors: &[Caps]) -> Option<String> {
    typed.structures().iter().find_map(|typed| {
        let known = alike(typed, neighbors);
        let names: Vec<&str> =
            known.iter().flat_map(|s| s.fields().map(|(name, _)| name)).collect();
        typed.fields().map(|(name, _)| name).filter(|name| !names.contains(name)).find_map(|name| {
            // Stricter than elsewhere: a field of one's own is allowed.
            let is_slip = |known: &&str| {
                known.len().abs_diff(name.len()) <= 1 && known.chars().next() == name.chars().next()
            };
            let near = some_near(name, names.iter().copied().filter(is_slip))?;
            let hint = crate::host::props::hint(&near);
            Some(format!("nothing beside the caps \"{typed}\" knows the field \"{name}\"{hint}"))
        })
    })
}

/// What the neighbors have of the same media type.
fn alike<'a>(typed: &Structure, neighbors: &'a [Caps]) -> Vec<&'a Structure> {
    let all = neighbors.iter().flat_map(Caps::structures);
    all.filter(|other| other.name() == typed.name()).collect()
}

/// The texts that a value is or offers.
fn words(value: &Value) -> Vec<&str> {
    match value {
        Value::List(values) => values.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn some_near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<Vec<String>> {
    let near: Vec<String> = nearest(word, known).into_iter().map(str::to_owned).collect();
    (!near.is_empty()).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbors() -> [Caps; 2] {
        let camera = "video/x-raw, format=(string){ I420, NV12, RGB }, width=(int)[ 1, 99 ]";
        [Caps::parse(camera).expect("caps"), Caps::any()]
    }

    #[track_caller]
    fn suggests(typed: &str, expected: &str) {
        let typed = Caps::parse(typed).expect("caps");
        assert_eq!(instead(&typed, &neighbors()), expected);
    }

    #[test]
    fn media_type_or_value_misspelled_is_answered_with_the_nearest() {
        suggests("video/x-rew, width=3", "; did you mean \"video/x-raw\"?");
        suggests("video/x-raw, format=I402", "; did you mean \"I420\"?");
        suggests("video/x-raw, format=rgb", "; did you mean \"RGB\"?");
    }

    #[test]
    fn caps_that_merely_differ_are_no_slip() {
        suggests("audio/x-flac", "");
        suggests("video/x-raw, format=GRAY8", "");
        suggests("video/x-raw, format=RGB, width=200", "");
    }

    #[test]
    fn field_misspelled_is_told_and_one_of_ones_own_is_not() {
        let told = |typed: &str| strange_field(&Caps::parse(typed).expect("caps"), &neighbors());
        let text = told("video/x-raw, widht=5").expect("a slip");
        assert!(text.ends_with("the field \"widht\"; did you mean \"width\"?"), "{text}");
        assert_eq!(told("video/x-raw, width=5, views=2, format-mode=a"), None);
        assert_eq!(told("audio/x-raw, widht=5"), None);
    }
}
