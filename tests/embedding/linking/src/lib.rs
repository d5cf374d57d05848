//! Two functions for a program in C, which links this as a static library: only what is named gets into it.

use gst_mini_core::prelude::*;
use std::ffi::{CStr, c_char, c_int, c_uint};

/// How many elements there are.
#[unsafe(no_mangle)]
pub extern "C" fn linking_elements() -> c_uint {
    gst_mini_elements::register();
    registry().builtin().len() as c_uint
}

/// Plays a launch line; 0 if it came to its end.
///
/// # Safety
/// `line` must end with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn linking_play(line: *const c_char) -> c_int {
    gst_mini_elements::register();
    // SAFETY: the caller's promise.
    let Ok(line) = unsafe { CStr::from_ptr(line) }.to_str() else { return 2 };
    let Ok(pipeline) = parse_launch(line) else { return 1 };
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60)));
    pipeline.set_state(State::Null);
    c_int::from(!matches!(end.map(|end| end.kind), Some(MessageKind::Eos)))
}
