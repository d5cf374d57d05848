//! Caps from text: printing is stable, and set operations agree with each other.
#![no_main]

use gst_mini_core::caps::Caps;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, second) = text.split_once('\n').unwrap_or((text, "ANY"));
    let Ok(a) = Caps::parse(first) else { return };
    let printed = a.to_string();
    // As in GStreamer, a list of several types prints the first one's name and reads back as something else, and
    // `NONE;` is a structure of that name, which prints as the word for no caps.
    if !printed.contains(['{', '<'])
        && !["ANY", "EMPTY", "NONE"].contains(&printed.as_str())
        && let Ok(again) = Caps::parse(&printed)
    {
        assert_eq!(again.to_string(), printed, "printing is stable");
    }
    let Ok(b) = Caps::parse(second) else { return };
    // Many values times many values is slow, not wrong.
    if text.len() > 400 {
        return;
    }
    let both = a.intersect(&b);
    // As in GStreamer, two empty lists can meet, and have nothing in common when they do.
    if ![&a, &b].iter().any(|caps| caps.to_string().contains("{  }")) {
        assert_eq!(a.can_intersect(&b), !both.is_empty(), "{a} and {b}: {both}");
    }
    let _ = (a.is_subset_of(&b), a.subtract(&b), a.simplify(), a.normalize());
    let _ = (a.fixate(), a.is_strictly_equal(&b), gst_mini_core::caps::first_difference(&a, &b));
});
