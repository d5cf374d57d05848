//! Reads the structs and constants of the boundary from their Rust source.
//!
//! Invariant: a type that is not known is an error, so nothing with a layout of the compiler's choice crosses.
//! Left out: Rust in general; these files are written to be read by this.

/// What the boundary consists of, in the order it was read.
#[derive(Default)]
pub struct Abi {
    pub items: Vec<Item>,
}

pub enum Item {
    Const {
        doc: Vec<String>,
        name: String,
        ty: String,
        value: String,
    },
    Struct(Struct),
    /// A remark over a group.
    Remark(String),
}

pub struct Struct {
    pub doc: Vec<String>,
    pub name: String,
    pub fields: Vec<Field>,
}

pub struct Field {
    pub doc: Vec<String>,
    pub name: String,
    pub ty: Type,
}

/// Everything that may cross.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `u8` to `u64`, `i32`, `i64`, `f64`, `usize`.
    Number(&'static str),
    /// `c_void`.
    Void,
    /// A struct of the boundary.
    Named(String),
    Pointer {
        is_const: bool,
        to: Box<Type>,
    },
    Array {
        of: Box<Type>,
        len: usize,
    },
    /// A function that may be absent.
    Function {
        arguments: Vec<(String, Type)>,
        result: Option<Box<Type>>,
    },
}

const NUMBERS: &[&str] = &["u8", "u16", "u32", "u64", "i32", "i64", "f64", "usize"];

impl Abi {
    pub fn structs(&self) -> impl Iterator<Item = &Struct> {
        self.items.iter().filter_map(|item| match item {
            Item::Struct(found) => Some(found),
            _ => None,
        })
    }

    /// The value of a constant that is a plain number.
    pub fn number(&self, wanted: &str) -> u64 {
        let value = self.items.iter().find_map(|item| match item {
            Item::Const { name, value, .. } if name == wanted => value.parse().ok(),
            _ => None,
        });
        value.unwrap_or_default()
    }

    /// Adds what one file declares.
    pub fn read(&mut self, text: &str) -> Result<(), String> {
        let mut doc = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(words) = line.strip_prefix("/// ") {
                doc.push(words.to_owned());
            } else if let Some(words) = line.strip_prefix("pub const ") {
                let mut whole = words.to_owned();
                while !whole.ends_with(';') {
                    whole += lines.next().ok_or("a constant without end")?.trim();
                }
                let read = whole.trim_end_matches(';').split_once(": ");
                let read = read.and_then(|(name, rest)| Some((name, rest.split_once(" = ")?)));
                let (name, (ty, value)) = read.ok_or(format!("not understood: {line}"))?;
                let (name, ty, value) = (name.to_owned(), ty.to_owned(), value.to_owned());
                self.items.push(Item::Const { doc: std::mem::take(&mut doc), name, ty, value });
            } else if let Some(name) = line.strip_prefix("pub struct ") {
                let name = name.trim_end_matches(" {").to_owned();
                let fields = fields(&mut lines).map_err(|why| format!("{name}: {why}"))?;
                self.items.push(Item::Struct(Struct {
                    doc: std::mem::take(&mut doc),
                    name,
                    fields,
                }));
            } else if let Some(remark) = line.strip_prefix("// ") {
                if !remark.starts_with("SAFETY") {
                    self.items.push(Item::Remark(remark.to_owned()));
                }
            } else if !line.starts_with("#[") {
                doc.clear();
            }
        }
        Ok(())
    }
}

fn fields<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Result<Vec<Field>, String> {
    let (mut fields, mut doc, mut is_future) = (Vec::new(), Vec::new(), false);
    let mut declaration = String::new();
    for line in lines {
        let line = line.trim();
        if line == "}" && declaration.is_empty() {
            return Ok(fields);
        }
        if let Some(words) = line.strip_prefix("/// ") {
            doc.push(words.to_owned());
            continue;
        }
        if line.starts_with("#[cfg(gst_mini_abi_next)]") {
            is_future = true;
            continue;
        }
        declaration = declaration + line + " ";
        // A declaration ends with a comma that is within no bracket.
        let depth = declaration.replace("->", "").chars().fold(0, |depth, letter| match letter {
            '(' | '<' | '[' => depth + 1,
            ')' | '>' | ']' => depth - 1,
            _ => depth,
        });
        if depth != 0 || !declaration.ends_with(", ") {
            continue;
        }
        let whole = std::mem::take(&mut declaration);
        let whole = whole.trim().trim_end_matches(',');
        let named = whole.strip_prefix("pub ").and_then(|rest| rest.split_once(": "));
        let (name, ty) = named.ok_or(format!("not understood: {whole}"))?;
        let doc = std::mem::take(&mut doc);
        if !std::mem::take(&mut is_future) {
            speakable(name)?;
            fields.push(Field { doc, name: name.to_owned(), ty: Type::read(ty)? });
        }
    }
    Err("a struct without end".to_owned())
}

impl Type {
    fn read(text: &str) -> Result<Type, String> {
        let text = text.trim();
        if let Some(name) = NUMBERS.iter().find(|name| **name == text) {
            return Ok(Type::Number(name));
        }
        if text == "c_void" {
            return Ok(Type::Void);
        }
        if text.starts_with("Gm") && text.chars().all(char::is_alphanumeric) {
            return Ok(Type::Named(text.to_owned()));
        }
        for (start, is_const) in [("*const ", true), ("*mut ", false)] {
            if let Some(to) = text.strip_prefix(start) {
                return Ok(Type::Pointer { is_const, to: Box::new(Type::read(to)?) });
            }
        }
        if let Some((of, len)) = inside(text, "[", "]").and_then(|array| array.split_once("; ")) {
            let len = len.parse().map_err(|_| format!("an array of {len}"))?;
            return Ok(Type::Array { of: Box::new(Type::read(of)?), len });
        }
        let function =
            inside(text, "Option<", ">").map(str::trim).map(|text| text.trim_end_matches(','));
        if let Some(rest) = function.and_then(|text| text.strip_prefix("unsafe extern \"C\" fn(")) {
            let end = closing(rest).ok_or("a function without end")?;
            let result = match rest[end + 1..].trim().strip_prefix("->") {
                Some(result) => Some(Box::new(Type::read(result)?)),
                None => None,
            };
            let mut arguments = Vec::new();
            for argument in split(&rest[..end]) {
                let (name, ty) = argument.split_once(": ").ok_or("an argument without a name")?;
                arguments.push((speakable(name.trim())?.to_owned(), Type::read(ty)?));
            }
            return Ok(Type::Function { arguments, result });
        }
        Err(format!("{text} may not cross the boundary: its layout is not fixed"))
    }
}

/// Names that are words of C or C++, and none of Rust.
const KEYWORDS: &[&str] = &[
    "auto",
    "case",
    "catch",
    "char",
    "class",
    "default",
    "delete",
    "double",
    "explicit",
    "export",
    "float",
    "friend",
    "goto",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "operator",
    "private",
    "protected",
    "public",
    "register",
    "short",
    "signed",
    "sizeof",
    "switch",
    "template",
    "this",
    "throw",
    "typedef",
    "typename",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
];

fn speakable(name: &str) -> Result<&str, String> {
    match KEYWORDS.contains(&name) {
        true => Err(format!("\"{name}\" is a word of C or C++; take another name")),
        false => Ok(name),
    }
}

fn inside<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

/// Where the bracket that is open at the start is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, letter)| {
        depth += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        (depth < 0).then_some(at)
    })
}

/// Arguments at their commas, those within brackets left alone.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_with_a_layout_of_the_compilers_choice_are_refused() {
        let refused =
            ["bool", "String", "Option<u32>", "Arc<GmCx>", "fn()", "&str", "Vec<u8>", "usize_t"];
        for ty in refused {
            assert!(Type::read(ty).is_err(), "{ty}");
        }
        assert!(Type::read("Option<extern \"Rust\" fn()>").is_err());
    }

    #[test]
    fn functions_within_functions_are_read() {
        let text = "Option< unsafe extern \"C\" fn(cx: *const GmCx, call: Option<unsafe extern \"C\" fn(data: *mut c_void)>, n: u32) -> i32, >";
        let Ok(Type::Function { arguments, result }) = Type::read(text) else {
            panic!("a function")
        };
        assert_eq!(arguments.len(), 3);
        assert!(matches!(arguments[1].1, Type::Function { .. }));
        assert_eq!(result, Some(Box::new(Type::Number("i32"))));
    }

    #[test]
    fn fields_of_the_next_version_are_left_out() {
        let mut abi = Abi::default();
        let text = "pub struct GmX {\n    /// One.\n    pub a: u32,\n    #[cfg(gst_mini_abi_next)]\n    pub next: u64,\n}\n";
        abi.read(text).expect("understood");
        let names: Vec<_> =
            abi.structs().flat_map(|found| &found.fields).map(|f| &f.name).collect();
        assert_eq!(names, ["a"]);
    }
}
