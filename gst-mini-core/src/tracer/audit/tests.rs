//! Each rule, broken once on purpose; and what looks like it but is not.
//!
//! Invariant: a test names one accusation, or says that there is none.
//! In GStreamer: none.
//! Left out: whole pipelines; those are hunted through by `gst-mini launch --sim --seeds`.

use super::*;
use crate::buffer::Buffer;

/// `a ! b ! c`, of which `b` passes on what it gets.
fn line() -> Audit {
    let link = |from: &str, to: &str| Link { from: from.into(), to: to.into(), pad: "sink".into() };
    Audit::new(Topology { passing: vec!["b".into()], links: vec![link("a", "b"), link("b", "c")] })
}

fn see(audit: &mut Audit, element: &str, what: What<'_>) {
    audit.see(&Seen { at: AbsoluteTime::ZERO, element, pad: "sink", what });
}

fn event(audit: &mut Audit, element: &str, event: &Event) {
    see(audit, element, What::Event(event));
}

fn begin(audit: &mut Audit, element: &str) {
    event(audit, element, &Event::stream_start("s"));
    event(audit, element, &Event::segment(Segment::time()));
}

fn buffer(audit: &mut Audit, element: &str, pts: u64) {
    let mut buf = Buffer::new();
    buf.set_pts(Some(ClockTime::from_nanos(pts)));
    see(audit, element, What::Buffer { buf: &buf, segment: Some(Segment::time()) });
}

fn texts(audit: &Audit) -> Vec<&str> {
    audit.findings().iter().map(|finding| finding.text.as_str()).collect()
}

fn finish(audit: &mut Audit) {
    event(audit, "b", &Event::eos());
    event(audit, "c", &Event::eos());
    audit.ended(AbsoluteTime::ZERO);
}

#[test]
fn a_buffer_that_went_in_and_not_out_is_lost_unless_it_was_reported() {
    let mut audit = line();
    begin(&mut audit, "b");
    begin(&mut audit, "c");
    for pts in 0..3 {
        buffer(&mut audit, "b", pts);
    }
    buffer(&mut audit, "c", 0);
    see(&mut audit, "b", What::Drop { buf: &Buffer::new(), why: "full" });
    finish(&mut audit);
    assert_eq!(
        texts(&audit),
        ["b lost buffers: 3 came in, 1 were reported as dropped, 1 went out"]
    );
    let mut audit = line();
    begin(&mut audit, "b");
    begin(&mut audit, "c");
    buffer(&mut audit, "b", 0);
    see(&mut audit, "b", What::Drop { buf: &Buffer::new(), why: "full" });
    finish(&mut audit);
    assert!(texts(&audit).is_empty());
}

#[test]
fn a_buffer_that_went_out_twice_is_doubled() {
    let mut audit = line();
    begin(&mut audit, "b");
    begin(&mut audit, "c");
    buffer(&mut audit, "b", 0);
    buffer(&mut audit, "c", 0);
    buffer(&mut audit, "c", 0);
    finish(&mut audit);
    assert!(texts(&audit)[0].starts_with("b doubled buffers"));
}

#[test]
fn what_downstream_refused_is_nobodys_loss() {
    let mut audit = line();
    begin(&mut audit, "b");
    begin(&mut audit, "c");
    buffer(&mut audit, "b", 0);
    buffer(&mut audit, "b", 1);
    buffer(&mut audit, "c", 0);
    see(&mut audit, "c", What::Refused(crate::error::FlowError::Eos));
    finish(&mut audit);
    assert!(texts(&audit).is_empty());
}

#[test]
fn time_that_goes_back_is_told_once_where_it_did() {
    let mut audit = line();
    begin(&mut audit, "b");
    begin(&mut audit, "c");
    for pts in [0, 20, 10] {
        buffer(&mut audit, "b", pts);
        buffer(&mut audit, "c", pts);
    }
    finish(&mut audit);
    let found = texts(&audit);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("time runs backwards at b:sink"), "{found:?}");
}

#[test]
fn events_out_of_order_are_found() {
    let mut audit = line();
    event(&mut audit, "b", &Event::segment(Segment::time()));
    buffer(&mut audit, "b", 0);
    event(&mut audit, "c", &Event::stream_start("s"));
    buffer(&mut audit, "c", 0);
    event(&mut audit, "c", &Event::eos());
    buffer(&mut audit, "c", 0);
    assert_eq!(
        texts(&audit),
        [
            "b:sink got segment before stream-start",
            "b:sink got a buffer before stream-start",
            "c:sink got a buffer before a segment",
            "c:sink got a buffer before a segment",
        ]
    );
}
