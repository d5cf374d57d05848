//! [`AudioInfo`]: format, rate and channels of raw sound, as caps and back.
//!
//! Invariant: a mask that is not zero has as many bits as there are channels.
//! In GStreamer: `gst-libs/gst/audio/audio-info.c` (`gst_audio_info_from_caps`, `gst_audio_info_to_caps`),
//! `audio-channels.c` (`gst_audio_channel_get_fallback_mask`).
//! Left out: non-interleaved layout, channel orders other than GStreamer's.

use super::format::{AudioFormat, UnknownFormat};
use gst_mini_core::caps::Caps;
use gst_mini_core::structure::Structure;
use gst_mini_core::time::{ClockTime, scale};
use gst_mini_core::value::Value;

/// Caps of all sound that is handled here, for pad templates.
pub const RAW: &str = "audio/x-raw, format={ S16LE, S16BE, U16LE, U16BE, S24_32LE, S24_32BE, U24_32LE, U24_32BE, \
    S32LE, S32BE, U32LE, U32BE, S24LE, S24BE, U24LE, U24BE, S20LE, S20BE, U20LE, U20BE, S18LE, S18BE, U18LE, \
    U18BE, F32LE, F32BE, F64LE, F64BE, S8, U8 }, layout=interleaved, rate=[ 1, 2147483647 ], \
    channels=[ 1, 2147483647 ]";

/// The same, the most precise formats first, as converters list them.
pub const RAW_BY_PRECISION: &str = "audio/x-raw, format={ F64LE, F64BE, F32LE, F32BE, S32LE, S32BE, U32LE, U32BE, \
    S24_32LE, S24_32BE, U24_32LE, U24_32BE, S24LE, S24BE, U24LE, U24BE, S20LE, S20BE, U20LE, U20BE, S18LE, S18BE, \
    U18LE, U18BE, S16LE, S16BE, U16LE, U16BE, S8, U8 }, rate=[ 1, 2147483647 ], channels=[ 1, 2147483647 ], \
    layout=interleaved";

/// Why caps are no sound that can be handled here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    /// Another media type, or a field is missing or not fixed.
    #[error("{0} is no fixed raw sound: {1}")]
    Incomplete(String, &'static str),
    /// The format's name is unknown.
    #[error(transparent)]
    Format(#[from] UnknownFormat),
    /// The samples are not interleaved.
    #[error("the layout {0} is not supported; samples must be interleaved")]
    Layout(String),
    /// Mask and number of channels disagree.
    #[error("channel-mask {mask:#x} does not name {channels} places")]
    Mask {
        /// The mask.
        mask: u64,
        /// The number of channels.
        channels: u32,
    },
}

/// What raw sound is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AudioInfo {
    /// How one sample is stored.
    pub format: AudioFormat,
    /// Samples a second.
    pub rate: u32,
    /// How many channels.
    pub channels: u32,
    /// Where each channel belongs, a bit each in GStreamer's order of places; 0: nowhere. None for
    /// mono.
    pub mask: Option<u64>,
}

/// The places that so many channels have when nobody says; 0 for none.
pub fn fallback_mask(channels: u32) -> u64 {
    match channels {
        2 => 0x3,
        3 => 0xb,
        4 => 0x33,
        5 => 0x37,
        6 => 0x3f,
        7 => 0x13f,
        8 => 0xc3f,
        _ => 0,
    }
}

impl AudioInfo {
    /// Sound with the places that so many channels usually have.
    pub fn new(format: AudioFormat, rate: u32, channels: u32) -> AudioInfo {
        let mask = (channels != 1).then(|| fallback_mask(channels));
        AudioInfo { format, rate, channels, mask }
    }

    /// Bytes of one sample of each channel.
    pub fn frame_bytes(&self) -> usize {
        self.format.bytes() * self.channels as usize
    }

    /// When sample `n` is heard, rounded down; `None` if the rate is 0.
    pub fn time_of(&self, sample: u64) -> Option<ClockTime> {
        scale(sample, ClockTime::SECOND.nanos(), u64::from(self.rate)).map(ClockTime::from_nanos)
    }

    /// The sample that is heard at a time.
    pub fn sample_at(&self, position: ClockTime) -> u64 {
        scale(position.nanos(), u64::from(self.rate), ClockTime::SECOND.nanos()).unwrap_or(0)
    }

    /// Reads fixed caps.
    pub fn from_caps(caps: &Caps) -> Result<AudioInfo, AudioError> {
        let incomplete = |what| AudioError::Incomplete(caps.to_string(), what);
        let structure = match caps.structures() {
            [only] if only.name() == "audio/x-raw" => only,
            _ => return Err(incomplete("one structure audio/x-raw is needed")),
        };
        let format = structure.str("format").ok_or_else(|| incomplete("it has no format"))?;
        let format: AudioFormat = format.parse()?;
        match structure.str("layout") {
            Some("interleaved") => {}
            Some(other) => return Err(AudioError::Layout(other.to_owned())),
            None => return Err(incomplete("it has no layout")),
        }
        let number = |field: &str| {
            structure.int(field).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
        };
        let rate = number("rate").ok_or_else(|| incomplete("it has no rate"))?;
        let channels = number("channels").ok_or_else(|| incomplete("it has no channels"))?;
        let mask = match structure.get("channel-mask") {
            Some(Value::Bitmask(mask)) => Some(*mask),
            _ => None,
        };
        let mask = match (mask, channels) {
            (None | Some(0), 1) => None,
            (None, 2) => Some(fallback_mask(2)),
            (None, _) => return Err(incomplete("it has no channel-mask")),
            (Some(0), _) => Some(0),
            (Some(mask), _) if mask.count_ones() == channels => Some(mask),
            (Some(mask), _) => return Err(AudioError::Mask { mask, channels }),
        };
        Ok(AudioInfo { format, rate, channels, mask })
    }

    /// The same as caps.
    pub fn to_caps(&self) -> Caps {
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let mut structure = Structure::new("audio/x-raw")
            .with("format", self.format.name())
            .with("layout", "interleaved")
            .with("rate", number(self.rate))
            .with("channels", number(self.channels));
        if let Some(mask) = self.mask {
            structure.set("channel-mask", Value::Bitmask(mask));
        }
        Caps::new(structure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(caps: &str) -> Result<AudioInfo, AudioError> {
        AudioInfo::from_caps(&Caps::parse(caps).unwrap())
    }

    #[test]
    fn sound_survives_its_caps() {
        for format in AudioFormat::all() {
            for channels in 1..12 {
                let info = AudioInfo::new(format, 44_100, channels);
                let caps = info.to_caps();
                assert!(caps.is_subset_of(&Caps::parse(RAW).unwrap()), "{caps}");
                assert_eq!(AudioInfo::from_caps(&caps), Ok(info));
            }
        }
    }

    #[test]
    fn what_is_no_sound_is_refused_with_the_field_that_is_wrong() {
        let refused = |caps: &str| read(caps).unwrap_err().to_string();
        let rest = "layout=interleaved, rate=8000";
        assert!(refused("video/x-raw").contains("audio/x-raw is needed"));
        assert!(refused("audio/x-raw, format=S16LE, rate=1, channels=1").contains("no layout"));
        assert!(
            refused(&format!("audio/x-raw, format=S16LE, {rest}, channels=0"))
                .contains("no channels")
        );
        assert!(refused(&format!("audio/x-raw, format=S17, {rest}, channels=1")).contains("S17"));
        let planar = "audio/x-raw, format=U8, layout=non-interleaved, rate=8000, channels=1";
        assert!(refused(planar).contains("interleaved"));
        assert!(
            refused(&format!("audio/x-raw, format=U8, {rest}, channels=3"))
                .contains("channel-mask")
        );
        let wrong =
            format!("audio/x-raw, format=U8, {rest}, channels=3, channel-mask=(bitmask)0x3");
        assert!(refused(&wrong).contains("0x3 does not name 3"));
    }

    #[test]
    fn stereo_without_a_mask_is_left_and_right() {
        let info =
            read("audio/x-raw, format=U8, layout=interleaved, rate=8000, channels=2").unwrap();
        assert_eq!(info.mask, Some(3));
        let placeless = "audio/x-raw, format=U8, layout=interleaved, rate=8000, channels=2, channel-mask=(bitmask)0x0";
        assert_eq!(read(placeless).unwrap().mask, Some(0));
    }
}
