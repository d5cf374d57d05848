//! `audioconvert`: samples, channels, negotiation.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod video_support;

use gst_mini_core::prelude::*;
use video_support::{run, run_keeping};

/// 4800 bytes of a linear congruence: what is converted here.
fn pattern() -> tempfile::NamedTempFile {
    let mut x: u32 = 1;
    let bytes: Vec<u8> = (0..4800)
        .map(|_| {
            x = x.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
            (x >> 16) as u8
        })
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

/// FNV-1a.
fn hash(run: &video_support::Run) -> (usize, u64) {
    let bytes = || run.seen.iter().flat_map(|seen| seen.buf.data());
    let hash = bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (bytes().count(), hash)
}

fn sound(format: &str, channels: u32) -> String {
    let mask = match channels {
        1 => String::new(),
        _ => format!(
            ",channel-mask=(bitmask){:#x}",
            gst_mini_elements::audio::info::fallback_mask(channels)
        ),
    };
    format!("audio/x-raw,format={format},rate=48000,channels={channels},layout=interleaved{mask}")
}

/// Format and channels on both sides, settings, bytes and hash of what GStreamer 1.22 made of the pattern.
#[rustfmt::skip]
const RECORDED: &[(&str, u32, &str, u32, &str, usize, u64)] = &[
    ("S16LE", 2, "U8", 2, "", 2400, 0x3011fa74c2797e67),
    ("S16LE", 2, "F32LE", 2, "", 9600, 0x1a210bef1e382075),
    ("S32LE", 2, "S24BE", 2, "", 3600, 0x24c290672f9c7474),
    ("S24LE", 2, "S16LE", 2, "", 3200, 0xc144e44e1d5dc72d),
    ("U8", 1, "S16BE", 1, "", 9600, 0x59a476bd7b1ac318),
    ("U16BE", 2, "F64BE", 2, "", 19200, 0x4dc687bb066a8b11),
    ("S20LE", 2, "S18BE", 2, "dithering=none", 4800, 0x8864dcdbcb7d9bb7),
    ("S32LE", 2, "S16LE", 2, "dithering=rpdf", 2400, 0xf42378715e0f1fe7),
    ("S32LE", 2, "S16LE", 2, "dithering=tpdf-hf noise-shaping=error-feedback", 2400, 0x6d5e2c6b027813a9),
    ("S32LE", 2, "U8", 2, "dithering=none noise-shaping=simple", 1200, 0xfce918a5cbc71204),
    ("S32LE", 2, "S16LE", 2, "noise-shaping=medium", 2400, 0xc1c840eb54eaca68),
    ("S32LE", 2, "S16LE", 2, "noise-shaping=high", 2400, 0xc75c0f827b6570a5),
    ("S32LE", 2, "S24LE", 2, "noise-shaping=high dithering-threshold=24", 3600, 0xd401be22b6fdba4b),
    ("S16LE", 2, "S16LE", 1, "", 2400, 0xcb2bffd197e3b976),
    ("S16LE", 1, "S16LE", 2, "", 9600, 0xbb631c0291820b55),
    ("S16LE", 6, "S16LE", 2, "", 1600, 0x33cbd6f37d64db33),
    ("S16LE", 2, "S16LE", 6, "", 14400, 0xb95d239f22ae33bf),
    ("S16LE", 8, "S16LE", 4, "", 2400, 0x44695679b19ca02c),
    ("S32LE", 6, "F32LE", 1, "", 800, 0xa53be795f2184de),
    ("U8", 4, "U8", 8, "", 9600, 0x505c9df4d2145133),
    ("S16LE", 6, "S32LE", 8, "", 12800, 0x64ced2d92b0dad44),
    ("S16LE", 2, "S16LE", 1, "mix-matrix=<<(float)0.25,(float)-0.75>>", 2400, 0x5fc8b9481d46a1cf),
    ("S16LE", 2, "S16BE", 2, "", 4800, 0xb176538a1331d4fb),
];

#[test]
fn audioconvert_samples_are_those_of_gstreamer() {
    let file = pattern();
    for (from, inputs, to, outputs, settings, bytes, expected) in RECORDED {
        let (input, output) = (sound(from, *inputs), sound(to, *outputs));
        let run = run_keeping(&format!(
            "filesrc location={} blocksize=1440 ! {input} ! audioconvert {settings} ! {output} ! fakesink name=out",
            file.path().display()
        ));
        assert_eq!(run.error(), None);
        assert_eq!(hash(&run), (*bytes, *expected), "{input} {settings} {output}");
    }
}

#[track_caller]
fn negotiated(line: &str) -> String {
    let run = run(1, &format!("audiotestsrc num-buffers=1 ! {line} ! fakesink name=out"));
    assert_eq!(run.error(), None, "{line}");
    run.caps[0].to_string()
}

#[test]
fn audioconvert_chooses_the_format_that_gstreamer_chooses() {
    let s16 = "audio/x-raw,format=S16LE";
    let rest = "channels=(int)1, layout=(string)interleaved";
    for (line, format) in [
        ("audioconvert".to_owned(), "F64LE"),
        (format!("{s16} ! audioconvert ! audio/x-raw,format={{U8,S24LE,F64LE}}"), "S24LE"),
        (format!("{s16} ! audioconvert ! audio/x-raw,format={{U8,F32LE,U16LE}}"), "U16LE"),
        (format!("{s16} ! audioconvert ! audio/x-raw,format={{U8,S8}}"), "S8"),
        (
            "audio/x-raw,format=F32LE ! audioconvert ! audio/x-raw,format={S16LE,F64LE}".to_owned(),
            "F64LE",
        ),
    ] {
        let expected = format!("audio/x-raw, rate=(int)44100, format=(string){format}, {rest}");
        let got = negotiated(&line);
        assert!(got.contains(&format!("format=(string){format}")), "{line}: {got}, not {expected}");
    }
}

#[test]
fn audioconvert_keeps_channels_where_it_can_and_gives_them_places() {
    let s16 = "audio/x-raw,format=S16LE,channels=2 ! audioconvert";
    assert!(
        negotiated(&format!("{s16} ! audio/x-raw,channels=[1,8],format=U8"))
            .contains("channels=(int)2, ")
    );
    let four = negotiated(&format!("{s16} ! audio/x-raw,channels={{4,6}}"));
    assert!(four.ends_with("channel-mask=(bitmask)0x0000000000000033"), "{four}");
}

#[test]
fn audioconvert_passes_on_what_fits() {
    let run = run_keeping("audiotestsrc num-buffers=3 ! audioconvert ! fakesink name=out");
    assert_eq!((run.seen.len(), run.seen[2].buf.offset()), (3, Some(2048)));
}

#[test]
fn audioconvert_keeps_times_flags_and_offsets() {
    let run = run_keeping(
        "audiotestsrc wave=silence num-buffers=3 ! audio/x-raw,format=S16LE ! audioconvert ! audio/x-raw,format=U8 ! fakesink name=out",
    );
    let buf = &run.seen[1].buf;
    assert_eq!((buf.pts(), buf.offset()), (Some(ClockTime::from_nanos(23_219_954)), Some(1024)));
    assert!(buf.has(BufferFlags::GAP) && buf.data().iter().all(|sample| *sample == 128));
}

#[test]
fn audioconvert_refuses_channels_without_places_and_matrices_that_do_not_fit() {
    let placeless = "audiotestsrc num-buffers=1 ! audio/x-raw,channels=4,channel-mask=(bitmask)0x0";
    for (line, sentence) in [
        ("audioconvert mix-matrix=<<1.0,0.0>> ! audio/x-raw,channels=1", "channels"),
        ("audioconvert mix-matrix=nonsense", "is no matrix"),
        (
            "audioconvert mix-matrix=<<1.0,0.0,0.0,0.0>,<1.0>> ! audio/x-raw,channels=2",
            "2 rows of 4",
        ),
    ] {
        gst_mini_elements::register();
        let error = match parse_launch(&format!("{placeless} ! {line} ! fakesink name=out")) {
            Ok(_) => run(1, &format!("{placeless} ! {line} ! fakesink name=out"))
                .error()
                .unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(sentence), "{line}: {error}");
    }
    gst_mini_elements::register();
    assert!(
        parse_launch(&format!("{placeless} ! audioconvert ! audio/x-raw,channels=2 ! fakesink"))
            .is_err()
    );
}
