//! Why no lock crosses: one that code of two images operates loses its waiters. If this test fails, the tests that
//! nothing of the kind happens prove nothing.

use gst_mini_plugin_fixture as linked;

mod support;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use parking_lot::RawMutex;
use parking_lot::lock_api::RawMutex as _;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc;
use std::time::Duration;

type Pass = unsafe extern "C" fn(lock: *const RawMutex);

/// The bit of the lock's only byte that says that a thread sleeps until it is let go.
const PARKED: u8 = 0b10;

/// Whether a thread sleeps, by its `stat`: the letter behind its name.
fn is_asleep(stat: &Path) -> bool {
    let stat = std::fs::read_to_string(stat).expect("a thread that has not ended");
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
}

/// Holds a lock until a thread of its own sleeps in `pass`, and lets it go; that again and again. Whether a thread
/// never woke.
fn sleeps_for_ever(pass: Pass) -> bool {
    for _ in 0..100 {
        let lock: &'static RawMutex = Box::leak(Box::new(RawMutex::INIT));
        let guard = lock.lock();
        let (done, is_done) = mpsc::channel();
        let (here, thread) = mpsc::channel();
        let place = std::ptr::from_ref(lock).addr();
        std::thread::spawn(move || {
            let _ = here.send(std::fs::read_link("/proc/thread-self").expect("Linux"));
            // SAFETY: a leaked lock.
            unsafe { pass(std::ptr::with_exposed_provenance(place)) };
            let _ = done.send(());
        });
        std::ptr::from_ref(lock).expose_provenance();
        // SAFETY: the lock is one atomic byte, and stays where it is.
        let state = unsafe { &*std::ptr::from_ref(lock).cast::<AtomicU8>() };
        while state.load(Ordering::Relaxed) & PARKED == 0 {
            std::thread::yield_now();
        }
        // It looks at the lock once more between raising the bit and going to sleep.
        let thread = Path::new("/proc").join(thread.recv().expect("it told")).join("stat");
        while !is_asleep(&thread) {
            std::thread::yield_now();
        }
        // SAFETY: this thread took it above.
        unsafe { lock.unlock(guard) };
        if is_done.recv_timeout(Duration::from_secs(5)).is_err() {
            return true;
        }
    }
    false
}

#[test]
fn a_lock_operated_by_two_images_loses_who_waits_for_it() {
    // SAFETY: the fixture's constructors do nothing; it stays open.
    let library = unsafe { Library::open(Some(support::plugin_file()), RTLD_NOW | RTLD_LOCAL) };
    let library = std::mem::ManuallyDrop::new(library.expect("a library"));
    // SAFETY: the fixture declares it so.
    let loaded = unsafe { library.get::<Pass>(b"gst_mini_fixture_pass") }.expect("a function");
    assert!(!sleeps_for_ever(linked::wrong::gst_mini_fixture_pass), "one image alone");
    assert!(
        sleeps_for_ever(*loaded),
        "two images: what this project must avoid does not show here"
    );
}
