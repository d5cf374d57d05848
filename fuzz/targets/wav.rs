//! Headers of WAVE files: what is found does not depend on how the bytes were cut into pieces.
#![no_main]

use gst_mini_elements::audio::wav::{HeaderParser, WavHeader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((cut, bytes)) = data.split_first() else { return };
    let whole = parse(bytes, usize::MAX);
    let pieces = parse(bytes, usize::from(*cut).max(1));
    assert_eq!(whole, pieces, "in pieces of {cut}");
});

fn parse(bytes: &[u8], piece: usize) -> Result<Option<WavHeader>, String> {
    let mut parser = HeaderParser::default();
    for piece in bytes.chunks(piece.min(bytes.len().max(1))) {
        match parser.push(piece) {
            Ok(Some((header, used))) => {
                assert!(used <= piece.len());
                return Ok(Some(header));
            }
            Ok(None) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(None)
}
