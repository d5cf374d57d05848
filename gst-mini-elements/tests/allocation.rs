//! The allocation query: who answers, who passes it on, and pools shared along a link.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::element_prelude::{Allocation, AllocationParams, BufferPool, PoolOffer};
use gst_mini_core::prelude::*;
use std::sync::{Arc, Mutex};

fn everywhere(test: impl Fn()) {
    gst_mini_elements::register();
    test();
    for seed in 0..20 {
        Sim::new(seed).run(&test).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn launch(line: &str) -> Bin {
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// An offer to be made at a sink's pad.
type Offer = Arc<dyn Fn(&mut Allocation) + Send + Sync>;

fn offer(pipeline: &Bin, sink: &str, make: Offer) {
    let pad = pipeline.by_name(sink).unwrap().static_pad("sink").unwrap();
    pad.add_probe(
        ProbeType::QUERY_DOWNSTREAM | ProbeType::PUSH,
        Box::new(move |data| match data {
            ProbeData::Query(Query::Allocation(asked)) => {
                make(asked);
                ProbeReturn::Handled(Ok(()))
            }
            _ => ProbeReturn::Ok,
        }),
    );
}

fn of_size(size: usize, min: u32) -> PoolOffer {
    PoolOffer { pool: None, size, min, max: 0 }
}

fn play(pipeline: &Bin) {
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).expect("an end");
    assert!(matches!(end.kind, MessageKind::Eos), "{end:?}");
    pipeline.set_state(State::Null);
}

/// What the source of the line is answered, and how often it asked.
fn answers(line: &str, offers: &[(&str, Offer)]) -> Vec<Option<Allocation>> {
    let pipeline = launch(line);
    for (sink, make) in offers {
        offer(&pipeline, sink, make.clone());
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let pad = pipeline.by_name("v").unwrap().static_pad("src").unwrap();
    let own = seen.clone();
    pad.add_probe(
        ProbeType::QUERY_DOWNSTREAM | ProbeType::PUSH,
        Box::new(move |data| {
            if let ProbeData::Query(Query::Allocation(_)) = data {
                own.lock().unwrap().push(None);
            }
            ProbeReturn::Ok
        }),
    );
    let own = seen.clone();
    pad.add_probe(
        ProbeType::QUERY_DOWNSTREAM | ProbeType::PULL,
        Box::new(move |data| {
            if let ProbeData::Query(Query::Allocation(answer)) = data {
                *own.lock().unwrap().last_mut().unwrap() = Some(answer.clone());
            }
            ProbeReturn::Ok
        }),
    );
    play(&pipeline);
    seen.lock().unwrap().clone()
}

const SOURCE: &str =
    "videotestsrc name=v num-buffers=2 ! video/x-raw,format=I420,width=16,height=8";
const SIZE: usize = 16 * 8 * 3 / 2;

fn sizes(line: &str, offers: &[(&str, Offer)]) -> Vec<Option<Vec<(usize, u32)>>> {
    let answers = answers(&format!("{SOURCE} ! {line}"), offers);
    let size = |answer: Allocation| answer.pools.iter().map(|o| (o.size, o.min)).collect();
    answers.into_iter().map(|answer| answer.map(size)).collect()
}

fn wants(size: usize, min: u32) -> Offer {
    Arc::new(move |asked: &mut Allocation| {
        assert!(asked.caps.is_some());
        asked.pools.push(of_size(size, min));
    })
}

#[test]
fn an_allocation_query_goes_once_to_whoever_will_use_the_memory() {
    everywhere(|| {
        let at_sink = [("s", wants(700, 3))];
        for passing in ["identity", "queue", "valve", "videoconvert", "identity ! queue ! identity"]
        {
            let line = format!("{passing} ! fakesink name=s");
            assert_eq!(sizes(&line, &at_sink), [Some(vec![(700, 3)])], "{line}");
        }
        // A sink that offers nothing does not answer.
        assert_eq!(sizes("queue ! fakesink", &[]), [None]);
        // Who makes other pictures offers what it reads itself.
        let line = "videoconvert ! video/x-raw,format=RGBA ! fakesink name=s";
        assert_eq!(sizes(line, &at_sink), [Some(vec![(SIZE, 0)])]);
        let line = "queue ! videoconvert ! video/x-raw,format=RGBA ! fakesink name=s";
        assert_eq!(sizes(line, &at_sink), [Some(vec![(SIZE, 0)])]);
    });
}

#[test]
fn a_tee_asks_for_what_all_its_branches_want_together() {
    everywhere(|| {
        let line = "tee name=t t. ! queue ! fakesink name=a t. ! queue ! fakesink name=b";
        let shaped = |size, min, align, metas: &'static [&'static str]| -> Offer {
            Arc::new(move |asked: &mut Allocation| {
                assert!(!asked.need_pool);
                asked.pools.push(of_size(size, min));
                asked.params.push(AllocationParams { align, prefix: 2, padding: 0 });
                asked.metas.extend(metas.iter().map(|meta| (*meta).to_owned()));
            })
        };
        let line = format!("{SOURCE} ! {line}");
        let offers =
            [("a", shaped(500, 4, 15, &["crop", "lines"])), ("b", shaped(600, 1, 63, &["lines"]))];
        let answers = answers(&line, &offers);
        let [Some(answer)] = answers.as_slice() else { panic!("{answers:?}") };
        assert_eq!(answer.pools, [of_size(600, 5)]);
        assert_eq!(answer.params, [AllocationParams { align: 63, prefix: 2, padding: 0 }]);
        assert_eq!(answer.metas, ["lines"]);
        // One that does not say leaves all to the source.
        let line = "tee name=t t. ! queue ! fakesink name=a t. ! queue ! fakesink";
        assert_eq!(sizes(line, &[("a", wants(500, 4))]), [None]);
    });
}

#[test]
fn a_pool_that_is_offered_is_used_and_gets_its_buffers_back() {
    everywhere(|| {
        for line in [
            "fakesink name=s",
            "queue ! fakesink name=s",
            "videoconvert ! queue ! appsink name=s max-buffers=1 drop=true wait-on-eos=false",
        ] {
            let pipeline = launch(&format!("{SOURCE} ! {line}"));
            let params = AllocationParams { align: 63, prefix: 0, padding: 0 };
            let pool = BufferPool::with_limits(SIZE + 10, 2, 4, params);
            let offered = pool.clone();
            offer(
                &pipeline,
                "s",
                Arc::new(move |asked: &mut Allocation| {
                    let pool = Some(offered.clone());
                    asked.pools.push(PoolOffer { pool, size: SIZE + 10, min: 2, max: 4 });
                }),
            );
            let own = pool.clone();
            let idle = Arc::new(Mutex::new(Vec::new()));
            let seen = idle.clone();
            let pad = pipeline.by_name("s").unwrap().static_pad("sink").unwrap();
            pad.add_probe(
                ProbeType::BUFFER,
                Box::new(move |data| {
                    if let ProbeData::Buffer(buf) = data {
                        assert_eq!(buf.size(), SIZE);
                        assert_eq!(buf.data().as_ptr() as usize % 64, 0);
                        assert!(own.is_active());
                        seen.lock().unwrap().push(own.idle());
                    }
                    ProbeReturn::Ok
                }),
            );
            assert!(!pool.is_active());
            play(&pipeline);
            // Each came out of the two that were made at once.
            assert!(idle.lock().unwrap().iter().all(|idle| *idle < 2), "{line}: {idle:?}");
            // Switched off at READY, it keeps nothing.
            assert_eq!((pool.is_active(), pool.idle()), (false, 0), "{line}");
        }
    });
}

#[test]
fn a_pool_of_small_buffers_is_passed_over_and_another_format_ends_one() {
    everywhere(|| {
        let pool = BufferPool::with_limits(SIZE, 0, 0, AllocationParams::default());
        let pipeline = launch(
            "videotestsrc name=v num-buffers=40 ! capsfilter name=c caps=video/x-raw,format=I420,width=16,height=8 ! fakesink name=s sync=true",
        );
        let offered = pool.clone();
        offer(
            &pipeline,
            "s",
            Arc::new(move |asked: &mut Allocation| {
                let small = asked.caps.as_ref().is_some_and(|caps| caps.to_string().contains("16"));
                if small {
                    let pool = Some(offered.clone());
                    asked.pools.push(PoolOffer { pool, size: SIZE, min: 0, max: 0 });
                }
            }),
        );
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).1, State::Paused);
        assert!(pool.is_active());
        let filter = pipeline.by_name("c").unwrap();
        filter.set("caps", "video/x-raw,format=I420,width=32,height=8").unwrap();
        play(&pipeline);
        assert!(!pool.is_active());
        // Too small for what is made: the source has its own.
        let small = BufferPool::with_limits(3, 0, 0, AllocationParams::default());
        let offered = small.clone();
        let pipeline = launch(&format!("{SOURCE} ! fakesink name=s"));
        offer(
            &pipeline,
            "s",
            Arc::new(move |asked: &mut Allocation| {
                let pool = Some(offered.clone());
                asked.pools.push(PoolOffer { pool, size: 3, min: 0, max: 0 });
            }),
        );
        play(&pipeline);
        assert_eq!(small.idle(), 0);
    });
}

#[test]
fn a_full_queue_in_paused_goes_on_in_playing() {
    everywhere(|| {
        let pipeline = launch(&format!(
            "{} ! queue max-size-buffers=2 ! fakesink name=s",
            SOURCE.replace("num-buffers=2", "num-buffers=9")
        ));
        let make = wants(SIZE, 3);
        offer(&pipeline, "s", make);
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).1, State::Paused);
        play(&pipeline);
    });
}
