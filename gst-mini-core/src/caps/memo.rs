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

/// How many texts are remembered: those of one negotiation.
const PLACES: usize = 64;
/// The longest text that is remembered, in bytes.
const LONGEST: usize = 4096;

static KNOWN: Mutex<[Option<(Box<str>, Caps)>; PLACES]> = Mutex::new([const { None }; PLACES]);

/// The caps that `text` stands for, read with `read` if they are not known.
pub(super) fn read(
    text: &str,
    read: impl FnOnce(&str) -> Result<Caps, CapsParseError>,
) -> Result<Caps, CapsParseError> {
    if text.len() > LONGEST {
        return read(text);
    }
    let place = place(text);
    if let Some((known, caps)) = &KNOWN.lock()[place]
        && **known == *text
    {
        return Ok(caps.clone());
    }
    let caps = read(text)?;
    // What was there before is dropped when the lock is free again.
    let _before = KNOWN.lock()[place].replace((text.into(), caps.clone()));
    Ok(caps)
}

/// A place that depends on every byte.
fn place(text: &str) -> usize {
    let mut mixed = text.len() as u64;
    let (words, rest) = text.as_bytes().as_chunks::<8>();
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
