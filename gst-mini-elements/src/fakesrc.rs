//! `fakesrc` makes buffers of no meaning, as fast as they are taken.
//!
//! Invariant: in the format `bytes` a buffer's offset counts the bytes before it; in others it has none.
//! In GStreamer: `plugins/elements/gstfakesrc.c`.
//! Left out: seeking by bytes; a live source that does not wait for the times of its
//! `datarate`.
//!
//! ```text
//! fakesrc num-buffers=3 sizetype=fixed sizemax=16 ! fakesink
//! ```

use crate::{dump, last_message};
use gst_mini_core::element_prelude::*;

const SIZETYPE: &str = "enum:empty=1,fixed=2,random=3";
const FILLTYPE: &str = "enum:nothing=1,zero=2,random=3,pattern=4,pattern-span=5";
const DATA: &str = "enum:allocate=1,subbuffer=2";
const FORMAT: &str = "enum:undefined=0:GST_FORMAT_UNDEFINED,default=1:GST_FORMAT_DEFAULT,bytes=2:GST_FORMAT_BYTES,\
time=3:GST_FORMAT_TIME,buffers=4:GST_FORMAT_BUFFERS,percent=5:GST_FORMAT_PERCENT";
const FORMATS: [Format; 6] = [
    Format::Undefined,
    Format::Default,
    Format::Bytes,
    Format::Time,
    Format::Buffers,
    Format::Percent,
];
/// A queue of the default size never holds more.
const KEPT_BUFFERS: usize = 256;
const SUBBUFFER: i32 = 2;

/// What GStreamer takes and forgets.
struct Ignored;

impl LiveField for Ignored {
    fn set_text(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
    fn text(&self) -> String {
        String::new()
    }
}

pub struct FakeSrc {
    sizetype: i32,
    sizemin: i32,
    sizemax: i32,
    parentsize: i32,
    filltype: i32,
    data: i32,
    datarate: i32,
    format: i32,
    sync: bool,
    silent: bool,
    dump: bool,
    signal_handoffs: bool,
    can_activate_push: bool,
    can_activate_pull: bool,
    is_live: bool,
    /// No property asks for more than empty buffers, one after the other.
    is_plain: bool,
    ignored: Ignored,
    /// Buffers of the size that was wanted last.
    pool: Option<BufferPool>,
    /// What buffers are parts of with `data=subbuffer`, and how far it is used.
    parent: Option<(Buffer, usize)>,
    has_segment: bool,
    bytes: u64,
    random: u64,
    fill: u8,
}

impl Default for FakeSrc {
    fn default() -> Self {
        FakeSrc {
            sizetype: 1,
            sizemin: 0,
            sizemax: 4096,
            parentsize: 4096 * 10,
            filltype: 1,
            data: 1,
            datarate: 0,
            format: 2,
            sync: false,
            silent: true,
            dump: false,
            signal_handoffs: false,
            can_activate_push: true,
            can_activate_pull: true,
            is_live: false,
            is_plain: true,
            ignored: Ignored,
            parent: None,
            pool: None,
            has_segment: false,
            bytes: 0,
            random: 0x9e37_79b9_7f4a_7c15,
            fill: 0,
        }
    }
}

impl Element for FakeSrc {
    const NAME: &str = "fakesrc";
    const SUMMARY: &str = "Push empty (no data) buffers around";
    const LONG_NAME: &str = "Fake Source";
    const CLASS: &str = "Source";
    const PADS: &[PadTemplate] = &[PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::choice("sizetype", SIZETYPE, "How to determine buffer sizes", |e: &mut Self| {
            &mut e.sizetype
        }),
        Prop::int("sizemin", "Minimum buffer size", |e: &mut Self| &mut e.sizemin)
            .unit("bytes")
            .range("0", "2147483647"),
        Prop::int("sizemax", "Maximum buffer size", |e: &mut Self| &mut e.sizemax)
            .unit("bytes")
            .range("0", "2147483647"),
        Prop::int(
            "parentsize",
            "Size of parent buffer for sub-buffered allocation",
            |e: &mut Self| &mut e.parentsize,
        )
        .unit("bytes")
        .range("0", "2147483647"),
        Prop::choice("filltype", FILLTYPE, "How to fill the buffer, if at all", |e: &mut Self| {
            &mut e.filltype
        }),
        Prop::choice("data", DATA, "Data allocation method", |e: &mut Self| &mut e.data),
        Prop::int(
            "datarate",
            "Timestamps buffers with number of bytes per second (0 = none)",
            |e: &mut Self| &mut e.datarate,
        )
        .range("0", "2147483647"),
        Prop::choice("format", FORMAT, "The format of the segment events", |e: &mut Self| {
            &mut e.format
        })
        .ready_only(),
        Prop::boolean("sync", "Sync to the clock to the datarate", |e: &mut Self| &mut e.sync),
        Prop::live("pattern", types::STRING, "Set the pattern (unused)", |e: &Self| &e.ignored),
        Prop::boolean("silent", "Don't produce last-message", |e: &mut Self| &mut e.silent),
        Prop::published("last-message", types::STRING, "What the last buffer was", ""),
        Prop::boolean("dump", "Dump buffer contents to stdout", |e: &mut Self| &mut e.dump),
        Prop::boolean(
            "signal-handoffs",
            "Send a signal before pushing a buffer",
            |e: &mut Self| &mut e.signal_handoffs,
        ),
        Prop::boolean("can-activate-pull", "Can activate in pull mode", |e: &mut Self| {
            &mut e.can_activate_pull
        })
        .ready_only(),
        Prop::boolean("can-activate-push", "Can activate in push mode", |e: &mut Self| {
            &mut e.can_activate_push
        })
        .ready_only(),
        Prop::boolean("is-live", "Make buffers only while PLAYING", |e: &mut Self| &mut e.is_live)
            .ready_only(),
    ];
    const UPSTREAM_EVENTS: &str = "latency,qos";
    const SIGNALS: &[Signal] = &[Signal::emitted("handoff", "A buffer is about to be pushed")];

    fn property_set(&mut self, _: &str) {
        self.is_plain = self.sizetype <= 1
            && self.data != SUBBUFFER
            && self.filltype != 4
            && self.datarate <= 0
            && self.format() == Format::Bytes
            && self.silent
            && !self.is_live
            && !self.sync
            && !self.dump;
    }
}

impl FakeSrc {
    fn format(&self) -> Format {
        usize::try_from(self.format)
            .ok()
            .and_then(|n| FORMATS.get(n))
            .copied()
            .unwrap_or(Format::Bytes)
    }

    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    #[inline]
    fn size(&mut self) -> usize {
        if self.sizetype <= 1 {
            return 0;
        }
        let (min, max) = (self.sizemin.max(0) as usize, self.sizemax.max(0) as usize);
        match self.sizetype {
            2 => max,
            3 => min + (self.random() as usize) % (max.saturating_sub(min) + 1),
            _ => 0,
        }
    }

    /// A buffer of that size with what it is to be filled with.
    #[inline]
    fn filled(&mut self, size: usize) -> Buffer {
        if self.pool.as_ref().is_none_or(|pool| pool.size() != size) {
            self.pool = Some(BufferPool::new(size, KEPT_BUFFERS));
        }
        let buf = self.pool.as_ref().expect("it was made above").acquire();
        // As it was left by who had it last; new memory is zero.
        if size == 0 && self.filltype != 4 || self.filltype == 1 { buf } else { self.fill(buf) }
    }

    #[inline(never)]
    fn fill(&mut self, mut buf: Buffer) -> Buffer {
        if self.filltype == 4 {
            self.fill = 0;
        }
        match self.filltype {
            3 => buf.data_mut().iter_mut().for_each(|byte| *byte = self.random() as u8),
            4 | 5 => {
                for byte in buf.data_mut() {
                    *byte = self.fill;
                    self.fill = self.fill.wrapping_add(1);
                }
            }
            _ => buf.data_mut().fill(0),
        }
        buf
    }

    /// A buffer of that size: its own, or a part of a larger one.
    #[inline]
    fn buffer(&mut self, size: usize) -> Buffer {
        // A buffer larger than its parent could never be cut from one.
        let parent_size = self.parentsize.max(0) as usize;
        if self.data != SUBBUFFER || size > parent_size {
            return self.filled(size);
        }
        let (parent, at) = match self.parent.take() {
            Some((parent, at)) if parent.size() - at >= size => (parent, at),
            _ => (self.filled(parent_size), 0),
        };
        let buf = parent.sub_buffer(at, size);
        self.parent = Some((parent, at + size));
        buf
    }
}

impl Source for FakeSrc {
    fn is_live(cx: &Cx) -> bool {
        cx.property_as("is-live").unwrap_or(false)
    }

    const RANGES: bool = true;

    fn can_push(cx: &Cx) -> bool {
        cx.property_as("can-activate-push").unwrap_or(true)
    }

    fn can_pull(cx: &Cx) -> bool {
        let counts_bytes = cx.property("format").is_none_or(|format| format == "bytes");
        counts_bytes && cx.property_as("can-activate-pull").unwrap_or(true)
    }

    /// As many bytes as it likes, whatever was asked for.
    fn get_range(&mut self, cx: &mut Cx, offset: u64, _: u32) -> FlowResult<Buffer> {
        self.bytes = offset;
        self.make(cx)
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.bytes, self.fill, self.parent, self.has_segment) = (0, 0, None, false);
        Ok(())
    }

    fn stop(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        self.parent = None;
        cx.publish("last-message", "");
        Ok(())
    }

    fn src_event(&mut self, cx: &mut Cx, event: &Event) {
        if !self.silent {
            let pad = last_message::pad_of(cx, "src");
            cx.publish("last-message", last_message::event(&pad, event));
        }
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        if self.is_plain && self.has_segment && !(self.signal_handoffs && cx.is_heard()) {
            let mut buf = self.filled(0);
            buf.set_offset(Some(self.bytes));
            return Ok(buf);
        }
        let format = self.format();
        if !std::mem::replace(&mut self.has_segment, true) && format != Format::Time {
            cx.output_event(FIRST_PAD, Event::segment(Segment::new(format)));
        }
        self.make(cx)
    }
}

impl FakeSrc {
    fn make(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        let format = self.format();
        let size = self.size();
        let mut buf = self.buffer(size);
        if size > 0 {
            buf.set_flags(BufferFlags::TAG_MEMORY);
        }
        buf.set_offset((format == Format::Bytes).then_some(self.bytes));
        if self.datarate > 0 {
            let at = |bytes: u64| {
                ClockTime::from_nanos(bytes).mul_div(1_000_000_000, self.datarate as u64)
            };
            buf.set_pts(at(self.bytes));
            buf.set_dts(at(self.bytes));
            buf.set_duration(at(size as u64));
        } else if self.is_live {
            let now = cx.running_time().map(|now| ClockTime::from_nanos(now.nanos()));
            buf.set_pts(now);
            buf.set_dts(now);
        }
        if !self.silent {
            let pad = last_message::pad_of(cx, "src");
            cx.publish("last-message", last_message::created(&pad, &buf));
        }
        if self.dump {
            dump::dump(cx, &buf);
        }
        if self.signal_handoffs {
            cx.emit("handoff", None);
        }
        self.bytes += size as u64;
        if self.sync
            && let (Some(due), Some(base_time)) = (buf.dts_or_pts(), cx.base_time())
        {
            cx.wait_clock(base_time + due)?;
        }
        Ok(buf)
    }
}
