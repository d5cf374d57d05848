//! States, clocks and times of pipelines whose elements come, go, fail and wait; on threads and simulated.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::element_prelude as author;
use gst_mini_core::element_prelude::{
    Cx, Element, Factory, PadTemplate, Prop, Shared, Sink, Transform,
};
use gst_mini_core::prelude::*;
use gst_mini_core::register;
use gst_mini_core::runtime;
use gst_mini_core::state::Transition;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// Provides a clock of its own, until it is told to lose it: twice as fast as the runtime's.
struct Ticking(Arc<Ticks>);

#[derive(Default)]
struct Ticks {
    is_lost: AtomicBool,
}

impl Default for Ticking {
    fn default() -> Self {
        Ticking(Arc::new(Ticks::default()))
    }
}

impl Shared for Ticks {
    fn provide_clock(&self) -> Option<String> {
        (!self.is_lost.load(Ordering::Relaxed)).then(|| "TickingClock".to_owned())
    }
    fn clock_now(&self) -> u64 {
        runtime::now().nanos() * 2
    }
    fn action(&self, cx: &Cx, _: &mut Action) -> FlowResult {
        self.is_lost.store(true, Ordering::Relaxed);
        cx.post(MessageKind::ClockLost("TickingClock".to_owned()));
        Ok(())
    }
}

impl Element for Ticking {
    const NAME: &str = "ticking";
    const SUMMARY: &str = "A sink with a clock";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(author::ANY)];
    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.0.clone())
    }
}

impl Sink for Ticking {
    fn render(&mut self, _: &mut Cx, _: Buffer) -> FlowResult {
        Ok(())
    }
}

/// Passes everything on, and has a clock too.
#[derive(Default)]
struct TickingFilter {
    ticking: bool,
}

#[derive(Default)]
struct FilterClock;

impl Shared for FilterClock {
    fn provide_clock(&self) -> Option<String> {
        Some("FilterClock".to_owned())
    }
    fn clock_now(&self) -> u64 {
        runtime::now().nanos() + 5
    }
    /// From now on it takes a second.
    fn action(&self, cx: &Cx, _: &mut Action) -> FlowResult {
        cx.set_latency(ClockTime::SECOND, None);
        cx.post(MessageKind::Latency);
        Ok(())
    }
}

impl Element for TickingFilter {
    const NAME: &str = "tickingfilter";
    const SUMMARY: &str = "A filter with a clock";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(author::ANY), PadTemplate::src(author::ANY)];
    const PROPS: &[Prop<Self>] =
        &[Prop::boolean("ticking", "Nothing", |e: &mut Self| &mut e.ticking)];
    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(Arc::new(FilterClock))
    }
}

impl Transform for TickingFilter {
    fn transform(&mut self, _: &mut Cx, buf: Buffer) -> FlowResult<Option<Buffer>> {
        Ok(Some(buf))
    }
}

register![Factory::sink::<Ticking>(), Factory::transform::<TickingFilter>()];

fn everywhere(test: impl Fn()) {
    gst_mini_elements::register();
    test();
    for seed in 0..12 {
        Sim::new(seed).run(&test).unwrap_or_else(|dead| panic!("seed {seed}: {dead}"));
    }
}

fn launch(line: &str) -> Bin {
    parse_launch(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

const SOON: Option<ClockTime> = Some(ClockTime::from_secs(30));

fn goes_to(pipeline: &Bin, state: State) {
    assert_ne!(pipeline.set_state(state), StateReturn::Failure);
    let (came_to, now, _) = pipeline.state(SOON);
    assert_ne!(came_to, StateReturn::Failure, "on the way to {state}");
    assert_eq!(now, state);
}

/// What the pipeline's bus has of one sort.
fn heard<T>(pipeline: &Bin, pick: impl Fn(&Message) -> Option<T>) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(message) = pipeline.bus().pop() {
        all.extend(pick(&message));
    }
    all
}

fn clocks(pipeline: &Bin) -> Vec<String> {
    heard(pipeline, |message| match &message.kind {
        MessageKind::NewClock(name) => Some(format!("new {name}")),
        MessageKind::ClockLost(name) => Some(format!("lost {name}")),
        _ => None,
    })
}

#[test]
fn the_clock_farthest_upstream_is_chosen_and_chosen_again_when_it_is_lost() {
    everywhere(|| {
        let pipeline =
            launch("fakesrc ! ticking fakesrc name=b ! tickingfilter name=f ! fakesink name=x");
        goes_to(&pipeline, State::Playing);
        assert_eq!(clocks(&pipeline), ["new FilterClock"]);
        goes_to(&pipeline, State::Paused);
        let before = pipeline.start_time().unwrap();
        // The sink first: what is blocked in it comes out then.
        for name in ["x", "f", "b"] {
            let element = pipeline.by_name(name).unwrap();
            pipeline.remove(&element).unwrap();
            element.set_state(State::Null);
        }
        assert_eq!(clocks(&pipeline), ["lost FilterClock"]);
        goes_to(&pipeline, State::Playing);
        assert_eq!(clocks(&pipeline), ["new TickingClock"]);
        assert!(pipeline.running_time().unwrap() >= before, "running time goes on");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_clock_that_its_element_loses_is_told_in_playing_and_replaced() {
    everywhere(|| {
        let pipeline = launch("fakesrc ! ( identity ! ticking name=s )");
        goes_to(&pipeline, State::Playing);
        assert_eq!(clocks(&pipeline), ["new TickingClock"]);
        let sink = pipeline.by_name("s").unwrap();
        sink.act(&mut Action { name: "lose".to_owned(), ..Action::default() }).unwrap();
        assert_eq!(clocks(&pipeline), ["lost TickingClock"]);
        goes_to(&pipeline, State::Paused);
        goes_to(&pipeline, State::Playing);
        assert_eq!(clocks(&pipeline), ["new GstSystemClock"]);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn without_a_clock_nothing_waits_and_there_is_no_running_time() {
    everywhere(|| {
        let pipeline = launch(
            "videotestsrc num-buffers=3000 pattern=black ! video/x-raw,format=GRAY8,width=16,height=16 ! fakesink sync=true",
        );
        pipeline.use_clock(None);
        pipeline.set_state(State::Playing);
        // A hundred seconds of frames, far sooner than that.
        let end = pipeline.wait_for_end(SOON).expect("an end within half a minute");
        assert_eq!(end.kind, MessageKind::Eos);
        assert_eq!((pipeline.clock().is_none(), pipeline.running_time()), (true, None));
        goes_to(&pipeline, State::Ready);
        pipeline.auto_clock();
        goes_to(&pipeline, State::Playing);
        assert!(pipeline.clock().is_some());
        pipeline.set_state(State::Null);
    });
}

#[test]
fn base_time_is_the_applications_when_the_start_time_is_none_and_moved_by_the_delay() {
    everywhere(|| {
        let clock = Arc::new(TestClock::new(AbsoluteTime::from_nanos(1_000)));
        let pipeline = launch("fakesrc ! ( identity name=i ! fakesink sync=false )");
        pipeline.use_clock(Some(clock.clone()));
        pipeline.set_delay(ClockTime::from_nanos(50));
        goes_to(&pipeline, State::Playing);
        assert_eq!(pipeline.base_time(), Some(AbsoluteTime::from_nanos(1_050)));
        goes_to(&pipeline, State::Ready);
        pipeline.set_start_time(None);
        pipeline.set_base_time(AbsoluteTime::from_nanos(700));
        clock.set_time(AbsoluteTime::from_nanos(2_000));
        goes_to(&pipeline, State::Playing);
        assert_eq!(pipeline.base_time(), Some(AbsoluteTime::from_nanos(700)));
        assert_eq!(pipeline.running_time(), Some(RunningTime::from_nanos(1_300)));
        goes_to(&pipeline, State::Paused);
        clock.set_time(AbsoluteTime::from_nanos(9_000));
        goes_to(&pipeline, State::Playing);
        assert_eq!(pipeline.base_time(), Some(AbsoluteTime::from_nanos(700)), "still its own");
        pipeline.set_state(State::Null);
    });
}

#[test]
fn elements_come_and_go_while_it_plays() {
    everywhere(|| {
        let pipeline = launch("fakesrc ! tee name=t ! queue ! fakesink");
        goes_to(&pipeline, State::Playing);
        let branch = Bin::inner("branch");
        let (queue, sink) =
            (make("queue", Some("q")).unwrap(), make("fakesink", Some("k")).unwrap());
        branch.add(&queue).unwrap();
        branch.add(&sink).unwrap();
        branch.link(&[&queue, &sink]).unwrap();
        branch.add_ghost_pad("sink", &queue.static_pad("sink").unwrap()).unwrap();
        pipeline.add(branch.element()).unwrap();
        assert_eq!(branch.current_state(), State::Null, "adding changes no state");
        assert_ne!(branch.sync_state_with_parent(), StateReturn::Failure);
        let tee = pipeline.by_name("t").unwrap();
        pipeline.link(&[&tee, branch.element()]).unwrap();
        assert_eq!(pipeline.state(SOON).1, State::Playing);
        assert_eq!(branch.state(SOON), (StateReturn::Success, State::Playing, None));
        assert_eq!((queue.current_state(), sink.current_state()), (State::Playing, State::Playing));

        let from = branch.static_pad("sink").unwrap().peer().unwrap();
        pipeline.remove(branch.element()).unwrap();
        assert_eq!(sink.current_state(), State::Playing, "it keeps its state");
        assert!(!from.is_linked());
        tee.release_pad(&from);
        branch.set_state(State::Null);
        assert_eq!(pipeline.state(SOON).1, State::Playing);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_name_is_given_once_and_an_element_is_in_one_bin_and_no_bin_in_itself() {
    let pipeline = Bin::pipeline("p");
    let (outer, inner) = (Bin::inner("outer"), Bin::inner("inner"));
    gst_mini_elements::register();
    let one = make("identity", Some("one")).unwrap();
    pipeline.add(&one).unwrap();
    let said =
        |result: Result<(), gst_mini_core::handle::HandleError>| result.unwrap_err().to_string();
    assert!(said(pipeline.add(&make("fakesink", Some("one")).unwrap())).contains("already"));
    assert!(said(outer.add(&one)).contains("in \"p\" already"));
    outer.add(inner.element()).unwrap();
    assert!(said(inner.add(outer.element())).contains("itself"));
    assert!(said(inner.add(inner.element())).contains("itself"));
    assert_eq!(one.sync_state_with_parent(), StateReturn::Success);
    pipeline.remove(&one).unwrap();
    assert_eq!(one.sync_state_with_parent(), StateReturn::Failure, "nobody to follow");
    outer.add(&one).unwrap();
}

#[test]
fn the_last_element_that_was_waited_for_leaves_and_the_change_is_done() {
    everywhere(|| {
        let pipeline = launch("fakesrc ! fakesink fakesink name=idle");
        assert_eq!(pipeline.set_state(State::Playing), StateReturn::Async);
        let (came_to, _, pending) = pipeline.state(Some(ClockTime::from_millis(1)));
        assert_eq!((came_to, pending), (StateReturn::Async, Some(State::Playing)));
        let idle = pipeline.by_name("idle").unwrap();
        pipeline.remove(&idle).unwrap();
        assert_eq!(pipeline.state(SOON), (StateReturn::Success, State::Playing, None));
        idle.set_state(State::Null);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_new_element_that_is_not_ready_is_waited_for() {
    everywhere(|| {
        let pipeline = launch("fakesrc ! fakesink");
        goes_to(&pipeline, State::Paused);
        let late = make("fakesink", Some("late")).unwrap();
        assert_eq!(late.set_state(State::Paused), StateReturn::Async);
        pipeline.add(&late).unwrap();
        assert_eq!(pipeline.state(Some(ClockTime::ZERO)).0, StateReturn::Async);
        let other = make("fakesrc", Some("other")).unwrap();
        pipeline.add(&other).unwrap();
        pipeline.link(&[&other, &late]).unwrap();
        other.sync_state_with_parent();
        assert_eq!(pipeline.state(SOON), (StateReturn::Success, State::Paused, None));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_step_that_one_fails_is_taken_back_by_all() {
    everywhere(|| {
        let pipeline = launch("fakesrc name=s ! identity name=i ! fakesink name=k async=false");
        let tries = Arc::new(AtomicU32::new(0));
        let own = tries.clone();
        pipeline.by_name("i").unwrap().hook_state(move |transition, go| {
            let fails = transition.to == State::Paused && own.fetch_add(1, Ordering::Relaxed) == 0;
            if fails { StateReturn::Failure } else { go() }
        });
        assert_eq!(pipeline.set_state(State::Playing), StateReturn::Failure);
        for name in ["s", "i", "k"] {
            assert_eq!(pipeline.by_name(name).unwrap().current_state(), State::Ready, "{name}");
        }
        let errors = heard(&pipeline, |message| match &message.kind {
            MessageKind::Error(error) => Some((message.source.clone(), error.text.clone())),
            _ => None,
        });
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].0, "i");
        assert_eq!(pipeline.state(Some(ClockTime::ZERO)).0, StateReturn::Failure);
        // Asked again, it goes.
        goes_to(&pipeline, State::Playing);
        pipeline.set_state(State::Null);
    });
}

#[test]
fn an_element_that_refuses_to_stop_holds_up_nobody_who_gives_the_pipeline_up() {
    everywhere(|| {
        let pipeline = launch(
            "fakesrc ! tee name=t t. ! queue ! fakesink name=k t. ! queue ! fakesink \
             t. ! queue ! ( fakesink name=inside )",
        );
        goes_to(&pipeline, State::Paused);
        for name in ["k", "inside"] {
            pipeline.by_name(name).unwrap().hook_state(|transition, go| match transition {
                Transition::PAUSED_TO_READY => StateReturn::Failure,
                _ => go(),
            });
        }
        // Once refused it is refused again, and whatever feeds it is left alone.
        for _ in 0..2 {
            assert_eq!(pipeline.set_state(State::Null), StateReturn::Failure);
            assert_eq!(pipeline.by_name("t").unwrap().current_state(), State::Paused);
        }
        drop(pipeline);
    });
}

#[test]
fn a_locked_element_is_left_where_it_is() {
    everywhere(|| {
        let pipeline = launch("fakesrc ! fakesink fakesrc name=own ! fakesink name=other");
        for name in ["own", "other"] {
            pipeline.by_name(name).unwrap().set_locked_state(true);
        }
        goes_to(&pipeline, State::Playing);
        assert_eq!(pipeline.by_name("own").unwrap().current_state(), State::Null);
        let other = pipeline.by_name("other").unwrap();
        other.set_locked_state(false);
        pipeline.by_name("own").unwrap().set_locked_state(false);
        // As a bin would: who takes data before who gives it.
        other.sync_state_with_parent();
        pipeline.by_name("own").unwrap().sync_state_with_parent();
        assert_eq!(other.state(SOON), (StateReturn::Success, State::Playing, None));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_change_from_inside_a_change_is_refused_and_the_outer_one_goes_on() {
    everywhere(|| {
        let pipeline = launch("fakesrc ! fakesink name=k");
        let inside = Arc::new(Mutex::new(None));
        let (own, sink) = (inside.clone(), pipeline.by_name("k").unwrap());
        let again = sink.clone();
        sink.hook_state(move |transition, go| {
            if transition.to == State::Ready && transition.from == State::Null {
                let refused = again.set_state(State::Null);
                *own.lock().unwrap() = Some(refused);
            }
            go()
        });
        pipeline.set_state(State::Ready);
        assert_eq!(*inside.lock().unwrap(), Some(StateReturn::Failure));
        sink.hook_state(|_, go| go());
        pipeline.set_state(State::Null);
    });
}

#[test]
fn ends_of_streams_in_bins_in_bins_are_told_once_and_live_ones_mix_with_others() {
    everywhere(|| {
        let pipeline = launch(
            "( fakesrc num-buffers=3 ! ( queue ! fakesink ) ) \
             livesource num-buffers=2 ! video/x-raw,width=1280 ! ( fakesink )",
        );
        assert_eq!(pipeline.set_state(State::Paused), StateReturn::NoPreroll);
        pipeline.set_state(State::Playing);
        let end = pipeline.wait_for_end(SOON).expect("an end within half a minute");
        assert_eq!((end.kind, end.source.as_str()), (MessageKind::Eos, pipeline.name()));
        let more = heard(&pipeline, |message| (message.kind == MessageKind::Eos).then_some(()));
        assert!(more.is_empty());
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_latency_that_grows_while_it_plays_is_told_to_the_application_and_by_it_to_all_sinks() {
    everywhere(|| {
        let pipeline = launch(
            "livesource ! tickingfilter name=f ! fakesink sync=true name=slow \
             livesource ! fakesink sync=true name=fast",
        );
        let sink = |name: &str| pipeline.by_name(name).unwrap();
        goes_to(&pipeline, State::Playing);
        assert!(pipeline.recalculate_latency());
        let before = sink("slow").configured_latency().unwrap();
        assert_eq!(sink("fast").configured_latency(), Some(before));
        let grow = || Action { name: "grow".to_owned(), ..Action::default() };
        let told = |message: &Message| (message.kind == MessageKind::Latency).then_some(());
        heard(&pipeline, told);
        sink("f").act(&mut grow()).unwrap();
        assert!(!heard(&pipeline, told).is_empty());
        assert_eq!(
            sink("slow").configured_latency(),
            Some(before),
            "the application has done nothing"
        );
        // Whoever waits for the end leaves it to that.
        sink("f").act(&mut grow()).unwrap();
        assert_eq!(pipeline.wait_for_end(Some(ClockTime::from_millis(1))), None);
        // The filter holds any amount now, so the sink's own time for rendering counts too.
        let after = sink("slow").configured_latency();
        assert_eq!(after, Some(before + ClockTime::from_millis(1_020)));
        assert_eq!(sink("fast").configured_latency(), after);
        pipeline.set_latency(Some(ClockTime::from_secs(3)));
        pipeline.recalculate_latency();
        assert_eq!(sink("fast").configured_latency(), Some(ClockTime::from_secs(3)));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_bin_that_sees_to_async_changes_itself_holds_nobody_up() {
    everywhere(|| {
        let pipeline =
            launch("fakesrc ! fakesink bin.( name=apart async-handling=true fakesink name=idle )");
        goes_to(&pipeline, State::Playing);
        let apart = Bin::from_element(&pipeline.by_name("apart").unwrap()).unwrap();
        assert_eq!(apart.current_state(), State::Ready);
        let src = make("fakesrc", Some("late")).unwrap();
        apart.add(&src).unwrap();
        apart.link(&[&src, &apart.by_name("idle").unwrap()]).unwrap();
        src.sync_state_with_parent();
        assert_eq!(apart.state(SOON), (StateReturn::Success, State::Playing, None));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn tasks_tell_when_they_are_made_run_and_end() {
    everywhere(|| {
        let pipeline = launch("fakesrc num-buffers=2 name=s ! queue name=q ! fakesink");
        pipeline.set_state(State::Playing);
        let (bus, mut told) = (pipeline.bus(), Vec::new());
        let mut note = |message: Message| {
            if let MessageKind::StreamStatus { status, owner } = &message.kind {
                told.push(format!("{} {owner} {}", message.source, status.name()));
            }
            matches!(message.kind, MessageKind::Eos)
        };
        while !note(bus.timed_pop(None).unwrap()) {}
        pipeline.set_state(State::Ready);
        while let Some(message) = bus.pop() {
            note(message);
        }
        // Each task in order; what the two do is in any.
        told.sort_by_key(|told| !told.starts_with('q'));
        let of = |pad: &str, owner: &str| {
            ["create", "enter", "leave"].map(|status| format!("{pad} {owner} {status}"))
        };
        assert_eq!(told, [of("q.src", "q"), of("s.src", "s")].concat());
        pipeline.set_state(State::Null);
    });
}
