//! A [`Fault`] is why one attempt failed; an [`UploadError`] is the sentence about an object given up.
//!
//! The library reports a failure as a chain of causes; here the chain becomes "503 Service
//! Unavailable (SlowDown)" plus one decision: is another attempt worth while?
//!
//! Invariant: texts are scrubbed of credentials before they are stored here.
//! In GStreamer: `net/aws/src/s3utils.rs`, where a failed request becomes a `WaitError`.
//! Left out: the server's own `Retry-After`.

use crate::secret::Scrubber;
use gst_mini_core::error::{ElementError, ErrorKind};
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Why one attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In a few words: HTTP status and store code, or what the network did.
    pub reason: String,
    /// What to do about it.
    pub advice: &'static str,
    /// For the error message on the bus.
    pub kind: ErrorKind,
    /// Another attempt with the same settings cannot succeed.
    pub permanent: bool,
    /// The whole chain of causes, for a developer.
    pub debug: String,
}

const WAITED: &str = "raise retry-timeout to ride out longer outages";
const REACHABLE: &str = "check the endpoint, and that the store is up";
const CREDENTIALS: &str = "check access-key, secret-access-key and session-token (or AWS_ACCESS_KEY_ID, \
    AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), and that they may write to this bucket";
const NO_CREDENTIALS: &str = "no credentials were found: set access-key and secret-access-key, or \
    AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
const BUCKET: &str = "create the bucket, or check its name, the endpoint and the region";
const REGION: &str = "the server redirects elsewhere: check region and endpoint";
const REQUEST: &str =
    "the store refuses this request as such: check endpoint, region and path-style";
const DISK: &str = "check the directory and its permissions";

impl Fault {
    /// No answer within `limit`.
    pub(crate) fn timeout(limit: Duration) -> Self {
        Self {
            reason: format!("no answer within {:.1} s", limit.as_secs_f64()),
            advice: WAITED,
            kind: ErrorKind::Write,
            permanent: false,
            debug: String::new(),
        }
    }

    /// The same where no credentials were given: the search for them is what got no answer.
    pub(crate) fn no_credentials(limit: Duration) -> Self {
        let reason = format!(
            "no credentials, and no service hands them out within {:.1} s",
            limit.as_secs_f64()
        );
        Self {
            reason,
            advice: NO_CREDENTIALS,
            kind: ErrorKind::NotAuthorized,
            ..Self::timeout(limit)
        }
    }

    /// For a single question: there is no retry-timeout to raise.
    pub(crate) fn of_question(self) -> Self {
        let advice = if self.advice == WAITED { REACHABLE } else { self.advice };
        Self { advice, ..self }
    }

    /// The answer to a question by one who may write here but not look: an absent object is refused
    /// like a wrong key, but without naming the key.
    pub(crate) fn may_be_write_only(&self) -> bool {
        matches!(self.reason.as_str(), "403 Forbidden" | "403 Forbidden (AccessDenied)")
    }

    /// For opening: trying again with the same settings gives the same.
    pub(crate) fn of_opening(self) -> Self {
        Self {
            kind: ErrorKind::Settings,
            advice: "check the settings of this location",
            permanent: true,
            ..self
        }
    }

    /// The attempt was called off by `stop`.
    pub(crate) fn canceled() -> Self {
        Self {
            reason: "called off because the sink stopped".into(),
            advice: "drain with end-of-stream before stopping",
            kind: ErrorKind::Write,
            permanent: true,
            debug: String::new(),
        }
    }

    /// Something of ours broke.
    pub(crate) fn internal(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            advice: "this is a defect; please report it",
            kind: ErrorKind::Core,
            permanent: true,
            debug: String::new(),
        }
    }

    /// A name or setting that can never work.
    pub(crate) fn settings(reason: impl Into<String>, advice: &'static str) -> Self {
        Self {
            reason: reason.into(),
            advice,
            kind: ErrorKind::Settings,
            permanent: true,
            debug: String::new(),
        }
    }

    /// Judges what the library reports.
    pub(crate) fn of(error: &object_store::Error, scrubber: &Scrubber) -> Self {
        let chain = Chain::of(error);
        let mut fault = if let Some(answer) = &chain.answer {
            answer.judge()
        } else if let Some(kind) = chain.transport {
            let reason = match kind {
                HttpErrorKind::Connect => format!("cannot connect: {}", chain.deepest),
                HttpErrorKind::Timeout => format!("timed out: {}", chain.deepest),
                _ => format!("connection lost: {}", chain.deepest),
            };
            Self {
                reason,
                advice: WAITED,
                kind: ErrorKind::Write,
                permanent: false,
                debug: String::new(),
            }
        } else if let Some(io) = chain.io {
            judge_io(io, &chain.deepest)
        } else {
            Self::of_kind(error, &chain)
        };
        // Only the library's search for a machine's own credentials asks there.
        let roles = ["169.254.169.254", "169.254.170.2", "/latest/api/token", "/latest/meta-data/"];
        if roles.iter().any(|place| chain.text.contains(place)) {
            fault.reason = "no credentials".into();
            fault.advice = NO_CREDENTIALS;
            fault.kind = ErrorKind::NotAuthorized;
            // A machine that has a role may merely have lost sight of it.
            fault.permanent = false;
        }
        fault.reason = scrubber.scrub(&fault.reason);
        fault.debug = scrubber.scrub(&chain.text);
        fault
    }

    fn of_kind(error: &object_store::Error, chain: &Chain) -> Self {
        use object_store::Error;
        let redirect = chain.text.contains("redirect without LOCATION");
        let (kind, advice, permanent) = match error {
            Error::NotFound { .. } => (ErrorKind::NotFound, BUCKET, true),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                (ErrorKind::NotAuthorized, CREDENTIALS, true)
            }
            Error::InvalidPath { .. } | Error::UnknownConfigurationKey { .. } => {
                (ErrorKind::Settings, "choose another object name", true)
            }
            Error::NotSupported { .. } | Error::NotImplemented { .. } => {
                (ErrorKind::Settings, "this store cannot do that; use another one", true)
            }
            _ if redirect => (ErrorKind::Settings, REGION, true),
            _ => (ErrorKind::Write, WAITED, false),
        };
        Self { reason: chain.deepest.clone(), advice, kind, permanent, debug: String::new() }
    }
}

/// What a walk along the chain of causes found.
#[derive(Default)]
struct Chain {
    answer: Option<Answer>,
    transport: Option<HttpErrorKind>,
    io: Option<std::io::ErrorKind>,
    deepest: String,
    text: String,
}

impl Chain {
    fn of(error: &object_store::Error) -> Self {
        let mut chain = Self::default();
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(cause) = next {
            chain.deepest = cause.to_string();
            if let Some(http) = cause.downcast_ref::<HttpError>() {
                chain.transport = Some(http.kind());
            }
            if let Some(io) = cause.downcast_ref::<std::io::Error>() {
                chain.io = Some(io.kind());
            }
            if let Some(answer) = Answer::parse(&chain.deepest) {
                chain.answer = Some(answer);
            }
            if !chain.text.contains(&chain.deepest) {
                if !chain.text.is_empty() {
                    chain.text.push_str(": ");
                }
                chain.text.push_str(&chain.deepest);
            }
            next = cause.source();
        }
        chain
    }
}

/// What a server answered. The library keeps its type for this private, so it is read from the
/// text; the tests against a server hold that text in place.
struct Answer {
    status: u16,
    status_text: String,
    code: Option<String>,
}

impl Answer {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("Server returned non-2xx status code: ").or_else(|| {
            // Some servers report a failure inside a 200.
            text.strip_prefix("Server returned error response: ").map(|_| text)
        })?;
        let (line, body) = rest.split_once(": ").unwrap_or((rest.trim_end_matches(':'), ""));
        let status = line.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(500);
        let status_text = if status == 500 && rest == text {
            "200 OK with an error in it".into()
        } else {
            line.to_owned()
        };
        Some(Self { status, status_text, code: element(body, "Code").map(str::to_owned) })
    }

    fn judge(&self) -> Fault {
        let code = self.code.as_deref().unwrap_or_default();
        let (kind, advice, permanent) = match (self.status, code) {
            (
                _,
                "RequestTimeout" | "BadDigest" | "IncompleteBody" | "XAmzContentSHA256Mismatch",
            ) => (ErrorKind::Write, WAITED, false),
            (_, "RequestTimeTooSkewed") => (
                ErrorKind::NotAuthorized,
                "set this machine's clock: it differs from the store's",
                true,
            ),
            (404, _) => (ErrorKind::NotFound, BUCKET, true),
            (401 | 403, _) | (_, "ExpiredToken" | "InvalidToken") => {
                (ErrorKind::NotAuthorized, CREDENTIALS, true)
            }
            (300..=399, _) => (ErrorKind::Settings, REGION, true),
            (408 | 409 | 423 | 425 | 429, _) => (ErrorKind::Write, WAITED, false),
            (507, _) => (ErrorKind::NoSpace, "make room in the store", false),
            (400..=499 | 501 | 505, _) => (ErrorKind::Write, REQUEST, true),
            _ => (ErrorKind::Write, WAITED, false),
        };
        let reason = match &self.code {
            Some(code) => format!("{} ({code})", self.status_text),
            None => self.status_text.clone(),
        };
        Fault { reason, advice, kind, permanent, debug: String::new() }
    }
}

/// The store's code for a missing object, as opposed to a missing bucket.
pub(crate) fn is_missing_object(error: &object_store::Error) -> bool {
    let code = Chain::of(error).answer.and_then(|answer| answer.code);
    matches!(error, object_store::Error::NotFound { .. })
        && !matches!(
            code.as_deref(),
            Some("NoSuchBucket" | "ContainerNotFound" | "AccountNotFound")
        )
}

fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(value, _)| value)
}

fn judge_io(kind: std::io::ErrorKind, reason: &str) -> Fault {
    use std::io::ErrorKind as Io;
    let (kind, advice, permanent) = match kind {
        Io::PermissionDenied | Io::ReadOnlyFilesystem => (ErrorKind::NotAuthorized, DISK, true),
        Io::NotFound | Io::NotADirectory | Io::IsADirectory | Io::InvalidFilename => {
            (ErrorKind::NotFound, DISK, true)
        }
        // Someone may free space while the backlog still has room.
        Io::StorageFull | Io::QuotaExceeded => (ErrorKind::NoSpace, "make room on the disk", false),
        _ => (ErrorKind::Write, DISK, false),
    };
    Fault { reason: reason.to_owned(), advice, kind, permanent, debug: String::new() }
}

/// An object was given up. Prints as one sentence for the user, free of credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UploadError {
    /// Where the object should have gone, as a URL.
    pub object: String,
    /// Attempts made; 0 if it was refused before the first.
    pub attempts: u32,
    /// From the first attempt to giving up.
    pub tried_for: Duration,
    /// The retry-timeout that ran out, if that is why it was given up.
    pub retry_timeout: Option<Duration>,
    /// What the last attempt met.
    pub fault: Box<Fault>,
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.object)?;
        if self.attempts > 0 {
            write!(f, "attempt {} after {:.1} s: ", self.attempts, self.tried_for.as_secs_f64())?;
        }
        f.write_str(&self.fault.reason)?;
        if let Some(limit) = self.retry_timeout {
            let limit = limit.as_secs_f64();
            write!(f, "; the store did not accept it within retry-timeout ({limit:.1} s)")?;
        }
        write!(f, "; {}", self.fault.advice)
    }
}

impl UploadError {
    /// An error before any attempt.
    pub(crate) fn refused(object: impl Into<String>, fault: Fault) -> Self {
        Self {
            object: object.into(),
            attempts: 0,
            tried_for: Duration::ZERO,
            retry_timeout: None,
            fault: Box::new(fault),
        }
    }

    /// As it goes to the bus.
    pub fn to_element_error(&self) -> ElementError {
        ElementError::new(self.fault.kind, self.to_string()).with_debug(self.fault.debug.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Fault {
        Answer::parse(&format!("Server returned non-2xx status code: {text}")).unwrap().judge()
    }

    #[test]
    fn overload_and_clashes_are_tried_again_and_refusals_are_not() {
        for text in
            ["503 Service Unavailable: ", "429 Too Many Requests: x", "500 Internal Server Error: "]
        {
            assert!(!answer(text).permanent, "{text}");
        }
        assert!(!answer("400 Bad Request: <Error><Code>RequestTimeout</Code></Error>").permanent);
        for text in
            ["403 Forbidden: ", "404 Not Found: ", "400 Bad Request: ", "301 Moved Permanently: "]
        {
            assert!(answer(text).permanent, "{text}");
        }
    }

    #[test]
    fn refusal_that_names_no_key_may_be_for_looking_only() {
        assert!(answer("403 Forbidden: ").may_be_write_only());
        assert!(answer("403 Forbidden: <Code>AccessDenied</Code>").may_be_write_only());
        for code in ["SignatureDoesNotMatch", "InvalidAccessKeyId", "RequestTimeTooSkewed"] {
            assert!(!answer(&format!("403 Forbidden: <Code>{code}</Code>")).may_be_write_only());
        }
        assert!(!answer("401 Unauthorized: ").may_be_write_only());
    }

    #[test]
    fn reason_holds_status_and_store_code() {
        let fault = answer("503 Service Unavailable: <Error><Code>SlowDown</Code></Error>");
        assert_eq!(fault.reason, "503 Service Unavailable (SlowDown)");
        let full = UploadError {
            object: "s3://bucket/prefix/segment_00003.cmfv".into(),
            attempts: 7,
            tried_for: Duration::from_secs(30),
            retry_timeout: Some(Duration::from_secs(30)),
            fault: fault.into(),
        };
        assert_eq!(
            full.to_string(),
            "s3://bucket/prefix/segment_00003.cmfv: attempt 7 after 30.0 s: 503 Service Unavailable \
             (SlowDown); the store did not accept it within retry-timeout (30.0 s); raise \
             retry-timeout to ride out longer outages"
        );
    }

    #[test]
    fn error_inside_a_200_is_a_failure_to_retry() {
        let fault = Answer::parse("Server returned error response: <Code>InternalError</Code>")
            .unwrap()
            .judge();
        assert!(!fault.permanent);
        assert!(fault.reason.starts_with("200 OK with an error in it"), "{}", fault.reason);
    }
}
