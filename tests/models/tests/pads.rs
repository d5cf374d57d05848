//! A push against a flush, an unlink and a deactivation of the pad it goes through.

use gst_mini_core::event::{Event, EventKind};
use gst_mini_core::pad::{PadCore, PadHandler};
use gst_mini_core::prelude::*;
use gst_mini_core::runtime::{self, Monitor};
use models::explore;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Waits in each buffer until there is a flush, as a sink in preroll.
#[derive(Default)]
struct Holding {
    flushing: Monitor<bool>,
    holds: AtomicBool,
    inside: AtomicBool,
    came: AtomicU32,
}

impl PadHandler for Holding {
    fn chain(&self, _: &PadCore, _: Buffer) -> FlowResult {
        assert!(!self.inside.swap(true, Ordering::SeqCst), "one at a time");
        self.came.fetch_add(1, Ordering::SeqCst);
        let mut flow = Ok(());
        if self.holds.load(Ordering::SeqCst) {
            let mut flushing = self.flushing.lock();
            while !*flushing {
                flushing.wait("a flush");
            }
            flow = Err(FlowError::Flushing);
        }
        shuttle::thread::yield_now();
        self.inside.store(false, Ordering::SeqCst);
        flow
    }
    fn event(&self, _: &PadCore, event: Event) -> FlowResult {
        match event.kind {
            EventKind::FlushStart => {
                *self.flushing.lock() = true;
                self.flushing.notify_all();
            }
            EventKind::FlushStop { .. } => {
                assert!(!self.inside.load(Ordering::SeqCst), "a flush ends when nobody is inside");
                *self.flushing.lock() = false;
            }
            _ => {}
        }
        Ok(())
    }
    fn query(&self, _: &PadCore, _: &mut Query) -> bool {
        false
    }
}

fn linked() -> (Arc<PadCore>, Arc<PadCore>, Arc<Holding>) {
    let owner = Arc::new(Holding::default());
    let pad = |name, direction| {
        let pad = PadCore::bare(name, direction);
        pad.set_handler(Arc::downgrade(&owner) as _);
        pad.set_active(true);
        pad
    };
    let (src, sink) = (pad("src", Direction::Src), pad("sink", Direction::Sink));
    src.link(&sink).expect("both are free");
    src.push_event(Event::stream_start("s"));
    src.push_event(Event::segment(Segment::time()));
    (src, sink, owner)
}

/// Pushes `count` buffers; what came of each.
fn pusher(src: &Arc<PadCore>, count: u32) -> (runtime::Task, Arc<Monitor<Vec<FlowResult>>>) {
    let flows = Arc::new(Monitor::new(Vec::new()));
    let (src, into) = (src.clone(), flows.clone());
    let task = runtime::spawn("pusher", move || {
        for _ in 0..count {
            let flow = src.push_buffer(Buffer::from_vec(vec![0; 4]));
            into.lock().push(flow);
        }
    });
    (task.expect("a task"), flows)
}

#[test]
fn a_flush_ends_a_push_that_waits_and_the_stream_goes_on_after_it() {
    explore(3000, || {
        let (src, _sink, owner) = linked();
        owner.holds.store(true, Ordering::SeqCst);
        let (task, flows) = pusher(&src, 1);
        src.push_event(Event::new(EventKind::FlushStart));
        assert_eq!(task.join(), None);
        assert_eq!(*flows.lock(), [Err(FlowError::Flushing)]);
        owner.holds.store(false, Ordering::SeqCst);
        assert!(src.push_event(Event::new(EventKind::FlushStop { reset_time: true })));
        src.push_event(Event::segment(Segment::time()));
        assert_eq!(src.push_buffer(Buffer::from_vec(vec![0; 4])), Ok(()));
    });
}

#[test]
fn a_pad_that_was_deactivated_has_nobody_inside() {
    explore(3000, || {
        let (src, sink, owner) = linked();
        let (task, flows) = pusher(&src, 3);
        sink.set_active(false);
        assert!(!owner.inside.load(Ordering::SeqCst));
        let came = owner.came.load(Ordering::SeqCst);
        assert_eq!(task.join(), None);
        assert_eq!(owner.came.load(Ordering::SeqCst), came, "nothing comes after it");
        let flows = flows.lock();
        let passed = flows.iter().take_while(|flow| flow.is_ok()).count();
        assert_eq!(passed as u32, came);
        assert!(flows[passed..].iter().all(|flow| *flow == Err(FlowError::Flushing)));
    });
}

#[test]
fn an_unlinked_pad_says_so_and_a_new_link_carries_what_follows() {
    explore(3000, || {
        let (src, sink, owner) = linked();
        let (task, flows) = pusher(&src, 3);
        assert!(src.unlink());
        src.link(&sink).expect("free again");
        assert_eq!(task.join(), None);
        let flows = flows.lock().clone();
        let passed = flows.iter().filter(|flow| flow.is_ok()).count();
        assert_eq!(passed as u32, owner.came.load(Ordering::SeqCst), "{flows:?}");
        assert!(flows.iter().all(|flow| matches!(flow, Ok(()) | Err(FlowError::NotLinked))));
    });
}
