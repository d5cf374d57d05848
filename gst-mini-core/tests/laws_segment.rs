//! Laws that segments obey whatever is in them, on random input.

use gst_mini_core::segment::{Format, SeekFlags, SeekType, Segment};
use gst_mini_core::time::RunningTime;
use proptest::prelude::*;

/// Times up to a few hours, round and odd ones, so that boundaries are met.
fn instant() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..10_u64, (0..36_000_u64).prop_map(|ds| ds * 100_000_000), 0..1_u64 << 44]
}

fn rate() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![1.0, 2.0, 0.5, 0.25, 4.0, -1.0, -2.0, -0.5])
}

fn segment() -> impl Strategy<Value = Segment> {
    let places = (instant(), prop::option::of(instant()), prop::option::of(instant()));
    let moved = (instant(), instant(), prop::option::of(instant()));
    (rate(), rate(), places, moved).prop_map(|(rate, applied, places, moved)| {
        let (start, length, time) = places;
        let (base, offset, position) = moved;
        let stop = length.map(|length| start + length);
        Segment {
            rate,
            applied_rate: applied,
            base,
            // An offset lies inside the segment.
            offset: offset % (length.unwrap_or(u64::MAX >> 20) + 1),
            start,
            stop,
            time,
            position: position.map(|position| start + position),
            ..Segment::new(Format::Time)
        }
    })
}

proptest! {
    #[test]
    fn running_time_is_monotone_in_the_position(s in segment(), a in instant(), b in instant()) {
        let (a, b) = (s.start + a.min(b), s.start + a.max(b));
        if let (Some(first), Some(second)) = (s.running_time_of(a), s.running_time_of(b)) {
            let in_order = if s.rate > 0.0 { first <= second } else { first >= second };
            prop_assert!(in_order, "{a} is at {first}, {b} at {second}: {s}");
        }
    }

    #[test]
    fn stream_time_is_monotone_in_the_position(s in segment(), a in instant(), b in instant()) {
        let (a, b) = (s.start + a.min(b), s.start + a.max(b));
        if let (Some(first), Some(second)) = (s.stream_time_of(a), s.stream_time_of(b)) {
            let in_order = if s.applied_rate > 0.0 { first <= second } else { first >= second };
            prop_assert!(in_order, "{a} is at {first}, {b} at {second}: {s}");
        }
    }

    #[test]
    fn running_time_is_defined_inside_the_segment_only(s in segment(), at in instant()) {
        if s.running_time_of(at).is_some() {
            prop_assert!(at >= s.start && s.stop.is_none_or(|stop| at <= stop), "{at}: {s}");
        }
        let full = s.running_time_full_of(at);
        if let Some(plain) = s.running_time_of(at) {
            prop_assert_eq!(full, (1, plain));
        }
    }

    #[test]
    fn position_of_a_running_time_leads_back(s in segment(), at in instant()) {
        let at = s.start + at;
        let Some(running_time) = s.running_time_of(at) else { return Ok(()) };
        let Some(back) = s.position_of_running_time(running_time) else { return Ok(()) };
        // A rate rounds, by less than its own step.
        let slack = s.rate.abs().ceil() as u64 + 1;
        prop_assert!(back.abs_diff(at) <= slack, "{at} gives {running_time} gives {back}: {s}");
    }

    #[test]
    fn what_is_clipped_lies_inside_and_clipping_again_changes_nothing(
        s in segment(), start in instant(), length in instant(),
    ) {
        let Some((first, last)) = s.clip(Some(start), Some(start + length)) else { return Ok(()) };
        let (first, last) = (first.expect("a start was given"), last.expect("a stop was given"));
        prop_assert!(s.start <= first && first <= last && s.stop.is_none_or(|stop| last <= stop));
        prop_assert!(first >= start && last <= start + length, "nothing grows: {s}");
        prop_assert_eq!(s.clip(Some(first), Some(last)), Some((Some(first), Some(last))));
    }

    #[test]
    fn text_form_reads_back(s in segment()) {
        prop_assert_eq!(s.to_string().parse::<Segment>(), Ok(s));
    }

    #[test]
    fn seek_puts_the_position_inside_and_a_flush_begins_at_running_time_zero(
        s in segment(), rate in rate(), start in instant(), length in instant(), flush: bool,
    ) {
        let mut s = s;
        let flags = if flush { SeekFlags::FLUSH } else { SeekFlags::empty() };
        let (start, stop) = (start as i64, (start + length) as i64);
        let done = s.do_seek(rate, flags, SeekType::Set, start, SeekType::Set, stop);
        if done.is_none() {
            return Ok(());
        }
        let position = s.position.expect("a seek sets the position");
        prop_assert!(s.start <= position && s.stop.is_none_or(|stop| position <= stop), "{s}");
        if flush {
            prop_assert_eq!(s.base, 0);
            prop_assert_eq!(s.running_time_of(position), Some(0));
        }
    }

    #[test]
    fn set_running_time_makes_the_new_start_due_then(s in segment(), at in instant()) {
        let mut changed = Segment { rate: s.rate.abs(), offset: 0, ..s };
        if changed.set_running_time(RunningTime::from_nanos(at)) {
            prop_assert_eq!(changed.running_time_of(changed.start), Some(at), "{}", s);
        }
    }
}
