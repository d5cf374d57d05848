//! Values: parsing, printing, comparing, fractions, scaling.
//!
//! Invariant: doubles are read from the line itself, since every digit counts.
//! Left out: nothing of the format.

use std::cmp::Ordering;

use gst_mini_core::structure::Structure;
use gst_mini_core::time::{ClockTime, scale, scale_ceil, scale_round};
use gst_mini_core::value::{
    Choice, EnumType, Fraction, SEEK_FLAGS, SEEK_TYPE, Value, format_time, quote,
};
use serde_json::{Value as Json, json};

use crate::case::{Case, Difference};

/// Carries out one case.
pub fn replay(case: &Case) -> Result<(), Difference> {
    let (got, expected) = (answer(&case.json, &case.line), case.json["expect"].clone());
    let at = text(&case.json["op"]).to_owned();
    if got == expected { Ok(()) } else { Err(Difference { at, expected, got }) }
}

fn answer(case: &Json, line: &str) -> Json {
    let input = &case["input"];
    match text(&case["op"]) {
        "parse" => parse(text(&case["type"]), text(input)),
        "serialize_string" => json!(quote(text(input))),
        "time_format" => json!(format_time(input.as_u64().map(ClockTime::from_nanos))),
        "fraction_multiply" => number_pair(fraction(&case["a"]).checked_mul(fraction(&case["b"]))),
        "fraction_add" => number_pair(fraction(&case["a"]).checked_add(fraction(&case["b"]))),
        "fraction_subtract" => number_pair(fraction(&case["a"]).checked_sub(fraction(&case["b"]))),
        "fraction_compare" => json!(fraction(&case["a"]).cmp(&fraction(&case["b"])) as i32),
        "scale" => scaled(case, scale),
        "scale_round" => scaled(case, scale_round),
        "scale_ceil" => scaled(case, scale_ceil),
        "double_to_fraction" => {
            let fraction = Fraction::from_f64(double(line, "input"));
            json!([fraction.num, fraction.den])
        }
        "fraction_to_double" => {
            let exact = fraction(input).to_f64() == double(line, "expect");
            if exact { case["expect"].clone() } else { json!(fraction(input).to_f64()) }
        }
        "compare" => {
            let [a, b] = [&case["a"], &case["b"]].map(|v| Value::parse_typed(text(v)));
            json!(match a.expect("a parses").compare(&b.expect("b parses")) {
                Some(Ordering::Less) => "less",
                Some(Ordering::Equal) => "equal",
                Some(Ordering::Greater) => "greater",
                None => "unordered",
            })
        }
        "structure" => match text(input).parse::<Structure>() {
            Ok(structure) => json!({"ok": true, "text": structure.to_string()}),
            Err(_) => json!({"ok": false}),
        },
        other => panic!("no op {other}"),
    }
}

static LEAKY: EnumType = EnumType {
    name: "GstQueueLeaky",
    choices: &[
        Choice { value: 0, nick: "no", name: "Not Leaky" },
        Choice { value: 1, nick: "upstream", name: "Leaky on upstream (new buffers)" },
        Choice { value: 2, nick: "downstream", name: "Leaky on downstream (old buffers)" },
    ],
};

fn parse(kind: &str, input: &str) -> Json {
    let value = match kind {
        "enum:leaky" => LEAKY.parse(input).map(|value| Value::Enum(&LEAKY, value)),
        "enum:seek-type" => SEEK_TYPE.parse(input).map(|value| Value::Enum(&SEEK_TYPE, value)),
        "flags:seek-flags" => SEEK_FLAGS.parse(input).map(|bits| Value::Flags(&SEEK_FLAGS, bits)),
        name => Value::parse(name, input).ok(),
    };
    let Some(value) = value else {
        return json!({"ok": false});
    };
    let text = value.serialize();
    match value {
        Value::String(None) => json!({"ok": true, "text": null, "value": null}),
        Value::String(Some(value)) => json!({"ok": true, "text": text, "value": value.as_ref()}),
        Value::Enum(_, value) => json!({"ok": true, "text": text, "value": value}),
        Value::Flags(_, value) => json!({"ok": true, "text": text, "value": value}),
        Value::Fraction(value) => {
            json!({"ok": true, "text": text, "value": [value.num, value.den]})
        }
        _ => json!({"ok": true, "text": text}),
    }
}

fn scaled(case: &Json, scale: fn(u64, u64, u64) -> Option<u64>) -> Json {
    let [value, num, denom] =
        ["value", "num", "denom"].map(|name| case[name].as_u64().expect("an unsigned number"));
    json!(scale(value, num, denom))
}

fn number_pair(fraction: Option<Fraction>) -> Json {
    match fraction {
        Some(fraction) => json!({"ok": true, "value": [fraction.num, fraction.den]}),
        None => json!({"ok": false}),
    }
}

fn fraction(json: &Json) -> Fraction {
    let number = |at: usize| json[at].as_i64().and_then(|n| i32::try_from(n).ok()).expect("an int");
    Fraction::new(number(0), number(1))
}

/// A double as it stands in the line: serde_json may read it one unit in the last place off.
fn double(line: &str, key: &str) -> f64 {
    let (_, rest) = line.split_once(&format!("\"{key}\":")).expect("the key is there");
    let end = rest.find([',', '}']).expect("something ends the number");
    rest[..end].parse().expect("a number")
}

fn text(json: &Json) -> &str {
    json.as_str().expect("a string")
}
