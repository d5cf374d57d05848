//! What an installer of plugins wants to know: one line a feature, to be read by programs.
//!
//! ```text
//!   element-jpegdec
//!   decoder-image/jpeg
//! ```
//!
//! Invariant: a line for each element of those asked for, and one for each format a codec has.
//! In GStreamer: `tools/gst-inspect.c` (`print_plugin_automatic_install_info`).
//! Left out: schemes of URIs, and typefinders: there are none.

use gst_mini_core::element::Direction;
use gst_mini_core::registry::Registry;
use gst_mini_core::registry::factory::{FactoryInfo, Presence};

/// Fields that are any number for almost every codec, so that they say nothing.
const NUMBERS: [&str; 7] =
    ["pixel-aspect-ratio", "framerate", "channels", "width", "height", "rate", "depth"];

/// The lines of these elements.
///
/// # Errors
/// A sentence when the plugin of one cannot be loaded.
pub fn lines(registry: &Registry, elements: &[String]) -> Result<String, String> {
    let mut out = String::new();
    for name in elements {
        let info = registry.factory(name).map_err(|error| error.to_string())?;
        out.push_str(&format!("element-{name}\n"));
        out.push_str(&formats(&info));
    }
    Ok(out)
}

fn formats(info: &FactoryInfo) -> String {
    let is = |words: &[&str]| words.iter().any(|word| info.klass.contains(word));
    let (what, direction) = if is(&["Demuxer", "Decoder", "Depayloader", "Parser"]) {
        ("decoder", Direction::Sink)
    } else if is(&["Muxer", "Encoder", "Payloader"]) {
        ("encoder", Direction::Src)
    } else {
        return String::new();
    };
    let codec =
        info.pads.iter().find(|pad| pad.direction == direction && pad.presence == Presence::Always);
    let mut out = String::new();
    for structure in codec.iter().flat_map(|pad| pad.caps.structures()) {
        let mut bare = gst_mini_core::structure::Structure::new(structure.name());
        for (field, value) in structure.fields().filter(|(field, _)| !NUMBERS.contains(field)) {
            bare.set(field, value.clone());
        }
        out.push_str(&format!("{what}-{}\n", bare.to_string().trim_end_matches(';')));
    }
    out
}
