//! What a thread last wrote as text or read from it.
//!
//! On its way through a chain the same event or question crosses the plugin boundary at every element, as text. It is
//! written and read once then, and recognized afterwards.
//!
//! Invariant: what is remembered of a value is its text, and of a text its value; forgetting costs only time.
//! In GStreamer: events and queries cross as pointers.
//! Left out: more than one; a thread takes one event through the whole chain before the next.

use crate::structure::ScratchText;
use std::cell::RefCell;
use std::rc::Rc;

/// A value with its text; one for each thread.
pub(crate) struct Last<T>(RefCell<Option<(T, Rc<ScratchText>)>>);

impl<T: Clone + PartialEq> Last<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Last(RefCell::new(None))
    }

    /// The text of `value`, made with `write` if it is not the last one.
    pub fn text(&self, value: &T, write: impl FnOnce() -> ScratchText) -> Rc<ScratchText> {
        if let Some((known, text)) = &*self.0.borrow()
            && known == value
        {
            return text.clone();
        }
        let text = Rc::new(write());
        self.remember(value.clone(), text.clone());
        text
    }

    /// What `text` says, read with `read` if it is not the last one.
    pub fn value(&self, text: &str, read: impl FnOnce() -> Option<T>) -> Option<T> {
        if let Some(value) = self.known(text.as_bytes()) {
            return Some(value);
        }
        let value = read()?;
        self.remember(value.clone(), Rc::new(text.into()));
        Some(value)
    }

    /// What these bytes say if they are the last text. Whoever has them from the boundary need not look whether
    /// they are UTF-8 then.
    pub fn known(&self, text: &[u8]) -> Option<T> {
        match &*self.0.borrow() {
            Some((value, known)) if known.as_bytes() == text => Some(value.clone()),
            _ => None,
        }
    }

    /// What was remembered is given up.
    #[cfg(feature = "host")]
    pub fn forget(&self) {
        let _before = self.0.take();
    }

    fn remember(&self, value: T, text: Rc<ScratchText>) {
        // What was there is dropped when nothing is borrowed any more.
        let _before = self.0.replace(Some((value, text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_recognized_both_ways_and_no_other() {
        let last = Last::new();
        assert_eq!(&**last.text(&7, || "seven".into()), "seven");
        assert_eq!(&**last.text(&7, || panic!("written again")), "seven");
        assert_eq!(last.value("seven", || panic!("read")), Some(7));
        assert_eq!(last.value("eight", || Some(8)), Some(8));
        assert_eq!(&**last.text(&8, || panic!("written")), "eight");
        assert_eq!(
            (last.known(b"eight"), last.known(b"eigh"), last.known(b"\xff")),
            (Some(8), None, None)
        );
        assert_eq!(last.value("nothing", || None), None);
        assert_eq!(&**last.text(&7, || "7".into()), "7");
        last.forget();
        assert_eq!(last.known(b"7"), None);
    }
}
