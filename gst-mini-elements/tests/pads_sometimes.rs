//! Pads that appear while the pipeline runs, and launch lines that wait for them.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

use gst_mini_core::element_prelude as author;
use gst_mini_core::element_prelude::{
    Cx, Element, Factory, FlowError, MultiPad, PadId, PadTemplate, Prop,
};
use gst_mini_core::prelude::*;
use gst_mini_core::register;
use std::sync::Mutex;

/// Shows its input at pads that appear with the first buffer: `video_0`, then `audio_0`.
#[derive(Default)]
struct Appearing {
    kinds: author::Live<u32>,
    pads: Mutex<Vec<PadId>>,
}

const VIDEO: &str = "test/video";
const AUDIO: &str = "test/audio";

impl Element for Appearing {
    const NAME: &str = "appearing";
    const SUMMARY: &str = "Its source pads appear with the first buffer";
    const PADS: &[PadTemplate] = &[
        PadTemplate::sink(author::ANY).with_own_caps(),
        PadTemplate::sometimes_src("video_%u", VIDEO).with_own_caps(),
        PadTemplate::sometimes_src("audio_%u", AUDIO).with_own_caps(),
    ];
    const PROPS: &[Prop<Self>] =
        &[Prop::live("kinds", author::types::UINT, "How many appear", |e| &e.kinds)];
}

impl MultiPad for Appearing {
    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        if self.pads.lock().unwrap().is_empty() {
            for (template, name, caps) in
                [("video_%u", "video_0", VIDEO), ("audio_%u", "audio_0", AUDIO)]
                    .into_iter()
                    .take(self.kinds.get() as usize)
            {
                let events = [
                    Event::stream_start(name),
                    Event::caps(Caps::parse(caps).unwrap()),
                    Event::segment(Segment::time()),
                ];
                let pad = cx.add_pad(template, name, &events).unwrap();
                assert_eq!(cx.add_pad(template, name, &[]), None, "the name is taken");
                self.pads.lock().unwrap().push(pad);
            }
            assert_eq!(cx.add_pad("sink", "sink_0", &[]), None, "no template of such pads");
            assert_eq!(cx.add_pad("video_%u", "video_x", &[]), None, "the name does not fit");
            cx.no_more_pads();
        }
        let pads = self.pads.lock().unwrap().clone();
        for pad in pads {
            match cx.push(pad, buf.clone()) {
                Ok(()) | Err(FlowError::NotLinked) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        if matches!(event.kind, EventKind::Eos) {
            cx.event_default(&event);
        }
        Ok(())
    }

    fn stop(&self, cx: &Cx) -> Result<(), ElementError> {
        for pad in std::mem::take(&mut *self.pads.lock().unwrap()) {
            assert!(cx.remove_pad(pad));
            assert!(!cx.remove_pad(pad), "it is gone");
        }
        Ok(())
    }
}

register![Factory::multi_pad::<Appearing>()];

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

/// Plays to the end; the warnings.
fn play(pipeline: &Bin) -> Vec<String> {
    pipeline.set_state(State::Playing);
    let mut warnings = Vec::new();
    loop {
        let message = pipeline.bus().timed_pop(Some(ClockTime::from_secs(60))).expect("an end");
        match message.kind {
            MessageKind::Warning(warning) => warnings.push(warning.text),
            MessageKind::Error(error) => panic!("{}: {}", message.source, error.text),
            MessageKind::Eos => break,
            _ => {}
        }
    }
    warnings
}

fn rendered(pipeline: &Bin, sink: &str) -> Option<String> {
    let caps = pipeline.by_name(sink).unwrap().pads()[0].current_caps()?;
    Some(caps.to_string())
}

#[test]
fn a_launch_line_links_pads_when_they_appear_to_what_they_fit() {
    everywhere(|| {
        let pipeline = launch(
            "fakesrc num-buffers=3 ! appearing name=a kinds=2 \
             a. ! test/audio ! queue ! fakesink name=sound a. ! queue ! test/video ! fakesink name=picture",
        );
        assert_eq!(play(&pipeline), Vec::<String>::new());
        assert_eq!(rendered(&pipeline, "picture").as_deref(), Some(VIDEO));
        assert_eq!(rendered(&pipeline, "sound").as_deref(), Some(AUDIO));
        let split = pipeline.by_name("a").unwrap();
        assert_eq!(split.pads().len(), 3);
        pipeline.set_state(State::Null);
        assert_eq!(split.pads().len(), 1);
    });
}

#[test]
fn a_named_pad_is_waited_for_and_others_are_not_taken() {
    everywhere(|| {
        let pipeline = launch(
            "fakesrc num-buffers=3 ! appearing name=a kinds=2 a.audio_0 ! fakesink name=sound async=false",
        );
        assert_eq!(play(&pipeline), Vec::<String>::new());
        assert_eq!(rendered(&pipeline, "sound").as_deref(), Some(AUDIO));
        pipeline.set_state(State::Null);
    });
}

#[test]
fn a_pad_that_never_appears_is_warned_of() {
    everywhere(|| {
        let pipeline = launch(
            "fakesrc num-buffers=3 ! appearing name=a kinds=1 a.video_0 ! fakesink name=picture \
             a.audio_0 ! fakesink name=sound async=false",
        );
        pipeline.set_state(State::Playing);
        let heard = loop {
            let message =
                pipeline.bus().timed_pop(Some(ClockTime::from_secs(60))).expect("a warning");
            if let MessageKind::Warning(warning) = message.kind {
                break warning.text;
            }
        };
        assert!(heard.contains("no pad appeared that could be linked to sound"), "{heard}");
        pipeline.set_state(State::Null);
    });
}
