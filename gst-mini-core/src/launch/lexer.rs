//! Cuts a launch text into tokens.
//!
//! Every rule is tried at every place and the longest match wins, an earlier rule on a tie. That is
//! what makes `name= !` a property whose value is `!`, and `a ! b/c : d ! e` one link with the caps
//! `b/c : d`.
//!
//! Invariant: tokens cover the text in order, without overlap; between them is white space only.
//! In GStreamer: `gst/parse/parse.l`.
//! Left out: nothing; what the grammar does not use is a token of kind [`Kind::Stray`].

use super::Span;

/// A piece of a launch text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub span: Span,
}

/// What a token is. Spans are parts of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `name=value`, the value with its quotes.
    Assignment { name: Span, value: Span },
    /// `@preset=value`.
    Preset,
    /// `.pad`.
    PadRef { pad: Span },
    /// `element.` or `element.pad`.
    Ref { name: Span, pad: Option<Span> },
    /// `bin.(`.
    BinRef { factory: Span },
    /// A factory, or a pad after a comma.
    Identifier,
    /// `!`, `:`, or two of them around caps.
    Link { caps: Option<Span>, all_pads: bool },
    /// `scheme://...` or a path.
    Uri,
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// `,`.
    Comma,
    /// One character that begins nothing.
    Stray,
}

/// All tokens of `text`.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = skip_spaces(bytes, 0);
    while at < bytes.len() {
        let (kind, end) = longest(bytes, at).unwrap_or_else(|| {
            let kind = match bytes[at] {
                b'(' => Kind::Open,
                b')' => Kind::Close,
                b',' => Kind::Comma,
                _ => Kind::Stray,
            };
            (kind, text.ceil_char_boundary(at + 1))
        });
        tokens.push(Token { kind, span: at..end });
        at = skip_spaces(bytes, end);
    }
    tokens
}

/// The rule with the longest match at `at`, and its end.
fn longest(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let rules = [assignment, preset, pad_ref, reference, bin_ref, identifier_token, link, uri];
    let mut best: Option<(Kind, usize)> = None;
    for rule in rules {
        if let Some((kind, end)) = rule(bytes, at)
            && best.as_ref().is_none_or(|(_, longest)| end > *longest)
        {
            best = Some((kind, end));
        }
    }
    best
}

fn assignment(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let name = at..identifier(bytes, at)?;
    let value = assigned(bytes, name.end)?;
    let end = value.end;
    Some((Kind::Assignment { name, value }, end))
}

fn preset(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    const WORD: &[u8] = b"@preset";
    let value = bytes[at..].starts_with(WORD).then(|| assigned(bytes, at + WORD.len()))??;
    Some((Kind::Preset, value.end))
}

/// The string after an equals sign, with white space allowed on both sides of the sign.
fn assigned(bytes: &[u8], at: usize) -> Option<Span> {
    let sign = skip_spaces(bytes, at);
    let value = skip_spaces(bytes, expect(bytes, sign, b'=')?);
    Some(value..string(bytes, value)?)
}

fn pad_ref(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let start = expect(bytes, at, b'.')?;
    let end = identifier(bytes, start)?;
    Some((Kind::PadRef { pad: start..end }, end))
}

fn reference(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let name = at..identifier(bytes, at)?;
    let dot = expect(bytes, name.end, b'.')?;
    let pad = identifier(bytes, dot).map(|end| dot..end);
    let end = pad.as_ref().map_or(dot, |pad| pad.end);
    Some((Kind::Ref { name, pad }, end))
}

fn bin_ref(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let factory = at..identifier(bytes, at)?;
    let dot = expect(bytes, skip_spaces(bytes, factory.end), b'.')?;
    let end = expect(bytes, skip_spaces(bytes, dot), b'(')?;
    Some((Kind::BinRef { factory }, end))
}

fn identifier_token(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    identifier(bytes, at).map(|end| (Kind::Identifier, end))
}

fn uri(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let with_scheme = || {
        bytes.get(at).filter(|byte| byte.is_ascii_alphabetic())?;
        let in_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || (b'+'..=b'.').contains(byte);
        let scheme = at + bytes[at..].iter().take_while(|byte| in_scheme(byte)).count();
        let body = bytes[scheme..].starts_with(b"://").then_some(scheme + 3)?;
        Some(string(bytes, body).unwrap_or(body))
    };
    let path = || {
        // The rule that GStreamer's own lexer has meant a dot and a word here; what it says, and
        // therefore does, is at most one of these characters.
        let first = bytes.get(at).filter(|byte| b"\"{}._identifier".contains(byte));
        string(bytes, expect(bytes, at + usize::from(first.is_some()), b'/')?)
    };
    with_scheme().into_iter().chain(path()).max().map(|end| (Kind::Uri, end))
}

/// A link sign, alone or with caps up to the last sign that can end them.
///
/// Follows all readings of the text at once: a `:` both ends caps and belongs to them, a `\` both
/// stands for itself and protects the next character.
fn link(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let is_sign = |byte: u8| matches!(byte, b'!' | b':');
    let first = *bytes.get(at).filter(|byte| is_sign(**byte))?;
    let mut end = at + 1;

    let mut now = Readings { before_type: true, ..Readings::default() };
    for (index, &byte) in bytes.iter().enumerate().skip(at + 1) {
        if now.in_caps && is_sign(byte) {
            end = index + 1;
        }
        now = now.after(byte);
        if now == Readings::default() {
            break;
        }
    }

    let caps = (end > at + 1).then(|| {
        let start = skip_spaces(bytes, at + 1);
        let spaces = bytes[start..end - 1].iter().rev().take_while(|byte| is_space(**byte));
        start..end - 1 - spaces.count()
    });
    let all_pads = first == b':' || bytes[end - 1] == b':';
    Some((Kind::Link { caps, all_pads }, end))
}

/// Where in the caps of a link the text may be, by one reading or another.
#[derive(Clone, Copy, Default, PartialEq)]
struct Readings {
    before_type: bool,
    in_type: bool,
    before_subtype: bool,
    in_subtype: bool,
    in_caps: bool,
    after_backslash: bool,
    after_comma: bool,
}

impl Readings {
    fn after(self, byte: u8) -> Self {
        let word = byte.is_ascii_alphanumeric() || byte == b'-';
        let plain = self.in_caps && !matches!(byte, b';' | b'!');
        let in_subtype = (self.before_subtype || self.in_subtype) && word;
        Self {
            before_type: (self.before_type && is_space(byte)) || (self.in_caps && byte == b';'),
            in_type: (self.before_type || self.in_type) && word,
            before_subtype: self.in_type && byte == b'/',
            in_subtype,
            in_caps: plain
                || in_subtype
                || (self.after_backslash && byte != b'\n')
                || (self.after_comma && byte != b'!'),
            after_backslash: self.in_caps && byte == b'\\',
            after_comma: self.in_caps && byte == b',',
        }
    }
}

fn identifier(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at).filter(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')?;
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_%:".contains(byte);
    Some(at + bytes[at..].iter().take_while(|byte| inside(byte)).count())
}

/// The end of a string: bare, or quoted when that reads further.
fn string(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at)?;
    let bare = bare_string(bytes, at);
    let quoted = matches!(first, b'"' | b'\'').then(|| quoted_string(bytes, at, first)).flatten();
    bare.max(quoted)
}

/// Up to white space; a backslash protects any but a newline.
fn bare_string(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    while let Some(&byte) = bytes.get(end) {
        let protected = end > at && bytes[end - 1] == b'\\' && byte != b'\n';
        if is_space(byte) && !protected {
            break;
        }
        end += 1;
    }
    (end > at).then_some(end)
}

/// To the last quote that can close, each one before it being protected by a backslash.
fn quoted_string(bytes: &[u8], at: usize, quote: u8) -> Option<usize> {
    let mut closed = None;
    for index in at + 1..bytes.len() {
        if bytes[index] == quote {
            closed = Some(index + 1);
            if index == at + 1 || bytes[index - 1] != b'\\' {
                break;
            }
        }
    }
    closed
}

fn expect(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (bytes.get(at) == Some(&byte)).then_some(at + 1)
}

fn skip_spaces(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|byte| is_space(**byte)).count()
}

/// White space of C, which has the vertical tab.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = tokens(text).into_iter().map(|token| &text[token.span]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn lexer_takes_the_longest_token() {
        check("a name= ! b", &["a", "name= !", "b"]);
        check("a!b", &["a", "!", "b"]);
        check("a.b c. bin . ( .pad,x", &["a.b", "c.", "bin . (", ".pad", ",", "x"]);
        check("a ! b/c : d ! e", &["a", "! b/c : d !", "e"]);
        check("a ! b/c : d", &["a", "! b/c :", "d"]);
        check("a ! b/c; d/e ,f=\",;\\! g\" ! h", &["a", "! b/c; d/e ,f=\",;\\! g\" !", "h"]);
        check("a ! b/c;d ! e", &["a", "!", "b", "/c;d", "!", "e"]);
        check("x=\"a \\\" b\" y='c d' z=e\\ f", &["x=\"a \\\" b\"", "y='c d'", "z=e\\ f"]);
        check("file:///x", &["file:///x"]);
        check("é=\u{1F600}", &["é", "=", "\u{1F600}"]);
    }
}
