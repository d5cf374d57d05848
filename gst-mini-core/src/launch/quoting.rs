//! Quotes and backslashes of launch texts: put in for a shell's arguments, taken out of values and caps.
//!
//! Invariant: what [`split_args`] protects, reading the text takes off again.
//! In GStreamer: `gst/gstparse.c` (`_gst_parse_escape`), `gst/parse/types.h` (`gst_parse_unescape`),
//! `gst/parse/grammar.y.in` (`gst_parse_split_assignment`, `str_unwrap`).
//! Left out: protecting tabs and newlines in arguments, which GStreamer lets separate words.

/// Joins the arguments of a program into one launch text, as `gst-launch-1.0` does: a space inside an
/// argument is escaped, unless it is in double quotes, and a space follows each argument.
///
/// ```
/// let args = ["filesrc", "location=my file", "!", "video/x-raw, width=320", "!", "fakesink"];
/// assert_eq!(
///     gst_mini_core::launch::split_args(&args),
///     r"filesrc location=my\ file ! video/x-raw,\ width=320 ! fakesink "
/// );
/// ```
pub fn split_args<S: AsRef<str>>(args: &[S]) -> String {
    let mut text = String::new();
    for arg in args {
        let mut in_quotes = false;
        let mut before = None;
        for letter in arg.as_ref().chars() {
            if letter == '"' && (!in_quotes || before != Some('\\')) {
                in_quotes = !in_quotes;
            }
            if letter == ' ' && !in_quotes {
                text.push('\\');
            }
            text.push(letter);
            before = Some(letter);
        }
        text.push(' ');
    }
    text
}

/// Takes off one pair of double quotes around the whole, then backslashes outside quotes. Other
/// quotes stay: caps and structures have their own.
pub(super) fn unescape_value(written: &str) -> String {
    let inner = match written.strip_prefix('"') {
        Some("") => "",
        Some(rest) => rest.strip_suffix('"').unwrap_or(written),
        None => written,
    };
    let mut value = String::with_capacity(inner.len());
    let mut in_quotes = false;
    let mut before = None;
    let mut letters = inner.chars();
    while let Some(mut letter) = letters.next() {
        if letter == '\\' && !in_quotes {
            match letters.next() {
                Some(protected) => letter = protected,
                None => break,
            }
        } else if letter == '"' && (!in_quotes || before != Some('\\')) {
            in_quotes = !in_quotes;
        }
        value.push(letter);
        before = Some(letter);
    }
    value
}

/// A backslash protects the next byte; before a digit 0 to 3 it begins a byte in octal. `None` when the
/// octal number is not whole, or a backslash ends the text.
pub(super) fn unescape_caps(written: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.iter().copied();
    while let Some(byte) = rest.next() {
        let protected = if byte == b'\\' { rest.next()? } else { byte };
        if byte == b'\\' && (b'0'..=b'3').contains(&protected) {
            let mut value = protected - b'0';
            for _ in 0..2 {
                let digit = rest.next().filter(|digit| (b'0'..=b'7').contains(digit))?;
                value = value << 3 | (digit - b'0');
            }
            bytes.push(value);
        } else {
            bytes.push(protected);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescape_of_a_value_keeps_inner_quotes_and_what_they_protect() {
        assert_eq!(unescape_value(r#""a b""#), "a b");
        assert_eq!(unescape_value(r#"x/y,z=\"a\ b\""#), r#"x/y,z="a b""#);
        assert_eq!(unescape_value(r#"x/y,z="a\,\"b""#), r#"x/y,z="a\,\"b""#);
        assert_eq!(unescape_value("\""), "");
        assert_eq!(unescape_value("a\\"), "a");
        assert_eq!(unescape_value("'a b'"), "'a b'");
    }

    #[test]
    fn split_args_and_parse_give_back_a_value_with_spaces() {
        let text = split_args(&["filesrc", "location=my file", "!", "fakesink"]);
        let graph = crate::launch::parse(&text).expect("a graph");
        assert_eq!(graph.elements[0].props[0].value, "my file");
    }
}
