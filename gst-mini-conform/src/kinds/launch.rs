//! Launch lines: what is built from them, or the class of the error.
//!
//! Invariant: elements, pads and links are read from the real pipeline; a property is told when its value is
//! not that of a fresh element of the same factory.
//! Left out: `partial`, whether an object came back with an error.

use gst_mini_core::handle::ElementRef;
use gst_mini_core::launch::parse_launch_element;
use gst_mini_core::pad::{Pad, PadCore};
use gst_mini_core::plugin::abi::{GM_PROP_READABLE, GM_PROP_WRITABLE};
use gst_mini_core::prelude::{Bin, Pipeline};
use gst_mini_core::registry::registry;
use gst_mini_core::value::Value;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

use crate::case::{Case, Difference};

/// Carries out one case.
pub fn replay(case: &Case) -> Result<(), Difference> {
    let text = case.json["text"].as_str().unwrap_or_default();
    let mut expected = case.json["expect"].clone();
    if let Some(expected) = expected.as_object_mut() {
        expected.remove("partial");
    }
    let got = match parse_launch_element(text) {
        Ok(top) => describe(&top),
        Err(error) => json!({"ok": false, "error": error.class()}),
    };
    let (Some(wanted), Some(found)) = (expected.as_object(), got.as_object()) else {
        return Err(Difference::impossible("no expectation"));
    };
    let keys = ["ok", "error", "top", "elements", "links", "ghosts"];
    match keys.into_iter().find(|key| wanted.get(*key) != found.get(*key)) {
        None => Ok(()),
        Some(key) => {
            let (expected, got) = (&expected[key], &got[key]);
            Err(first_of(&format!("{text:?}, {key}"), expected, got))
        }
    }
}

/// The first members of two lists that differ; other values whole.
fn first_of(at: &str, expected: &Json, got: &Json) -> Difference {
    let (mut expected, mut got) = (expected, got);
    if let (Some(wanted), Some(found)) = (expected.as_array(), got.as_array()) {
        let longest = wanted.len().max(found.len());
        if let Some(i) = (0..longest).find(|i| wanted.get(*i) != found.get(*i)) {
            expected = wanted.get(i).unwrap_or(&Json::Null);
            got = found.get(i).unwrap_or(&Json::Null);
        }
    }
    Difference { at: at.to_owned(), expected: expected.clone(), got: got.clone() }
}

fn describe(top: &ElementRef) -> Json {
    let mut seen = Seen::default();
    seen.element(top, None);
    seen.elements.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    seen.links.sort();
    seen.ghosts.sort();
    let mut told = json!({
        "ok": true, "top": top.name(), "elements": seen.elements, "links": seen.links,
    });
    if !seen.ghosts.is_empty() {
        told["ghosts"] = json!(seen.ghosts);
    }
    told
}

#[derive(Default)]
struct Seen {
    elements: Vec<Json>,
    links: Vec<String>,
    ghosts: Vec<String>,
}

impl Seen {
    fn element(&mut self, element: &ElementRef, parent: Option<&str>) {
        self.elements.push(json!({
            "name": element.name(),
            "factory": element.factory().name,
            "parent": parent,
            "props": props(element),
        }));
        for pad in element.pads() {
            if let Some(real) = pad.real().filter(|_| pad.is_ghost()) {
                self.ghosts.push(format!("{} -> {}", place(&pad), place(&real)));
            } else if let Some(sink) = reached_from(&pad) {
                self.links.push(format!("{} -> {}", place(&pad), place(&sink)));
            }
        }
        if let Some(bin) = Bin::from_element(element) {
            for child in bin.children() {
                self.element(&child, Some(element.name()));
            }
        }
    }
}

fn place(pad: &PadCore) -> String {
    format!("{}.{}", pad.owner(), pad.name())
}

/// The real sink pad that a source pad of an element feeds, through the ghost pads between.
fn reached_from(pad: &Arc<PadCore>) -> Option<Arc<PadCore>> {
    if pad.direction() != gst_mini_core::prelude::Direction::Src {
        return None;
    }
    let mut at = pad.clone();
    loop {
        let next = at.peer()?;
        if !next.ghost_target().is_some_and(|target| Arc::ptr_eq(&target, &at)) {
            return next.real();
        }
        at = next;
    }
}

fn props(element: &ElementRef) -> Map<String, Json> {
    let Ok(fresh) = registry().make(&element.factory().name, None) else { return Map::new() };
    let wanted = |flags: u32| flags & GM_PROP_READABLE != 0 && flags & GM_PROP_WRITABLE != 0;
    // A pad is an object, which GStreamer does not write as text.
    let specs = element.properties().iter();
    let specs = specs.filter(|spec| wanted(spec.flags) && spec.type_name != "pad");
    specs
        .filter_map(|spec| {
            let text = |element: &ElementRef| match element.get(&spec.name) {
                // No text is not the empty one.
                Ok(Value::String(None)) | Err(_) => None,
                Ok(_) => element.get_as::<String>(&spec.name),
            };
            let (own, usual) = (text(element), text(&fresh));
            (own != usual).then(|| (spec.name.clone(), json!(own)))
        })
        .collect()
}
