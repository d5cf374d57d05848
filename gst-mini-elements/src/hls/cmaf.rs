//! The boxes of CMAF: an init segment for one AVC track, and the head of a media segment.
//!
//! A media segment is `styp moof mdat`. Only what comes before the payload is made here
//! ([`segment_head`]); the samples follow as they are, so muxing copies no payload.
//!
//! Invariant: the decode time of a segment plus the durations of its samples is the decode time of
//! the next one; positions are rounded, durations are differences of positions, so nothing drifts.
//! In GStreamer: gst-plugins-rs `mux/isobmff` (`write_fmp4_header`, `write_fmp4_fragment_header`).
//! Left out: edit lists (signed composition offsets put the first frame at 0 instead), `sidx`,
//! `prft`, several fragments in a segment.

use gst_mini_core::time::ClockTime;
use mp4_atom::{
    Atom, Avc1, Avcc, Codec, Colr, Dinf, Dref, Encode, FourCC, Ftyp, Hdlr, Mdhd, Mdia, Mfhd, Minf,
    Moof, Moov, Mvex, Mvhd, Pasp, Stbl, Stco, Stsd, Styp, Tfdt, Tfhd, Tkhd, Traf, Trak, Trex, Trun,
    TrunEntry, Url, Visual, Vmhd,
};

use super::avc::{self, AvcError, StreamInfo};

/// Ticks a second when the frame rate is unknown: exact for 24, 25, 30, 50, 60 and 30000/1001.
pub const DEFAULT_TIMESCALE: u32 = 90_000;

const TRACK_ID: u32 = 1;
/// This frame needs no other (ISO/IEC 14496-12, 8.8.3.1).
const SYNC_FLAGS: u32 = 0x0200_0000;
/// This frame needs others and is not a sync sample.
const DELTA_FLAGS: u32 = 0x0101_0000;

/// What a stream is: everything the init segment depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The AVC decoder configuration record, as in caps.
    pub codec_data: Vec<u8>,
    /// Width in pixels; 0 to take the stream's word.
    pub width: u32,
    /// Height in pixels; 0 to take the stream's word.
    pub height: u32,
    /// Frames a second as a fraction, if known and constant.
    pub frame_rate: Option<(u32, u32)>,
}

/// Why a track or a segment cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// The codec data is unusable.
    #[error(transparent)]
    Avc(#[from] AvcError),
    /// Caps and stream tell different sizes.
    #[error("caps say {caps_width}x{caps_height}, the stream itself says {width}x{height}")]
    SizeMismatch {
        /// Width in the caps, pixels.
        caps_width: u32,
        /// Height in the caps, pixels.
        caps_height: u32,
        /// Width in the stream, pixels.
        width: u32,
        /// Height in the stream, pixels.
        height: u32,
    },
    /// A number does not fit into its box field.
    #[error("{0} does not fit into an MP4 box")]
    TooLarge(&'static str),
    /// The box writer refused.
    #[error("the boxes could not be written: {0}")]
    Boxes(String),
}

impl From<mp4_atom::Error> for TrackError {
    fn from(error: mp4_atom::Error) -> Self {
        TrackError::Boxes(error.to_string())
    }
}

impl Track {
    /// Ticks a second in which every frame of this track has a whole number of ticks.
    pub fn timescale(&self) -> u32 {
        timescale(self.frame_rate)
    }

    /// The RFC 6381 codecs string.
    pub fn codecs(&self) -> Result<String, TrackError> {
        Ok(avc::codecs_string(&self.codec_data)?)
    }

    /// What the stream says about itself, checked against the size in the caps.
    pub fn stream_info(&self) -> Result<StreamInfo, TrackError> {
        let info = avc::stream_info(&self.codec_data)?;
        let differs = |caps: u32, stream: u32| caps != 0 && caps != stream;
        if differs(self.width, info.width) || differs(self.height, info.height) {
            return Err(TrackError::SizeMismatch {
                caps_width: self.width,
                caps_height: self.height,
                width: info.width,
                height: info.height,
            });
        }
        Ok(info)
    }

    /// The init segment: `ftyp moov`.
    pub fn init_segment(&self) -> Result<Vec<u8>, TrackError> {
        let info = self.stream_info()?;
        let pixels = |value: u32| u16::try_from(value).map_err(|_| TrackError::TooLarge("size"));
        let (par_n, par_d) = info.pixel_aspect_ratio;
        let shown_width = u64::from(info.width) * u64::from(par_n) / u64::from(par_d.max(1));
        let avc1 = Avc1 {
            visual: Visual {
                data_reference_index: 1,
                width: pixels(info.width)?,
                height: pixels(info.height)?,
                ..Default::default()
            },
            avcc: Avcc::decode_body(&mut self.codec_data.as_slice())?,
            colr: info.color.map(|color| Colr::Nclx {
                colour_primaries: color.primaries,
                transfer_characteristics: color.transfer,
                matrix_coefficients: color.matrix,
                full_range_flag: color.full_range,
            }),
            pasp: Some(Pasp { h_spacing: par_n, v_spacing: par_d }),
            ..Default::default()
        };
        let stbl = Stbl {
            stsd: Stsd { codecs: vec![Codec::Avc1(avc1)] },
            stco: Some(Stco::default()),
            ..Default::default()
        };
        let minf = Minf {
            vmhd: Some(Vmhd::default()),
            dinf: Dinf { dref: Dref { entries: vec![Url::default().into()] } },
            stbl,
            ..Default::default()
        };
        let trak = Trak {
            tkhd: Tkhd {
                track_id: TRACK_ID,
                enabled: true,
                in_movie: true,
                width: u16::try_from(shown_width).unwrap_or(u16::MAX).into(),
                height: pixels(info.height)?.into(),
                ..Default::default()
            },
            mdia: Mdia {
                mdhd: Mdhd {
                    timescale: self.timescale(),
                    language: "und".into(),
                    ..Default::default()
                },
                hdlr: Hdlr { handler: FourCC::new(b"vide"), name: "video".into() },
                minf,
            },
            ..Default::default()
        };
        let moov = Moov {
            mvhd: Mvhd {
                timescale: self.timescale(),
                rate: 1.into(),
                volume: 1.into(),
                next_track_id: TRACK_ID + 1,
                ..Default::default()
            },
            mvex: Some(Mvex {
                mehd: None,
                trex: vec![Trex {
                    track_id: TRACK_ID,
                    default_sample_description_index: 1,
                    ..Default::default()
                }],
            }),
            trak: vec![trak],
            ..Default::default()
        };
        let ftyp = Ftyp {
            major_brand: FourCC::new(b"cmf2"),
            minor_version: 0,
            compatible_brands: brands([b"cmf2", b"cmfc", b"iso6"]),
        };
        let mut bytes = Vec::with_capacity(1024);
        ftyp.encode(&mut bytes)?;
        moov.encode(&mut bytes)?;
        Ok(bytes)
    }
}

/// Ticks a second for a frame rate: its numerator, times ten until positions are finer than 0.1 ms.
pub fn timescale(frame_rate: Option<(u32, u32)>) -> u32 {
    let Some((mut ticks @ 1..=10_000_000, 1..)) = frame_rate else { return DEFAULT_TIMESCALE };
    while ticks < 10_000 {
        ticks *= 10;
    }
    ticks
}

/// The whole tick nearest to a signed length of time in nanoseconds.
pub fn ticks_from_nanos(nanos: i64, timescale: u32) -> i64 {
    let scaled = i128::from(nanos) * i128::from(timescale) + 500_000_000;
    i64::try_from(scaled.div_euclid(1_000_000_000)).unwrap_or(i64::MAX)
}

/// The length of time nearest to a number of ticks.
pub fn time_from_ticks(ticks: u64, timescale: u32) -> ClockTime {
    let nanos = gst_mini_core::time::scale_round(ticks, 1_000_000_000, u64::from(timescale));
    ClockTime::from_nanos(nanos.unwrap_or(0))
}

/// One sample as the movie fragment describes it; lengths in ticks and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentSample {
    /// Until the next sample is decoded.
    pub duration: u32,
    /// Bytes of payload.
    pub size: u32,
    /// Presentation minus decode position; negative where reordering asks for it.
    pub composition_offset: i32,
    /// Whether decoding can begin here.
    pub is_sync: bool,
}

/// Everything of a media segment that comes before its payload: `styp moof` and the head of `mdat`.
///
/// `decode_time` is the position of the first sample in ticks. The samples' bytes must follow in
/// order, without gaps.
pub fn segment_head(
    sequence_number: u32,
    decode_time: u64,
    samples: &[FragmentSample],
) -> Result<Vec<u8>, TrackError> {
    let payload: u64 = samples.iter().map(|sample| u64::from(sample.size)).sum();
    let mdat_size = u32::try_from(payload + 8).map_err(|_| TrackError::TooLarge("a segment"))?;
    let reordered = samples.iter().any(|sample| sample.composition_offset != 0);
    let entries: Vec<TrunEntry> = samples
        .iter()
        .map(|sample| TrunEntry {
            duration: Some(sample.duration),
            size: Some(sample.size),
            flags: Some(if sample.is_sync { SYNC_FLAGS } else { DELTA_FLAGS }),
            cts: reordered.then_some(i64::from(sample.composition_offset)),
        })
        .collect();
    let mut moof = Moof {
        mfhd: Mfhd { sequence_number },
        traf: vec![Traf {
            tfhd: Tfhd { track_id: TRACK_ID, default_base_is_moof: true, ..Default::default() },
            tfdt: Some(Tfdt { base_media_decode_time: decode_time }),
            trun: vec![Trun { data_offset: Some(0), samples: entries.into() }],
            ..Default::default()
        }],
    };
    let styp = Styp {
        major_brand: FourCC::new(b"cmfs"),
        minor_version: 0,
        compatible_brands: brands([b"cmfs", b"cmff", b"msdh"]),
    };
    let mut bytes = Vec::with_capacity(160 + samples.len() * 16);
    styp.encode(&mut bytes)?;
    let moof_start = bytes.len();
    moof.encode(&mut bytes)?;
    // The payload's place counts from the moof, whose length is only known once it is written.
    let offset = bytes.len() - moof_start + 8;
    let offset = i32::try_from(offset).map_err(|_| TrackError::TooLarge("the sample table"))?;
    moof.traf[0].trun[0].data_offset = Some(offset);
    bytes.truncate(moof_start);
    moof.encode(&mut bytes)?;
    bytes.extend_from_slice(&mdat_size.to_be_bytes());
    bytes.extend_from_slice(b"mdat");
    Ok(bytes)
}

fn brands<const N: usize>(names: [&[u8; 4]; N]) -> Vec<FourCC> {
    names.into_iter().map(FourCC::new).collect()
}
