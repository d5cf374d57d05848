//! An [`AccessUnit`] is one coded picture, in the two shapes H.264 travels in.
//!
//! Invariant: an access unit holds NAL units without start codes; the byte stream has four-byte start
//! codes and keeps SPS and PPS, AVC has four-byte lengths and leaves them to `codec_data`.
//! In GStreamer: caps fields `stream-format=avc|byte-stream`, `alignment=au`; `gst-libs/gst/codecparsers`.
//! Left out: slice headers; SEI; more than one SPS or PPS; profiles above baseline in `codec_data`.

use std::fmt;
use std::ops::Range;

/// NAL unit type of a slice of an IDR picture.
pub const NAL_IDR: u8 = 5;
/// NAL unit type of a sequence parameter set.
pub const NAL_SPS: u8 = 7;
/// NAL unit type of a picture parameter set.
pub const NAL_PPS: u8 = 8;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// The NAL units of one picture, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessUnit {
    data: Vec<u8>,
    nals: Vec<Range<usize>>,
}

impl AccessUnit {
    /// Appends a NAL unit, with a start code of three or four bytes or none. An empty one is ignored.
    pub fn push(&mut self, nal: &[u8]) {
        let nal = strip_start_code(nal);
        if nal.is_empty() {
            return;
        }
        let start = self.data.len();
        self.data.extend_from_slice(nal);
        self.nals.push(start..self.data.len());
    }

    /// The NAL units, without start codes.
    pub fn nals(&self) -> impl Iterator<Item = &[u8]> {
        self.nals.iter().map(|range| &self.data[range.clone()])
    }

    /// Whether decoding can begin here.
    pub fn is_idr(&self) -> bool {
        self.nals().any(|nal| nal_type(nal) == NAL_IDR)
    }

    /// Bytes of all NAL units.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there is no NAL unit.
    pub fn is_empty(&self) -> bool {
        self.nals.is_empty()
    }

    /// The sequence parameter set, if this picture carries one.
    pub fn sps(&self) -> Option<&[u8]> {
        self.nals().find(|nal| nal_type(nal) == NAL_SPS)
    }

    /// The picture parameter set, if this picture carries one.
    pub fn pps(&self) -> Option<&[u8]> {
        self.nals().find(|nal| nal_type(nal) == NAL_PPS)
    }

    /// With start codes, SPS and PPS included: `stream-format=byte-stream`.
    pub fn to_byte_stream(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.data.len() + START_CODE.len() * self.nals.len());
        for nal in self.nals() {
            out.extend_from_slice(&START_CODE);
            out.extend_from_slice(nal);
        }
        out
    }

    /// With big-endian four-byte lengths, SPS and PPS left out: `stream-format=avc`.
    pub fn to_avc(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.data.len() + 4 * self.nals.len());
        for nal in self.nals().filter(|nal| !matches!(nal_type(nal), NAL_SPS | NAL_PPS)) {
            // A NAL unit of four gigabytes is beyond every level.
            out.extend_from_slice(&(nal.len() as u32).to_be_bytes());
            out.extend_from_slice(nal);
        }
        out
    }

    /// The AVCDecoderConfigurationRecord (ISO/IEC 14496-15), from this picture's SPS and PPS.
    pub fn codec_data(&self) -> Option<Vec<u8>> {
        let (sps, pps) = (self.sps()?, self.pps()?);
        let [_, profile, constraints, level, ..] = *sps else { return None };
        let (sps_len, pps_len) = (u16::try_from(sps.len()).ok()?, u16::try_from(pps.len()).ok()?);
        // Version 1; reserved bits set, lengths of 3 + 1 bytes; reserved bits set, one SPS.
        let mut record = vec![1, profile, constraints, level, 0xff, 0xe1];
        record.extend_from_slice(&sps_len.to_be_bytes());
        record.extend_from_slice(sps);
        record.push(1);
        record.extend_from_slice(&pps_len.to_be_bytes());
        record.extend_from_slice(pps);
        Some(record)
    }

    /// Profile and level of this picture's SPS, as caps name them.
    pub fn profile_level(&self) -> Option<ProfileLevel> {
        ProfileLevel::from_sps(self.sps()?)
    }
}

/// What a decoder must be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileLevel {
    /// `profile` in caps.
    pub profile: &'static str,
    /// Ten times the level; 9 is 1b.
    pub level_idc: u8,
}

impl ProfileLevel {
    /// Reads the three bytes behind an SPS's NAL header.
    pub fn from_sps(sps: &[u8]) -> Option<Self> {
        let [_, profile, constraints, level, ..] = *sps else { return None };
        let set = |bit: u8| constraints & (0x80 >> bit) != 0;
        let profile = match profile {
            66 if set(1) => "constrained-baseline",
            66 => "baseline",
            77 => "main",
            88 => "extended",
            100 => "high",
            _ => return None,
        };
        let level_idc = if level == 11 && set(3) { 9 } else { level };
        Some(ProfileLevel { profile, level_idc })
    }

    /// `level` in caps: `3`, `3.1`, `1b`.
    pub fn level(&self) -> String {
        LevelName(self.level_idc).to_string()
    }
}

struct LevelName(u8);

impl fmt::Display for LevelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 10, self.0 % 10) {
            (0, 9) => f.write_str("1b"),
            (major, 0) => write!(f, "{major}"),
            (major, minor) => write!(f, "{major}.{minor}"),
        }
    }
}

fn nal_type(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |header| header & 0x1f)
}

fn strip_start_code(nal: &[u8]) -> &[u8] {
    nal.strip_prefix(&START_CODE).or_else(|| nal.strip_prefix(&START_CODE[1..])).unwrap_or(nal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: [u8; 6] = [0x67, 66, 0xc0, 31, 0x8c, 0x8d];

    fn unit() -> AccessUnit {
        let mut unit = AccessUnit::default();
        unit.push(&[&[0, 0, 0, 1][..], &SPS].concat());
        unit.push(&[0, 0, 1, 0x68, 0xce]);
        unit.push(&[0x65, 0, 0, 3, 1, 9]);
        unit.push(&[0, 0, 1]);
        unit
    }

    #[test]
    fn start_codes_of_three_four_and_no_bytes_are_taken_off() {
        let unit = unit();
        let nals: Vec<_> = unit.nals().collect();
        assert_eq!(nals, [&SPS[..], &[0x68, 0xce], &[0x65, 0, 0, 3, 1, 9]]);
        assert!(unit.is_idr());
        assert_eq!(unit.len(), 14);
    }

    #[test]
    fn avc_has_lengths_and_no_parameter_sets() {
        assert_eq!(unit().to_avc(), [0, 0, 0, 6, 0x65, 0, 0, 3, 1, 9]);
    }

    #[test]
    fn byte_stream_keeps_parameter_sets() {
        let stream = unit().to_byte_stream();
        assert_eq!(stream[..5], [0, 0, 0, 1, 0x67]);
        assert_eq!(stream.windows(4).filter(|w| *w == START_CODE).count(), 3);
    }

    #[test]
    fn codec_data_is_the_avcc_record() {
        let record = unit().codec_data().unwrap();
        assert_eq!(record[..8], [1, 66, 0xc0, 31, 0xff, 0xe1, 0, 6]);
        assert_eq!(record[8..14], SPS);
        assert_eq!(record[14..], [1, 0, 2, 0x68, 0xce]);
        let mut without = AccessUnit::default();
        without.push(&[0x41, 1]);
        assert_eq!(without.codec_data(), None);
        without.push(&[0x67]);
        without.push(&[0x68]);
        assert_eq!(without.codec_data(), None, "an SPS that ends after its header");
    }

    #[test]
    fn profile_and_level_are_named_as_in_caps() {
        let named = |profile, constraints, level| {
            let found = ProfileLevel::from_sps(&[0x67, profile, constraints, level]).unwrap();
            (found.profile, found.level())
        };
        assert_eq!(named(66, 0xc0, 31), ("constrained-baseline", "3.1".to_owned()));
        assert_eq!(named(66, 0x80, 40), ("baseline", "4".to_owned()));
        assert_eq!(named(66, 0xd0, 11), ("constrained-baseline", "1b".to_owned()));
        assert_eq!(ProfileLevel::from_sps(&[0x67, 66]), None);
    }
}
