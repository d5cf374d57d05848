//! Where a task is while it waits: the name of the element it is in.
//!
//! Invariant: it is a word for reports; nothing depends on it.
//! In GStreamer: nothing; a backtrace tells.
//! Left out: a stack of places. A wait belongs to the innermost element.

use std::cell::RefCell;

thread_local! {
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `f`; a wait inside it is reported as one in `place`.
pub fn at<R>(place: &str, f: impl FnOnce() -> R) -> R {
    let _left = Left::enter(place);
    f()
}

/// Puts back the place there was. The memory is used again: a wait allocates nothing.
struct Left(Option<String>);

impl Left {
    fn enter(place: &str) -> Left {
        let before = PLACE.try_with(|now| {
            let mut now = now.borrow_mut();
            let outer = (!now.is_empty()).then(|| now.clone());
            now.clear();
            now.push_str(place);
            outer
        });
        Left(before.unwrap_or_default())
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        let outer = self.0.take();
        // A thread that is being torn down reports nothing any more.
        let _ = PLACE.try_with(|now| {
            let mut now = now.borrow_mut();
            now.clear();
            now.push_str(outer.as_deref().unwrap_or_default());
        });
    }
}

/// Another task goes on here: puts its place and gives back the one of the task before.
pub(super) fn swap(place: String) -> String {
    PLACE.with(|now| now.replace(place))
}

/// Lends where this task is; empty when it is in no element.
pub(super) fn with<R>(f: impl FnOnce(&str) -> R) -> R {
    let mut f = Some(f);
    let seen = PLACE.try_with(|now| f.take().map(|f| f(&now.borrow())));
    match (seen, f) {
        (Ok(Some(result)), _) => result,
        (_, Some(f)) => f(""),
        // `f` was taken, so it ran, so there is a result.
        (_, None) => unreachable!("a closure that ran has a result"),
    }
}
