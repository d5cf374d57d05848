//! y4m streams: the frames do not depend on how the bytes were cut into pieces.
#![no_main]

use gst_mini_elements::video::y4m::Y4mParser;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((cut, bytes)) = data.split_first() else { return };
    let whole = parse(bytes, usize::MAX);
    let pieces = parse(bytes, usize::from(*cut).max(1));
    assert_eq!(whole, pieces, "in pieces of {cut}");
});

type Outcome = (usize, Option<String>);

fn parse(bytes: &[u8], piece: usize) -> Outcome {
    let mut parser = Y4mParser::new();
    let mut frames = Vec::new();
    for piece in bytes.chunks(piece.min(bytes.len().max(1))) {
        if let Err(error) = parser.push(piece, &mut frames) {
            return (frames.len(), Some(error.to_string()));
        }
    }
    (frames.len(), parser.finish().err().map(|error| error.to_string()))
}
