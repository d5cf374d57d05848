//! Sizes and offsets on 64-bit machines: pinned in a file, asserted in Rust and in C.
//!
//! Invariant: the three agree, because each compiler checks the numbers that are computed here.
//! Left out: 32-bit machines.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::parse::{Abi, Item, Struct, Type};

/// Structs that never change within a major, beside the start of the descriptor.
const FROZEN: &[&str] = &["GmStr", "GmText", "GmBuffer", "GmFlowBuf", "GmElement", "GmPoster"];

/// Where a struct's fields are.
pub struct Layout<'a> {
    pub fields: Vec<(&'a str, usize)>,
    pub size: usize,
}

/// Offsets as every compiler of the C ABI computes them.
pub fn of<'a>(abi: &'a Abi, found: &'a Struct) -> Layout<'a> {
    let (mut at, mut align, mut fields) = (0_usize, 1, Vec::new());
    for field in &found.fields {
        let (size, own) = extent(abi, &field.ty);
        at = at.next_multiple_of(own);
        fields.push((field.name.as_str(), at));
        at += size;
        align = align.max(own);
    }
    Layout { fields, size: at.next_multiple_of(align) }
}

fn extent(abi: &Abi, ty: &Type) -> (usize, usize) {
    match ty {
        Type::Number("u8") => (1, 1),
        Type::Number("u16") => (2, 2),
        Type::Number("u32" | "i32") => (4, 4),
        Type::Number(_) | Type::Pointer { .. } | Type::Function { .. } => (8, 8),
        Type::Void => (0, 1),
        Type::Array { of, len } => {
            let (size, align) = extent(abi, of);
            (size * len, align)
        }
        Type::Named(name) => {
            let named = abi.structs().find(|found| found.name == *name);
            (named.map_or(0, |found| of(abi, found).size), 8)
        }
    }
}

pub fn is_frozen(name: &str) -> bool {
    FROZEN.contains(&name)
}

/// The layout as it is pinned: `Struct size` and `Struct.field offset type`.
pub fn pinned(abi: &Abi) -> String {
    let mut out = String::from(
        "# What plugins of this version of the boundary rely on: sizes, offsets and types, 64-bit.\n\
         # Written once by `cargo xtask abi` when the version was made. Never edited: see docs/plugin-abi.md.\n",
    );
    for item in &abi.items {
        // The version is what the file's name says.
        if let Item::Const { name, value, .. } = item
            && !name.starts_with("GM_ABI_")
        {
            let _ = writeln!(out, "const {name} {value}");
        }
    }
    for found in abi.structs() {
        let layout = of(abi, found);
        let frozen = if is_frozen(&found.name) { " frozen" } else { "" };
        let _ = writeln!(out, "{} {}{frozen}", found.name, layout.size);
        for ((name, at), field) in layout.fields.iter().zip(&found.fields) {
            let _ =
                writeln!(out, "{}.{name} {at} {}", found.name, super::header::type_text(&field.ty));
        }
    }
    out
}

/// The sizes in a pinned layout.
pub fn sizes(pinned: &str) -> BTreeMap<String, usize> {
    let lines = pinned.lines().filter(|line| !line.starts_with('#'));
    let words = lines.map(|line| line.split(' ').collect::<Vec<_>>());
    let sizes = words.filter(|words| !words[0].contains('.') && words[0] != "const");
    sizes.filter_map(|words| Some((words[0].to_owned(), words.get(1)?.parse().ok()?))).collect()
}

/// What of a pinned layout does not hold any more.
pub fn broken(pinned: &str, abi: &Abi) -> Vec<String> {
    let now = self::pinned(abi);
    let present: Vec<&str> = now.lines().collect();
    let grown = sizes(&now);
    let mut broken = Vec::new();
    for line in pinned.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let may_grow =
            !words[0].contains('.') && words[0] != "const" && words.last() != Some(&"frozen");
        let before = words.get(1).and_then(|size| size.parse::<usize>().ok());
        let holds = match grown.get(words[0]).filter(|_| may_grow) {
            Some(size) => Some(*size) >= before,
            None => present.contains(&line),
        };
        if !holds {
            broken.push(line.to_owned());
        }
    }
    for found in abi.structs() {
        if !of(abi, found).size.is_multiple_of(8) {
            broken.push(format!("{}: its size is no multiple of 8", found.name));
        }
    }
    broken
}

/// The Rust file that makes the compiler check all of it.
pub fn assertions(abi: &Abi, base: &BTreeMap<String, usize>) -> String {
    let mut out = String::from(
        "//! What the compiler must agree to: sizes and offsets of the boundary. Made by `cargo xtask abi`.\n//!\n\
         //! Invariant: equal to `include/gst_mini.h`, which makes C compilers check the same numbers.\n\
         //! In GStreamer: `gst/gstabi.c` in its tests.\n\
         //! Left out: machines whose pointers are not 64 bits wide.\n\n\
         use super::*;\nuse std::mem::offset_of;\n\n",
    );
    for found in abi.structs().filter(|found| !is_frozen(&found.name)) {
        let layout = of(abi, found);
        let at = layout.fields.iter().find(|(name, _)| *name == "struct_size").map(|(_, at)| *at);
        let (Some(at), Some(size)) = (at, base.get(&found.name)) else { continue };
        let _ = writeln!(
            out,
            "// SAFETY: the layout below; integers, pointers and functions may all be zero."
        );
        let _ = writeln!(out, "unsafe impl Growable for {} {{", found.name);
        let _ = writeln!(out, "    const BASE: usize = {size};");
        if at != 0 {
            let _ = writeln!(out, "    const SIZE_AT: usize = {at};");
        }
        out.push_str("}\n");
    }
    out.push_str("\n#[cfg(target_pointer_width = \"64\")]\nconst _: () = {\n");
    for found in abi.structs() {
        let layout = of(abi, found);
        let compare = if is_frozen(&found.name) { "==" } else { ">=" };
        let _ =
            writeln!(out, "    assert!(size_of::<{}>() {compare} {});", found.name, layout.size);
        for (field, at) in layout.fields {
            let _ = writeln!(out, "    assert!(offset_of!({}, {field}) == {at});", found.name);
        }
    }
    out.push_str("};\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Abi {
        let mut abi = Abi::default();
        abi.read(&format!("pub struct GmX {{\n{fields}}}\n")).expect("understood");
        abi
    }

    #[test]
    fn a_field_at_the_end_is_growth_and_any_other_change_breaks() {
        let first = "    pub struct_size: u32,\n    pub a: u32,\n";
        let base = pinned(&read(first));
        let broken_by = |fields: &str| broken(&base, &read(fields)).len();
        assert_eq!(broken_by(first), 0);
        assert_eq!(broken_by(&format!("{first}    pub b: u64,\n")), 0);
        assert_eq!(broken_by("    pub struct_size: u32,\n    pub b: u32,\n    pub a: u64,\n"), 1);
        assert_eq!(broken_by("    pub struct_size: u32,\n    pub a: i32,\n"), 1, "another type");
        assert_eq!(broken_by(&format!("{first}    pub b: u32,\n")), 1, "no multiple of 8");
    }
}
