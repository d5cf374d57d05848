//! What the property `dump` prints: the bytes of a buffer, sixteen on a line.
//!
//! Invariant: nothing but standard output is written to.
//! In GStreamer: `gst/gstutils.c` (`gst_util_dump_mem`).
//! Left out: the address of each line, which differs from run to run.

use gst_mini_core::element_prelude::*;
use std::io::Write;

/// Prints a buffer's bytes to standard output.
pub(crate) fn dump(cx: &Cx, buf: &Buffer) {
    let text = lines(buf.data());
    // A standard output that was closed takes nothing, and that is nobody's concern here.
    cx.foreign(ClockTime::ZERO, || {
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    });
}

fn lines(data: &[u8]) -> String {
    let mut text = String::new();
    for (line, bytes) in data.chunks(16).enumerate() {
        text += &format!("{:08x}: ", line * 16);
        text.extend(bytes.iter().map(|byte| format!("{byte:02x} ")));
        text += &"   ".repeat(16 - bytes.len());
        text.extend(bytes.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        }));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_dump_shows_place_bytes_and_letters() {
        let text = super::lines(b"0123456789abcdefg\x07");
        let second = "00000010: 67 07                                           g.\n";
        assert!(text.ends_with(second), "{text}");
    }
}
