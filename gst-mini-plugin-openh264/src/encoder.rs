//! An [`H264Encoder`] turns I420 pictures into access units, one for one.
//!
//! Invariant: every picture gives exactly one access unit, in order (no frame is skipped, none is
//! held back); every IDR picture carries SPS and PPS, and these stay the same for an encoder's life.
//! In GStreamer: `ext/openh264/gstopenh264enc.cpp` of gst-plugins-bad.
//! Left out: rate control other than by bitrate, several slices, layers or threads, screen content.

use std::ffi::c_int;
use std::mem::discriminant;

use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Level,
    Profile, RateControlMode, SpsPpsStrategy, VuiConfig,
};
use openh264::formats::YUVSource;
use openh264::{OpenH264API, Timestamp};

use crate::avc::AccessUnit;

/// Why the encoder could not be made or did not take a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Chroma at half size needs even sides.
    #[error(
        "openh264 cannot encode {0}x{1}: width and height must be even; put `videoscale ! \
         video/x-raw,width={w},height={h}` before it", w = (.0 + 1) & !1, h = (.1 + 1) & !1
    )]
    OddSize(u32, u32),
    /// Smaller or larger than the codec takes.
    #[error(
        "openh264 cannot encode {0}x{1}: it takes 16x16 to 3840x2160 (or 2160x3840); put \
         `videoscale` before it"
    )]
    Size(u32, u32),
    /// Rate and size together are beyond level 5.2.
    #[error(
        "{width}x{height} at {fps} frames/s and {bitrate} bit/s is beyond H.264 level 5.2; lower one of them"
    )]
    Level {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
        /// Rounded up.
        fps: u64,
        /// In bit/s.
        bitrate: u32,
    },
    /// A setting out of range.
    #[error("{name}={value} is not supported; {hint}")]
    Setting {
        /// As the property is named.
        name: &'static str,
        /// What was asked for.
        value: String,
        /// What would be accepted.
        hint: &'static str,
    },
    /// The planes do not hold the picture they are said to.
    #[error("the {plane} plane needs {need} bytes at stride {stride}, {have} were given")]
    Plane {
        /// Y, U or V.
        plane: char,
        /// Bytes needed.
        need: usize,
        /// Bytes from row to row.
        stride: usize,
        /// Bytes given.
        have: usize,
    },
    /// U and V must be laid out alike.
    #[error("openh264 needs equal strides of U and V, got {0} and {1}")]
    ChromaStrides(usize, usize),
    /// The codec itself gave up.
    #[error("openh264: {0}")]
    Codec(String),
}

/// The matrix that is written into the stream; luma is always 16 to 235.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matrix {
    /// `colorimetry=bt601`.
    Bt601,
    /// `colorimetry=bt709`.
    Bt709,
}

/// What an encoder is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// In pixels, even.
    pub width: u32,
    /// In pixels, even.
    pub height: u32,
    /// Frames per second, numerator and denominator, both above 0.
    pub fps: (i32, i32),
    /// Aimed at, in bit/s.
    pub bitrate: u32,
    /// Pictures from one IDR to the next; 0: only the first, and those that are asked for.
    pub gop_size: u32,
    /// What the samples mean.
    pub matrix: Matrix,
    /// Time against quality.
    pub effort: Effort,
}

/// How much time a picture may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Effort {
    /// `complexity=low`
    Low,
    /// `complexity=medium`
    #[default]
    Medium,
    /// `complexity=high`
    High,
}

/// One I420 picture, borrowed: rows may be padded to any stride.
#[derive(Debug, Clone, Copy)]
pub struct I420Frame<'a> {
    /// Y, U and V, each from its first row on.
    pub planes: [&'a [u8]; 3],
    /// Bytes from row to row; those of U and V are equal.
    pub strides: [usize; 3],
}

/// Encodes one stream. Calls come from one thread at a time.
pub struct H264Encoder {
    settings: Settings,
    encoder: Encoder,
    frames: u64,
}

impl H264Encoder {
    /// Checks the settings and makes an encoder; memory is taken at the first picture.
    pub fn new(settings: Settings) -> Result<Self, EncodeError> {
        let level = check(&settings)?;
        let hertz = settings.fps.0 as f32 / settings.fps.1 as f32;
        let config = EncoderConfig::new()
            .bitrate(BitRate::from_bps(settings.bitrate))
            .max_frame_rate(FrameRate::from_hz(hertz))
            .rate_control_mode(RateControlMode::Bitrate)
            .skip_frames(false)
            // Would put an IDR picture where the segmenter did not ask for one.
            .scene_change_detect(false)
            .sps_pps_strategy(SpsPpsStrategy::ConstantId)
            .num_threads(1)
            .profile(Profile::Baseline)
            .level(level)
            .complexity(match settings.effort {
                Effort::Low => Complexity::Low,
                Effort::Medium => Complexity::Medium,
                Effort::High => Complexity::High,
            })
            .intra_frame_period(IntraFramePeriod::from_num_frames(settings.gop_size))
            .vui(match settings.matrix {
                Matrix::Bt601 => VuiConfig::bt601(),
                Matrix::Bt709 => VuiConfig::bt709(),
            });
        let mut encoder =
            Encoder::with_api_config(OpenH264API::from_source(), config).map_err(codec)?;
        // Or it writes to stderr that without skipping pictures the bitrate is not kept exactly.
        // The codec's own default holds until the first picture, where the crate sets it again.
        set_option(&mut encoder, OPTION_TRACE_LEVEL, &mut 0)?;
        Ok(H264Encoder { settings, encoder, frames: 0 })
    }

    /// What the encoder was made for.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Aims at another bitrate from the next picture on. Where that takes another level, the next
    /// picture is an IDR picture with new parameter sets.
    pub fn set_bitrate(&mut self, bitrate: u32) -> Result<(), EncodeError> {
        let settings = Settings { bitrate, ..self.settings.clone() };
        let same_level = discriminant(&check(&settings)?) == discriminant(&check(&self.settings)?);
        if self.frames == 0 || !same_level {
            *self = H264Encoder::new(settings)?;
            return Ok(());
        }
        // The level bounds it far below what an int holds.
        let mut info = BitrateInfo { layer: LAYER_ALL, bitrate: bitrate as c_int };
        // The maximum goes first when it rises and last when it falls: it never lies below the target.
        let mut order = [OPTION_MAX_BITRATE, OPTION_BITRATE];
        if bitrate < self.settings.bitrate {
            order.reverse();
        }
        for option in order {
            set_option(&mut self.encoder, option, &mut info)?;
        }
        self.settings = settings;
        Ok(())
    }

    /// Encodes the next picture, as an IDR picture if `force_idr`. The samples are not copied.
    pub fn encode(
        &mut self,
        frame: I420Frame<'_>,
        force_idr: bool,
    ) -> Result<AccessUnit, EncodeError> {
        let source = Source::new(frame, &self.settings)?;
        // The first picture is an IDR picture anyway, and before it there is nothing to force.
        if force_idr && self.frames > 0 {
            self.encoder.force_intra_frame();
        }
        let (rate, per) = (self.settings.fps.0 as u64, self.settings.fps.1 as u64);
        let at = Timestamp::from_millis((self.frames % (1 << 40)) * 1000 * per / rate);
        self.frames += 1;
        let stream = self.encoder.encode_at(&source, at).map_err(codec)?;
        if matches!(stream.frame_type(), FrameType::Skip | FrameType::Invalid) {
            let number = self.frames - 1;
            return Err(EncodeError::Codec(format!("picture {number} was not encoded")));
        }
        let mut unit = AccessUnit::default();
        for layer in (0..stream.num_layers()).filter_map(|i| stream.layer(i)) {
            for nal in (0..layer.nal_count()).filter_map(|i| layer.nal_unit(i)) {
                unit.push(nal);
            }
        }
        Ok(unit)
    }
}

/// A frame whose planes were found long enough.
struct Source<'a> {
    frame: I420Frame<'a>,
    width: usize,
    height: usize,
}

impl<'a> Source<'a> {
    fn new(frame: I420Frame<'a>, settings: &Settings) -> Result<Self, EncodeError> {
        let (width, height) = (settings.width as usize, settings.height as usize);
        let sides = [(width, height), (width / 2, height / 2), (width / 2, height / 2)];
        for (i, (plane, (width, height))) in frame.planes.iter().zip(sides).enumerate() {
            let stride = frame.strides[i];
            let need = stride.saturating_mul(height - 1).saturating_add(width);
            if plane.len() < need || stride < width || i32::try_from(stride).is_err() {
                let plane_name = ['Y', 'U', 'V'][i];
                return Err(EncodeError::Plane {
                    plane: plane_name,
                    need,
                    stride,
                    have: plane.len(),
                });
            }
        }
        if frame.strides[1] != frame.strides[2] {
            return Err(EncodeError::ChromaStrides(frame.strides[1], frame.strides[2]));
        }
        Ok(Source { frame, width, height })
    }
}

impl YUVSource for Source<'_> {
    fn dimensions(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.frame.strides[0], self.frame.strides[1], self.frame.strides[2])
    }

    fn y(&self) -> &[u8] {
        self.frame.planes[0]
    }

    fn u(&self) -> &[u8] {
        self.frame.planes[1]
    }

    fn v(&self) -> &[u8] {
        self.frame.planes[2]
    }
}

/// `ENCODER_OPTION` of the codec's C interface (`codec_app_def.h`).
const OPTION_BITRATE: c_int = 5;
const OPTION_MAX_BITRATE: c_int = 6;
const OPTION_TRACE_LEVEL: c_int = 25;
/// `SPATIAL_LAYER_ALL`
const LAYER_ALL: c_int = 4;

/// `SBitrateInfo`
#[repr(C)]
struct BitrateInfo {
    layer: c_int,
    bitrate: c_int,
}

/// What an option's value may be, so that no other type is handed to the codec.
trait OptionValue {
    const FOR: &'static [c_int];
}

impl OptionValue for c_int {
    const FOR: &'static [c_int] = &[OPTION_TRACE_LEVEL];
}

impl OptionValue for BitrateInfo {
    const FOR: &'static [c_int] = &[OPTION_BITRATE, OPTION_MAX_BITRATE];
}

fn set_option<T: OptionValue>(
    encoder: &mut Encoder,
    option: c_int,
    value: &mut T,
) -> Result<(), EncodeError> {
    if !T::FOR.contains(&option) {
        return Err(EncodeError::Codec(format!("option {option} has another type")));
    }
    // SAFETY: the encoder is alive, the value has the option's type and lives for the call, and
    // the crate relies on none of these options.
    let result = unsafe { encoder.raw_api().set_option(option, (&raw mut *value).cast()) };
    match result {
        0 => Ok(()),
        code => Err(EncodeError::Codec(format!("option {option} was refused with {code}"))),
    }
}

fn codec(error: openh264::Error) -> EncodeError {
    EncodeError::Codec(error.to_string())
}

/// Level, macroblocks a second, macroblocks a picture, kbit/s (H.264 table A-1).
const LEVELS: [(Level, u64, u64, u64); 16] = [
    (Level::Level_1_0, 1_485, 99, 64),
    (Level::Level_1_1, 3_000, 396, 192),
    (Level::Level_1_2, 6_000, 396, 384),
    (Level::Level_1_3, 11_880, 396, 768),
    (Level::Level_2_0, 11_880, 396, 2_000),
    (Level::Level_2_1, 19_800, 792, 4_000),
    (Level::Level_2_2, 20_250, 1_620, 4_000),
    (Level::Level_3_0, 40_500, 1_620, 10_000),
    (Level::Level_3_1, 108_000, 3_600, 14_000),
    (Level::Level_3_2, 216_000, 5_120, 20_000),
    (Level::Level_4_0, 245_760, 8_192, 20_000),
    (Level::Level_4_1, 245_760, 8_192, 50_000),
    (Level::Level_4_2, 522_240, 8_704, 50_000),
    (Level::Level_5_0, 589_824, 22_080, 135_000),
    (Level::Level_5_1, 983_040, 36_864, 240_000),
    (Level::Level_5_2, 2_073_600, 36_864, 240_000),
];

/// Refuses what cannot be encoded; the lowest level that holds the rest.
fn check(settings: &Settings) -> Result<Level, EncodeError> {
    let Settings { width, height, fps, bitrate, .. } = *settings;
    let (long, short) = (width.max(height), width.min(height));
    if short < 16 || long > 3840 || short > 2160 {
        return Err(EncodeError::Size(width, height));
    }
    if width % 2 == 1 || height % 2 == 1 {
        return Err(EncodeError::OddSize(width, height));
    }
    if fps.0 <= 0 || fps.1 <= 0 {
        let value = format!("{}/{}", fps.0, fps.1);
        let hint = "put `videorate` and a fixed framerate before it";
        return Err(EncodeError::Setting { name: "framerate", value, hint });
    }
    if bitrate < 1_000 {
        let value = bitrate.to_string();
        let hint = "it is in bit/s, at least 1000";
        return Err(EncodeError::Setting { name: "bitrate", value, hint });
    }
    let (across, down) = (u64::from(width).div_ceil(16), u64::from(height).div_ceil(16));
    let blocks = across * down;
    let per_second = (blocks * fps.0 as u64).div_ceil(fps.1 as u64);
    LEVELS
        .iter()
        .find(|(_, rate, size, kbit)| {
            // No side may be longer than the root of eight times the level's picture.
            let side = across.max(down).pow(2) <= 8 * size;
            per_second <= *rate && blocks <= *size && side && u64::from(bitrate) <= kbit * 1000
        })
        .map(|(level, ..)| *level)
        .ok_or_else(|| {
            let fps = (fps.0 as u64).div_ceil(fps.1 as u64);
            EncodeError::Level { width, height, fps, bitrate }
        })
}

#[cfg(test)]
#[path = "encoder_tests.rs"]
mod tests;
