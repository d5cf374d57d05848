//! The C header: the boundary's structs with their explanations, and what makes them pleasant to use.
//!
//! Invariant: valid C11 and C++17 without a warning; nothing in it needs a library beyond libc.
//! Left out: a C++ interface.

use std::fmt::Write;

use super::layout;
use super::parse::{Abi, Item, Struct, Type};

/// The whole header.
pub fn text(abi: &Abi) -> String {
    let mut out = include_str!("../../templates/header/head.h").to_owned();
    for item in &abi.items {
        match item {
            Item::Remark(remark) => {
                let _ = writeln!(out, "\n/* {} */", plain(remark));
            }
            Item::Const { doc, name, ty, value } => constant(&mut out, doc, name, ty, value),
            Item::Struct(_) => {}
        }
    }
    out.push('\n');
    for found in abi.structs() {
        let _ = writeln!(out, "typedef struct {0} {0};", found.name);
    }
    for found in abi.structs() {
        structure(&mut out, found);
    }
    out.push_str("\n#if UINTPTR_MAX == UINT64_MAX\n");
    for found in abi.structs() {
        let layout = layout::of(abi, found);
        let name = &found.name;
        let _ = writeln!(out, "GM_ASSERT (sizeof (struct {name}) == {}, \"{name}\");", layout.size);
        for (field, at) in layout.fields {
            let _ = writeln!(
                out,
                "GM_ASSERT (offsetof (struct {name}, {field}) == {at}, \"{name}.{field}\");"
            );
        }
    }
    out.push_str("#endif\n");
    out.push_str(include_str!("../../templates/header/tail.h"));
    out
}

fn constant(out: &mut String, doc: &[String], name: &str, ty: &str, value: &str) {
    comment(out, "", doc);
    let value = match value {
        "u64::MAX" => "UINT64_MAX".to_owned(),
        value if value.contains("from_le_bytes(*b\"") => {
            let text = value.split('"').nth(1).unwrap_or_default().replace("\\0", "\0");
            let bytes = text.bytes().rev().map(|byte| format!("{byte:02x}"));
            format!("UINT64_C (0x{})", bytes.collect::<String>())
        }
        value if value.starts_with('-') => format!("({value})"),
        value if ty.starts_with('u') => format!("{}u", value.replace(" << ", "u << ")),
        value => value.to_owned(),
    };
    let _ = writeln!(
        out,
        "#define {name} {}",
        if value.contains("<<") { format!("({value})") } else { value }
    );
}

fn structure(out: &mut String, found: &Struct) {
    out.push('\n');
    comment(out, "", &found.doc);
    let _ = writeln!(out, "struct {} {{", found.name);
    for field in &found.fields {
        comment(out, "  ", &field.doc);
        let _ = writeln!(out, "  {};", declare(&field.ty, &field.name));
    }
    out.push_str("};\n");
}

fn comment(out: &mut String, indent: &str, doc: &[String]) {
    let text = plain(&doc.join(" "));
    if text.is_empty() {
        return;
    }
    let mut line = format!("{indent}/*");
    for word in text.split(' ') {
        if line.len() + word.len() > 96 {
            let _ = writeln!(out, "{line}");
            line = format!("{indent}  ");
        }
        line = line + " " + word;
    }
    let _ = writeln!(out, "{line} */");
}

/// A Rust comment's words without its marks, in ASCII.
fn plain(text: &str) -> String {
    let text = text.replace("[`", "").replace("`]", "").replace(['`', '*'], "");
    text.replace('…', "...").replace("crate::", "")
}

/// A name with its type, as C writes it.
fn declare(ty: &Type, name: &str) -> String {
    match ty {
        Type::Function { arguments, result } => {
            let list: Vec<String> = arguments.iter().map(|(name, ty)| declare(ty, name)).collect();
            let list = if list.is_empty() { "void".to_owned() } else { list.join(", ") };
            let result = result.as_deref().map_or("void".to_owned(), type_text);
            format!("{} (*{name}) ({list})", result.trim_end())
        }
        Type::Array { of, len } => format!("{} {name}[{len}]", type_text(of)),
        other => {
            let text = type_text(other);
            let space = if text.ends_with('*') { "" } else { " " };
            format!("{text}{space}{name}")
        }
    }
}

/// A type as C writes it.
pub fn type_text(ty: &Type) -> String {
    match ty {
        Type::Number("usize") => "size_t".to_owned(),
        Type::Number("f64") => "double".to_owned(),
        Type::Number(name) => {
            let sign = if name.starts_with('u') { "uint" } else { "int" };
            format!("{sign}{}_t", &name[1..])
        }
        Type::Void => "void".to_owned(),
        Type::Named(name) => name.clone(),
        // Constant bytes are text.
        Type::Pointer { is_const: true, to } if **to == Type::Number("u8") => {
            "const char *".to_owned()
        }
        Type::Pointer { is_const, to } => {
            let inner = type_text(to);
            let space = if inner.ends_with('*') { "" } else { " " };
            match (is_const, matches!(**to, Type::Pointer { .. })) {
                (true, false) => format!("const {inner}{space}*"),
                (true, true) => format!("{inner}const *"),
                (false, _) => format!("{inner}{space}*"),
            }
        }
        other => declare(other, ""),
    }
}
