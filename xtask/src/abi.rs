//! `cargo xtask abi`: the C header and the pinned layout of the plugin boundary, made from its Rust structs.
//!
//! ```text
//! gst-mini-core/src/plugin/abi/*.rs ─▶ include/gst_mini.h                for plugins in C and C++
//!                                   ─▶ gst-mini-core/.../abi/layout.rs   the compiler's word on the layout
//! include/abi-<major>.<minor>.layout: what every plugin of that version relies on; written once, never changed
//! ```
//!
//! Invariant: a struct of the boundary is made of types this file knows, which have one layout in every
//! compiler; anything else is an error here. What a layout file says stays true until the minor changes.
//! Left out: machines whose pointers are not 64 bits wide; bindings for other languages.

mod header;
mod layout;
mod parse;

use std::path::Path;

use crate::process::{Failure, read_text};
use crate::workspace::Workspace;

/// The files of the boundary, in the order C needs.
const PARTS: &[&str] = &["words", "buffer", "cx", "element", "factory", "plugin"];
const FOLDER: &str = "gst-mini-core/src/plugin/abi";
pub const HEADER: &str = "include/gst_mini.h";
const LAYOUT: &str = "gst-mini-core/src/plugin/abi/layout.rs";

/// The command.
pub fn run(arguments: &[String]) -> Result<(), Failure> {
    let is_check = match arguments {
        [] => false,
        [word] if word == "--check" => true,
        _ => return Err(Failure::Usage("abi takes --check and nothing else".to_owned())),
    };
    let root = Workspace::open()?.root;
    if is_check {
        return check(&root);
    }
    let made = make(&root)?;
    let pinned = root.join(made.pinned_file());
    if !pinned.exists() {
        write(&pinned, &layout::pinned(&made.abi))?;
    }
    let made = make(&root)?;
    write(&root.join(HEADER), &made.header)?;
    write(&root.join(LAYOUT), &made.layout)?;
    compare_pinned(&root, &made)
}

/// Fails if a committed file is not what would be made now, or if a pinned layout no longer holds.
pub fn check(root: &Path) -> Result<(), Failure> {
    let made = make(root)?;
    compare_pinned(root, &made)?;
    for (file, fresh) in [(HEADER, &made.header), (LAYOUT, &made.layout)] {
        if read_text(&root.join(file))? != *fresh {
            let text =
                format!("{file} is not what the boundary's structs say: run cargo xtask abi");
            return Err(Failure::new(text));
        }
    }
    Ok(())
}

struct Made {
    abi: parse::Abi,
    header: String,
    layout: String,
}

impl Made {
    fn pinned_file(&self) -> String {
        let number = |name| self.abi.number(name);
        format!("include/abi-{}.{}.layout", number("GM_ABI_MAJOR"), number("GM_ABI_MINOR"))
    }
}

fn make(root: &Path) -> Result<Made, Failure> {
    let mut abi = parse::Abi::default();
    for part in PARTS {
        let file = format!("{FOLDER}/{part}.rs");
        let text = read_text(&root.join(&file))?;
        abi.read(&text).map_err(|why| Failure::new(format!("{file}: {why}")))?;
    }
    let mut made = Made { header: header::text(&abi), layout: String::new(), abi };
    let pinned = read_text(&root.join(made.pinned_file())).unwrap_or_default();
    made.layout = layout::assertions(&made.abi, &layout::sizes(&pinned));
    Ok(made)
}

fn compare_pinned(root: &Path, made: &Made) -> Result<(), Failure> {
    let file = made.pinned_file();
    let pinned = read_text(&root.join(&file))?;
    let broken = layout::broken(&pinned, &made.abi);
    if broken.is_empty() {
        return Ok(());
    }
    let text = format!(
        "{file} no longer holds:\n  {}\nPlugins in use rely on it. Put new fields at the end of growable structs, or raise \
         GM_ABI_MINOR and run cargo xtask abi (docs/plugin-abi.md)",
        broken.join("\n  ")
    );
    Err(Failure::new(text))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_header_and_layout_are_fresh() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a parent");
        assert_eq!(check(root), Ok(()));
    }
}
