//! A link that cannot be made names the element that would make it possible, if there is one.

use gst_mini_core::prelude::*;

#[track_caller]
fn advised(line: &str, element: Option<&str>) {
    gst_mini_elements::register();
    let error = parse_launch(line).expect_err("the formats do not fit").to_string();
    match element {
        Some(element) => {
            assert!(error.contains(&format!("put `{element}` between them")), "{error}")
        }
        None => assert!(!error.contains("between them"), "{error}"),
    }
}

fn between(first: &str, second: &str) -> String {
    format!("fakesrc ! capsfilter caps={first} ! capsfilter caps={second} ! fakesink")
}

#[test]
fn advice_is_the_element_that_has_a_format_for_both_sides() {
    let raw = |fields: &str| format!("video/x-raw,{fields}");
    advised(&between(&raw("format=RGB"), &raw("format=I420")), Some("videoconvert"));
    advised(&between(&raw("framerate=10/1"), &raw("framerate=20/1")), Some("videorate"));
    let audio =
        |fields: &str| format!("audio/x-raw,layout=interleaved,channels=1,rate=8000,{fields}");
    advised(&between(&audio("format=S8"), &audio("format=F32LE")), Some("audioconvert"));
    advised(&between(&raw("format=RGB,width=8,height=8"), "image/png"), Some("pngenc"));
}

#[test]
fn no_advice_is_given_where_nothing_would_do() {
    advised(&between("audio/x-raw", "video/x-raw"), None);
    advised(&between("test/a", "test/b"), None);
}
