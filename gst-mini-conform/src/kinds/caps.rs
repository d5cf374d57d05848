//! Caps, and caps with features.
//!
//! Invariant: results are compared as text; the order of structures, fields and members counts.
//! Left out: nothing of the format.

use gst_mini_core::caps::Caps;
use gst_mini_core::value::Value;
use serde_json::{Value as Json, json};

use crate::case::{Case, Difference};

/// Carries out one case.
pub fn replay(case: &Case) -> Result<(), Difference> {
    let (got, expected) = (answer(&case.json), case.json["expect"].clone());
    let at = text(&case.json["op"]).to_owned();
    if got == expected { Ok(()) } else { Err(Difference { at, expected, got }) }
}

fn answer(case: &Json) -> Json {
    let a = Caps::parse(text(&case["a"]));
    if case["op"] == "parse" {
        return match a {
            Ok(caps) => json!({
                "ok": true, "caps": caps.to_string(), "size": caps.size(), "any": caps.is_any(),
                "empty": caps.is_empty(), "fixed": caps.is_fixed(),
            }),
            Err(_) => json!({"ok": false}),
        };
    }
    let mut a = a.expect("a parses");
    let b = case["b"].as_str().map(|b| Caps::parse(b).expect("b parses")).unwrap_or_default();
    let caps = match text(&case["op"]) {
        "can_intersect" => return json!(a.can_intersect(&b)),
        "is_subset" => return json!(a.is_subset_of(&b)),
        "is_equal" => return json!(a.is_equal(&b)),
        "is_strictly_equal" => return json!(a.is_strictly_equal(&b)),
        "is_always_compatible" => return json!(a.is_always_compatible(&b)),
        "fixate_field" => return fixate_field(a, &case["args"]),
        "intersect" => a.intersect(&b),
        "intersect_first" => a.intersect_first(&b),
        "subtract" => a.subtract(&b),
        "fixate" => a.fixate(),
        "simplify" => a.simplify(),
        "normalize" => a.normalize(),
        "merge" => {
            a.merge(&b);
            a
        }
        "append" => {
            a.append(&b);
            a
        }
        other => panic!("no op {other}"),
    };
    json!(caps.to_string())
}

fn fixate_field(mut caps: Caps, args: &Json) -> Json {
    let (field, target) = (text(&args["field"]), &args["target"]);
    let changed = match text(&args["how"]) {
        "nearest_int" => {
            let target = target.as_i64().and_then(|n| i32::try_from(n).ok()).expect("an int");
            caps.fixate_field_nearest_int(field, target)
        }
        "nearest_double" => {
            caps.fixate_field_nearest_double(field, target.as_f64().expect("a number"))
        }
        "nearest_fraction" => {
            let target = Value::parse("fraction", text(target)).ok();
            let target = target.and_then(|v| v.as_fraction()).expect("a fraction");
            caps.fixate_field_nearest_fraction(field, target)
        }
        "string" => caps.fixate_field_string(field, text(target)),
        "boolean" => caps.fixate_field_bool(field, target.as_bool().expect("a boolean")),
        other => panic!("no way to fixate called {other}"),
    };
    json!({"changed": changed, "caps": caps.to_string()})
}

fn text(json: &Json) -> &str {
    json.as_str().expect("a string")
}
