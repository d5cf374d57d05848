//! Values and structures from text: what was printed reads back as what it was.
#![no_main]

use gst_mini_core::segment::Segment;
use gst_mini_core::structure::Structure;
use gst_mini_core::value::Value;
use libfuzzer_sys::fuzz_target;

const TYPES: &[&str] =
    &["int", "uint", "int64", "uint64", "boolean", "double", "fraction", "string", "bitmask"];

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let kind = TYPES[usize::from(*kind) % TYPES.len()];
    if let Ok(value) = Value::parse(kind, text) {
        let printed = value.serialize();
        let again = Value::parse(kind, &printed);
        let same = again.as_ref().is_ok_and(|again| again.serialize() == printed);
        assert!(same, "{kind} {text:?} prints as {printed:?}, which reads as {again:?}");
    }
    if let Ok(structure) = text.parse::<Structure>() {
        let printed = structure.to_string();
        // As in GStreamer, a list of several types prints the first one's name and reads back as something else.
        if !printed.contains(['{', '<'])
            && let Ok(again) = printed.parse::<Structure>()
        {
            assert_eq!(again.to_string(), printed, "printing is stable");
        }
    }
    if let Ok(segment) = text.parse::<Segment>() {
        assert_eq!(segment.to_string().parse::<Segment>(), Ok(segment), "{segment}");
    }
    let _ = Value::parse_typed(text);
});
