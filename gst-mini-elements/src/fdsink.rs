//! `fdsink` writes to an open file descriptor: standard output, a pipe, a terminal, a file.
//!
//! Invariant: bytes leave in stream order, and none is kept back; the descriptor is never closed here.
//! In GStreamer: `plugins/elements/gstfdsink.c` (`gst_fd_sink_render_list`).
//! Left out: seeking and `fd://` URIs.
//!
//! ```text
//! fakesrc num-buffers=3 sizetype=fixed ! fdsink fd=2
//! ```

use crate::fd::{Writing, reason, write_kind};
use gst_mini_core::element_prelude::*;
use std::sync::Arc;

pub struct FdSink {
    fd: i32,
    writing: Arc<Writing>,
}

impl Default for FdSink {
    fn default() -> Self {
        FdSink { fd: 1, writing: Arc::default() }
    }
}

impl Element for FdSink {
    const NAME: &str = "fdsink";
    const SUMMARY: &str = "Write data to a file descriptor";
    const LONG_NAME: &str = "Filedescriptor Sink";
    const CLASS: &str = "Sink/File";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
    const PROPS: &[Prop<Self>] =
        &[Prop::int("fd", "An open file descriptor to write to", |e: &mut Self| &mut e.fd)
            .range("0", "2147483647")];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.writing.clone())
    }
}

impl Sink for FdSink {
    const SYNC: bool = false;

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.writing.interrupt.prepare()
    }

    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        self.writing.interrupt.write(cx, self.fd, buf.data())?.map_err(|error| {
            let text = format!("cannot write to file descriptor {}: {}", self.fd, reason(&error));
            cx.error(write_kind(&error), text)
        })
    }
}
