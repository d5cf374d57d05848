//! A sink waits for the clock: five buffers pushed by hand into a synced sink.
//!
//! Watch for: each push returns when the buffer's time has come, because chain calls are synchronous
//! and the sink waits in them. The wait is `running time + base time - now`, and running time is
//! `(pts - segment.start) / rate + segment.base`. At rate 0.5 the same buffers take twice as long:
//! slow motion is nothing but a segment. And a clock that is set back makes the sink wait longer: it
//! waits for a reading, not for a length of time.

use gst_mini_core::cx::PadId;
use gst_mini_core::pad::PadCore;
use gst_mini_core::prelude::*;
use gst_mini_core::runtime;
use gst_mini_examples::show;
use std::sync::Arc;

const SPACING: ClockTime = ClockTime::from_millis(500);

fn main() {
    show::opening(include_str!("01_simple_sync.rs"));
    gst_mini_elements::register();
    let rows = [
        ("rate 1.0, five buffers 0.5 s apart", by_hand(1.0)),
        ("rate 0.5, the same buffers", by_hand(0.5)),
        ("a clock set back by 0.6 s in a wait of 1 s", clock_set_back()),
    ];
    show::table("simple-sync: how long it took", &rows);
}

/// A pad of our own, linked to a synced fakesink in a pipeline.
fn sink_with_pad(
    clock: Option<Arc<dyn Clock>>,
) -> Result<(Bin, Arc<PadCore>), Box<dyn std::error::Error>> {
    let pipeline = Bin::pipeline("by-hand");
    let sink = make("fakesink", Some("sink"))?;
    sink.set("sync", true)?;
    pipeline.add(&sink)?;
    if clock.is_some() {
        // Without one the pipeline chooses its own; `None` would be a pipeline that has none.
        pipeline.use_clock(clock);
    }
    let pad = PadCore::new(PadId(0), "hand", "src", Direction::Src, Caps::any());
    pad.link(&sink.pad("sink")?)?;
    pad.set_active(true);
    pipeline.set_state(State::Playing);
    Ok((pipeline, pad))
}

fn begin(pad: &PadCore, rate: f64) -> Segment {
    let segment = Segment { rate, ..Segment::time() };
    pad.push_event(Event::stream_start("by-hand"));
    pad.push_event(Event::segment(segment));
    segment
}

/// How long five buffers take, each pushed when the one before it came back.
pub fn by_hand(rate: f64) -> String {
    show::heading(&format!("segment rate {rate}"));
    let (pipeline, pad) = match sink_with_pad(None) {
        Ok(made) => made,
        Err(error) => return format!("failed: {error}"),
    };
    let segment = begin(&pad, rate);
    let started = runtime::now();
    for index in 0..5 {
        let pts = ClockTime::from_nanos(SPACING.nanos() * index);
        let mut buf = Buffer::from_vec(vec![index as u8]);
        buf.set_pts(Some(pts));
        let before = runtime::now();
        let flow = pad.push_buffer(buf);
        let waited = runtime::now().since(before);
        let running_time = segment.to_running_time(pts).unwrap_or_default();
        println!(
            "  buffer {index}: running time = ({:.3} - 0) / {rate} + 0 = {:.3} s; pushed at {:.3} s, came back {} later{}",
            pts.seconds_f64(),
            running_time.seconds_f64(),
            before.since(started).seconds_f64(),
            show::time(waited.nanos()),
            flow.err().map_or(String::new(), |flow| format!(" ({flow})")),
        );
    }
    pipeline.set_state(State::Null);
    show::time(runtime::now().since(started).nanos())
}

fn clock_set_back() -> String {
    show::heading("what if the clock goes backwards?");
    let clock = Arc::new(TestClock::new(AbsoluteTime::from_nanos(10_000_000_000)));
    let (pipeline, pad) = match sink_with_pad(Some(clock.clone())) {
        Ok(made) => made,
        Err(error) => return format!("failed: {error}"),
    };
    let reading = |clock: &TestClock| clock.now().seconds_f64();
    let pushing = std::thread::spawn(move || {
        begin(&pad, 1.0);
        for pts in [ClockTime::ZERO, ClockTime::SECOND] {
            let mut buf = Buffer::from_vec(vec![0]);
            buf.set_pts(Some(pts));
            let _ = pad.push_buffer(buf);
        }
    });
    clock.wait_for_waits(1);
    let target = clock.peek_next_wait().map_or(0.0, AbsoluteTime::seconds_f64);
    println!(
        "  the clock reads {:.1} s; the sink waits until it reads {target:.1} s",
        reading(&clock)
    );
    let (before, after) = (ClockTime::from_millis(900), ClockTime::from_millis(700));
    clock.advance(before);
    println!("  0.9 s later it reads {:.1} s: 0.1 s to go", reading(&clock));
    clock.set_time_back(AbsoluteTime::from_nanos(10_300_000_000));
    println!("  it is set back to {:.1} s: now 0.7 s to go, and still no buffer", reading(&clock));
    clock.advance(after);
    let _ = pushing.join();
    println!("  0.7 s later it reads {:.1} s, and the buffer is rendered", reading(&clock));
    pipeline.set_state(State::Null);
    format!("{} of clock time instead of 1 s", show::time((before + after).nanos()))
}
