//! Texts of caps that were read before, with what they say.
//!
//! Between host and element caps cross as text, and while a pipeline negotiates the same few texts cross again and
//! again. Reading one costs microseconds, recognizing one does not.
//!
//! Invariant: what is remembered of a text is what reading it gives; it is bounded, and forgetting costs only time.
//! In GStreamer: caps cross as pointers.
//! Left out: texts with errors; nobody sends them twice.

use super::{Caps, CapsParseError};
use parking_lot::Mutex;

/// How many pairs of texts are remembered: with them those of one negotiation.
const PLACES: usize = 32;
/// The longest text that is remembered, in bytes.
const LONGEST: usize = 4096;

type Known = Option<(Box<str>, Caps)>;

/// Two texts share a place, the newer one first: as many meet by chance, and would put each other out.
static KNOWN: Mutex<[[Known; 2]; PLACES]> = Mutex::new([const { [const { None }; 2] }; PLACES]);

/// The caps that `text` stands for, read with `read` if they are not known.
pub(super) fn read(
    text: &str,
    read: impl FnOnce(&str) -> Result<Caps, CapsParseError>,
) -> Result<Caps, CapsParseError> {
    if text.len() > LONGEST {
        return read(text);
    }
    if let Some(caps) = known(text.as_bytes()) {
        return Ok(caps);
    }
    let caps = read(text)?;
    let fresh = Some((text.into(), caps.clone()));
    // What was there longest is dropped when the lock is free again.
    let _before = {
        let mut known = KNOWN.lock();
        let [newer, older] = &mut known[place(text.as_bytes())];
        std::mem::replace(older, std::mem::replace(newer, fresh))
    };
    Ok(caps)
}

/// The caps that these bytes stand for, if they are a known text.
pub(super) fn known(text: &[u8]) -> Option<Caps> {
    let known = KNOWN.lock();
    let mut both = known[place(text)].iter().flatten();
    both.find(|(known, _)| known.as_bytes() == text).map(|(_, caps)| caps.clone())
}

/// A place that depends on every byte.
fn place(text: &[u8]) -> usize {
    let mut mixed = text.len() as u64;
    let (words, rest) = text.as_chunks::<8>();
    let mut mix =
        |word: u64| mixed = (mixed.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    words.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
    rest.iter().for_each(|byte| mix(u64::from(*byte)));
    (mixed >> 32) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_once_and_what_is_changed_later_is_ones_own() {
        let text = "video/x-raw, format=(string)I420, note=(string)memo";
        let mut first = Caps::parse(text).unwrap();
        first.set("width", 7);
        assert_eq!(first.to_string(), format!("{text}, width=(int)7"));
        let again = read(text, |_| panic!("read again")).unwrap();
        assert_eq!(again.to_string(), text);
        assert!(Caps::parse("video/x-raw, format=(").is_err());
        assert!(Caps::parse("video/x-raw, format=(").is_err());
    }

    #[test]
    fn texts_that_differ_in_one_byte_are_told_apart() {
        for number in 0..1000 {
            let text = format!("video/x-raw, width=(int){number}");
            assert_eq!(Caps::parse(&text).unwrap().to_string(), text);
        }
    }
}
