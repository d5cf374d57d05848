//! Every pair of formats, judged by flat colors, by exact copies and by a second way through.

use super::VideoFormat::*;
use super::*;
use proptest::prelude::*;

fn lines() -> [Line; 4] {
    std::array::from_fn(|_| Line::new())
}

fn convert(from: &VideoInfo, to: &VideoInfo, src: &[u8]) -> Vec<u8> {
    let mut dst = vec![0xaa; to.size()];
    Converter::new(from.clone(), to.clone()).unwrap().convert(src, &mut dst).unwrap();
    dst
}

fn info(format: VideoFormat, width: u32, height: u32) -> VideoInfo {
    VideoInfo::new(format, width, height).unwrap()
}

/// A picture of one color, given in red, green and blue, through the plain rows.
fn plain(info: &VideoInfo, rgb: [u8; 3]) -> Vec<u8> {
    let mut out = vec![0; info.size()];
    let rgb_info = VideoInfo::new(VideoFormat::Rgb, info.width, info.height).unwrap();
    let ink = [rgb[0], rgb[1], rgb[2], 255];
    let ink = Matrix::between(&rgb_info, info).map_or(ink, |matrix| matrix.apply(ink));
    for y in 0..info.height as usize {
        pack(info, 0, y, &vec![ink; info.width as usize], &mut out);
    }
    out
}

/// The largest difference between samples.
fn worst(info: &VideoInfo, a: &[u8], b: &[u8]) -> u8 {
    let mut lines = [vec![[0; 4]; info.width as usize], vec![[0; 4]; info.width as usize]];
    let mut worst = 0;
    for y in 0..info.height as usize {
        unpack(info, y, a, &mut lines[0]);
        unpack(info, y, b, &mut lines[1]);
        let inks = lines[0].iter().zip(&lines[1]);
        let samples = inks.flat_map(|(a, b)| a.iter().zip(b));
        worst = samples.map(|(a, b)| a.abs_diff(*b)).fold(worst, u8::max);
    }
    worst
}

#[test]
fn every_pair_keeps_a_flat_color_at_any_size() {
    const USUAL: &[VideoFormat] = &[
        VideoFormat::I420,
        VideoFormat::Nv12,
        VideoFormat::Yuy2,
        VideoFormat::Rgba,
        VideoFormat::Gray8,
    ];
    for (width, height, formats) in [
        (1, 1, &VideoFormat::ALL[..]),
        (2, 1, USUAL),
        (1, 2, USUAL),
        (7, 5, &VideoFormat::ALL[..]),
        (66, 50, USUAL),
        (5, 580, USUAL),
    ] {
        for from in formats.iter().copied() {
            for to in formats.iter().copied() {
                let (from, to) = (info(from, width, height), info(to, width, height));
                if luma_is_copied(&from, &to) {
                    continue;
                }
                let gray = [from.format, to.format].contains(&VideoFormat::Gray8);
                let color = if gray { [200, 200, 200] } else { [200, 90, 30] };
                let got = convert(&from, &to, &plain(&from, color));
                let off = worst(&to, &got, &plain(&to, color));
                assert!(off <= 2, "{} to {} at {width}x{height}: {off}", from.format, to.format);
            }
        }
    }
}

#[test]
fn black_and_white_stay_exact_in_both_matrices() {
    for height in [8, 577] {
        let formats = if height > 8 { &VideoFormat::ALL[20..] } else { &VideoFormat::ALL[..] };
        for from in formats.iter().copied() {
            for to in formats.iter().copied() {
                let (from, to) = (info(from, 4, height), info(to, 4, height));
                if luma_is_copied(&from, &to) {
                    continue;
                }
                for color in [[0, 0, 0], [255, 255, 255]] {
                    let got = convert(&from, &to, &plain(&from, color));
                    let off = worst(&to, &got, &plain(&to, color));
                    assert_eq!(off, 0, "{} to {} {color:?} {height}", from.format, to.format);
                }
            }
        }
    }
}

/// One matrix in two ranges, where values stay what they are.
fn luma_is_copied(from: &VideoInfo, to: &VideoInfo) -> bool {
    let (a, b) = (from.colorimetry, to.colorimetry);
    a.matrix == b.matrix && a.range != b.range
}

#[test]
fn gray_is_full_range_but_beside_bt601() {
    let one = |from, to, height, luma: u8| {
        let (from, to) = (info(from, 2, height), info(to, 2, height));
        let mut src = vec![128; from.size()];
        src[..from.planes()[0].stride * height as usize].fill(luma);
        convert(&from, &to, &src)[0]
    };
    use VideoFormat::*;
    assert_eq!((one(Rgb, Gray8, 2, 255), one(Gray8, Rgb, 2, 77)), (255, 77));
    assert_eq!((one(I420, Gray8, 2, 16), one(Gray8, Nv12, 2, 235)), (16, 235));
    assert_eq!((one(I420, Gray8, 720, 16), one(I420, Gray8, 720, 235)), (0, 255));
}

#[test]
fn alpha_is_kept_between_rgba_and_bgra_and_opaque_elsewhere() {
    let (rgba, bgra, rgb) = (
        info(VideoFormat::Rgba, 1, 1),
        info(VideoFormat::Bgra, 1, 1),
        info(VideoFormat::Rgb, 1, 1),
    );
    assert_eq!(convert(&rgba, &bgra, &[1, 2, 3, 4]), [3, 2, 1, 4]);
    assert_eq!(convert(&rgb, &bgra, &[1, 2, 3, 0]), [3, 2, 1, 255]);
    assert_eq!(convert(&bgra, &rgb, &[1, 2, 3, 4])[..3], [3, 2, 1]);
}

#[test]
fn sizes_that_differ_are_refused_with_the_element_that_helps() {
    let result = Converter::new(info(VideoFormat::I420, 4, 4), info(VideoFormat::Rgb, 4, 8));
    assert!(result.err().unwrap().to_string().contains("videoscale"));
}

fn formats() -> impl Strategy<Value = VideoFormat> {
    prop::sample::select(VideoFormat::ALL.to_vec())
}

proptest! {
    #[test]
    fn yuv_samples_moved_there_and_back_are_the_same(
        width in 1u32..40, height in 1u32..40, seed in any::<u64>(),
    ) {
        let (i420, nv12) = (info(VideoFormat::I420, width, height), info(VideoFormat::Nv12, width, height));
        let src = noise(&i420, seed);
        let back = convert(&nv12, &i420, &convert(&i420, &nv12, &src));
        prop_assert_eq!(worst(&i420, &src, &back), 0);
    }

    #[test]
    fn the_library_agrees_with_the_rows(
        width in 2u32..70, height in prop::sample::select(vec![2u32, 3, 16, 33, 578, 579]),
        nv12 in any::<bool>(), to in prop::sample::select(vec![VideoFormat::Rgb, VideoFormat::Rgba, VideoFormat::Bgra]),
        seed in any::<u64>(),
    ) {
        let from = info(if nv12 { VideoFormat::Nv12 } else { VideoFormat::I420 }, width, height);
        let to = info(to, width, height);
        let mut src = noise(&from, seed);
        let mut rows = vec![0; to.size()];
        let way = Way { smoothing: PLAIN, ..Way::default() };
        let mut converter = Converter::with(from.clone(), to.clone(), way).unwrap();
        let mut made = vec![0; to.size()];
        for legal in [false, true] {
            if legal {
                src.iter_mut().for_each(|byte| *byte = (*byte).clamp(16, 235));
                prop_assert!(converter.library_can(&src).unwrap());
            }
            converter.rows(Some(&Matrix::new(&from, &to)), PLAIN, &mut lines(), &src, &mut rows);
            converter.convert(&src, &mut made).unwrap();
            let off = worst(&to, &made, &rows);
            prop_assert!(off <= 1, "{off}");
        }
    }

    #[test]
    fn packed_pixels_give_what_the_rows_give(
        width in 1u32..70, height in prop::sample::select(vec![1u32, 2, 3, 16, 33, 578, 579]),
        from in prop::sample::select(vec![Rgba, Bgra, Argb, Abgr, Rgbx, Bgrx, Xrgb, Xbgr]),
        to in prop::sample::select(vec![I420, Yv12, Nv12, Nv21]),
        seed in any::<u64>(),
    ) {
        let (from, to) = (info(from, width, height), info(to, width, height));
        let src = noise(&from, seed);
        let mut converter = Converter::new(from.clone(), to.clone()).unwrap();
        prop_assert!(matches!(converter.path, Path::Packed(_)));
        let (mut made, mut rows) = (vec![0; to.size()], vec![0; to.size()]);
        for src in [&src[..], &noise(&from, !seed)] {
            let both = Smoothing { spread: true, gather: true };
            converter.rows(Some(&Matrix::new(&from, &to)), both, &mut lines(), src, &mut rows);
            converter.convert(src, &mut made).unwrap();
            prop_assert_eq!(&made, &rows);
        }
    }

    #[test]
    fn short_slices_are_refused_and_nothing_panics(
        from in formats(), to in formats(), width in 1u32..20, height in 1u32..20, cut in 0usize..2000,
    ) {
        let (from, to) = (info(from, width, height), info(to, width, height));
        let mut converter = Converter::new(from.clone(), to.clone()).unwrap();
        let (src, mut dst) = (vec![7; from.size().saturating_sub(cut)], vec![0; to.size()]);
        prop_assert_eq!(converter.convert(&src, &mut dst).is_ok(), cut == 0 );
    }
}

fn noise(info: &VideoInfo, mut seed: u64) -> Vec<u8> {
    (0..info.size())
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        })
        .collect()
}
