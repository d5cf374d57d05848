//! Launch lines: a pipeline or a sentence, never a panic, with the place inside the line.
#![no_main]

use gst_mini_core::launch::{parse, parse_launch, parse_prefix};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(line) = std::str::from_utf8(data) else { return };
    let (_, met) = parse_prefix(line);
    let whole = parse(line);
    assert_eq!(met.is_some(), whole.is_err(), "both ways of parsing agree: {line:?}");
    gst_mini_elements::register();
    if let Err(error) = parse_launch(line) {
        assert!(!error.to_string().is_empty());
    }
});
