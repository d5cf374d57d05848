//! What a launch program with `-v` printed about its fakesinks.
//!
//! ```text
//! …:fakesink0.GstPad:sink: caps = video/x-raw, …
//! … last-message = chain   ******* (fakesink0:sink) (512 bytes, dts: none, pts: 0:00:00.000000000, …)
//! ```
//!
//! Invariant: each sink's caps and buffers are kept in the order in which it got them.
//! Left out: events, metas and addresses; the order among different sinks.

use super::Difference;
use std::collections::BTreeMap;

/// That a buffer's memory was replaced concerns the pool it came from and nobody else.
const TAG_MEMORY: u32 = 0x4000;
/// Columns of a buffer in the order they are printed in.
const COLUMNS: [&str; 7] = ["size", "dts", "pts", "duration", "offset", "offset-end", "flags"];

/// What one sink got.
#[derive(Debug, PartialEq)]
enum Entry {
    Caps(String),
    Buffer([String; 7]),
}

/// By sink.
#[derive(Debug, Default, PartialEq)]
pub struct Printed(BTreeMap<String, Vec<Entry>>);

impl Printed {
    /// Reads the standard output of either program.
    pub fn read(output: &str) -> Printed {
        let mut sinks: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for line in output.lines() {
            if let Some((path, caps)) = line.split_once(".GstPad:sink: caps = ") {
                let name = path.rsplit(':').next().unwrap_or(path);
                let entries = sinks.entry(name.to_owned()).or_default();
                let entry = Entry::Caps(caps.to_owned());
                // The caps are gone again when the pipeline stops.
                if caps != "NULL" && entries.last() != Some(&entry) {
                    entries.push(entry);
                }
            } else if let Some((_, told)) = line.split_once("last-message = chain   ******* (")
                && let Some((name, rest)) = told.split_once(":sink) (")
                && let Some(columns) = columns(rest)
            {
                sinks.entry(name.to_owned()).or_default().push(Entry::Buffer(columns));
            }
        }
        // Elements that are no fakesink print caps too.
        sinks.retain(|name, _| output.contains(&format!(":{name}: last-message = ")));
        Printed(sinks)
    }

    /// What is different; the first of each field.
    pub fn differences(&self, ours: &Printed) -> Vec<Difference> {
        let mut found: Vec<Difference> = Vec::new();
        let mut note = |field: &'static str, text: String| {
            if found.iter().all(|known| known.field != field) {
                found.push(Difference { field, text });
            }
        };
        let names: Vec<_> = self.0.keys().chain(ours.0.keys()).collect();
        for name in names {
            let none = Vec::new();
            let (theirs, ours) =
                (self.0.get(name).unwrap_or(&none), ours.0.get(name).unwrap_or(&none));
            let kind = |entry: &Entry| matches!(entry, Entry::Caps(_));
            let shape = |entries: &[Entry]| entries.iter().map(kind).collect::<Vec<_>>();
            let caps = |entries: &[Entry]| entries.iter().filter(|entry| kind(entry)).count();
            if shape(theirs) != shape(ours) {
                let buffers = |entries: &[Entry]| entries.len() - caps(entries);
                let text = format!(
                    "{name}: {} buffers and {} caps against {} and {} (or in another order)",
                    buffers(theirs),
                    caps(theirs),
                    buffers(ours),
                    caps(ours)
                );
                note("count", text);
            }
            for (index, pair) in theirs.iter().zip(ours).enumerate() {
                match pair {
                    (Entry::Caps(theirs), Entry::Caps(ours)) if theirs != ours => {
                        note("caps", format!("{name}: caps {theirs}\n    against     {ours}"));
                    }
                    (Entry::Buffer(theirs), Entry::Buffer(ours)) => {
                        for (column, (theirs, ours)) in COLUMNS.iter().zip(theirs.iter().zip(ours))
                        {
                            if theirs != ours {
                                let text = format!(
                                    "{name}, entry {index}: {column} {theirs} against {ours}"
                                );
                                note(column, text);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        found
    }
}

/// `512 bytes, dts: none, …, flags: 00000040 discont …`.
fn columns(text: &str) -> Option<[String; 7]> {
    let after = |label: &str| {
        let (_, rest) = text.split_once(label)?;
        Some(rest.split([',', ' ', ')']).find(|word| !word.is_empty())?.to_owned())
    };
    let size = text.split(' ').next()?.to_owned();
    let flags = u32::from_str_radix(&after(" flags: ")?, 16).ok()? & !TAG_MEMORY;
    Some([
        size,
        after(" dts: ")?,
        after(" pts: ")?,
        after(" duration: ")?,
        after(" offset: ")?,
        after(" offset_end: ")?,
        format!("{flags:08x}"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = "Setting pipeline to PAUSED ...\n\
        /GstPipeline:pipeline0/GstQueue:queue0.GstPad:sink: caps = video/x-raw\n\
        /GstPipeline:pipeline0/GstFakeSink:fakesink0.GstPad:sink: caps = video/x-raw\n\
        /GstPipeline:pipeline0/GstFakeSink:fakesink0: last-message = preroll   ******* \n\
        /GstPipeline:pipeline0/GstFakeSink:fakesink0: last-message = chain   ******* (fakesink0:sink) (512 bytes, dts: none, pts: 0:00:00.000000000, duration: 0:00:00.033333333, offset: 0, offset_end:  1, flags: 00004040 discont tag-memory , meta: GstVideoMeta) 0x55\n\
        /GstPipeline:pipeline0/GstFakeSink:fakesink0.GstPad:sink: caps = NULL\n";

    #[test]
    fn caps_and_buffers_of_fakesinks_are_read_whatever_surrounds_them() {
        let ours = "/x:pipeline0/fakesink:fakesink0.GstPad:sink: caps = video/x-raw\n\
            /x:pipeline0/fakesink:fakesink0: last-message = chain   ******* (fakesink0:sink) (512 bytes, dts: none, pts: 0:00:00.000000000, duration: 0:00:00.033333333, offset: 0, offset_end: 1, flags: 00000040 discont)\n";
        let theirs = Printed::read(THEIRS);
        assert_eq!(theirs.0["fakesink0"].len(), 2);
        assert_eq!(theirs.differences(&Printed::read(ours)), []);
    }

    #[test]
    fn each_field_that_differs_is_named_once() {
        let ours =
            THEIRS.replace("offset: 0", "offset: 7").replace("caps = video/x-raw", "caps = a/b");
        let fields: Vec<_> = Printed::read(THEIRS)
            .differences(&Printed::read(&ours))
            .into_iter()
            .map(|difference| difference.field)
            .collect();
        assert_eq!(fields, ["caps", "offset"]);
        let fields = Printed::read(THEIRS).differences(&Printed::default());
        assert_eq!(fields[0].field, "count");
    }
}
