//! What is remembered of plugins: by whom it may be damaged, who may write it at once, and when it is not believed.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod support;

use gst_mini_core::plugin::cache::Cache;
use gst_mini_core::plugin::loader;
use support::{Place, Ran, compile, compile_source};

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

/// A place with a good plugin and one that crashes, both examined, and the cache that remembers it.
fn remembered() -> (Place, Vec<u8>) {
    let place = Place::new();
    place.compile("good", &[]);
    place.compile("crash", &["CRASH"]);
    assert_eq!(place.run(&["inspect"]).code, Some(0));
    assert_eq!(place.examined(), 2);
    let cache = std::fs::read(place.path("registry.bin")).unwrap();
    (place, cache)
}

#[test]
fn no_bytes_in_the_place_of_the_cache_are_an_error_and_none_are_believed() {
    let (place, whole) = remembered();
    let file = place.path("registry.bin");
    let good = place.plugin("good");
    let id = loader::files::check(&good).unwrap();
    let is_known = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Cache::read(&file).get(&good, id).is_some()
    };
    assert!(is_known(&whole), "the cache as it was written");
    for length in 0..whole.len() {
        assert!(!is_known(&whole[..length]), "{length} of {}", whole.len());
    }
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..5000 {
        let mut bytes = whole.clone();
        match numbers.below(4) {
            0 => bytes = (0..numbers.below(2000)).map(|_| numbers.next() as u8).collect(),
            1 => {
                let (from, to) = (numbers.below(bytes.len()), numbers.below(bytes.len()));
                bytes.drain(from.min(to)..from.max(to));
            }
            2 => bytes.extend_from_slice(&whole[numbers.below(whole.len())..]),
            _ => {}
        }
        for _ in 0..1 + numbers.below(8) {
            if !bytes.is_empty() {
                let at = numbers.below(bytes.len());
                bytes[at] = bytes[at].wrapping_add(1 + numbers.below(255) as u8);
            }
        }
        // Changes may take each other back.
        assert_eq!(is_known(&bytes), bytes == whole);
    }
}

#[test]
fn a_damaged_cache_costs_one_examination_and_is_whole_again() {
    let (place, whole) = remembered();
    let file = place.path("registry.bin");
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        let before = place.examined();
        std::fs::write(&file, &whole[..cut]).unwrap();
        let ran = place.run(&["inspect", "good"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(place.examined(), before + 2);
        assert_eq!(std::fs::read(&file).unwrap(), whole);
    }
}

#[test]
fn programs_that_write_the_cache_at_once_leave_one_whole_cache() {
    let place = Place::new();
    for number in 0..6 {
        place.compile(&format!("p{number}"), &[]);
    }
    for _ in 0..5 {
        let _ = std::fs::remove_file(place.path("registry.bin"));
        let start = |_| {
            let mut command = place.command(&["inspect"]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.spawn().expect("gst-mini starts")
        };
        let running: Vec<_> = (0..8).map(start).collect();
        let said: Vec<Ran> = running
            .into_iter()
            .map(|child| child.wait_with_output().expect("ended").into())
            .collect();
        for ran in &said {
            assert_eq!((ran.code, &ran.out, &*ran.err), (Some(0), &said[0].out, ""), "{ran:?}");
        }
        let examined = place.examined();
        assert_eq!(place.run(&["inspect"]).out, said[0].out);
        assert_eq!(place.examined(), examined, "one of the caches that were written is there");
    }
    let unfinished = std::fs::read_dir(place.path("")).unwrap();
    let names = unfinished.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.into_iter().any(|name| name.contains("tmp")));
}

#[test]
fn a_cache_that_cannot_be_written_is_a_warning_in_the_log() {
    let place = Place::new();
    place.compile("good", &[]);
    let mut command = place.command(&["inspect", "good"]);
    command.env("GST_MINI_REGISTRY", "/proc/no/such/place").env("GST_MINI_DEBUG", "registry:2");
    let ran = Ran::from(command.output().expect("gst-mini starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let warning = "the plugin cache /proc/no/such/place cannot be written: ";
    assert!(ran.err.contains("WARN") && ran.err.contains(warning), "{ran:?}");
}

#[test]
fn a_file_that_changes_between_its_examination_and_its_use_is_examined_again() {
    let place = Place::new();
    let source = |defines: &[&str]| {
        let new = place.path("new");
        compile_source("element.c", &new, "own", defines, &["-shared", "-fPIC"]);
        std::fs::rename(new, place.plugin("own")).unwrap();
    };
    source(&["FACTORY_NAME=\"first\""]);
    let found = || loader::discover_in(&[place.path("plugins")], None);
    let plugins = found();
    assert_eq!(plugins.element_names(), ["first"], "{:?}", plugins.refused());
    source(&["FACTORY_NAME=\"second\""]);
    let why = plugins.factory("first").expect("it was there").err().expect("it is gone");
    let file = place.plugin("own");
    assert_eq!(
        why,
        format!("plugin \"{}\": it no longer has the element \"first\"", file.display())
    );
    // The same again says the same; nothing is opened twice.
    assert_eq!(plugins.factory("first").expect("it was there").err(), Some(why));
    let plugins = found();
    assert!(plugins.factory("second").expect("found").is_ok());
    // One that is good no more is refused as it would have been.
    let plugins = found();
    std::fs::write(place.path("new"), "hello").unwrap();
    std::fs::rename(place.path("new"), &file).unwrap();
    let why = plugins.factory("second").expect("it was there").err().expect("no library");
    assert!(why.contains("not a plugin: the file is not an ELF shared library"), "{why}");
}

#[test]
fn without_an_update_what_is_known_is_used_and_nothing_new_examined() {
    let place = Place::new();
    place.compile("known", &[]);
    place.run(&["inspect"]);
    let still = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("GST_MINI_REGISTRY_UPDATE", "no");
        Ran::from(command.output().expect("gst-mini starts"))
    };
    place.compile("new", &[]);
    let ran = still(&["inspect"]);
    let why = "not examined: it is new or has changed, and GST_MINI_REGISTRY_UPDATE is no";
    let told = format!("plugin \"{}\": {why}", place.plugin("new").display());
    assert!(ran.out.contains(&told), "{ran:?}");
    assert_eq!(still(&["inspect", "known"]).code, Some(0));
    assert_eq!(place.examined(), 1);
    assert_eq!(place.run(&["inspect", "new"]).code, Some(0));
    compile(&place.plugin("known"), "known", &["SIZE=20"], &["-shared", "-fPIC"]);
    assert_eq!(still(&["inspect", "known"]).code, Some(1));
    assert_eq!(place.examined(), 2);
}
