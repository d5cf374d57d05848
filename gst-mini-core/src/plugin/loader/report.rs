//! What is known of a plugin without opening its library, and its text form for the cache and for the
//! examiner's answer.
//!
//! Invariant: reading never fails half-way: a text is a whole report or none.
//! In GStreamer: `gst/gstregistrychunks.c`.
//! Left out: pad templates and properties; `inspect` of an element opens the library.

use crate::structure::Structure;

/// What a plugin says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginInfo {
    /// As in the name of its file.
    pub name: String,
    /// Of the plugin.
    pub version: String,
    /// SPDX.
    pub license: String,
    /// Where it comes from.
    pub source: String,
    /// One sentence.
    pub description: String,
    /// Compiler and target.
    pub build_info: String,
    /// Version of the boundary it was built against, `major.minor`.
    pub abi: String,
    /// A panic in it ends the process.
    pub aborts_on_panic: bool,
    /// Its elements.
    pub elements: Vec<ElementInfo>,
}

/// What a plugin says about an element, before its library is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElementInfo {
    /// Factory name.
    pub name: String,
    /// A few words.
    pub long_name: String,
    /// Class words.
    pub klass: String,
    /// One sentence.
    pub description: String,
    /// Who wrote it.
    pub author: String,
    /// Rank.
    pub rank: u32,
}

/// What an examination came to: what the plugin says, or why it is refused.
pub type Outcome = Result<PluginInfo, String>;

/// One line for the plugin or the refusal, and one for each element.
pub fn to_text(outcome: &Outcome) -> String {
    let info = match outcome {
        Ok(info) => info,
        Err(why) => return format!("{}\n", Structure::new("refused").with("why", why.as_str())),
    };
    let text = |name: &'static str, fields: &[(&str, &str)]| {
        let mut line = Structure::new(name);
        for (field, value) in fields {
            line.set(field, *value);
        }
        line
    };
    let head = text(
        "plugin",
        &[
            ("name", &info.name),
            ("version", &info.version),
            ("license", &info.license),
            ("source", &info.source),
            ("description", &info.description),
            ("build-info", &info.build_info),
            ("abi", &info.abi),
        ],
    )
    .with("aborts-on-panic", info.aborts_on_panic)
    .with("elements", info.elements.len() as u64);
    let mut out = format!("{head}\n");
    for element in &info.elements {
        let line = text(
            "element",
            &[
                ("name", &element.name),
                ("long-name", &element.long_name),
                ("class", &element.klass),
                ("description", &element.description),
                ("author", &element.author),
            ],
        )
        .with("rank", u64::from(element.rank));
        out.push_str(&format!("{line}\n"));
    }
    out
}

/// Reads a report from the lines that begin it, and takes those lines away.
pub fn from_lines<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Option<Outcome> {
    let mut next = || lines.next()?.parse::<Structure>().ok();
    let head = next()?;
    let text = |from: &Structure, field: &str| Some(from.str(field)?.to_owned());
    if head.name() == "refused" {
        return Some(Err(text(&head, "why")?));
    }
    if head.name() != "plugin" {
        return None;
    }
    let mut info = PluginInfo {
        name: text(&head, "name")?,
        version: text(&head, "version")?,
        license: text(&head, "license")?,
        source: text(&head, "source")?,
        description: text(&head, "description")?,
        build_info: text(&head, "build-info")?,
        abi: text(&head, "abi")?,
        aborts_on_panic: head.bool("aborts-on-panic")?,
        elements: Vec::new(),
    };
    for _ in 0..head.uint64("elements")? {
        let line = next().filter(|line| line.name() == "element")?;
        info.elements.push(ElementInfo {
            name: text(&line, "name")?,
            long_name: text(&line, "long-name")?,
            klass: text(&line, "class")?,
            description: text(&line, "description")?,
            author: text(&line, "author")?,
            rank: u32::try_from(line.uint64("rank")?).ok()?,
        });
    }
    Some(Ok(info))
}

/// A number that changes with the text (FNV-1a): against accidents, not against anybody.
pub fn checksum(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn example() -> PluginInfo {
        PluginInfo {
            name: "demo".to_owned(),
            description: "Lines\nand \"quotes\", 100 %; ü".to_owned(),
            elements: vec![
                ElementInfo { name: "a".to_owned(), rank: 256, ..ElementInfo::default() },
                ElementInfo { name: "b".to_owned(), ..ElementInfo::default() },
            ],
            ..PluginInfo::default()
        }
    }

    #[test]
    fn a_report_survives_its_text() {
        for outcome in [Ok(example()), Err("no\nroom".to_owned())] {
            let text = to_text(&outcome);
            assert_eq!(from_lines(&mut text.lines()), Some(outcome));
        }
    }

    #[test]
    fn a_report_without_its_last_line_is_none() {
        let text = to_text(&Ok(example()));
        let lines: Vec<&str> = text.lines().collect();
        for count in 0..lines.len() {
            assert_eq!(from_lines(&mut lines[..count].iter().copied()), None, "{count}");
        }
    }
}
