//! Plugin files that are damaged, random or lie, and plugins that answer nonsense: always a sentence, never
//! the end of the program.

mod support;

use gst_mini_core::plugin::elf;
use std::io::Cursor;
use support::{Place, compile, compile_source};

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// How many plugins there are and how many were not loaded, as `inspect` counts them.
#[track_caller]
fn not_loaded(place: &Place) -> usize {
    let ran = place.run(&["inspect"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let counted = ran.out.split(" not loaded)").next().and_then(|text| text.rsplit('(').next());
    counted.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn every_length_of_a_plugin_file_is_refused_with_a_sentence() {
    let place = Place::new();
    compile_source("element.c", &place.plugin("whole"), "whole", &[], &["-shared", "-fPIC"]);
    let whole = std::fs::read(place.plugin("whole")).expect("readable");
    let verdict = |bytes: &[u8]| elf::check(&mut Cursor::new(bytes), bytes.len() as u64);
    assert_eq!(verdict(&whole), Ok(()));
    for length in 0..whole.len() {
        let why = verdict(&whole[..length]).expect_err("refused");
        let is_told = why.starts_with("damaged: ") || why.starts_with("not a plugin: ");
        assert!(is_told, "{length} of {}: {why}", whole.len());
    }
}

#[test]
fn a_thousand_damaged_files_harm_nobody_and_are_examined_once() {
    let place = Place::new();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut wholes = Vec::new();
    for name in ["one", "two"] {
        let file = place.path(name);
        compile_source("element.c", &file, name, &[], &["-shared", "-fPIC"]);
        wholes.push(std::fs::read(&file).expect("readable"));
    }
    for number in 0..1000 {
        let whole = &wholes[number % wholes.len()];
        let mut bytes = whole.clone();
        match number % 10 {
            // Nothing but the header is as it should be.
            0 => bytes[64..].fill_with(|| numbers.next() as u8),
            1 => bytes = (0..numbers.below(4096)).map(|_| numbers.next() as u8).collect(),
            // The headers, where every number is a length or a place.
            2..5 => (0..1 + numbers.below(4))
                .for_each(|_| bytes[numbers.below(1024)] = numbers.next() as u8),
            // Two pieces change places.
            5 => {
                let (from, to, length) =
                    (numbers.below(8000), numbers.below(8000), numbers.below(2000));
                let piece = bytes[from..from + length].to_vec();
                bytes[to..to + length].copy_from_slice(&piece);
            }
            _ => {
                for _ in 0..1 + numbers.below(64) {
                    let at = numbers.below(bytes.len());
                    bytes[at] ^= 1 << numbers.below(8);
                }
            }
        }
        std::fs::write(place.plugin(&format!("h{number}")), bytes).expect("writable");
    }
    compile(&place.plugin("good"), "good", &[], &["-shared", "-fPIC"]);
    // None of them keeps its descriptor's name, so none but the good one is loaded.
    assert_eq!(not_loaded(&place), 1000);
    let examined = place.examined();
    assert_eq!(not_loaded(&place), 1000);
    assert_eq!(place.examined(), examined, "the second start examines nothing");
}

#[test]
fn damaged_bytes_of_a_plugin_under_its_own_name_are_a_sentence_or_harmless() {
    let place = Place::new();
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let file = place.plugin("own");
    compile_source("element.c", &file, "own", &[], &["-shared", "-fPIC"]);
    let whole = std::fs::read(&file).expect("readable");
    for _ in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..1 + numbers.below(8) {
            let at = numbers.below(bytes.len());
            bytes[at] = numbers.next() as u8;
        }
        // In its place by a rename, as plugins are installed.
        std::fs::write(place.path("new"), bytes).expect("writable");
        std::fs::rename(place.path("new"), &file).expect("renamed");
        let ran = place.run(&["inspect"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

#[test]
fn factories_with_fields_out_of_range_are_refused_with_what_is_wrong() {
    let place = Place::new();
    let cases: &[(&str, &str)] = &[
        ("N_FACTORIES=0xffffffff", "number of elements is invalid"),
        ("NULL_FACTORY", "entry 0 of its elements is missing"),
        ("N_FACTORIES=2", "is invalid or given twice"),
        ("FACTORY_SIZE=0", "a factory's description has a size that cannot be"),
        ("FACTORY_SIZE=0xfffffff8", "a factory's description has a size that cannot be"),
        ("FACTORY_SIZE=sizeof(GmFactory)+4", "a factory's description has a size that cannot be"),
        ("TABLE_SIZE=8", "the table of an element's functions has a size that cannot be"),
        ("TABLE_SIZE=0xffffffff", "the table of an element's functions has a size that cannot be"),
        ("TEMPLATE_SIZE=0", "a pad template has a size that cannot be"),
        ("PROP_SIZE=12", "a property's description has a size that cannot be"),
        ("SIGNAL_SIZE=1", "a signal's description has a size that cannot be"),
        ("ROLE=99", "role 99 is unknown"),
        ("ROLE=GM_ROLE_SINK", "the plugin does not provide `render`"),
        ("ROLE=GM_ROLE_SOURCE", "the plugin does not provide `create`"),
        ("NO_TRANSFORM", "the plugin does not provide `transform`"),
        ("NO_CREATE", "the plugin does not provide `create`"),
        ("NO_FUNCTIONS", "its functions are missing"),
        ("NO_LISTS", "the list of pad templates is missing"),
        ("NULL_PAD", "entry 1 of pad templates is missing"),
        ("N_PADS=0xffffffff", "4294967295 pad templates: not believable"),
        ("N_PROPS=100000", "100000 properties: not believable"),
        ("N_SIGNALS=257", "257 signals: not believable"),
        ("N_PROPS=2", "property \"prop\" is given twice"),
        ("N_SIGNALS=2", "signal \"signal\" is given twice"),
        ("DIRECTION=7", "pad \"sink\" has direction 7"),
        ("DIRECTION=GM_PAD_SRC", "it needs a sink pad for its role"),
        ("PRESENCE=9", "pad \"sink\" has presence 9"),
        ("PRESENCE=GM_PRESENCE_REQUEST", "it needs a sink pad for its role"),
        ("PAD_NAME=\"src\"", "pad \"src\" is given twice"),
        ("PAD_NAME=\"Sink pad\"", "the pad name \"Sink pad\" is invalid"),
        ("PAD_NAME=\"\\xff\"", "a pad's name is not UTF-8"),
        ("CAPS=\"video/x-raw, width=\"", "caps of pad \"sink\""),
        ("CAPS=\"\\xc3\"", "a pad's caps is not UTF-8"),
        ("FACTORY_NAME=\"\"", "the factory's name \"\" is invalid"),
        ("FACTORY_NAME=\"No Name\"", "the factory's name \"No Name\" is invalid"),
        ("FACTORY_NAME=\"\\xf0\\x28\"", "the factory's name is not UTF-8"),
        (
            "LONG_NAME={\"x\",0x7fffffffffff}",
            "the long name is 140737488355327 bytes long: not believable",
        ),
        ("PROP_NAME=\"UPPER\"", "property \"UPPER\" is invalid"),
        ("PROP_TYPE=\"float32\"", "property \"prop\" has the type \"float32\", which is none"),
        ("PROP_TYPE=\"enum:\"", "property \"prop\" has the type \"enum:\", which is none"),
        ("SIGNAL_NAME=\"\"", "the signal \"\" is invalid"),
    ];
    for (number, (define, why)) in cases.iter().enumerate() {
        let name = format!("lie{number}");
        let file = place.plugin(&name);
        compile_source("element.c", &file, &name, &[define], &["-shared", "-fPIC"]);
        let ran = place.run(&["scan", file.to_str().expect("UTF-8")]);
        assert_eq!(ran.code, Some(1), "{define}: {ran:?}");
        assert!(ran.err.contains(why), "{define}: {ran:?}");
    }
}

#[test]
fn pointers_into_nowhere_are_a_crash_of_the_examiner_and_told_as_one() {
    let place = Place::new();
    let file = place.plugin("wild");
    let defines = ["LONG_NAME={(const char*)64,9}"];
    compile_source("element.c", &file, "wild", &defines, &["-shared", "-fPIC"]);
    let ran = place.run(&["scan", file.to_str().expect("UTF-8")]);
    assert!(ran.err.contains("crashed while being examined (signal 11, SIGSEGV)"), "{ran:?}");
}

#[test]
fn elements_that_answer_nonsense_end_their_stream_with_an_error() {
    let cases: &[(&str, i32, &str)] = &[
        ("ANSWER=gm_flow(GM_FLOW_OK,NULL)", 1, "error"),
        ("ANSWER=(gm_buffer_unref(buf),gm_flow(-77777,NULL))", 1, "error"),
        ("ANSWER=(gm_buffer_unref(buf),gm_flow(GM_FLOW_PANICKED,NULL))", 1, "error"),
        ("ANSWER=(gm_buffer_unref(buf),gm_flow(GM_FLOW_DROPPED,NULL))", 0, "EOS"),
        ("START=-5", 1, "failed in start and did not say why"),
        ("START=GM_FLOW_PANICKED", 1, "failed in start and did not say why"),
        ("CREATE_FAILS=\"no license\"", 1, "could not be made: no license"),
        ("CREATE_FAILS=\"\\xff\"", 1, "could not be made: its plugin did not say why"),
        ("NO_TABLE", 1, "could not be made: its table of functions is damaged"),
        ("OTHER_TABLE", 1, "could not be made: its table of functions is damaged"),
        ("INIT=return(gm_text_put(why,\"no key\",6),0)", 1, "refused to start: no key"),
        ("INIT=return(0)", 1, "refused to start; it did not say why"),
        ("NONSENSE", 0, "EOS"),
    ];
    for (number, (define, code, text)) in cases.iter().enumerate() {
        let place = Place::new();
        let name = format!("odd{number}");
        compile_source("element.c", &place.plugin(&name), &name, &[define], &["-shared", "-fPIC"]);
        let ran = place.run(&["launch", "fakesrc", "num-buffers=3", "!", &name, "!", "fakesink"]);
        let all = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, Some(*code), "{define}: {all}");
        assert!(all.to_lowercase().contains(&text.to_lowercase()), "{define}: {all}");
    }
}
