//! A [`Secret`] is a credential that does not print, and a [`Scrubber`] takes credentials out of texts.
//!
//! Errors quote what a server or a library said, and that may quote the request: its URL, its
//! signature, the key it was signed with. So every text that leaves this crate passes a scrubber.
//!
//! Invariant: neither `Debug` nor `Display` of anything here shows a credential.
//! In GStreamer: nothing; `awss3sink` has `secret-access-key` as a readable property.
//! Left out: wiping memory after use.

use std::fmt;

const HIDDEN: &str = "***";

/// Words whose value, after `=`, `:` or as an XML element, is a credential or a signature.
const REVEALING: &[&str] = &[
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-goog-signature",
    "x-goog-credential",
    "awsaccesskeyid",
    "signatureprovided",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "access_token",
    "authorization",
    "credential",
    "signature",
    "password",
    "secret",
    "sig",
];

/// A credential. Prints as `***`; read it with [`Secret::expose`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a credential.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The credential itself, for the one who signs with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Replaces credentials in texts: those it was told of, and whatever looks like one.
#[derive(Clone, Default)]
pub struct Scrubber {
    known: Vec<String>,
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrubber({} credentials)", self.known.len())
    }
}

impl Scrubber {
    /// Learns a credential, and the form it takes inside a URL. Very short ones are left alone:
    /// replacing them would garble the text and hide nothing.
    pub fn learn(&mut self, credential: &str) {
        if credential.len() < 4 {
            return;
        }
        let encoded: String = url::form_urlencoded::byte_serialize(credential.as_bytes()).collect();
        for form in [credential.to_owned(), encoded] {
            if !self.known.contains(&form) {
                self.known.push(form);
            }
        }
        // The longest first: one credential may contain another.
        self.known.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// The text without credentials.
    pub fn scrub(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for credential in &self.known {
            if clean.contains(credential.as_str()) {
                clean = clean.replace(credential.as_str(), HIDDEN);
            }
        }
        hide_values(&hide_userinfo(&clean))
    }
}

/// `scheme://user:password@host` becomes `scheme://***@host`.
fn hide_userinfo(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let end = tail
            .find(|c: char| c.is_whitespace() || "/?#\"'<>`,;()".contains(c))
            .unwrap_or(tail.len());
        let (authority, after) = tail.split_at(end);
        match authority.rsplit_once('@') {
            // Without a password it is a name, as in `abfs://container@account`.
            Some((user, host)) if user.contains(':') => {
                out.push_str(HIDDEN);
                out.push('@');
                out.push_str(host);
            }
            _ => out.push_str(authority),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The value after each of the revealing words becomes `***`.
fn hide_values(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let word = (!before.is_ascii_alphanumeric()).then(|| revealing_prefix(rest)).flatten();
        let Some(length) = word else {
            out.push(first);
            before = first;
            rest = &rest[first.len_utf8()..];
            continue;
        };
        let (head, value) = rest.split_at(length);
        out.push_str(head);
        let end = if head.to_ascii_lowercase().starts_with("authorization") {
            value.find(['\r', '\n', '<'])
        } else {
            value.find(|c: char| c.is_whitespace() || "&\"'<>,;()`".contains(c))
        };
        let end = end.unwrap_or(value.len());
        if end > 0 {
            out.push_str(HIDDEN);
        }
        before = ' ';
        rest = &value[end..];
    }
    out
}

/// The length of a revealing word with its separator at the start of `text`.
fn revealing_prefix(text: &str) -> Option<usize> {
    REVEALING.iter().find_map(|word| {
        let head = text.get(..word.len())?;
        if !head.eq_ignore_ascii_case(word) {
            return None;
        }
        match text[word.len()..].chars().next() {
            Some('=' | '>') => Some(word.len() + 1),
            Some(':') if text[word.len() + 1..].starts_with(' ') => Some(word.len() + 2),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut scrubber = Scrubber::default();
        scrubber.learn("AKIAIOSFODNN7EXAMPLE");
        scrubber.learn("wJalr/K7+bPx");
        assert_eq!(scrubber.scrub(text), expected);
    }

    #[test]
    fn secret_prints_as_stars_in_every_format() {
        let secret = Secret::new("hunter22");
        assert_eq!(
            format!("{secret} {secret:?} {:#?}", Some(&secret)).matches("hunter").count(),
            0
        );
    }

    #[test]
    fn known_credentials_vanish_also_in_their_url_form() {
        check("key AKIAIOSFODNN7EXAMPLE secret wJalr/K7+bPx.", "key *** secret ***.");
        check("?k=wJalr%2FK7%2BbPx&x=1", "?k=***&x=1");
    }

    #[test]
    fn userinfo_in_urls_vanishes_but_plain_names_stay() {
        check("put https://me:pw@host:80/a@b failed", "put https://***@host:80/a@b failed");
        check("abfs://box@account.dfs/x", "abfs://box@account.dfs/x");
    }

    #[test]
    fn signatures_in_urls_headers_and_xml_vanish() {
        check(
            "GET http://h/b?X-Amz-Credential=AK%2F1&X-Amz-Signature=00ff&partNumber=2 x",
            "GET http://h/b?X-Amz-Credential=***&X-Amz-Signature=***&partNumber=2 x",
        );
        check("https://a.blob/c?sv=1&sig=Zm9v%3D&se=2", "https://a.blob/c?sv=1&sig=***&se=2");
        check("Authorization: AWS4-HMAC-SHA256 abc", "Authorization: ***");
        check(
            "<AWSAccessKeyId>Q</AWSAccessKeyId><SignatureProvided>ab</SignatureProvided>",
            "<AWSAccessKeyId>***</AWSAccessKeyId><SignatureProvided>***</SignatureProvided>",
        );
    }

    #[test]
    fn ordinary_words_stay() {
        let text = "The request signature we calculated does not match: design=1, sigma=2 é";
        check(text, text);
    }
}
