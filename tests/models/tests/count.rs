//! The count of references to a buffer under all orders that the memory model allows.

use atomic::{AtomicUsize, Ordering};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// What the file is made of here.
mod atomic {
    pub use loom::sync::atomic::{Ordering, fence};

    /// Loom's, but for looks at it.
    pub struct AtomicUsize(loom::sync::atomic::AtomicUsize);

    impl AtomicUsize {
        pub fn new(value: usize) -> AtomicUsize {
            AtomicUsize(loom::sync::atomic::AtomicUsize::new(value))
        }
        pub fn fetch_add(&self, value: usize, ordering: Ordering) -> usize {
            self.0.fetch_add(value, ordering)
        }
        pub fn fetch_sub(&self, value: usize, ordering: Ordering) -> usize {
            self.0.fetch_sub(value, ordering)
        }
        /// Loom tries other orders around changes only, and forgets all looks but the last; so a look is a change by
        /// nothing. What is lost is the sight of older counts, and those are larger: their holder does less.
        pub fn load(&self, ordering: Ordering) -> usize {
            self.0.fetch_add(0, ordering)
        }
    }
}

/// The framework's own file.
#[path = "../../../gst-mini-core/src/buffer/count.rs"]
mod count;

/// Stands for a buffer: a count, and what its holders write without a lock.
struct Counted {
    count: AtomicUsize,
    /// Written only by who is alone with it, and by who frees it.
    data: UnsafeCell<u32>,
    freed: std::sync::atomic::AtomicUsize,
}

impl Counted {
    fn new() -> Arc<Counted> {
        let (count, data) = (AtomicUsize::new(1), UnsafeCell::new(0));
        Arc::new(Counted { count, data, freed: Default::default() })
    }

    fn read(&self) -> u32 {
        // SAFETY: loom reports it if anybody writes meanwhile.
        self.data.with(|data| unsafe { *data })
    }

    fn write(&self, value: u32) {
        // SAFETY: loom reports it if anybody else is there.
        self.data.with_mut(|data| unsafe { *data = value });
    }

    /// Lets go of a reference; the last one frees, which is a write.
    fn let_go(&self, is_last: impl FnOnce(&AtomicUsize) -> bool) {
        if is_last(&self.count) {
            self.write(u32::MAX);
            self.freed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn times_freed(&self) -> usize {
        self.freed.load(Ordering::Relaxed)
    }
}

/// Runs a model under all its orders, and wants there to be many.
fn all_orders(model: impl Fn() + Sync + Send + 'static) {
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = runs.clone();
    loom::model(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let runs = runs.load(Ordering::Relaxed);
    assert!(runs > 5, "{runs}");
}

/// Three holders, each of which reads and lets go; `is_last` is what is tried.
fn shared_by_three(is_last: fn(&AtomicUsize) -> bool) {
    all_orders(move || {
        let buf = Counted::new();
        let others: Vec<_> = (0..2)
            .map(|_| {
                count::take(&buf.count);
                let theirs = buf.clone();
                thread::spawn(move || {
                    theirs.read();
                    theirs.let_go(is_last);
                })
            })
            .collect();
        buf.read();
        buf.let_go(is_last);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(buf.times_freed(), 1);
    });
}

#[test]
fn the_last_of_three_frees_once_after_all_have_read() {
    shared_by_three(count::is_last);
}

/// As the framework's, with no order between what the holders did and the end.
#[test]
#[should_panic(expected = "Causality violation")]
fn without_release_and_acquire_freeing_beside_a_reader_is_found() {
    shared_by_three(|count| count.fetch_sub(1, Ordering::Relaxed) == 1);
}

/// Who finds itself alone may write, whatever the other one read before it let go.
fn written_when_alone(is_sole: fn(&AtomicUsize) -> bool) {
    all_orders(move || {
        let buf = Counted::new();
        count::take(&buf.count);
        let theirs = buf.clone();
        let other = thread::spawn(move || {
            theirs.read();
            theirs.let_go(count::is_last);
        });
        if is_sole(&buf.count) {
            buf.write(7);
        }
        buf.let_go(count::is_last);
        other.join().unwrap();
        assert_eq!(buf.times_freed(), 1);
    });
}

#[test]
fn a_sole_holder_may_write() {
    written_when_alone(count::is_sole);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn writing_by_a_relaxed_look_at_the_count_is_found() {
    written_when_alone(|count| count.load(Ordering::Relaxed) == 1);
}

/// A reference that is handed to another thread, taken again there, and let go by both in any order.
#[test]
fn references_taken_on_two_threads_are_all_counted() {
    all_orders(|| {
        let buf = Counted::new();
        count::take(&buf.count);
        let theirs = buf.clone();
        let other = thread::spawn(move || {
            count::take(&theirs.count);
            theirs.read();
            theirs.let_go(count::is_last);
            theirs.read();
            theirs.let_go(count::is_last);
        });
        buf.read();
        buf.let_go(count::is_last);
        other.join().unwrap();
        assert_eq!(buf.times_freed(), 1);
    });
}
