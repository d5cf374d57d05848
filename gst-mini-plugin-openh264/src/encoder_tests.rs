//! What the encoder promises: one access unit a picture, in order, with the flags that go with it.

use super::*;
use openh264::decoder::Decoder;

fn settings(width: u32, height: u32) -> Settings {
    Settings {
        width,
        height,
        fps: (30, 1),
        bitrate: 500_000,
        gop_size: 10,
        matrix: Matrix::Bt601,
        effort: Effort::Medium,
    }
}

/// A moving gradient, at strides with `pad` bytes behind each row.
fn picture(width: usize, height: usize, number: usize, pad: usize) -> ([Vec<u8>; 3], [usize; 3]) {
    let plane = |width: usize, height: usize, slope: usize| {
        let mut plane = vec![0xee; (width + pad) * height];
        for (y, row) in plane.chunks_mut(width + pad).enumerate() {
            for (x, sample) in row[..width].iter_mut().enumerate() {
                *sample = 16 + ((x + y * slope + number * 3) % 200) as u8;
            }
        }
        plane
    };
    let (half_width, half_height) = (width / 2, height / 2);
    (
        [
            plane(width, height, 1),
            plane(half_width, half_height, 2),
            plane(half_width, half_height, 3),
        ],
        [width + pad, half_width + pad, half_width + pad],
    )
}

fn encode(encoder: &mut H264Encoder, number: usize, pad: usize, force_idr: bool) -> AccessUnit {
    let (width, height) = (encoder.settings().width as usize, encoder.settings().height as usize);
    let (planes, strides) = picture(width, height, number, pad);
    let planes = [&planes[0][..], &planes[1][..], &planes[2][..]];
    encoder.encode(I420Frame { planes, strides }, force_idr).unwrap()
}

#[test]
fn every_picture_gives_one_access_unit_and_idr_comes_at_each_gop() {
    let mut encoder = H264Encoder::new(settings(320, 240)).unwrap();
    let units: Vec<_> = (0..31).map(|n| encode(&mut encoder, n, 0, false)).collect();
    let idrs: Vec<_> = (0..31).filter(|n| units[*n].is_idr()).collect();
    assert_eq!(idrs, [0, 10, 20, 30]);
    for (number, unit) in units.iter().enumerate() {
        assert_eq!(unit.sps().is_some() && unit.pps().is_some(), unit.is_idr(), "picture {number}");
        assert_eq!(unit.codec_data().is_some(), unit.is_idr());
        assert!(unit.to_avc().len() > 4);
    }
    assert_eq!(units[0].codec_data(), units[10].codec_data());
}

#[test]
fn forced_idr_comes_at_once_and_starts_a_new_gop() {
    let mut encoder = H264Encoder::new(Settings { gop_size: 0, ..settings(320, 240) }).unwrap();
    let idrs: Vec<_> =
        (0..40).filter(|n| encode(&mut encoder, *n, 0, *n == 7 || *n == 25).is_idr()).collect();
    assert_eq!(idrs, [0, 7, 25]);
}

#[test]
fn profile_is_constrained_baseline_and_level_fits_size_rate_and_bitrate() {
    #[track_caller]
    fn check(width: u32, height: u32, fps: (i32, i32), bitrate: u32, level: &str) {
        let settings = Settings { fps, bitrate, ..settings(width, height) };
        let mut encoder = H264Encoder::new(settings).unwrap();
        let found = encode(&mut encoder, 0, 0, false).profile_level().unwrap();
        assert_eq!((found.profile, found.level().as_str()), ("constrained-baseline", level));
    }
    check(320, 240, (30, 1), 500_000, "1.3");
    check(1280, 720, (30, 1), 4_000_000, "3.1");
    check(1280, 720, (60_000, 1001), 4_000_000, "3.2");
    check(1920, 1080, (30_000, 1001), 6_000_000, "4");
    check(320, 240, (30, 1), 5_000_000, "3");
}

#[test]
fn decoded_size_is_the_size_given_though_no_multiple_of_sixteen() {
    for (width, height) in [(642, 358), (320, 240), (18, 16), (1280, 718)] {
        let mut encoder = H264Encoder::new(settings(width, height)).unwrap();
        let mut decoder = Decoder::new().unwrap();
        let mut shown = None;
        for number in 0..3 {
            let unit = encode(&mut encoder, number, 0, false);
            if let Some(picture) = decoder.decode(&unit.to_byte_stream()).unwrap() {
                shown = Some(picture.dimensions());
            }
        }
        assert_eq!(shown, Some((width as usize, height as usize)));
    }
}

#[test]
fn padded_strides_give_the_same_stream() {
    let (mut tight, mut padded) = (
        H264Encoder::new(settings(322, 242)).unwrap(),
        H264Encoder::new(settings(322, 242)).unwrap(),
    );
    for number in 0..12 {
        let (a, b) = (encode(&mut tight, number, 0, false), encode(&mut padded, number, 30, false));
        assert_eq!(a, b, "picture {number}");
    }
}

#[test]
fn sizes_that_cannot_be_encoded_are_refused_with_what_to_do() {
    let refused = |width, height| match H264Encoder::new(settings(width, height)) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{width}x{height} was taken"),
    };
    let odd = refused(641, 358);
    assert!(odd.contains("videoscale ! video/x-raw,width=642,height=358"), "{odd}");
    assert!(refused(0, 0).contains("videoscale"));
    assert!(refused(4096, 2160).contains("3840x2160"));
    let fast = Settings { fps: (1000, 1), ..settings(1920, 1080) };
    let error = H264Encoder::new(fast).err().unwrap().to_string();
    assert!(error.contains("level 5.2"), "{error}");
    for fps in [(0, 1), (30, 0), (-1, 1)] {
        assert!(H264Encoder::new(Settings { fps, ..settings(320, 240) }).is_err());
    }
}

#[test]
fn planes_that_are_too_short_are_refused() {
    let mut encoder = H264Encoder::new(settings(320, 240)).unwrap();
    let (planes, strides) = picture(320, 240, 0, 0);
    let planes = [&planes[0][..], &planes[1][..100], &planes[2][..]];
    let error = encoder.encode(I420Frame { planes, strides }, false).unwrap_err().to_string();
    assert_eq!(error, "the U plane needs 19200 bytes at stride 160, 100 were given");
    let strides = [usize::MAX, 160, 160];
    assert!(encoder.encode(I420Frame { planes, strides }, false).is_err());
}

#[test]
fn bitrate_is_changed_between_two_pictures_without_an_idr_picture() {
    let start = Settings { gop_size: 0, bitrate: 3_000_000, ..settings(640, 480) };
    let mut encoder = H264Encoder::new(start).unwrap();
    let mut bytes = |bitrate: u32, numbers: std::ops::Range<usize>| {
        encoder.set_bitrate(bitrate).unwrap();
        let units: Vec<_> = numbers.map(|n| encode_noise(&mut encoder, n)).collect();
        let idrs = units.iter().filter(|unit| unit.is_idr()).count();
        (units.iter().skip(10).map(AccessUnit::len).sum::<usize>(), idrs)
    };
    let (many, first) = bytes(3_000_000, 0..40);
    let (few, second) = bytes(1_500_000, 40..80);
    let (many_again, third) = bytes(3_000_000, 80..120);
    assert_eq!((first, second, third), (1, 0, 0));
    assert!(few * 3 < many * 2 && few * 3 < many_again * 2, "{many} {few} {many_again}");
}

#[test]
fn bitrate_beyond_the_level_begins_anew_with_another_level() {
    let mut encoder = H264Encoder::new(settings(320, 240)).unwrap();
    let level = |unit: &AccessUnit| unit.profile_level().map(|found| found.level());
    assert_eq!(level(&encode(&mut encoder, 0, 0, false)).as_deref(), Some("1.3"));
    encoder.set_bitrate(5_000_000).unwrap();
    let next = encode(&mut encoder, 1, 0, false);
    assert_eq!((next.is_idr(), level(&next).as_deref()), (true, Some("3")));
    assert!(encoder.set_bitrate(1).is_err());
    assert_eq!(encoder.settings().bitrate, 5_000_000);
}

/// A picture that costs bits: noise that differs from picture to picture.
fn encode_noise(encoder: &mut H264Encoder, number: usize) -> AccessUnit {
    let (width, height) = (encoder.settings().width as usize, encoder.settings().height as usize);
    let mut random = (number as u32).wrapping_mul(2_654_435_761);
    let (mut planes, strides) = picture(width, height, number, 0);
    for sample in planes.iter_mut().flatten() {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = sample.wrapping_add((random >> 24) as u8 / 50);
    }
    let planes = [&planes[0][..], &planes[1][..], &planes[2][..]];
    encoder.encode(I420Frame { planes, strides }, false).unwrap()
}
