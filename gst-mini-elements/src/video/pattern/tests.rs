//! The pictures of the painter, in every format it draws.

use super::*;
use crate::video::VideoFormat;

fn painter(name: &str, format: VideoFormat, width: u32, height: u32) -> Painter {
    let info = VideoInfo::new(format, width, height).unwrap();
    Painter::new(name.parse().unwrap(), info, Colors::default())
}

fn frame(painter: &Painter, number: u64) -> Vec<u8> {
    let mut out = vec![0xaa; painter.info().size()];
    painter.paint(number, &mut out).unwrap();
    out
}

/// FNV-1a: the recorded figures are those of GStreamer 1.22's own output.
fn fingerprint(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn painter_same_frame_twice_is_the_same_over_dirty_memory() {
    for (_, name) in Pattern::ALL {
        for format in VideoFormat::ALL {
            let painter = painter(name, format, 34, 26);
            let mut dirty = frame(&painter, 31);
            painter.paint(4, &mut dirty).unwrap();
            let mut clean = frame(&painter, 4);
            // Padding of the stride belongs to nobody.
            for data in [&mut dirty, &mut clean] {
                blank_padding(painter.info(), data);
            }
            assert_eq!(clean, dirty, "{name} {format}");
        }
    }
}

fn blank_padding(info: &VideoInfo, data: &mut [u8]) {
    for plane in &info.planes()[..info.plane_count()] {
        for row in 0..plane.height {
            let start = plane.offset + row * plane.stride;
            data[start + plane.row_bytes..start + plane.stride].fill(0);
        }
    }
}

#[test]
fn painter_any_size_down_to_one_pixel() {
    for (_, name) in Pattern::ALL {
        for format in VideoFormat::ALL {
            for (width, height) in [(1, 1), (2, 1), (1, 2), (7, 3), (12, 4)] {
                let painter = painter(name, format, width, height);
                for number in [0, 1, 75, u64::MAX] {
                    frame(&painter, number);
                }
            }
        }
    }
}

#[test]
fn painter_refuses_a_short_slice() {
    let painter = painter("smpte", VideoFormat::I420, 320, 240);
    let error = painter.paint(0, &mut [0; 10]).unwrap_err().to_string();
    assert_eq!(error, "a I420 320x240 frame needs 115200 bytes, 10 were given");
}

#[test]
fn pattern_unknown_name_is_refused_with_the_list() {
    let error = "zone".parse::<Pattern>().unwrap_err().to_string();
    assert!(error.starts_with("pattern 'zone' is not supported"), "{error}");
    assert!(error.contains("smpte") && error.ends_with("smpte-rp-219"), "{error}");
}

#[test]
fn painter_takes_any_coefficient_speed_and_motion() {
    let extremes = [i32::MIN, -1, 3, i32::MAX];
    for k in extremes {
        let zone = Zone {
            k0: k,
            kx: k,
            ky: k,
            kt: k,
            kxt: k,
            kyt: k,
            kxy: k,
            kx2: k,
            ky2: k,
            kt2: k,
            xoffset: k,
            yoffset: k,
        };
        for (pattern, _) in Pattern::ALL {
            for motion in [Motion::Wavy, Motion::Sweep, Motion::HalfSweep] {
                let look = Look {
                    pattern,
                    motion,
                    flip: true,
                    horizontal_speed: k,
                    zone,
                    ..Look::default()
                };
                let info = VideoInfo::new(VideoFormat::I420, 9, 7).unwrap();
                let painter = Painter::with(look, info);
                for number in [0, 51, u64::MAX] {
                    frame(&painter, number);
                }
            }
        }
    }
}

#[test]
fn pattern_colors_are_those_of_the_user() {
    let info = VideoInfo::new(VideoFormat::I420, 32, 32).unwrap();
    let colors = Colors { foreground: 0xffff_4020, background: 0xff20_40a0 };
    let at = |pattern| frame(&Painter::new(pattern, info.clone(), colors), 0);
    let samples = |data: &[u8]| (data[0], data[1024], data[1280]);
    assert_eq!(samples(&at(Pattern::SolidColor)), (117, 86, 214));
    assert_eq!(samples(&at(Pattern::Black)), (72, 175, 107));
}

#[test]
fn painter_frames_are_those_recorded_from_gstreamer() {
    #[track_caller]
    fn check(name: &str, format: VideoFormat, width: u32, height: u32, number: u64, want: u64) {
        let got = fingerprint(&frame(&painter(name, format, width, height), number));
        assert_eq!(got, want, "{name} {format} {width}x{height} frame {number}");
    }
    check("smpte", VideoFormat::I420, 320, 240, 0, 0x454f_fe41_db24_3815);
    check("smpte", VideoFormat::Nv12, 1280, 720, 0, 0x1e33_7a65_0821_64bb);
    check("smpte", VideoFormat::Rgba, 64, 48, 1, 0x5f2e_ddc5_5f88_80d3);
    check("snow", VideoFormat::Gray8, 64, 48, 2, 0x32e8_f642_7341_68d4);
    check("ball", VideoFormat::I420, 320, 240, 7, 0x10e8_6e13_28f8_56c0);
    check("checkers-1", VideoFormat::Bgra, 32, 32, 0, 0x7eb9_3f8b_3525_8725);
    check("gradient", VideoFormat::Rgb, 64, 48, 0, 0x49c0_c4f4_2697_a825);
    check("bar", VideoFormat::I420, 320, 240, 0, 0xe41b_cebd_fdae_8a25);
    check("blink", VideoFormat::I420, 32, 32, 1, 0x48bc_8a47_a1c2_7f25);
}
