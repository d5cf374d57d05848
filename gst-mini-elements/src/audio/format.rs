//! How one sample is stored.
//!
//! A sample is worked on as a 32-bit number with the sign bit on top, or as a double when it is a
//! float; narrower integers are the upper bits of the former.
//!
//! Invariant: `get` of what `put` wrote is the sample with the bits below its depth cut off.
//! In GStreamer: `gst-libs/gst/audio/audio-format.c` (`gst_audio_format_get_info`, pack and unpack functions).
//! Left out: formats whose samples are no whole number of bytes.

use std::fmt;
use std::str::FromStr;

/// What the bits of a sample mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Two's complement.
    Signed,
    /// Silence is in the middle of the range.
    Unsigned,
    /// IEEE 754, full scale is 1.
    Float,
}

/// How one sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AudioFormat {
    kind: Kind,
    width: u8,
    depth: u8,
    is_big_endian: bool,
}

const fn f(kind: Kind, width: u8, depth: u8, is_big_endian: bool) -> AudioFormat {
    AudioFormat { kind, width, depth, is_big_endian }
}

/// In the order in which GStreamer's caps list them.
const NAMES: [(&str, AudioFormat); 30] = [
    ("S16LE", AudioFormat::S16LE),
    ("S16BE", f(Kind::Signed, 16, 16, true)),
    ("U16LE", f(Kind::Unsigned, 16, 16, false)),
    ("U16BE", f(Kind::Unsigned, 16, 16, true)),
    ("S24_32LE", f(Kind::Signed, 32, 24, false)),
    ("S24_32BE", f(Kind::Signed, 32, 24, true)),
    ("U24_32LE", f(Kind::Unsigned, 32, 24, false)),
    ("U24_32BE", f(Kind::Unsigned, 32, 24, true)),
    ("S32LE", AudioFormat::S32LE),
    ("S32BE", f(Kind::Signed, 32, 32, true)),
    ("U32LE", f(Kind::Unsigned, 32, 32, false)),
    ("U32BE", f(Kind::Unsigned, 32, 32, true)),
    ("S24LE", AudioFormat::S24LE),
    ("S24BE", f(Kind::Signed, 24, 24, true)),
    ("U24LE", f(Kind::Unsigned, 24, 24, false)),
    ("U24BE", f(Kind::Unsigned, 24, 24, true)),
    ("S20LE", f(Kind::Signed, 24, 20, false)),
    ("S20BE", f(Kind::Signed, 24, 20, true)),
    ("U20LE", f(Kind::Unsigned, 24, 20, false)),
    ("U20BE", f(Kind::Unsigned, 24, 20, true)),
    ("S18LE", f(Kind::Signed, 24, 18, false)),
    ("S18BE", f(Kind::Signed, 24, 18, true)),
    ("U18LE", f(Kind::Unsigned, 24, 18, false)),
    ("U18BE", f(Kind::Unsigned, 24, 18, true)),
    ("F32LE", AudioFormat::F32LE),
    ("F32BE", f(Kind::Float, 32, 32, true)),
    ("F64LE", AudioFormat::F64LE),
    ("F64BE", f(Kind::Float, 64, 64, true)),
    ("S8", f(Kind::Signed, 8, 8, false)),
    ("U8", AudioFormat::U8),
];

impl AudioFormat {
    /// 8 bits, silence is 128.
    pub const U8: AudioFormat = f(Kind::Unsigned, 8, 8, false);
    /// 16 bits.
    pub const S16LE: AudioFormat = f(Kind::Signed, 16, 16, false);
    /// 24 bits in three bytes.
    pub const S24LE: AudioFormat = f(Kind::Signed, 24, 24, false);
    /// 32 bits.
    pub const S32LE: AudioFormat = f(Kind::Signed, 32, 32, false);
    /// Single precision.
    pub const F32LE: AudioFormat = f(Kind::Float, 32, 32, false);
    /// Double precision.
    pub const F64LE: AudioFormat = f(Kind::Float, 64, 64, false);

    /// All formats, in the order in which GStreamer's caps list them.
    pub fn all() -> impl Iterator<Item = AudioFormat> {
        NAMES.iter().map(|(_, format)| *format)
    }

    /// Its name in caps.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// What the bits mean.
    pub const fn kind(self) -> Kind {
        self.kind
    }
    /// Bits a sample takes.
    pub const fn width(self) -> u32 {
        self.width as u32
    }
    /// Bits of a sample that carry sound.
    pub const fn depth(self) -> u32 {
        self.depth as u32
    }
    /// Bytes a sample takes.
    pub const fn bytes(self) -> usize {
        self.width as usize / 8
    }
    /// Whether the first byte is the one of most weight; no matter for single bytes.
    pub const fn is_big_endian(self) -> bool {
        self.is_big_endian
    }
    /// Whether samples are floats.
    pub const fn is_float(self) -> bool {
        matches!(self.kind, Kind::Float)
    }

    /// Stores an integer sample whose sign bit is on top. `out` has [`AudioFormat::bytes`] bytes.
    #[inline]
    pub fn put_i32(self, sample: i32, out: &mut [u8]) {
        let unused = 32 - u32::from(self.depth.min(32));
        let bits = match self.kind {
            Kind::Unsigned => (sample as u32 ^ 0x8000_0000) >> unused,
            // What a three-byte sample does not use is zero, what a four-byte one does not is its sign.
            _ if self.width == 24 => sample as u32 >> unused,
            _ => (sample >> unused) as u32,
        };
        if self.is_big_endian {
            out.copy_from_slice(&bits.to_be_bytes()[4 - out.len()..]);
        } else {
            out.copy_from_slice(&bits.to_le_bytes()[..out.len()]);
        }
    }

    /// Reads an integer sample, its sign bit on top. `stored` has [`AudioFormat::bytes`] bytes.
    #[inline]
    pub fn get_i32(self, stored: &[u8]) -> i32 {
        let mut bytes = [0; 4];
        let bits = if self.is_big_endian {
            bytes[4 - stored.len()..].copy_from_slice(stored);
            u32::from_be_bytes(bytes)
        } else {
            bytes[..stored.len()].copy_from_slice(stored);
            u32::from_le_bytes(bytes)
        };
        let high = bits << (32 - u32::from(self.depth.min(32)));
        match self.kind {
            Kind::Unsigned => (high ^ 0x8000_0000) as i32,
            _ => high as i32,
        }
    }

    /// Stores a float sample. `out` has [`AudioFormat::bytes`] bytes.
    #[inline]
    pub fn put_f64(self, sample: f64, out: &mut [u8]) {
        match (self.width, self.is_big_endian) {
            (32, false) => out.copy_from_slice(&(sample as f32).to_le_bytes()),
            (32, true) => out.copy_from_slice(&(sample as f32).to_be_bytes()),
            (_, false) => out.copy_from_slice(&sample.to_le_bytes()),
            (_, true) => out.copy_from_slice(&sample.to_be_bytes()),
        }
    }

    /// Reads a float sample. `stored` has [`AudioFormat::bytes`] bytes.
    #[inline]
    pub fn get_f64(self, stored: &[u8]) -> f64 {
        let mut bytes = [0; 8];
        bytes[..stored.len()].copy_from_slice(stored);
        let single = [bytes[0], bytes[1], bytes[2], bytes[3]];
        match (self.width, self.is_big_endian) {
            (32, false) => f32::from_le_bytes(single).into(),
            (32, true) => f32::from_be_bytes(single).into(),
            (_, false) => f64::from_le_bytes(bytes),
            (_, true) => f64::from_be_bytes(bytes),
        }
    }

    /// Fills bytes with silence.
    pub fn silence(self, out: &mut [u8]) {
        if self.kind != Kind::Unsigned {
            out.fill(0);
            return;
        }
        for sample in out.chunks_exact_mut(self.bytes()) {
            self.put_i32(0, sample);
        }
    }
}

impl fmt::Display for AudioFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no sample format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no sample format that is known here")]
pub struct UnknownFormat(String);

impl FromStr for AudioFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, format)| *format).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_integer_is_read_back_without_the_bits_below_its_depth() {
        for format in AudioFormat::all().filter(|format| !format.is_float()) {
            let mut stored = vec![0; format.bytes()];
            for sample in [0, 1, -1, i32::MAX, i32::MIN, 0x1234_5678, -0x1234_5678] {
                format.put_i32(sample, &mut stored);
                let kept = u32::MAX << (32 - format.depth());
                assert_eq!(format.get_i32(&stored), sample & kept as i32, "{format} {sample:#x}");
            }
        }
    }

    #[test]
    fn a_stored_float_is_read_back() {
        for format in AudioFormat::all().filter(|format| format.is_float()) {
            let mut stored = vec![0; format.bytes()];
            format.put_f64(-0.75, &mut stored);
            assert_eq!(format.get_f64(&stored), -0.75, "{format}");
        }
    }

    #[test]
    fn names_are_read_back_and_others_refused() {
        for format in AudioFormat::all() {
            assert_eq!(format.name().parse(), Ok(format));
        }
        assert!("S16".parse::<AudioFormat>().unwrap_err().to_string().starts_with("S16 is no"));
    }

    #[test]
    fn unsigned_silence_is_in_the_middle() {
        let mut bytes = [0; 4];
        AudioFormat::U8.silence(&mut bytes);
        assert_eq!(bytes, [128; 4]);
        f(Kind::Unsigned, 32, 24, false).silence(&mut bytes);
        assert_eq!(bytes, [0, 0, 128, 0]);
    }
}
