//! Types whose values have names: an [`EnumType`] picks one, a [`FlagsType`] any combination.
//!
//! ```
//! use gst_mini_core::value::{SEEK_FLAGS, Value};
//! let flags = SEEK_FLAGS.parse("flush+key-unit").map(|bits| Value::Flags(&SEEK_FLAGS, bits));
//! assert_eq!(flags.map(|flags| flags.to_string()).as_deref(),
//!     Some("GST_SEEK_FLAG_FLUSH+GST_SEEK_FLAG_KEY_UNIT"));
//! ```
//!
//! Invariant: tables are static data; the order of a table decides which of two aliases is printed.
//! In GStreamer: `gst/gstvalue.c` (`gst_value_deserialize_enum`, `gst_value_gflags_str_to_flags`).
//! Left out: registration at run time.

use super::number;

/// One named value of an [`EnumType`] or [`FlagsType`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The number; for flags the bits.
    pub value: i32,
    /// The short name people type: `key-unit`.
    pub nick: &'static str,
    /// The long name, which is accepted too, and printed for flags.
    pub name: &'static str,
}

/// A closed list of names, one of which is chosen.
#[derive(Debug)]
pub struct EnumType {
    /// The name of the type, as in `(GstFormat)time`.
    pub name: &'static str,
    /// The choices.
    pub choices: &'static [Choice],
}

/// Named bits, any of which are set.
#[derive(Debug)]
pub struct FlagsType {
    /// The name of the type, as in `(GstSeekFlags)flush`.
    pub name: &'static str,
    /// The bits; an entry may stand for several bits, or for none.
    pub choices: &'static [Choice],
}

impl EnumType {
    /// The number that `text` stands for: a long name, a nick, or a listed number in C notation.
    /// Empty text is 0, if that is listed.
    pub fn parse(&self, text: &str) -> Option<i32> {
        let choice = find(self.choices, text).or_else(|| {
            let (value, end) = number::read_signed(text.as_bytes(), 0);
            (end == text.len()).then(|| self.choice(value as i32)).flatten()
        })?;
        Some(choice.value)
    }

    /// The nick of `value`.
    pub fn nick(&self, value: i32) -> Option<&'static str> {
        self.choice(value).map(|choice| choice.nick)
    }

    fn choice(&self, value: i32) -> Option<&'static Choice> {
        self.choices.iter().find(|choice| choice.value == value)
    }
}

impl FlagsType {
    /// The bits that `text` stands for: names, nicks or numbers joined by `+`; a `/` before one
    /// leaves it out.
    pub fn parse(&self, text: &str) -> Option<u32> {
        let mut bits = 0;
        let mut add = !text.starts_with('/');
        let mut rest = text.strip_prefix(['+', '/']).unwrap_or(text);
        loop {
            let end = rest.find(['+', '/']).unwrap_or(rest.len());
            let word = &rest[..end];
            let value = match find(self.choices, word) {
                Some(choice) => choice.value as u32,
                None => {
                    let read = number::read_integer(word.as_bytes(), 0);
                    (read.end == word.len()).then_some(read.value as u32)?
                }
            };
            if add {
                bits |= value;
            }
            let Some(delimiter) = rest[end..].chars().next() else {
                return Some(bits);
            };
            add = delimiter == '+';
            rest = &rest[end + 1..];
        }
    }

    /// The long names of `bits`, joined by `+`. Bits without a name make it `0`, as in GStreamer.
    pub fn print(&self, bits: u32) -> String {
        if bits == 0 {
            let none = self.choices.iter().find(|choice| choice.value == 0);
            return none.map_or("0", |choice| choice.name).to_owned();
        }
        let mut rest = bits;
        let mut names = Vec::new();
        while rest != 0 {
            let contained = |choice: &&Choice| {
                choice.value != 0 && choice.value as u32 & rest == choice.value as u32
            };
            let Some(choice) = self.choices.iter().find(contained) else {
                return "0".to_owned();
            };
            names.push(choice.name);
            rest &= !(choice.value as u32);
        }
        names.join("+")
    }
}

/// Two types are the same when their names are: each table is written once.
impl PartialEq for EnumType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl PartialEq for FlagsType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

fn find(choices: &'static [Choice], text: &str) -> Option<&'static Choice> {
    let by_name = choices.iter().find(|choice| choice.name == text);
    by_name.or_else(|| choices.iter().find(|choice| choice.nick == text))
}

const fn choice(value: i32, nick: &'static str, name: &'static str) -> Choice {
    Choice { value, nick, name }
}

/// In which unit positions are counted.
pub static FORMAT: EnumType = EnumType {
    name: "GstFormat",
    choices: &[
        choice(0, "undefined", "GST_FORMAT_UNDEFINED"),
        choice(1, "default", "GST_FORMAT_DEFAULT"),
        choice(2, "bytes", "GST_FORMAT_BYTES"),
        choice(3, "time", "GST_FORMAT_TIME"),
        choice(4, "buffers", "GST_FORMAT_BUFFERS"),
        choice(5, "percent", "GST_FORMAT_PERCENT"),
    ],
};

/// From where a seek position counts.
pub static SEEK_TYPE: EnumType = EnumType {
    name: "GstSeekType",
    choices: &[
        choice(0, "none", "GST_SEEK_TYPE_NONE"),
        choice(1, "set", "GST_SEEK_TYPE_SET"),
        choice(2, "end", "GST_SEEK_TYPE_END"),
    ],
};

/// The states of an element.
pub static STATE: EnumType = EnumType {
    name: "GstState",
    choices: &[
        choice(0, "void-pending", "GST_STATE_VOID_PENDING"),
        choice(1, "null", "GST_STATE_NULL"),
        choice(2, "ready", "GST_STATE_READY"),
        choice(3, "paused", "GST_STATE_PAUSED"),
        choice(4, "playing", "GST_STATE_PLAYING"),
    ],
};

/// How a seek is done.
pub static SEEK_FLAGS: FlagsType = FlagsType {
    name: "GstSeekFlags",
    choices: &[
        choice(0, "none", "GST_SEEK_FLAG_NONE"),
        choice(1 << 0, "flush", "GST_SEEK_FLAG_FLUSH"),
        choice(1 << 1, "accurate", "GST_SEEK_FLAG_ACCURATE"),
        choice(1 << 2, "key-unit", "GST_SEEK_FLAG_KEY_UNIT"),
        choice(1 << 3, "segment", "GST_SEEK_FLAG_SEGMENT"),
        choice(1 << 4, "trickmode", "GST_SEEK_FLAG_TRICKMODE"),
        choice(1 << 4, "skip", "GST_SEEK_FLAG_SKIP"),
        choice(1 << 5, "snap-before", "GST_SEEK_FLAG_SNAP_BEFORE"),
        choice(1 << 6, "snap-after", "GST_SEEK_FLAG_SNAP_AFTER"),
        choice(3 << 5, "snap-nearest", "GST_SEEK_FLAG_SNAP_NEAREST"),
        choice(1 << 7, "trickmode-key-units", "GST_SEEK_FLAG_TRICKMODE_KEY_UNITS"),
        choice(1 << 8, "trickmode-no-audio", "GST_SEEK_FLAG_TRICKMODE_NO_AUDIO"),
        choice(1 << 9, "trickmode-forward-predicted", "GST_SEEK_FLAG_TRICKMODE_FORWARD_PREDICTED"),
        choice(1 << 10, "instant-rate-change", "GST_SEEK_FLAG_INSTANT_RATE_CHANGE"),
    ],
};

/// The enums that may be named in a structure's text.
pub(super) static ENUMS: [&EnumType; 3] = [&FORMAT, &SEEK_TYPE, &STATE];
/// The flags that may be named in a structure's text.
pub(super) static FLAGS: [&FlagsType; 1] = [&SEEK_FLAGS];
