//! Laws that caps obey whatever is in them, on random input.

use gst_mini_core::caps::{Caps, CapsFeatures, first_difference};
use gst_mini_core::structure::Structure;
use gst_mini_core::value::{Fraction, Value};
use proptest::option;
use proptest::prelude::*;

fn number() -> impl Strategy<Value = i32> {
    prop_oneof![0..8, Just(i32::MIN), Just(i32::MAX)]
}

fn fraction() -> impl Strategy<Value = Fraction> {
    (0..8, 1..5).prop_map(|(num, den)| Fraction::new(num, den))
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]{1,2}", "[ -~é]{0,6}"]
}

/// A list without repetitions: GStreamer counts them when it asks for subsets.
fn set_of<S>(member: S) -> impl Strategy<Value = Value>
where
    S: Strategy<Value: Into<Value>>,
{
    prop::collection::vec(member, 1..4).prop_map(|members| {
        let mut values: Vec<Value> = Vec::new();
        for member in members.into_iter().map(Into::into) {
            if !values.contains(&member) {
                values.push(member);
            }
        }
        Value::List(values)
    })
}

/// Fields of one kind each: a range equals the list of its numbers, yet is no subset of longer
/// lists, so that laws hold only where a field does not mix the two.
fn structure() -> impl Strategy<Value = Structure> {
    let choice = prop_oneof![number().prop_map(Value::from), set_of(number())];
    let range = (number(), number()).prop_map(|(a, b)| Value::int_range(a, b));
    let rate = (fraction(), fraction()).prop_map(|(a, b)| Value::fraction_range(a, b));
    let name = prop_oneof![word().prop_map(Value::from), set_of(word())];
    let (choice, range) = (option::of(choice), option::of(range));
    (choice, range, option::of(rate), option::of(name), any::<Option<bool>>()).prop_map(
        |(choice, range, rate, name, flag)| {
            let mut structure = Structure::new("test/law");
            let flag = flag.map(Value::from);
            let fields =
                [("choice", choice), ("range", range), ("rate", rate), ("name", name), ("b", flag)];
            for (field, value) in fields {
                if let Some(value) = value {
                    structure.set(field, value);
                }
            }
            structure
        },
    )
}

fn caps() -> impl Strategy<Value = Caps> {
    let features = prop_oneof![
        4 => Just(CapsFeatures::default()),
        1 => Just(CapsFeatures::new(["memory:DMABuf"])),
    ];
    let structures = prop::collection::vec((structure(), features), 0..3);
    structures.prop_map(|structures| {
        let mut caps = Caps::empty();
        structures.into_iter().for_each(|(structure, features)| caps.push(structure, features));
        caps
    })
}

/// Text made of what caps are made of, so that parsing gets beyond the first character.
fn noise() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]",
        r#"[(){}<>\[\],;="\\/ ]"#,
        "[a-c0-9é\u{0}]",
        prop::sample::select(vec![
            "video/x-raw",
            ", a=",
            "(int)",
            "(string)",
            "(structure)",
            "(GstCaps)",
            "[ 1, 2 ]",
            "{ 1, ",
            "1/2",
            "max",
            "(memory:A)",
            "ANY",
            "\"a b\"",
            "0x",
            "-",
            "1e",
            "; ",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn printed_caps_read_back_as_the_same(caps in caps()) {
        prop_assert_eq!(Caps::parse(&caps.to_string()), Ok(caps));
    }

    #[test]
    fn printed_structures_read_back_as_the_same(inner in structure(), outer in structure()) {
        let nested = outer.with("inner", inner.clone()).with("caps", Caps::new(inner));
        let text = nested.to_string();
        prop_assert_eq!(text.parse::<Structure>().map(|read| read.to_string()), Ok(text));
    }

    #[test]
    fn intersection_commutes_up_to_order(a in caps(), b in caps()) {
        let (ab, ba) = (a.intersect(&b), b.intersect(&a));
        prop_assert!(ab.is_equal(&ba), "{ab} and {ba}");
        prop_assert_eq!(a.can_intersect(&b), !ab.is_empty());
        prop_assert_eq!(first_difference(&a, &b).is_some(), ab.is_empty());
    }

    #[test]
    fn intersection_is_a_subset_of_both(a in caps(), b in caps()) {
        let both = a.intersect(&b);
        prop_assert!(both.is_subset_of(&a) && both.is_subset_of(&b), "{both}");
        prop_assert!(a.intersect_first(&b).is_equal(&both));
    }

    #[test]
    fn subset_is_transitive(a in caps(), b in caps(), c in caps()) {
        // Random caps are seldom subsets of one another; these are, and still overlap freely.
        let (ab, abc) = (a.intersect(&b), a.intersect(&b).intersect(&c));
        for (small, middle, large) in [(&abc, &ab, &a), (&ab, &b, &c), (&a, &b, &c)] {
            if small.is_subset_of(middle) && middle.is_subset_of(large) {
                prop_assert!(small.is_subset_of(large), "{small} in {middle} in {large}");
            }
        }
    }

    #[test]
    fn fixated_caps_are_one_format_of_the_caps(caps in caps()) {
        let fixed = caps.fixate();
        prop_assert!(fixed.is_fixed() || caps.is_empty());
        prop_assert!(fixed.is_subset_of(&caps), "{fixed} of {caps}");
    }

    #[test]
    fn changing_a_clone_leaves_the_original_alone(caps in caps()) {
        let (mut clone, text) = (caps.clone(), caps.to_string());
        clone.set("changed", 1);
        prop_assert_eq!(caps.to_string(), text);
    }

    #[test]
    fn no_text_makes_parsing_or_combining_panic(a in noise(), b in noise(), raw in ".{0,40}") {
        let parse = |text: &str| Caps::parse(text).unwrap_or_default();
        let (a, b, raw) = (parse(&a), parse(&b), parse(&raw));
        for caps in [a.intersect(&b), a.subtract(&b), a.simplify(), a.normalize(), raw.fixate()] {
            let _ = caps.to_string();
        }
        let _ = first_difference(&a, &b);
    }

    #[test]
    fn no_text_makes_a_value_or_structure_panic(text in noise()) {
        let _ = text.parse::<Structure>();
        let _ = Value::parse_typed(&text).map(|value| value.serialize());
        for name in ["int", "uint64", "boolean", "double", "float", "string", "fraction", "bitmask",
            "flagset", "structure", "GstCaps", "GstFormat", "GstSeekFlags", "nothing"] {
            if let Ok(value) = Value::parse(name, &text) {
                let _ = (value.serialize(), value.serialize_typed(), value.fixate());
            }
        }
    }
}

#[test]
fn endless_brackets_are_an_error_and_not_a_full_stack() {
    for piece in ["{", "<", "[", "[a,b=", "{[a,b=", "(structure)[a,b={"] {
        let text = format!("a/b, x={}", piece.repeat(20_000));
        assert!(Caps::parse(&text).is_err(), "{piece}");
    }
}

#[test]
fn parse_errors_say_what_and_where() {
    let error = |text: &str| Caps::parse(text).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(
        error("video/x-raw width=320"),
        Err("expected ',' or ';', found 'w', at column 13".to_owned())
    );
    assert_eq!(
        error("video/x-raw, é=3"),
        Err("expected a field name, found 'é', at column 14".to_owned())
    );
    assert_eq!(error("a/b, x=(foo)3"), Err("no type \"foo\", at column 9".to_owned()));
    assert_eq!(
        error("a/b, x=[ 5, 1 ]"),
        Err("a range must start below its end, at column 8".to_owned())
    );
    assert_eq!(error("a/b, x=(int)abc"), Err("abc is not of type int, at column 13".to_owned()));
}
