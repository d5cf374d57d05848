//! `pngenc`, `jpegenc` and `imagedec`.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use video_support::{Run, run_here, run_keeping};

fn frames(run: &Run) -> Vec<Vec<u8>> {
    run.seen.iter().map(|seen| seen.buf.data().to_vec()).collect()
}

#[test]
fn images_through_png_come_back_byte_for_byte_with_their_times() {
    for format in ["RGBA", "RGB", "GRAY8"] {
        let src = format!(
            "videotestsrc num-buffers=4 pattern=ball ! video/x-raw,format={format},width=50,height=31,framerate=24000/1001"
        );
        let plain = run_keeping(&format!("{src} ! fakesink name=out"));
        let there_and_back = run_keeping(&format!("{src} ! pngenc ! imagedec ! fakesink name=out"));
        assert_eq!(there_and_back.error(), None);
        assert_eq!((there_and_back.pts(), there_and_back.seen.len()), (plain.pts(), 4));
        assert!(frames(&plain) == frames(&there_and_back), "{format}");
        assert_eq!(there_and_back.caps[0].to_string(), plain.caps[0].to_string());
    }
}

#[test]
fn images_pngenc_makes_files_that_others_know() {
    let run = run_keeping(
        "videotestsrc num-buffers=2 ! video/x-raw,format=RGB,width=64,height=36 ! pngenc compression-level=9 ! fakesink name=out",
    );
    assert_eq!(
        run.caps[0].to_string(),
        "image/png, width=(int)64, height=(int)36, framerate=(fraction)30/1"
    );
    let file = run.seen[1].buf.data();
    assert!(file.starts_with(b"\x89PNG\r\n\x1a\n"));
    let picture = image::load_from_memory(file).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 36));
}

#[test]
fn images_jpegenc_quality_decides_the_size() {
    let size = |quality: u32| {
        let run = run_keeping(&format!(
            "videotestsrc num-buffers=1 ! video/x-raw,format=RGB ! jpegenc quality={quality} ! fakesink name=out"
        ));
        assert_eq!(run.error(), None);
        run.seen[0].buf.size()
    };
    assert!(size(20) < size(85) && size(85) < size(100));
}

#[test]
fn images_jpeg_comes_back_nearly_the_same_after_videoconvert() {
    let src = "videotestsrc num-buffers=1 pattern=gradient ! video/x-raw,format=I420,width=64,height=48 ! videoconvert";
    let plain = run_keeping(&format!("{src} ! video/x-raw,format=RGB ! fakesink name=out"));
    let back = run_keeping(&format!("{src} ! jpegenc quality=95 ! imagedec ! fakesink name=out"));
    let (a, b) = (frames(&plain), frames(&back));
    assert_eq!(a[0].len(), b[0].len());
    assert!(a[0].iter().zip(&b[0]).all(|(a, b)| a.abs_diff(*b) <= 6));
}

#[test]
fn images_snapshot_ends_the_stream_after_one_file() {
    for encoder in ["pngenc", "jpegenc"] {
        let run = run_here(
            &format!("videotestsrc ! videoconvert ! {encoder} snapshot=true ! fakesink name=out"),
            false,
        );
        assert_eq!((run.seen.len(), run.error()), (1, None), "{encoder}");
    }
}

#[test]
fn images_imagedec_says_what_came_instead() {
    let run = run_here(
        "fakesrc num-buffers=3 sizetype=fixed sizemax=20 filltype=zero ! imagedec ! fakesink name=out",
        false,
    );
    let error = run.error().unwrap();
    assert!(error.contains("neither a PNG nor a JPEG"), "{error}");
    let run = run_here("fakesrc num-buffers=3 ! imagedec ! fakesink name=out", false);
    assert_eq!(run.error().unwrap(), "the stream ended without a picture");
}

#[test]
fn images_yuv_is_refused_with_the_element_that_helps() {
    gst_mini_elements::register();
    let error = parse_launch("livesource ! pngenc ! fakesink").unwrap_err().to_string();
    assert!(error.contains("put `videoconvert` between them"), "{error}");
}
