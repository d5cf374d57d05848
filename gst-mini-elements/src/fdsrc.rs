//! `fdsrc` reads an open file descriptor: standard input, a pipe, a terminal, a file.
//!
//! A real camera, through ffmpeg: `ffmpeg -f v4l2 -i /dev/video0 -f yuv4mpegpipe - | gst-mini launch
//! fdsrc ! y4mdec ! …`.
//!
//! Invariant: a buffer is what one read gave; the descriptor is never closed here.
//! In GStreamer: `plugins/elements/gstfdsrc.c` (`gst_fd_src_create`, `gst_fd_src_is_seekable`).
//! Left out: playing backwards and `fd://` URIs.
//!
//! ```text
//! fdsrc fd=0 blocksize=65536 ! fakesink
//! ```

use crate::fd::{Interrupt, length, reason, seek};
use gst_mini_core::element_prelude::*;
use std::sync::Arc;

pub struct FdSrc {
    /// Below zero: none was set, and standard input is read.
    fd: i32,
    timeout: u64,
    offset: u64,
    /// Where the segment ends.
    stop: Option<u64>,
    interrupt: Arc<Interrupt>,
}

impl Default for FdSrc {
    fn default() -> Self {
        let interrupt = Arc::default();
        FdSrc { fd: -1, timeout: 0, offset: 0, stop: None, interrupt }
    }
}

impl Element for FdSrc {
    const NAME: &str = "fdsrc";
    const SUMMARY: &str = "Read from a file descriptor";
    const LONG_NAME: &str = "Filedescriptor Source";
    const CLASS: &str = "Source/File";
    const PADS: &[PadTemplate] = &[PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::int("fd", "An open file descriptor to read from", |e: &mut Self| &mut e.fd)
            .range("0", "2147483647"),
        Prop::uint64(
            "timeout",
            "Post a message each time nothing came for so long, 0: never",
            |e: &mut Self| &mut e.timeout,
        )
        .unit("us"),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.interrupt.clone())
    }
}

impl Source for FdSrc {
    fn format(_: &Cx) -> Format {
        Format::Bytes
    }

    fn is_seekable(cx: &Cx) -> bool {
        Self::duration(cx).is_some()
    }

    fn duration(cx: &Cx) -> Option<u64> {
        length(cx.property_as::<i32>("fd")?.max(0))
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.offset, self.stop) = (0, None);
        self.interrupt.prepare()
    }

    fn seek(&mut self, _: &mut Cx, segment: &Segment) -> bool {
        let to = segment.position.unwrap_or(segment.start);
        let done = segment.rate > 0.0 && seek(self.fd.max(0), to);
        if done {
            (self.offset, self.stop) = (to, segment.stop);
        }
        done
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        let left = self.stop.map(|stop| stop.saturating_sub(self.offset));
        let left = left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        if left == 0 {
            return Err(FlowError::Eos);
        }
        let mut data = vec![0; crate::filesrc::blocksize(cx).min(left)];
        let micros = self.timeout;
        let timeout = (micros > 0).then(|| ClockTime::from_micros(micros));
        let late = || cx.post_element(Structure::new("GstFdSrcTimeout").with("timeout", micros));
        let got = self.interrupt.read(cx, self.fd.max(0), &mut data, timeout, late)?.map_err(
            |error| {
                let text =
                    format!("cannot read file descriptor {}: {}", self.fd.max(0), reason(&error));
                cx.error(ErrorKind::Read, text)
            },
        )?;
        if got == 0 {
            return Err(FlowError::Eos);
        }
        data.truncate(got);
        let mut buf = Buffer::from_vec(data);
        buf.set_offset(Some(self.offset));
        self.offset += got as u64;
        Ok(buf)
    }
}
