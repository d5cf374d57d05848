//! Queries ask the elements upstream or downstream, and bring the answer back in place.
//!
//! Invariant: a query is answered by one element, or by none; nobody changes it after it was answered
//! except those it passes on its way (a queue adds its own latency).
//! In GStreamer: `gst/gstquery.c` (`gst_query_new_latency`), `gst/gstpad.c` (`gst_pad_query_default`).
//! Left out: convert, uri, context, buffering.

use crate::caps::Caps;
use crate::crossing::Last;
use crate::pool::{AllocationParams, BufferPool};
use crate::segment::Format;
use crate::structure::{ScratchText, Structure, StructureText};
use crate::time::ClockTime;
use std::rc::Rc;

thread_local! {
    static LAST: Last<Query> = const { Last::new() };
}

/// A question, and the answer once there is one.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Where playback is.
    Position {
        /// Unit asked for.
        format: Format,
        /// Answer.
        position: Option<u64>,
    },
    /// How long the stream is.
    Duration {
        /// Unit asked for.
        format: Format,
        /// Answer; `None` when unknown.
        duration: Option<u64>,
    },
    /// How much later than its timestamp data arrives.
    Latency {
        /// Whether a live source is upstream.
        live: bool,
        /// At least this.
        min: ClockTime,
        /// At most this can be held; `None`: without limit.
        max: Option<ClockTime>,
    },
    /// Which formats are possible.
    Caps {
        /// Only these are of interest.
        filter: Option<Caps>,
        /// Answer.
        result: Option<Caps>,
    },
    /// Whether exactly these caps would be taken.
    AcceptCaps {
        /// Fixed caps.
        caps: Caps,
        /// Answer.
        accepted: bool,
    },
    /// Whether and where one can seek.
    Seeking {
        /// Unit asked for.
        format: Format,
        /// Answer.
        seekable: bool,
        /// First position.
        start: u64,
        /// Last position, where known.
        end: Option<u64>,
    },
    /// How data can be had from a source pad.
    Scheduling(Scheduling),
    /// Where buffers of a format could come from.
    Allocation(Allocation),
    /// That all data before it has been used. Keeps its place among the data.
    Drain,
    /// An element's own.
    Custom(Structure),
}

/// What whoever takes buffers offers to whoever makes them. As text its pools are offers to make one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Allocation {
    /// Their format.
    pub caps: Option<Caps>,
    /// Whether a pool is wanted, and not only its size.
    pub need_pool: bool,
    /// Pools, the best one first.
    pub pools: Vec<PoolOffer>,
    /// How memory is to lie, the best way first.
    pub params: Vec<AllocationParams>,
    /// Names of metas that are understood.
    pub metas: Vec<String>,
}

/// A pool, or how one should be.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolOffer {
    /// The pool; `None`: whoever asked makes one.
    pub pool: Option<BufferPool>,
    /// Bytes of each buffer.
    pub size: usize,
    /// How many buffers there must be.
    pub min: u32,
    /// How many there can be; 0: any number.
    pub max: u32,
}

/// The meta that says how a picture lies in its buffer.
pub const VIDEO_META: &str = "GstVideoMetaAPI";

impl Allocation {
    fn write(&self, out: &mut StructureText) {
        let list = |items: Vec<String>| items.join(";");
        if let Some(caps) = &self.caps {
            out.set_caps("caps", caps);
        }
        out.set("need-pool", self.need_pool);
        let pools = self.pools.iter().map(|o| format!("{},{},{}", o.size, o.min, o.max)).collect();
        out.set("pools", list(pools));
        let params = self.params.iter().map(|p| format!("{},{},{}", p.align, p.prefix, p.padding));
        out.set("params", list(params.collect()));
        out.set("metas", list(self.metas.clone()));
    }

    fn read(from: &Structure, caps: Option<Caps>) -> Option<Allocation> {
        let items = |field: &str| -> Vec<&str> {
            let text = from.str(field).unwrap_or_default();
            text.split(';').filter(|item| !item.is_empty()).collect()
        };
        let triple = |item: &str| -> Option<[usize; 3]> {
            let mut numbers = item.split(',').map(str::parse);
            let mut next = || numbers.next()?.ok();
            Some([next()?, next()?, next()?])
        };
        let offer = |item: &&str| {
            let [size, min, max] = triple(item)?;
            let (min, max) = (u32::try_from(min).ok()?, u32::try_from(max).ok()?);
            Some(PoolOffer { pool: None, size, min, max })
        };
        let shape = |item: &&str| {
            let [align, prefix, padding] = triple(item)?;
            Some(AllocationParams { align, prefix, padding })
        };
        Some(Allocation {
            caps,
            need_pool: from.bool("need-pool")?,
            pools: items("pools").iter().map(offer).collect::<Option<_>>()?,
            params: items("params").iter().map(shape).collect::<Option<_>>()?,
            metas: items("metas").into_iter().map(str::to_owned).collect(),
        })
    }
}

/// What a source pad says of the ways in which data can be had from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduling {
    /// It can go to any place.
    pub seekable: bool,
    /// It is best read from its beginning to its end.
    pub sequential: bool,
    /// What is read costs time on a network, so little should be read ahead.
    pub bandwidth_limited: bool,
    /// Least bytes of a range.
    pub min_size: u32,
    /// Most bytes of a range; `None`: any number.
    pub max_size: Option<u32>,
    /// Ranges begin at multiples of this many bytes; 0: anywhere.
    pub align: u32,
    /// It pushes.
    pub push: bool,
    /// Its ranges can be pulled.
    pub pull: bool,
}

impl Default for Scheduling {
    /// No mode, ranges of any size.
    fn default() -> Self {
        Scheduling {
            seekable: false,
            sequential: false,
            bandwidth_limited: false,
            min_size: 1,
            max_size: None,
            align: 0,
            push: false,
            pull: false,
        }
    }
}

impl Scheduling {
    /// Whether ranges can be pulled from any place, as those want who parse a file.
    pub fn pulls_anywhere(self) -> bool {
        self.pull && self.seekable
    }

    fn write(&self, out: &mut StructureText) {
        for (field, value) in [
            ("seekable", self.seekable),
            ("sequential", self.sequential),
            ("bandwidth-limited", self.bandwidth_limited),
            ("push", self.push),
            ("pull", self.pull),
        ] {
            out.set(field, value);
        }
        out.set("min-size", u64::from(self.min_size));
        if let Some(size) = self.max_size {
            out.set("max-size", u64::from(size));
        }
        out.set("align", u64::from(self.align));
    }

    fn read(from: &Structure) -> Option<Scheduling> {
        let number = |field: &str| from.uint64(field).and_then(|n| u32::try_from(n).ok());
        Some(Scheduling {
            seekable: from.bool("seekable")?,
            sequential: from.bool("sequential")?,
            bandwidth_limited: from.bool("bandwidth-limited")?,
            min_size: number("min-size")?,
            max_size: number("max-size"),
            align: number("align")?,
            push: from.bool("push")?,
            pull: from.bool("pull")?,
        })
    }
}

impl Query {
    /// Position in time.
    pub fn position() -> Query {
        Query::Position { format: Format::Time, position: None }
    }
    /// Duration in time.
    pub fn duration() -> Query {
        Query::Duration { format: Format::Time, duration: None }
    }
    /// Latency; starts as GStreamer's does: not live, nothing, no limit.
    pub fn latency() -> Query {
        Query::Latency { live: false, min: ClockTime::ZERO, max: None }
    }
    /// Caps.
    pub fn caps(filter: Option<Caps>) -> Query {
        Query::Caps { filter, result: None }
    }
    /// Scheduling, with no mode yet.
    pub fn scheduling() -> Query {
        Query::Scheduling(Scheduling::default())
    }
    /// Allocation, with nothing offered yet.
    pub fn allocation(caps: Option<Caps>, need_pool: bool) -> Query {
        Query::Allocation(Allocation { caps, need_pool, ..Allocation::default() })
    }
    /// Accept caps.
    pub fn accept_caps(caps: Caps) -> Query {
        Query::AcceptCaps { caps, accepted: false }
    }

    /// Whether it keeps its place among the data, and so is answered after what was sent before. Only the
    /// streaming thread of a source pad may ask it.
    pub fn is_serialized(&self) -> bool {
        matches!(self, Query::Drain)
    }

    /// Its name, as in GStreamer.
    pub fn name(&self) -> &str {
        match self {
            Query::Position { .. } => "position",
            Query::Duration { .. } => "duration",
            Query::Latency { .. } => "latency",
            Query::Caps { .. } => "caps",
            Query::AcceptCaps { .. } => "accept-caps",
            Query::Seeking { .. } => "seeking",
            Query::Scheduling(_) => "scheduling",
            Query::Allocation(_) => "allocation",
            Query::Drain => "drain",
            Query::Custom(structure) => structure.name(),
        }
    }

    /// The text that crosses the plugin boundary, question and answer alike.
    pub fn to_text(&self) -> Rc<str> {
        Rc::from(&**self.text())
    }

    /// [`Query::to_text`], shared with whoever asks next.
    pub(crate) fn text(&self) -> Rc<ScratchText> {
        match self {
            Query::Caps { .. } | Query::AcceptCaps { .. } | Query::Latency { .. } => LAST
                .try_with(|last| last.text(self, || self.written()))
                .unwrap_or_else(|_| Rc::new(self.written())),
            // Others may hold on to memory.
            _ => Rc::new(self.written()),
        }
    }

    /// This thread gives up what it remembers of texts.
    #[cfg(feature = "host")]
    pub(crate) fn forget_text() {
        // A thread that ends does so anyway.
        let _ = LAST.try_with(Last::forget);
    }

    fn written(&self) -> ScratchText {
        let name = if matches!(self, Query::Custom(_)) { "custom" } else { self.name() };
        let mut out = StructureText::new(name);
        let mut number = |field: &str, value: Option<u64>| {
            if let Some(value) = value {
                out.set(field, value);
            }
        };
        match self {
            Query::Position { position, .. } => number("value", *position),
            Query::Duration { duration, .. } => number("value", *duration),
            Query::Latency { min, max, .. } => {
                number("min", Some(min.nanos()));
                number("max", max.map(ClockTime::nanos));
            }
            Query::Seeking { start, end, .. } => {
                number("start", Some(*start));
                number("end", *end);
            }
            _ => {}
        }
        match self {
            Query::Position { format, .. } | Query::Duration { format, .. } => {
                out.set("format", format.nick());
            }
            Query::Latency { live, .. } => out.set("live", *live),
            Query::Caps { filter, result } => {
                if let Some(filter) = filter {
                    out.set_caps("filter", filter);
                }
                if let Some(result) = result {
                    out.set_caps("result", result);
                }
            }
            Query::AcceptCaps { caps, accepted } => {
                out.set_caps("caps", caps);
                out.set("accepted", *accepted);
            }
            Query::Seeking { format, seekable, .. } => {
                out.set("format", format.nick());
                out.set("seekable", *seekable);
            }
            Query::Scheduling(scheduling) => scheduling.write(&mut out),
            Query::Allocation(allocation) => allocation.write(&mut out),
            Query::Drain => {}
            Query::Custom(structure) => out.set_str("structure", &structure.to_string()),
        }
        out.end()
    }

    /// [`Query::from_text`] of what may not be text at all.
    pub(crate) fn from_bytes(text: &[u8]) -> Option<Query> {
        let known = LAST.try_with(|last| last.known(text)).ok().flatten();
        known.or_else(|| Query::from_text(std::str::from_utf8(text).ok()?))
    }

    /// Reads the text that crossed the plugin boundary; `None` if it is not a query's.
    pub fn from_text(text: &str) -> Option<Query> {
        match text.starts_with("allocation") || text.starts_with("custom") {
            false => LAST
                .try_with(|last| last.value(text, || Query::read(text)))
                .unwrap_or_else(|_| Query::read(text)),
            true => Query::read(text),
        }
    }

    fn read(text: &str) -> Option<Query> {
        let read: Structure = text.parse().ok()?;
        let caps = |field: &str| match read.str(field) {
            None => Some(None),
            Some(text) => Caps::parse(text).ok().map(Some),
        };
        let format = || read.str("format")?.parse::<Format>().ok();
        Some(match read.name() {
            "position" => Query::Position { format: format()?, position: read.uint64("value") },
            "duration" => Query::Duration { format: format()?, duration: read.uint64("value") },
            "latency" => Query::Latency {
                live: read.bool("live")?,
                min: ClockTime::from_nanos(read.uint64("min")?),
                max: read.uint64("max").map(ClockTime::from_nanos),
            },
            "caps" => Query::Caps { filter: caps("filter")?, result: caps("result")? },
            "accept-caps" => {
                Query::AcceptCaps { caps: caps("caps")??, accepted: read.bool("accepted")? }
            }
            "seeking" => Query::Seeking {
                format: format()?,
                seekable: read.bool("seekable")?,
                start: read.uint64("start")?,
                end: read.uint64("end"),
            },
            "scheduling" => Query::Scheduling(Scheduling::read(&read)?),
            "allocation" => Query::Allocation(Allocation::read(&read, caps("caps")?)?),
            "drain" => Query::Drain,
            "custom" => Query::Custom(read.str("structure")?.parse().ok()?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_text_form() {
        let caps = Caps::parse("video/x-raw, framerate=[ 0/1, 30/1 ]; audio/x-raw").unwrap();
        for query in [
            Query::Position { format: Format::Time, position: Some(3) },
            Query::duration(),
            Query::Latency { live: true, min: ClockTime::SECOND, max: None },
            Query::Caps { filter: Some(caps.clone()), result: Some(Caps::empty()) },
            Query::caps(None),
            Query::accept_caps(caps),
            Query::Drain,
            Query::Seeking { format: Format::Bytes, seekable: true, start: 0, end: Some(7) },
            Query::scheduling(),
            Query::allocation(None, false),
            Query::Allocation(Allocation {
                caps: Some(Caps::parse("video/x-raw, width=4").unwrap()),
                need_pool: true,
                pools: vec![PoolOffer { pool: None, size: 7, min: 1, max: 0 }],
                params: vec![AllocationParams { align: 15, ..AllocationParams::default() }],
                metas: vec![VIDEO_META.to_owned(), "crop".to_owned()],
            }),
            Query::Scheduling(Scheduling {
                seekable: true,
                max_size: Some(7),
                pull: true,
                ..Scheduling::default()
            }),
            Query::Custom(Structure::new("exists").with("name", "a, b")),
        ] {
            assert_eq!(
                Query::from_text(&query.to_text()).as_ref(),
                Some(&query),
                "{}",
                query.to_text()
            );
        }
    }
}
