//! Segment arithmetic. Doubles as a test of the segment's text form and of the typed functions.
//!
//! Invariant: the typed functions answer as the plain ones they stand on.
//! Left out: nothing of the format.

use gst_mini_core::segment::{Format, SeekFlags, SeekType, Segment, SegmentFlags};
use gst_mini_core::time::{ClockTime, RunningTime};
use serde_json::{Value, json};

use crate::case::{Case, Difference};

pub(crate) fn segment_of(json: &Value) -> Segment {
    Segment {
        format: word(&json["format"]),
        flags: flags(&json["flags"], SegmentFlags::empty()),
        rate: json["rate"].as_f64().expect("rate"),
        applied_rate: json["applied_rate"].as_f64().expect("applied_rate"),
        base: json["base"].as_u64().expect("base"),
        offset: json["offset"].as_u64().expect("offset"),
        start: json["start"].as_u64().expect("start"),
        stop: json["stop"].as_u64(),
        time: json["time"].as_u64(),
        position: json["position"].as_u64(),
        duration: json["duration"].as_u64(),
    }
}

pub(crate) fn json_of(segment: &Segment) -> Value {
    let flags: Vec<_> = SegmentFlags::ALL
        .iter()
        .filter(|(flag, _)| segment.flags.contains(*flag))
        .map(|(_, nick)| *nick)
        .collect();
    json!({
        "format": segment.format.nick(), "flags": flags,
        "rate": segment.rate, "applied_rate": segment.applied_rate,
        "base": segment.base, "offset": segment.offset,
        "start": segment.start, "stop": segment.stop, "time": segment.time,
        "position": segment.position, "duration": segment.duration,
    })
}

fn word<T: std::str::FromStr<Err: std::fmt::Debug>>(json: &Value) -> T {
    json.as_str().expect("a word").parse().expect("a known word")
}

fn flags<T>(json: &Value, empty: T) -> T
where
    T: std::str::FromStr<Err: std::fmt::Debug> + std::ops::BitOr<Output = T>,
{
    json.as_array().expect("flags").iter().map(word).fold(empty, T::bitor)
}

fn seek(segment: &mut Segment, args: &Value) -> Value {
    if let Some(position) = args["position_before"].as_u64() {
        segment.position = Some(position);
    }
    let update = segment.do_seek(
        args["rate"].as_f64().expect("rate"),
        flags(&args["flags"], SeekFlags::empty()),
        word::<SeekType>(&args["start_type"]),
        args["start"].as_i64().expect("start"),
        word::<SeekType>(&args["stop_type"]),
        args["stop"].as_i64().expect("stop"),
    );
    match update {
        Some(update) => json!({"ok": true, "update": update, "segment": json_of(segment)}),
        None => json!({"ok": false}),
    }
}

fn full((sign, value): (i32, u64)) -> Value {
    json!({"sign": sign, "value": (sign != 0).then_some(value)})
}

fn answer(op: &str, mut segment: Segment, args: &Value) -> Value {
    let value = args["value"].as_u64().unwrap_or(u64::MAX);
    match op {
        "to_running_time" => json!(segment.running_time_of(value)),
        "to_running_time_full" => full(segment.running_time_full_of(value)),
        "to_stream_time" => json!(segment.stream_time_of(value)),
        "to_stream_time_full" => full(segment.stream_time_full_of(value)),
        "position_from_running_time" => json!(segment.position_of_running_time(value)),
        "position_from_running_time_full" => full(segment.position_full_of_running_time(value)),
        "position_from_stream_time" => json!(segment.position_of_stream_time(value)),
        "position_from_stream_time_full" => full(segment.position_full_of_stream_time(value)),
        "clip" => match segment.clip(args["start"].as_u64(), args["stop"].as_u64()) {
            Some((start, stop)) => json!({"inside": true, "start": start, "stop": stop}),
            None => json!({"inside": false}),
        },
        "do_seek" => seek(&mut segment, args),
        "do_seek_chain" => {
            let seeks = args.as_array().expect("a list of seeks");
            seeks.iter().map(|args| seek(&mut segment, args)).collect()
        }
        "offset_running_time" => {
            match segment.offset_running_time(args["offset"].as_i64().expect("offset")) {
                true => json!({"ok": true, "base": segment.base, "offset": segment.offset}),
                false => json!({"ok": false}),
            }
        }
        "set_running_time" => {
            let running_time = args["running_time"].as_u64().expect("running_time");
            match segment.set_running_time(RunningTime::from_nanos(running_time)) {
                true => json!({"ok": true, "segment": json_of(&segment)}),
                false => json!({"ok": false}),
            }
        }
        other => panic!("no such op: {other}"),
    }
}

/// The typed functions must agree with the plain ones they stand on.
fn answer_typed(op: &str, segment: &Segment, value: Option<u64>) -> Option<Value> {
    let position = ClockTime::from_nanos(value?);
    let running_time = RunningTime::from_nanos(value?);
    Some(match op {
        "to_running_time" => json!(segment.to_running_time(position).map(RunningTime::nanos)),
        "to_running_time_full" => full(segment.to_running_time_full(position)),
        "to_stream_time" => json!(segment.to_stream_time(position).map(ClockTime::nanos)),
        "to_stream_time_full" => full(segment.to_stream_time_full(position)),
        "position_from_running_time" => {
            json!(segment.position_from_running_time(running_time).map(ClockTime::nanos))
        }
        "position_from_running_time_full" => {
            full(segment.position_from_running_time_full(running_time))
        }
        "position_from_stream_time" => {
            json!(segment.position_from_stream_time(position).map(ClockTime::nanos))
        }
        "position_from_stream_time_full" => full(segment.position_from_stream_time_full(position)),
        _ => return None,
    })
}

/// Lists in a segment's flags are sets.
fn sorted(mut json: Value) -> Value {
    fn walk(json: &mut Value) {
        match json {
            Value::Array(items) => {
                items.iter_mut().for_each(walk);
                if items.iter().all(Value::is_string) {
                    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
                }
            }
            Value::Object(fields) => fields.values_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut json);
    json
}

/// Carries out one case.
pub fn replay(case: &Case) -> Result<(), Difference> {
    let json = &case.json;
    let op = json["op"].as_str().unwrap_or_default();
    let segment = segment_of(&json["segment"]);
    let text = segment.to_string();
    if text.parse::<Segment>() != Ok(segment) {
        return Err(Difference::impossible(format!(
            "its text form reads back differently: {text}"
        )));
    }
    let expected = sorted(json["expect"].clone());
    let plain = sorted(answer(op, segment, &json["args"]));
    let typed = (segment.format == Format::Time)
        .then(|| answer_typed(op, &segment, json["args"]["value"].as_u64()))
        .flatten()
        .unwrap_or_else(|| plain.clone());
    for got in [plain, typed] {
        if got != expected {
            return Err(Difference { at: op.into(), expected, got });
        }
    }
    Ok(())
}
