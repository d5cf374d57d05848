//! Two channels for two readers: flow results steer the stream, errors tell the story.
//!
//! A [`FlowError`] travels back up the chain of calls and carries nothing. What happened, where and
//! what to do about it is an [`ElementError`], posted to the bus by the element that refused first.
//!
//! Invariant: `Eos` and `Flushing` are never reported as errors.
//! In GStreamer: `gst/gstpad.h` (`GstFlowReturn`), `gst/gsterror.h` (`GstStreamError`, `GstResourceError`).
//! Left out: translated messages.

use std::fmt;

/// Why a pad did not take a buffer. Control flow only: the reason is on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowError {
    /// The pad has no peer.
    NotLinked,
    /// The pad is flushing or not active.
    Flushing,
    /// The stream has ended; nothing more is taken.
    Eos,
    /// No format both sides accept.
    NotNegotiated,
    /// Something failed; an error message says what.
    Error,
    /// The operation does not exist here.
    NotSupported,
    /// An agreement between two elements: something that is no failure, and no plain success either.
    /// It stops a stream without an error.
    CustomSuccess,
    /// An agreement between two elements about a failure.
    CustomError,
}

impl FlowError {
    /// GStreamer's name for it, as in `reason not-negotiated (-4)`.
    pub const fn name(self) -> &'static str {
        match self {
            FlowError::NotLinked => "not-linked",
            FlowError::Flushing => "flushing",
            FlowError::Eos => "eos",
            FlowError::NotNegotiated => "not-negotiated",
            FlowError::Error => "error",
            FlowError::NotSupported => "not-supported",
            FlowError::CustomSuccess => "custom-success",
            FlowError::CustomError => "custom-error",
        }
    }

    /// GStreamer's number for it.
    pub const fn code(self) -> i32 {
        match self {
            FlowError::NotLinked => -1,
            FlowError::Flushing => -2,
            FlowError::Eos => -3,
            FlowError::NotNegotiated => -4,
            FlowError::Error => -5,
            FlowError::NotSupported => -6,
            FlowError::CustomSuccess => 100,
            FlowError::CustomError => -100,
        }
    }

    /// The flow result of a number that crossed the plugin boundary; unknown ones are errors.
    pub const fn from_code(code: i32) -> FlowResult {
        match code {
            100 => Err(FlowError::CustomSuccess),
            0.. => Ok(()),
            -1 => Err(FlowError::NotLinked),
            -2 => Err(FlowError::Flushing),
            -3 => Err(FlowError::Eos),
            -4 => Err(FlowError::NotNegotiated),
            -6 => Err(FlowError::NotSupported),
            -100 => Err(FlowError::CustomError),
            _ => Err(FlowError::Error),
        }
    }
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for FlowError {}

/// What pushing a buffer, or making one, came to.
pub type FlowResult<T = ()> = Result<T, FlowError>;

/// What kind of trouble an error message is about; decides its domain and code as GStreamer prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The framework itself, or a thread that could not be started.
    Core,
    /// No format both sides accept (`GST_CORE_ERROR_NEGOTIATION`).
    Negotiation,
    /// A property or option that cannot be used (`GST_LIBRARY_ERROR_SETTINGS`).
    Settings,
    /// A file, object or server that is not there.
    NotFound,
    /// Could not be opened.
    Open,
    /// Could not be read.
    Read,
    /// Could not be written.
    Write,
    /// The disk or the quota is full.
    NoSpace,
    /// Credentials were refused.
    NotAuthorized,
    /// The stream's content is not what it should be.
    Format,
    /// Decoding failed.
    Decode,
    /// Encoding failed.
    Encode,
    /// The data stream stopped for a reason told elsewhere.
    Failed,
    /// A panic inside an element.
    Panic,
}

impl ErrorKind {
    /// All kinds with the names that cross the plugin boundary.
    pub const NAMES: &'static [(ErrorKind, &'static str)] = &[
        (ErrorKind::Core, "core"),
        (ErrorKind::Negotiation, "negotiation"),
        (ErrorKind::Settings, "settings"),
        (ErrorKind::NotFound, "not-found"),
        (ErrorKind::Open, "open"),
        (ErrorKind::Read, "read"),
        (ErrorKind::Write, "write"),
        (ErrorKind::NoSpace, "no-space"),
        (ErrorKind::NotAuthorized, "not-authorized"),
        (ErrorKind::Format, "format"),
        (ErrorKind::Decode, "decode"),
        (ErrorKind::Encode, "encode"),
        (ErrorKind::Failed, "failed"),
        (ErrorKind::Panic, "panic"),
    ];

    /// The kind's name in text.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("failed", |(_, name)| name)
    }

    /// The kind of that name; an unknown one is [`ErrorKind::Failed`].
    pub fn from_name(name: &str) -> Self {
        Self::NAMES.iter().find(|(_, n)| *n == name).map_or(ErrorKind::Failed, |(kind, _)| *kind)
    }
}

/// An error as it reaches the application: what, where, and the detail for who looks closer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ElementError {
    /// What kind of trouble.
    pub kind: ErrorKind,
    /// One sentence for the user: what happened, to what, and what to do.
    pub text: String,
    /// Detail for a developer; may be empty.
    pub debug: String,
}

impl ElementError {
    /// An error with a sentence for the user.
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), debug: String::new() }
    }

    /// Adds the detail for a developer.
    pub fn with_debug(mut self, debug: impl Into<String>) -> Self {
        self.debug = debug.into();
        self
    }
}
