//! The small words of segments and seeks: format, seek type and the two flag sets.
//!
//! Invariant: every word reads back from its own text.
//! In GStreamer: `gst/gstformat.h` (`GstFormat`), `gst/gstsegment.h` (`GstSeekFlags`, `GstSegmentFlags`).
//! Left out: formats registered at run time; flag names with the `GST_` prefix, which property text reads.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};
use std::str::FromStr;

/// A word that is none of those its kind knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{word}\" is not a {kind}; one of {expected} was expected")]
pub struct ParseWordError {
    /// What was being read, such as "seek flag".
    pub kind: &'static str,
    /// The word that was found.
    pub word: String,
    /// The words it could have been.
    pub expected: String,
}

impl ParseWordError {
    fn new(kind: &'static str, word: &str, names: impl Iterator<Item = &'static str>) -> Self {
        Self { kind, word: word.to_owned(), expected: names.collect::<Vec<_>>().join(", ") }
    }
}

macro_rules! word_enum {
    ($(#[$doc:meta])* $name:ident ($kind:literal) { $($(#[$item_doc:meta])* $item:ident = $nick:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$item_doc])* $item,)*
        }

        impl $name {
            /// Every value, in GStreamer's numeric order.
            pub const ALL: &[Self] = &[$(Self::$item,)*];

            /// GStreamer's nick name.
            pub const fn nick(self) -> &'static str {
                match self {
                    $(Self::$item => $nick,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.nick())
            }
        }

        impl FromStr for $name {
            type Err = ParseWordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|value| value.nick() == text)
                    .ok_or_else(|| ParseWordError::new($kind, text, Self::ALL.iter().map(|value| value.nick())))
            }
        }
    };
}

word_enum! {
    /// The unit that positions, lengths and segments are counted in.
    Format ("format") {
        /// Nothing decided.
        Undefined = "undefined",
        /// The default unit of an element: frames of video, samples of audio.
        Default = "default",
        /// Bytes.
        Bytes = "bytes",
        /// Nanoseconds.
        Time = "time",
        /// Buffers.
        Buffers = "buffers",
        /// Millionths of the whole.
        Percent = "percent",
    }
}

impl Format {
    /// GStreamer's number.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The format of that number; an unknown one is [`Format::Undefined`].
    pub fn of_number(number: u32) -> Format {
        Self::ALL.get(number as usize).copied().unwrap_or(Format::Undefined)
    }
}

word_enum! {
    /// What a seek's start or stop is relative to.
    SeekType ("seek type") {
        /// The value is left as it is.
        None = "none",
        /// The value is an absolute position.
        Set = "set",
        /// The value counts from the end of the stream.
        End = "end",
    }
}

macro_rules! flag_set {
    ($(#[$doc:meta])* $name:ident ($kind:literal) { $($(#[$item_doc:meta])* $item:ident = $bit:literal $nick:literal,)* }) => {
        $(#[$doc])*
        ///
        /// As text: nick names joined by `+`, or `none`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name(u32);

        impl $name {
            $($(#[$item_doc])* pub const $item: Self = Self(1 << $bit);)*

            /// Each flag with its nick name, lowest bit first.
            pub const ALL: &[(Self, &str)] = &[$((Self::$item, $nick),)*];

            /// No flag.
            pub const fn empty() -> Self {
                Self(0)
            }
            /// From GStreamer's bits; unknown ones are dropped.
            pub const fn from_bits(bits: u32) -> Self {
                Self(bits & (0 $(| 1 << $bit)*))
            }
            /// GStreamer's bits.
            pub const fn bits(self) -> u32 {
                self.0
            }
            /// Whether no flag is set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }
            /// Whether all of `other` is set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
            /// Both sets together.
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl BitOr for $name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                self.union(other)
            }
        }

        impl BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                *self = self.union(other);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if self.is_empty() {
                    return f.write_str("none");
                }
                let set = Self::ALL.iter().filter(|(flag, _)| self.contains(*flag));
                for (index, (_, nick)) in set.enumerate() {
                    let plus = if index == 0 { "" } else { "+" };
                    write!(f, "{plus}{nick}")?;
                }
                Ok(())
            }
        }

        impl FromStr for $name {
            type Err = ParseWordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if text == "none" {
                    return Ok(Self::empty());
                }
                text.split('+').try_fold(Self::empty(), |set, word| {
                    Self::ALL
                        .iter()
                        .chain(Self::ALIASES)
                        .find(|(_, nick)| *nick == word)
                        .map(|(flag, _)| set | *flag)
                        .ok_or_else(|| ParseWordError::new($kind, word, Self::ALL.iter().map(|(_, nick)| *nick)))
                })
            }
        }
    };
}

flag_set! {
    /// How a seek is to be carried out.
    SeekFlags ("seek flag") {
        /// Discard what is on its way, so that the seek takes effect at once.
        FLUSH = 0 "flush",
        /// Land exactly on the position asked for.
        ACCURATE = 1 "accurate",
        /// Land on a key frame, which is quicker.
        KEY_UNIT = 2 "key-unit",
        /// Post `segment-done` at the end of the segment, and send no EOS.
        SEGMENT = 3 "segment",
        /// Elements may skip frames.
        TRICKMODE = 4 "trickmode",
        /// With `KEY_UNIT`: the key frame at or before the position.
        SNAP_BEFORE = 5 "snap-before",
        /// With `KEY_UNIT`: the key frame at or after the position.
        SNAP_AFTER = 6 "snap-after",
        /// Decode key frames only.
        TRICKMODE_KEY_UNITS = 7 "trickmode-key-units",
        /// Decode no audio.
        TRICKMODE_NO_AUDIO = 8 "trickmode-no-audio",
        /// Decode frames that are predicted forwards only.
        TRICKMODE_FORWARD_PREDICTED = 9 "trickmode-forward-predicted",
        /// Change the rate without a new segment; [`Segment::do_seek`](super::Segment::do_seek) refuses it.
        INSTANT_RATE_CHANGE = 10 "instant-rate-change",
    }
}

impl SeekFlags {
    const ALIASES: &[(Self, &str)] =
        &[(Self::TRICKMODE, "skip"), (Self::SNAP_BEFORE.union(Self::SNAP_AFTER), "snap-nearest")];
}

flag_set! {
    /// What a consumer should know about a segment.
    SegmentFlags ("segment flag") {
        /// Running time starts anew: the segment follows a flushing seek.
        RESET = 0 "reset",
        /// `segment-done` is posted at the end, and no EOS sent.
        SEGMENT = 3 "segment",
        /// Frames may be skipped.
        TRICKMODE = 4 "trickmode",
        /// Key frames only.
        TRICKMODE_KEY_UNITS = 7 "trickmode-key-units",
        /// No audio.
        TRICKMODE_NO_AUDIO = 8 "trickmode-no-audio",
        /// Forward-predicted frames only.
        TRICKMODE_FORWARD_PREDICTED = 9 "trickmode-forward-predicted",
    }
}

impl SegmentFlags {
    const ALIASES: &[(Self, &str)] = &[(Self::TRICKMODE, "skip")];

    /// The flags of the segment that a seek with `flags` makes. Both sets use one bit for one
    /// meaning; `flush` becomes `reset`.
    pub const fn of_seek(flags: SeekFlags) -> Self {
        Self::from_bits(flags.bits())
    }
}
