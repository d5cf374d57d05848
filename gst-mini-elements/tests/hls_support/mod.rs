//! Reads the frames of a fragmented MP4 file back, so that tests can feed real H.264.

// Test code outside of `#[test]` functions, of which each test file uses a part.
#![allow(clippy::unwrap_used, dead_code)]

use std::collections::HashMap;

use gst_mini_core::time::{ClockTime, scale};
use gst_mini_elements::hls::rules::{Checker, Fetched, Published};
use gst_mini_elements::hls::{Object, Role, Sample, Track};
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

/// The clip in the repository: 72 frames at 24000/1001, reordered, a key frame every 24.
pub fn clip() -> Clip {
    Clip::read(include_bytes!("../data/testsrc_64x48.mp4"), (24_000, 1001))
}

/// A store in memory that keeps every object and every version of the playlist.
#[derive(Default)]
pub struct Store {
    pub objects: HashMap<String, Vec<u8>>,
    pub playlists: Vec<Published>,
    pub segments: Vec<Object<Vec<u8>>>,
    checker: Checker,
}

impl Store {
    /// Stores objects in order; each playlist is judged at once against what is there.
    #[track_caller]
    pub fn put(&mut self, objects: Vec<Object<Vec<u8>>>) {
        for object in objects {
            if object.role == Role::Playlist {
                let text = String::from_utf8(object.to_bytes()).unwrap();
                let at = object.first_pts + object.duration;
                self.checker.publish(&text, at, |uri| match self.objects.get(uri) {
                    Some(bytes) => Fetched::Bytes(bytes.clone()),
                    None => Fetched::Missing,
                });
                self.playlists.push(Published { text, at });
            } else {
                let fresh = self.objects.insert(object.name.clone(), object.to_bytes()).is_none();
                assert!(fresh, "{} was written twice", object.name);
                if object.role == Role::Segment {
                    self.segments.push(object);
                }
            }
        }
        assert_eq!(self.checker.violations(), []);
    }

    /// The newest playlist.
    pub fn text(&self) -> &str {
        self.playlists.last().map_or("", |published| &published.text)
    }

    /// Numbers of frames in each segment.
    pub fn frames(&self) -> Vec<u32> {
        self.segments.iter().map(|segment| segment.frames).collect()
    }
}

/// A stream of small frames: a key frame every `gop`, `rate` frames a second, from frame `first` on.
pub fn frames(
    rate: (u32, u32),
    gop: u64,
    range: std::ops::Range<u64>,
) -> impl Iterator<Item = Sample<Vec<u8>>> {
    let at = move |index| ClockTime::of_frame(index, rate.0.into(), rate.1.into());
    range.map(move |index| Sample {
        pts: at(index),
        dts: None,
        duration: Some(at(index + 1) - at(index)),
        is_sync: index % gop == 0,
        data: vec![0, 0, 0, 1, 0x65],
    })
}

/// The format that goes with [`frames`]: the clip's codec data at another rate.
pub fn track(rate: (u32, u32)) -> Track {
    Track { frame_rate: Some(rate), ..clip().track }
}
