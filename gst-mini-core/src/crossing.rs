//! What a thread last wrote as text or read from it.
//!
//! On its way through a chain the same event or question crosses the plugin boundary at every element, as text. It is
//! written and read once then, and recognized afterwards.
//!
//! Invariant: what is remembered of a value is its text, and of a text its value; forgetting costs only time.
//! In GStreamer: events and queries cross as pointers.
//! Left out: more than one; a thread takes one event through the whole chain before the next.

use std::cell::RefCell;

/// A value with its text; one for each thread.
pub(crate) struct Last<T>(RefCell<Option<(T, String)>>);

impl<T: Clone + PartialEq> Last<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Last(RefCell::new(None))
    }

    /// The text of `value`, made with `write` if it is not the last one.
    pub fn text(&self, value: &T, write: impl FnOnce() -> String) -> String {
        if let Some((known, text)) = &*self.0.borrow()
            && known == value
        {
            return text.clone();
        }
        let text = write();
        self.remember(value, &text);
        text
    }

    /// What `text` says, read with `read` if it is not the last one.
    pub fn value(&self, text: &str, read: impl FnOnce() -> Option<T>) -> Option<T> {
        if let Some((value, known)) = &*self.0.borrow()
            && known == text
        {
            return Some(value.clone());
        }
        let value = read()?;
        self.remember(&value, text);
        Some(value)
    }

    fn remember(&self, value: &T, text: &str) {
        let fresh = Some((value.clone(), text.to_owned()));
        // What was there is dropped when nothing is borrowed any more.
        let _before = self.0.replace(fresh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_recognized_both_ways_and_no_other() {
        let last = Last::new();
        assert_eq!(last.text(&7, || "seven".to_owned()), "seven");
        assert_eq!(last.text(&7, || panic!("written again")), "seven");
        assert_eq!(last.value("seven", || panic!("read")), Some(7));
        assert_eq!(last.value("eight", || Some(8)), Some(8));
        assert_eq!(last.text(&8, || panic!("written")), "eight");
        assert_eq!(last.value("nothing", || None), None);
        assert_eq!(last.text(&7, || "7".to_owned()), "7");
    }
}
