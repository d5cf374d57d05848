//! Two plugins linked into one program, beside the built-in elements.

use gst_mini_core::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    gst_mini_elements::register();
    gst_mini_core::registry::link(plugin_one::FACTORIES);
    gst_mini_core::registry::link(plugin_two::FACTORIES);
    let pipeline = parse_launch("fakesrc num-buffers=5 ! onecount name=a ! twocount name=b ! fakesink")?;
    pipeline.set_state(State::Playing);
    let end = pipeline.wait_for_end(Some(ClockTime::from_secs(60))).map(|end| end.kind);
    pipeline.set_state(State::Null);
    let count = |name: &str| pipeline.by_name(name).and_then(|element| element.get_as::<u64>("count"));
    match (end, count("a"), count("b")) {
        (Some(MessageKind::Eos), Some(5), Some(5)) => Ok(()),
        other => Err(format!("5 buffers were to go through both: {other:?}").into()),
    }
}
