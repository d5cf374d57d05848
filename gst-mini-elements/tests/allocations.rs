//! A stream in steady state allocates nothing: buffers come from pools and go back to them.

use gst_mini_core::element_prelude::{AllocationParams, BufferPool, PoolOffer};
use gst_mini_core::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

/// The system's allocator, counting.
struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations while the line plays that many buffers. A sink named `sink` offers a pool.
fn allocations(line: &str, buffers: u64) -> u64 {
    let pipeline = parse_launch(&line.replace("N", &buffers.to_string())).expect("a good line");
    if let Some(pad) = pipeline.by_name("sink").and_then(|sink| sink.static_pad("sink")) {
        let size = 32 * 16 * 3 / 2;
        let pool = Some(BufferPool::with_limits(size, 4, 0, AllocationParams::default()));
        let id = pad.add_probe(
            ProbeType::QUERY_DOWNSTREAM | ProbeType::PUSH,
            Box::new(move |data| match data {
                ProbeData::Query(Query::Allocation(asked)) => {
                    asked.pools.push(PoolOffer { pool: pool.clone(), size, min: 4, max: 0 });
                    ProbeReturn::Handled(Ok(()))
                }
                _ => ProbeReturn::Ok,
            }),
        );
        // Looking at what passes takes memory.
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).1, State::Paused);
        pad.remove_probe(id);
    }
    let before = COUNT.load(Ordering::Relaxed);
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
    assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
    pipeline.set_state(State::Null);
    COUNT.load(Ordering::Relaxed) - before
}

/// One test: allocations of another would be counted too.
#[test]
fn more_buffers_take_no_more_allocations() {
    gst_mini_elements::register();
    let hops = format!("fakesrc num-buffers=N ! {}fakesink", "identity silent=true ! ".repeat(100));
    let tee = format!(
        "fakesrc num-buffers=N ! tee name=t {}",
        "t. ! queue max-size-buffers=8 ! fakesink ".repeat(8)
    );
    for line in [
        "fakesrc num-buffers=N ! fakesink",
        &hops,
        &tee,
        "fakesrc num-buffers=N ! queue max-size-buffers=10 ! fakesink",
        // A wait for the clock for each, and a live source's and its queue's too.
        "fakesrc num-buffers=N sizetype=fixed sizemax=1000 format=time datarate=10000000 ! fakesink sync=true",
        "videotestsrc is-live=true pattern=black num-buffers=N ! video/x-raw,width=16,height=16,framerate=2000/1 ! queue ! fakesink sync=true",
        "fakesrc num-buffers=N ! identity ! queue ! fakesink",
        // With parts that move, and without.
        "videotestsrc num-buffers=N ! video/x-raw,width=32,height=16 ! queue max-size-buffers=8 ! fakesink",
        "videotestsrc pattern=black num-buffers=N ! videoconvert ! queue max-size-buffers=8 ! fakesink",
        // With a pool of the sink's own, for the source itself or for the converter.
        "videotestsrc pattern=black num-buffers=N ! video/x-raw,format=I420,width=32,height=16 ! videoconvert ! queue max-size-buffers=8 ! fakesink name=sink",
        "videotestsrc pattern=black num-buffers=N ! video/x-raw,format=YV12,width=32,height=16 ! videoconvert ! video/x-raw,format=I420 ! queue max-size-buffers=8 ! fakesink name=sink",
    ] {
        allocations(line, 100);
        let [few, many] = [300, 2300].map(|buffers| allocations(line, buffers));
        // Threads begin and end, and each run fills its pools and queues to another degree; one allocation for
        // each buffer would be 2000 more.
        assert!(many < few + 1000, "{few} for 300 buffers, {many} for 2300: {line}");
    }
}
