//! The launch parser against what GStreamer 1.22.0 made of the same lines, as far as it can be
//! decided without knowing any element.

use gst_mini_core::launch::{Graph, Node, PropDesc, Target, parse, parse_prefix};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

fn cases() -> impl Iterator<Item = Value> {
    include_str!("../../tests/vectors/launch.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
}

fn text(json: &Value) -> &str {
    json.as_str().expect("a string")
}

/// Each element and bin by the name GStreamer gives it: its own, or one counted per factory in the
/// order of creation.
fn names(graph: &Graph) -> HashMap<String, (String, Vec<PropDesc>)> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut automatic = |factory: &str| {
        let factory = factory.replace('-', "");
        let count = counts.entry(factory.clone()).or_default();
        *count += 1;
        format!("{factory}{}", *count - 1)
    };
    let mut names = HashMap::new();
    for node in graph.creation_order() {
        let (factory, name, props) = match node {
            Node::Element(index) => {
                let element = &graph.elements[index];
                (&element.factory, &element.name, &element.props)
            }
            Node::Bin(index) => {
                let bin = &graph.bins[index];
                (&bin.factory, &bin.name, &bin.props)
            }
        };
        let own = automatic_unless_named(name, || automatic(factory));
        names.insert(own, (factory.clone(), props.clone()));
    }
    if graph.children(None).len() > 1 {
        names.insert(automatic("pipeline"), ("pipeline".to_owned(), Vec::new()));
    }
    for caps in graph.links.iter().filter_map(|link| link.caps.as_ref()) {
        let props = vec![PropDesc {
            name: "caps".into(),
            value: caps.clone(),
            span: 0..0,
            value_span: 0..0,
        }];
        names.insert(automatic("capsfilter"), ("capsfilter".to_owned(), props));
    }
    names
}

fn automatic_unless_named(name: &Option<String>, automatic: impl FnOnce() -> String) -> String {
    name.clone().unwrap_or_else(automatic)
}

/// How many pads get linked; unknown where links wait for pads that come later.
fn link_count(graph: &Graph, text: &str) -> Option<usize> {
    if text.contains("streamiddemux") || graph.links.iter().any(|link| link.all_pads) {
        return None;
    }
    let count = |link: &gst_mini_core::launch::LinkDesc| {
        let pairs = link.from.pads.len().min(link.to.pads.len()).max(1);
        pairs * if link.caps.is_some() { 2 } else { 1 }
    };
    Some(graph.links.iter().map(count).sum())
}

#[test]
fn launch_lines_that_gstreamer_builds_give_the_same_graph() {
    let mut lines = 0;
    for case in cases().filter(|case| case["expect"]["ok"] == true) {
        lines += 1;
        let line = text(&case["text"]);
        let graph = parse(line).unwrap_or_else(|error| panic!("{}: {error}", case["id"]));
        let names = names(&graph);
        let elements = case["expect"]["elements"].as_array().expect("elements");

        let expected: BTreeMap<&str, &str> = elements
            .iter()
            .map(|element| (text(&element["name"]), text(&element["factory"])))
            .collect();
        let found: BTreeMap<&str, &str> =
            names.iter().map(|(name, (factory, _))| (name.as_str(), factory.as_str())).collect();
        assert_eq!(found, expected, "{}: {line}", case["id"]);

        for element in elements {
            let (_, props) = &names[text(&element["name"])];
            for (name, value) in element["props"].as_object().expect("props") {
                let same = |prop: &&PropDesc| prop.name.replace('_', "-") == *name;
                let written = props.iter().rfind(same);
                let written =
                    written.unwrap_or_else(|| panic!("{}: no {name}: {line}", case["id"]));
                // Only raw strings are printed as they were written.
                if name == "location" {
                    assert_eq!(written.value, text(value), "{}: {line}", case["id"]);
                }
            }
        }

        let links = case["expect"]["links"].as_array().expect("links").len();
        // An element whose name was taken is not in the pipeline, and the names above overlap.
        if let Some(count) = link_count(&graph, line) {
            assert_eq!(count, links, "{}: {line}", case["id"]);
        }
    }
    assert_eq!(lines, 300);
}

#[test]
fn launch_lines_that_gstreamer_refuses_for_their_words_are_refused_alike() {
    let mut refused = 0;
    for case in cases().filter(|case| case["expect"]["ok"] == false) {
        let line = text(&case["text"]);
        let expected = text(&case["expect"]["error"]);
        let (graph, error) = parse_prefix(line);
        match (expected, error) {
            ("syntax" | "empty" | "empty-bin", error) => {
                refused += 1;
                let class = error.map(|error| error.class());
                assert_eq!(class, Some(expected), "{}: {line}", case["id"]);
            }
            (_, Some(error)) => {
                let unknown = |factory: &str| !KNOWN.contains(&factory);
                let met_first = graph.elements.iter().any(|element| unknown(&element.factory));
                assert!(
                    error.class() == expected || (expected == "no-such-element" && met_first),
                    "{}: {error}",
                    case["id"]
                );
            }
            (_, None) => {}
        }
    }
    assert_eq!(refused, 32);
}

#[test]
fn launch_references_are_kept_as_names() {
    let graph = parse("fakesrc ! tee name=t t.src_0,src_1 ! f.sink_0,sink_1 funnel name=f")
        .expect("a graph");
    let link = &graph.links[1];
    assert_eq!(link.from.target, Target::Name("t".into()));
    assert_eq!(
        (&link.from.pads[..], &link.to.pads[..]),
        (&["src_0", "src_1"].map(String::from)[..], &["sink_0", "sink_1"].map(String::from)[..])
    );
}

const KNOWN: [&str; 8] = [
    "audiotestsrc",
    "fakesink",
    "fakesrc",
    "filesrc",
    "funnel",
    "identity",
    "queue",
    "videotestsrc",
];
