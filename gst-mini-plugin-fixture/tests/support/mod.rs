//! The fixture in both its forms: linked into the test program, and loaded from the plugin.

#![allow(dead_code, reason = "each test file uses a part of it")]

use gst_mini_core::plugin::loader::{self, files};
use gst_mini_core::prelude::*;
use gst_mini_core::registry::factory::FactoryInfo;
use gst_mini_plugin_fixture as linked;
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

/// The host's allocator, which the plugin does not have: memory that one image frees for the other ends the
/// test program at once.
struct Marked;

#[global_allocator]
static MARKED: Marked = Marked;

const MARK: u64 = 0x6d65_6d6f_7279_2121;

fn with_room(layout: Layout) -> (usize, Layout) {
    let room = layout.align().max(16);
    let size = layout.size().checked_add(room).expect("a size that can be");
    (room, Layout::from_size_align(size, room).expect("an alignment that can be"))
}

// SAFETY: System's memory, moved by a multiple of the alignment, and given back as it came.
unsafe impl GlobalAlloc for Marked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (room, whole) = with_room(layout);
        // SAFETY: the size is not zero; the mark lies in the room before what is given out.
        unsafe {
            let start = System.alloc(whole);
            if start.is_null() {
                return start;
            }
            start.add(room - 8).cast::<u64>().write(MARK);
            start.add(room)
        }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        let (room, whole) = with_room(layout);
        // SAFETY: `alloc` gave it, or else the program ends here.
        unsafe {
            let mark = place.sub(8).cast::<u64>();
            if mark.read() != MARK {
                std::process::abort();
            }
            mark.write(0);
            System.dealloc(place.sub(room), whole);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Linked,
    Loaded,
}

/// The plugin that the build put where plugins are loaded from; where nothing did, it is built here,
/// in a call and target directory of its own as every plugin is.
pub fn plugin_file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        // Another build of it: by another compiler, or against another version of the boundary.
        if let Some(file) = std::env::var_os("GST_MINI_TEST_FIXTURE") {
            return PathBuf::from(file);
        }
        let name = format!("libgstminifixture{}", std::env::consts::DLL_SUFFIX);
        let built = files::folders().into_iter().map(|folder| folder.join(&name));
        if let Some(file) = built.into_iter().find(|file| file.is_file()) {
            return file;
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-build");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--lib", "--package", "gst-mini-plugin-fixture"])
            .arg("--target-dir")
            .arg(&target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo can be started");
        assert!(status.success(), "the plugin cannot be built");
        let made = target.join("debug/libgst_mini_plugin_fixture").with_extension("so");
        let file = target.join(name);
        std::fs::copy(&made, &file).expect("the plugin can be copied");
        file
    })
}

pub fn factory(form: Form, name: &str) -> Arc<FactoryInfo> {
    static LOADED: OnceLock<Vec<Arc<FactoryInfo>>> = OnceLock::new();
    match form {
        Form::Linked => linked::FACTORIES
            .iter()
            // SAFETY: statics of this program.
            .map(|factory| unsafe { FactoryInfo::read(factory.0, "fixture") }.expect("well formed"))
            .find(|info| info.name == name)
            .map(Arc::new)
            .expect("an element of the fixture"),
        Form::Loaded => LOADED
            .get_or_init(|| {
                let id = files::check(plugin_file()).expect("an acceptable file");
                let loaded = loader::library::open(plugin_file(), id).expect("a good plugin");
                loaded.init().expect("it starts");
                loaded.factories
            })
            .iter()
            .find(|info| info.name == name)
            .cloned()
            .expect("an element of the fixture"),
    }
}

pub fn element(
    form: Form,
    factory_name: &str,
    name: &str,
    properties: &[(&str, &str)],
) -> ElementRef {
    let element = ElementRef::make(&factory(form, factory_name), name).expect("an instance");
    for (property, value) in properties {
        element.set(property, value).expect("a property");
    }
    element
}
