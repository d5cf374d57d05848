//! `fakesrc` makes buffers of no meaning, as fast as they are taken.
//!
//! Invariant: in a stream of bytes each buffer's offset is the number of bytes before it.
//! In GStreamer: `plugins/elements/gstfakesrc.c`.
//! Left out: `can-activate-pull`, `parentsize`, `data=subbuffer`, `filltype=pattern-cont`, `dump`, formats other than bytes and time.
//!
//! ```text
//! fakesrc num-buffers=3 sizetype=fixed sizemax=16 ! fakesink
//! ```

use crate::last_message;
use gst_mini_core::element_prelude::*;

/// `GST_FORMAT_BYTES`.
const BYTES: i32 = 2;

pub struct FakeSrc {
    sizetype: i32,
    sizemin: i32,
    sizemax: i32,
    filltype: i32,
    datarate: i32,
    sync: bool,
    silent: bool,
    signal_handoffs: bool,
    is_live: bool,
    format: i32,
    /// Bytes made so far: the next buffer's place in a stream of bytes.
    bytes: u64,
    segment_sent: bool,
    random: u64,
    fill: u8,
}

impl Default for FakeSrc {
    fn default() -> Self {
        FakeSrc {
            sizetype: 1,
            sizemin: 0,
            sizemax: 4096,
            filltype: 1,
            datarate: 0,
            sync: false,
            silent: true,
            signal_handoffs: false,
            is_live: false,
            format: BYTES,
            bytes: 0,
            segment_sent: false,
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
        Prop::choice(
            "sizetype",
            "enum:empty=1,fixed=2,random=3",
            "How to determine buffer sizes",
            |e: &mut Self| &mut e.sizetype,
        ),
        Prop::int("sizemin", "Minimum buffer size", |e: &mut Self| &mut e.sizemin)
            .unit("bytes")
            .range("0", "2147483647"),
        Prop::int("sizemax", "Maximum buffer size", |e: &mut Self| &mut e.sizemax)
            .unit("bytes")
            .range("0", "2147483647"),
        Prop::choice(
            "filltype",
            "enum:nothing=1,zero=2,random=3,pattern=4",
            "How to fill buffers",
            |e: &mut Self| &mut e.filltype,
        ),
        Prop::int(
            "datarate",
            "Timestamps buffers with number of bytes per second, 0: none",
            |e: &mut Self| &mut e.datarate,
        )
        .range("0", "2147483647"),
        Prop::boolean("sync", "Sync to the clock to the datarate", |e: &mut Self| &mut e.sync),
        Prop::boolean("silent", "Don't produce last-message", |e: &mut Self| &mut e.silent),
        Prop::published("last-message", types::STRING, "What the last buffer was", ""),
        Prop::boolean(
            "signal-handoffs",
            "Send a signal before pushing a buffer",
            |e: &mut Self| &mut e.signal_handoffs,
        ),
        Prop::boolean("is-live", "Make buffers only while PLAYING", |e: &mut Self| &mut e.is_live)
            .ready_only(),
        Prop::choice(
            "format",
            "enum:bytes=2,time=3",
            "The format of the segment",
            |e: &mut Self| &mut e.format,
        ),
    ];
    const UPSTREAM_EVENTS: &str = "latency,qos";
    const SIGNALS: &[Signal] = &[Signal::emitted("handoff", "A buffer is about to be pushed")];
}

impl FakeSrc {
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn data(&mut self) -> Vec<u8> {
        let (min, max) = (self.sizemin.max(0) as usize, self.sizemax.max(0) as usize);
        let size = match self.sizetype {
            2 => max,
            3 => min + (self.random() as usize) % (max.saturating_sub(min) + 1),
            _ => 0,
        };
        match self.filltype {
            3 => (0..size).map(|_| self.random() as u8).collect(),
            4 => (0..size)
                .map(|_| {
                    self.fill = self.fill.wrapping_add(1);
                    self.fill.wrapping_sub(1)
                })
                .collect(),
            _ => vec![0; size],
        }
    }
}

impl Source for FakeSrc {
    fn is_live(cx: &Cx) -> bool {
        cx.property_as("is-live").unwrap_or(false)
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.bytes, self.segment_sent) = (0, false);
        Ok(())
    }

    fn src_event(&mut self, cx: &mut Cx, event: &Event) {
        if !self.silent {
            let pad = last_message::pad_of(cx, "src");
            cx.publish("last-message", last_message::event(&pad, event));
        }
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        if self.format == BYTES && !std::mem::replace(&mut self.segment_sent, true) {
            cx.output_event(FIRST_PAD, Event::segment(Segment::new(Format::Bytes)));
        }
        let data = self.data();
        let size = data.len() as u64;
        let mut buf = Buffer::from_vec(data);
        if size > 0 {
            buf.set_flags(BufferFlags::TAG_MEMORY);
        }
        if self.format == BYTES {
            buf.set_offset(Some(self.bytes));
        }
        if self.datarate > 0 {
            let at = |bytes: u64| {
                ClockTime::from_nanos(bytes).mul_div(1_000_000_000, self.datarate as u64)
            };
            buf.set_pts(at(self.bytes));
            buf.set_dts(at(self.bytes));
            buf.set_duration(at(size));
        } else if self.is_live {
            let now = cx.running_time().map(|now| ClockTime::from_nanos(now.nanos()));
            buf.set_pts(now);
            buf.set_dts(now);
        }
        if !self.silent {
            let pad = last_message::pad_of(cx, "src");
            cx.publish("last-message", last_message::created(&pad, &buf));
        }
        if self.signal_handoffs {
            cx.emit("handoff", None);
        }
        if self.format == BYTES && self.bytes == 0 && !self.is_live && buf.dts().is_none() {
            // A file begins at 0. While it plays, what has no time of its own has that.
            buf.set_dts(Some(ClockTime::ZERO));
            if cx.base_time().is_some() && buf.pts().is_none() {
                buf.set_pts(Some(ClockTime::ZERO));
            }
        }
        self.bytes += size;
        Ok(buf)
    }
}
