//! Reads the frames of a fragmented MP4 file back, so that tests can feed real H.264.

use gst_mini_core::time::{ClockTime, scale};
use gst_mini_elements::hls::{Sample, Track};
use mp4_atom::{Any, Atom, Codec, Decode};

/// What one file holds: its format, and its frames on a timeline of nanoseconds.
pub struct Clip {
    pub track: Track,
    pub samples: Vec<Sample<Vec<u8>>>,
}

impl Clip {
    /// Reads `ftyp moov (moof mdat)*` with all sample fields in trun or tfhd.
    pub fn read(mut file: &[u8], frame_rate: (u32, u32)) -> Clip {
        let (mut track, mut timescale, mut default_duration) = (None, 1, 0);
        let (mut runs, mut samples, mut dts) = (Vec::new(), Vec::new(), 0_u64);
        while !file.is_empty() {
            match Any::decode(&mut file).unwrap() {
                Any::Moov(moov) => {
                    let mdia = &moov.trak[0].mdia;
                    timescale = u64::from(mdia.mdhd.timescale);
                    default_duration = moov.mvex.unwrap().trex[0].default_sample_duration;
                    let Codec::Avc1(avc1) = &mdia.minf.stbl.stsd.codecs[0] else { panic!() };
                    let mut codec_data = Vec::new();
                    avc1.avcc.encode_body(&mut codec_data).unwrap();
                    track = Some(Track {
                        codec_data,
                        width: avc1.visual.width.into(),
                        height: avc1.visual.height.into(),
                        frame_rate: Some(frame_rate),
                    });
                }
                Any::Moof(moof) => {
                    let traf = &moof.traf[0];
                    let duration = traf.tfhd.default_sample_duration.unwrap_or(default_duration);
                    let flags = traf.tfhd.default_sample_flags.unwrap_or(0);
                    for entry in traf.trun[0].samples.iter() {
                        let size = entry.size.or(traf.tfhd.default_sample_size).unwrap();
                        let is_sync = entry.flags.unwrap_or(flags) & 0x1_0000 == 0;
                        let duration = u64::from(entry.duration.unwrap_or(duration));
                        runs.push((size as usize, is_sync, duration, entry.cts.unwrap_or(0)));
                    }
                }
                Any::Mdat(mdat) => {
                    let mut payload = mdat.data.as_slice();
                    for (size, is_sync, duration, cts) in runs.drain(..) {
                        let nanos = |ticks: u64| {
                            ClockTime::from_nanos(scale(ticks, 1_000_000_000, timescale).unwrap())
                        };
                        // GStreamer's encoders shift timestamps so that none is negative.
                        let shift = timescale * 10;
                        samples.push(Sample {
                            pts: nanos((shift + dts).checked_add_signed(cts).unwrap()),
                            dts: Some(nanos(shift + dts)),
                            duration: Some(nanos(duration)),
                            is_sync,
                            data: payload[..size].to_vec(),
                        });
                        payload = &payload[size..];
                        dts += duration;
                    }
                }
                _ => {}
            }
        }
        Clip { track: track.unwrap(), samples }
    }
}
