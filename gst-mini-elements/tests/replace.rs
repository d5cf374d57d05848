//! One element in the place of another while the stream goes on: every buffer in one of the two.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod replace_support;
mod routing_support;

use gst_mini_core::pad::PadMode;
use gst_mini_core::prelude::*;
use replace_support::{Arrivals, CAMERA, FILE, assert_gone, end, pause};
use routing_support::{everywhere, in_sim, launch};
use std::sync::{Arc, Mutex};

#[test]
fn a_sink_is_replaced_while_the_camera_runs() {
    for line in [CAMERA, FILE] {
        everywhere(|| {
            let pipeline = launch(&format!("{line} ! fakesink name=s0 sync=true"));
            let arrivals = Arrivals::default();
            let first = pipeline.by_name("s0").unwrap();
            arrivals.watch(&first);
            pipeline.set_state(State::Playing);
            pause(55_000);
            let second = arrivals.sink("s1");
            pipeline.replace(&first, &second).unwrap();
            assert_gone(&pipeline, &first);
            pause(50_000);
            assert_eq!(second.current_state(), State::Playing);
            end(&pipeline);
            let all = arrivals.assert_whole(line);
            let names = arrivals.0.lock().unwrap().clone();
            let of_second = names.iter().filter(|(name, _)| name == "s1").count();
            assert!(of_second > 2 && of_second < all - 2, "{of_second} of {all}");
        });
    }
}

#[test]
fn a_filter_that_holds_buffers_is_drained_before_the_next_one_begins() {
    everywhere(|| {
        let line = format!("{CAMERA} ! queue name=f0 min-threshold-buffers=3 ! fakesink name=s0");
        let pipeline = launch(&line);
        let arrivals = Arrivals::default();
        arrivals.watch(&pipeline.by_name("s0").unwrap());
        pipeline.set_state(State::Playing);
        pause(75_000);
        let mut old = pipeline.by_name("f0").unwrap();
        for (name, factory) in [("f1", "identity"), ("f2", "queue"), ("f3", "identity")] {
            let new = make(factory, Some(name)).unwrap();
            pipeline.replace(&old, &new).unwrap();
            assert_gone(&pipeline, &old);
            assert_eq!(new.current_state(), State::Playing);
            pause(30_000);
            old = new;
        }
        end(&pipeline);
        assert!(arrivals.assert_whole(&line) > 10);
    });
}

#[test]
fn a_live_source_is_replaced_and_its_last_and_the_first_frame_arrive() {
    everywhere(|| {
        let pipeline =
            launch("livesource name=camera fps=100 width=16 height=16 ! fakesink name=s0");
        let arrivals = Arrivals::default();
        arrivals.watch(&pipeline.by_name("s0").unwrap());
        pipeline.set_state(State::Playing);
        pause(75_000);
        let old = pipeline.by_name("camera").unwrap();
        let new = make("livesource", Some("other")).unwrap();
        for (name, value) in [("fps", "100"), ("width", "16"), ("height", "16")] {
            new.set(name, value).unwrap();
        }
        pipeline.replace(&old, &new).unwrap();
        assert_gone(&pipeline, &old);
        pause(70_000);
        end(&pipeline);
        let made = |element: &ElementRef| element.get_as::<u64>("generated").unwrap();
        assert!(made(&old) > 3 && made(&new) > 3);
        assert_eq!(made(&old) + made(&new), arrivals.numbers().len() as u64);
        // Both count slots of the same clock; the one in which they change places may have a frame of each.
        let numbers = arrivals.numbers();
        assert!(numbers.windows(2).all(|pair| pair[0] <= pair[1]), "{numbers:?}");
    });
}

#[test]
fn a_source_that_counts_from_zero_goes_on_where_the_other_stopped() {
    in_sim(|| {
        let pipeline = launch(&format!("{FILE} ! fakesink name=s0 sync=true"));
        let sink = pipeline.by_name("s0").unwrap();
        let times = Arc::new(Mutex::new(Vec::new()));
        let seen = times.clone();
        let pad = sink.static_pad("sink").unwrap();
        let own = pad.clone();
        pad.add_probe(
            ProbeType::BUFFER,
            Box::new(move |data| {
                if let ProbeData::Buffer(buf) = data {
                    let at = own.segment().unwrap().to_running_time(buf.pts().unwrap());
                    seen.lock().unwrap().push(at.unwrap().nanos() / 10_000_000);
                }
                ProbeReturn::Ok
            }),
        );
        pipeline.set_state(State::Playing);
        pause(45_000);
        let old = pipeline.by_name("camera").unwrap();
        let new = make("fakesrc", Some("other")).unwrap();
        for name in ["format", "datarate", "sizetype", "sizemax"] {
            new.set(name, old.get_shown(name).unwrap()).unwrap();
        }
        pipeline.replace(&old, &new).unwrap();
        pause(40_000);
        end(&pipeline);
        let times = times.lock().unwrap();
        let wanted: Vec<u64> = (0..times.len() as u64).collect();
        assert_eq!(*times, wanted);
        assert!(times.len() > 7);
    });
}

#[test]
fn a_prerolled_sink_renders_what_it_holds_and_the_new_one_prerolls_with_the_next() {
    everywhere(|| {
        let pipeline = launch(&format!("{FILE} ! fakesink name=s0 sync=true"));
        let arrivals = Arrivals::default();
        let first = pipeline.by_name("s0").unwrap();
        arrivals.watch(&first);
        pipeline.set_state(State::Paused);
        assert_eq!(pipeline.state(None).0, StateReturn::Success);
        let second = arrivals.sink("s1");
        pipeline.replace(&first, &second).unwrap();
        assert_gone(&pipeline, &first);
        assert_eq!(pipeline.state(None), (StateReturn::Success, State::Paused, None));
        assert_eq!(second.current_state(), State::Paused);
        assert_eq!(*arrivals.0.lock().unwrap(), [("s0".to_owned(), 0), ("s1".to_owned(), 1)]);
        pipeline.set_state(State::Playing);
        pause(30_000);
        end(&pipeline);
        arrivals.assert_whole("paused");
    });
}

#[test]
fn a_live_pipeline_in_paused_and_one_at_rest_are_changed_at_once() {
    in_sim(|| {
        for state in [State::Null, State::Ready, State::Paused] {
            let pipeline = launch(&format!("{CAMERA} ! identity name=f0 ! fakesink name=s0"));
            pipeline.set_state(state);
            let arrivals = Arrivals::default();
            let sink = arrivals.sink("s1");
            let filter = make("identity", Some("f1")).unwrap();
            let source = make("fakesrc", Some("other")).unwrap();
            source.set("is-live", true).unwrap();
            for (name, value) in [
                ("format", "time"),
                ("datarate", "10000"),
                ("sizetype", "fixed"),
                ("sizemax", "100"),
                ("num-buffers", "3"),
            ] {
                source.set(name, value).unwrap();
            }
            for (old, new) in [("s0", &sink), ("f0", &filter), ("camera", &source)] {
                let old = pipeline.by_name(old).unwrap();
                pipeline.replace(&old, new).unwrap();
                assert_gone(&pipeline, &old);
                assert_eq!(new.current_state().min(State::Ready), state.min(State::Ready));
            }
            pipeline.set_state(State::Null);
            pipeline.set_state(State::Playing);
            assert_eq!(routing_support::end(&pipeline), MessageKind::Eos);
            pipeline.set_state(State::Null);
            assert_eq!(arrivals.assert_whole("at rest"), 3);
        }
    });
}

#[test]
fn an_element_that_cannot_start_or_does_not_fit_leaves_the_old_one_in_place() {
    everywhere(|| {
        let pipeline = launch(&format!("{CAMERA} ! identity name=f0 ! fakesink name=s0"));
        let arrivals = Arrivals::default();
        let sink = pipeline.by_name("s0").unwrap();
        arrivals.watch(&sink);
        pipeline.set_state(State::Playing);
        pause(35_000);
        let bad = make("fakesink", Some("bad")).unwrap();
        bad.set("state-error", "ready-to-paused").unwrap();
        let error = pipeline.replace(&sink, &bad).unwrap_err();
        assert!(matches!(error, ReplaceError::Start { .. }), "{error}");
        let dir = make("dirsink", Some("dir")).unwrap();
        let error = pipeline.replace(&sink, &dir).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("\"dir\" did not start, so \"s0\" stays: "), "{text}");
        assert!(text.contains("set location"), "{text}");
        let filter = pipeline.by_name("f0").unwrap();
        let narrow = make("capsfilter", Some("narrow")).unwrap();
        narrow.set("caps", "video/x-raw, width=1").unwrap();
        let narrower = pipeline.replace(&filter, &narrow);
        // fakesrc gives anything, so this fits; what has formats does not.
        let _ = narrower.map(|()| pipeline.replace(&narrow, &filter));
        let error = pipeline.replace(&sink, &filter).unwrap_err();
        assert!(matches!(error, ReplaceError::InUse(_)), "{error}");
        let source = make("fakesrc", Some("src")).unwrap();
        let error = pipeline.replace(&sink, &source).unwrap_err();
        assert!(matches!(error, ReplaceError::Handle(_)), "{error}");
        assert!(pipeline.children().iter().any(|child| child.is_same(&sink)));
        for element in [bad, dir, source] {
            assert_eq!(element.current_state(), State::Null);
            assert!(!pipeline.children().iter().any(|child| child.is_same(&element)));
        }
        pause(30_000);
        end(&pipeline);
    });
}

#[test]
fn a_sink_of_another_format_is_refused_while_it_runs() {
    in_sim(|| {
        let pipeline = launch(
            "videotestsrc is-live=true ! capsfilter caps=video/x-raw name=c ! fakesink name=s0",
        );
        pipeline.set_state(State::Playing);
        pause(100_000);
        let sink = pipeline.by_name("s0").unwrap();
        let sound = make("wavenc", Some("sound")).unwrap();
        let filter = pipeline.by_name("c").unwrap();
        let error = pipeline.replace(&filter, &sound).unwrap_err();
        assert!(matches!(error, ReplaceError::Fit { .. }), "{error}");
        assert!(error.to_string().contains("\"c\", which stays"), "{error}");
        assert_eq!(sink.current_state(), State::Playing);
        end(&pipeline);
    });
}

#[test]
fn a_source_held_in_preroll_and_a_stream_that_ended_are_refused_with_a_sentence() {
    in_sim(|| {
        let pipeline = launch(&format!("{FILE} num-buffers=3 ! fakesink name=s0"));
        pipeline.set_state(State::Paused);
        pipeline.state(None);
        let source = pipeline.by_name("camera").unwrap();
        let new = make("fakesrc", Some("other")).unwrap();
        let error = pipeline.replace(&source, &new).unwrap_err();
        assert!(error.to_string().contains("exchange it in PLAYING"), "{error}");
        pipeline.set_state(State::Playing);
        pipeline.wait_for_end(None);
        let error = pipeline.replace(&source, &new).unwrap_err();
        assert_eq!(error, ReplaceError::Ended("camera".to_owned()));
        let sink = make("fakesink", Some("s1")).unwrap();
        let error = pipeline.replace(&pipeline.by_name("s0").unwrap(), &sink).unwrap_err();
        assert_eq!(error, ReplaceError::Ended("s0".to_owned()));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn what_is_pulled_is_refused() {
    in_sim(|| {
        let pipeline = launch(
            "fakesrc can-activate-pull=true sizetype=fixed sizemax=100 ! fakesink name=s0 can-activate-pull=true",
        );
        pipeline.set_state(State::Paused);
        pipeline.state(None);
        let old = pipeline.by_name("s0").unwrap();
        if old.static_pad("sink").unwrap().mode() != PadMode::Pull {
            panic!("it is to be pulled");
        }
        let new = make("fakesink", Some("s1")).unwrap();
        let error = pipeline.replace(&old, &new).unwrap_err();
        assert_eq!(error, ReplaceError::Pulled("s0".to_owned()));
        pipeline.set_state(State::Null);
    });
}
