//! A segment as one line of text, the form in which it crosses the plugin boundary and is logged.
//!
//! `format=time flags=reset+trickmode rate=1.0 applied-rate=1.0 base=0 offset=0 start=0 stop=none time=0
//! position=0 duration=none`, on one line.
//!
//! Invariant: all fields are written, and reading what was written gives an equal segment.
//! In GStreamer: `gst/gstinfo.c` (`gst_info_segment_to_string`) prints segments, and nothing reads them.
//! Left out: defaults for absent fields, since a missing one means another version wrote the line.

use super::{Format, ParseWordError, Segment, SegmentFlags};
use std::fmt;
use std::str::FromStr;

/// Why a line is no segment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseSegmentError {
    /// A part that is not `key=value`, or a key no segment has.
    #[error("\"{0}\" is not a field of a segment")]
    UnknownField(String),
    /// The same field twice.
    #[error("the segment's {0} is given twice")]
    Duplicate(&'static str),
    /// A field is absent.
    #[error("the segment has no {0}")]
    Missing(&'static str),
    /// A value that is not a number where one must be.
    #[error("the segment's {field} is \"{value}\", which is not a number")]
    Number {
        /// The field.
        field: &'static str,
        /// What it held.
        value: String,
    },
    /// An unknown format or flag.
    #[error(transparent)]
    Word(#[from] ParseWordError),
}

const FIELDS: [&str; 11] = [
    "format",
    "flags",
    "rate",
    "applied-rate",
    "base",
    "offset",
    "start",
    "stop",
    "time",
    "position",
    "duration",
];

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "format={} flags={} rate={:?} applied-rate={:?} base={} offset={} start={} stop={} time={} \
             position={} duration={}",
            self.format,
            self.flags,
            self.rate,
            self.applied_rate,
            self.base,
            self.offset,
            self.start,
            Maybe(self.stop),
            Maybe(self.time),
            Maybe(self.position),
            Maybe(self.duration),
        )
    }
}

impl FromStr for Segment {
    type Err = ParseSegmentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut values: [Option<&str>; FIELDS.len()] = [None; FIELDS.len()];
        for part in text.split_ascii_whitespace() {
            let found = part.split_once('=').and_then(|(key, value)| {
                FIELDS.iter().position(|field| *field == key).map(|index| (index, value))
            });
            let Some((index, value)) = found else {
                return Err(ParseSegmentError::UnknownField(part.to_owned()));
            };
            if values[index].replace(value).is_some() {
                return Err(ParseSegmentError::Duplicate(FIELDS[index]));
            }
        }
        let line = Line(values);
        Ok(Self {
            format: line.text(0)?.parse::<Format>()?,
            flags: line.text(1)?.parse::<SegmentFlags>()?,
            rate: line.number(2)?,
            applied_rate: line.number(3)?,
            base: line.number(4)?,
            offset: line.number(5)?,
            start: line.number(6)?,
            stop: line.maybe(7)?,
            time: line.maybe(8)?,
            position: line.maybe(9)?,
            duration: line.maybe(10)?,
        })
    }
}

/// The values of one line, in the order of [`FIELDS`].
struct Line<'a>([Option<&'a str>; FIELDS.len()]);

impl<'a> Line<'a> {
    fn text(&self, index: usize) -> Result<&'a str, ParseSegmentError> {
        self.0[index].ok_or(ParseSegmentError::Missing(FIELDS[index]))
    }

    fn number<T: FromStr>(&self, index: usize) -> Result<T, ParseSegmentError> {
        let value = self.text(index)?;
        value.parse().map_err(|_| ParseSegmentError::Number {
            field: FIELDS[index],
            value: value.to_owned(),
        })
    }

    fn maybe(&self, index: usize) -> Result<Option<u64>, ParseSegmentError> {
        if self.text(index)? == "none" { Ok(None) } else { self.number(index).map(Some) }
    }
}

struct Maybe(Option<u64>);

impl fmt::Display for Maybe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => write!(f, "{value}"),
            None => f.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segment_line_with_a_fault_says_which() {
        let line = Segment::time().to_string();
        let error = |text: &str| text.parse::<Segment>().unwrap_err().to_string();
        assert_eq!(error(&line.replace("stop=none", "")), "the segment has no stop");
        assert_eq!(
            error(&line.replace("base=0", "base=x")),
            "the segment's base is \"x\", which is not a number"
        );
        assert_eq!(error(&format!("{line} base=1")), "the segment's base is given twice");
        assert_eq!(error(&format!("{line} zoom=1")), "\"zoom=1\" is not a field of a segment");
        assert!(
            error(&line.replace("format=time", "format=hours"))
                .starts_with("\"hours\" is not a format")
        );
    }

    #[test]
    fn segment_line_carries_every_field() {
        let segment = Segment {
            format: Format::Bytes,
            flags: SegmentFlags::RESET | SegmentFlags::TRICKMODE_NO_AUDIO,
            rate: -0.1,
            applied_rate: 1e-300,
            base: 1,
            offset: 2,
            start: 3,
            stop: Some(u64::MAX - 1),
            time: None,
            position: Some(4),
            duration: Some(5),
        };
        assert_eq!(segment.to_string().parse(), Ok(segment));
        assert!(
            segment
                .to_string()
                .starts_with("format=bytes flags=reset+trickmode-no-audio rate=-0.1 ")
        );
    }
}
