//! `filesink` writes a stream into a file.
//!
//! Invariant: when the end of the stream is reported, the system has every byte; a failure to write or
//! to close is an error, never silence.
//! In GStreamer: `plugins/elements/gstfilesink.c` (`gst_file_sink_render`, `gst_file_sink_event`).
//! Left out: `max-transient-error-timeout`, `file://` URIs.
//!
//! ```text
//! fakesrc num-buffers=3 sizetype=fixed ! filesink location=out.bin
//! ```

use crate::fd::{Writing, reason, write_kind};
use gst_mini_core::element_prelude::*;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::sync::Arc;

const BUFFER_MODE: &str = "enum:default=-1,full=0,line=1,unbuffered=2";
const UNBUFFERED: i32 = 2;

pub struct FileSink {
    location: String,
    append: bool,
    buffer_mode: i32,
    /// Small buffers are gathered up to this many bytes, if the mode is not unbuffered.
    buffer_size: u32,
    o_sync: bool,
    file: Option<File>,
    is_regular: bool,
    /// Where this stream begins in the file: after what was there, with `append`.
    begin: u64,
    gathered: Vec<u8>,
    writing: Arc<Writing>,
}

impl Default for FileSink {
    fn default() -> Self {
        FileSink {
            location: String::new(),
            append: false,
            buffer_mode: -1,
            buffer_size: 64 * 1024,
            o_sync: false,
            file: None,
            is_regular: false,
            begin: 0,
            gathered: Vec::new(),
            writing: Arc::default(),
        }
    }
}

impl Element for FileSink {
    const NAME: &str = "filesink";
    const SUMMARY: &str = "Write stream to a file";
    const LONG_NAME: &str = "File Sink";
    const CLASS: &str = "Sink/File";
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::string("location", "Location of the file to write", |e: &mut Self| &mut e.location)
            .ready_only(),
        Prop::boolean("append", "Append to an already existing file", |e: &mut Self| &mut e.append)
            .ready_only(),
        Prop::choice("buffer-mode", BUFFER_MODE, "The buffering mode to use", |e: &mut Self| {
            &mut e.buffer_mode
        })
        .ready_only(),
        Prop::uint(
            "buffer-size",
            "Size of buffer in number of bytes for line or full buffer-mode",
            |e: &mut Self| &mut e.buffer_size,
        )
        .unit("bytes")
        .ready_only(),
        Prop::boolean(
            "o-sync",
            "Open the file with O_SYNC for enabling synchronous IO",
            |e: &mut Self| &mut e.o_sync,
        )
        .ready_only(),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.writing.clone())
    }
}

impl FileSink {
    fn open(&self) -> io::Result<File> {
        let mut options = File::options();
        // Without O_NONBLOCK a named pipe that nobody reads from would hold the state change.
        let flags = libc::O_NONBLOCK | if self.o_sync { libc::O_SYNC } else { 0 };
        options.write(true).create(true).truncate(!self.append).custom_flags(flags);
        options.open(&self.location)
    }

    /// How much is gathered before it is written.
    fn gather(&self) -> usize {
        if self.buffer_mode == UNBUFFERED { 0 } else { self.buffer_size as usize }
    }

    fn written(&self, cx: &Cx, done: io::Result<()>) -> FlowResult {
        done.map_err(|error| {
            let text = format!("cannot write \"{}\": {}", self.location, reason(&error));
            cx.error(write_kind(&error), text)
        })
    }

    /// Hands the system what was gathered.
    fn put_gathered(&mut self, cx: &Cx) -> FlowResult {
        let Some(file) = self.file.as_ref().filter(|_| !self.gathered.is_empty()) else {
            return Ok(());
        };
        let gathered = std::mem::take(&mut self.gathered);
        let done = self.writing.interrupt.write(cx, file.as_raw_fd(), &gathered);
        self.gathered = gathered;
        self.gathered.clear();
        self.written(cx, done?)
    }

    fn seek_to(&mut self, cx: &Cx, position: u64, cut: bool) -> FlowResult {
        self.put_gathered(cx)?;
        let Some(file) = self.file.as_mut().filter(|_| self.is_regular) else { return Ok(()) };
        let moved = file.seek(SeekFrom::Start(position)).map(drop);
        let done = moved.and_then(|()| if cut { file.set_len(position) } else { Ok(()) });
        self.written(cx, done)
    }
}

impl Sink for FileSink {
    const SYNC: bool = false;

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        if self.location.is_empty() {
            let text = "no file to write: set location";
            return Err(ElementError::new(ErrorKind::NotFound, text));
        }
        self.writing.interrupt.prepare()?;
        self.gathered = Vec::new();
        let opened = self.open().and_then(|mut file| {
            let facts = file.metadata()?;
            self.is_regular = facts.is_file();
            self.writing.can_seek.set(self.is_regular);
            self.begin = match self.append && self.is_regular {
                true => file.seek(SeekFrom::End(0))?,
                false => 0,
            };
            self.file = Some(file);
            Ok(())
        });
        opened.map_err(|error| {
            let is_pipe = std::fs::metadata(&self.location).is_ok_and(|f| f.file_type().is_fifo());
            let why = match error.raw_os_error() {
                Some(libc::ENXIO) if is_pipe => {
                    "it is a named pipe that nobody reads from; start its reader first".to_owned()
                }
                _ => reason(&error),
            };
            let kind = match write_kind(&error) {
                ErrorKind::NoSpace => ErrorKind::NoSpace,
                _ => ErrorKind::Open,
            };
            let text = format!("cannot open \"{}\" for writing: {why}", self.location);
            ElementError::new(kind, text)
        })
    }

    fn stop(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        let flow = self.put_gathered(cx);
        self.gathered = Vec::new();
        let Some(file) = self.file.take() else { return Ok(()) };
        // Dropping the file would lose what close has to say; network file systems say it here.
        // SAFETY: the descriptor was this file's own, and is closed once.
        let closed = unsafe { libc::close(file.into_raw_fd()) };
        let error = io::Error::last_os_error();
        // What was not written was told.
        if closed < 0 && flow.is_ok() {
            let text = format!("cannot close \"{}\": {}", self.location, reason(&error));
            return Err(ElementError::new(write_kind(&error), text));
        }
        Ok(())
    }

    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        let gather = self.gather();
        if self.gathered.len() + buf.size() > gather {
            self.put_gathered(cx)?;
        }
        // A pipe's reader or a terminal wants each buffer when it comes.
        if self.is_regular && buf.size() < gather {
            self.gathered.extend_from_slice(buf.data());
        } else if let Some(file) = &self.file {
            let done = self.writing.interrupt.write(cx, file.as_raw_fd(), buf.data())?;
            self.written(cx, done)?;
        }
        if buf.has(BufferFlags::SYNC_AFTER) {
            self.put_gathered(cx)?;
            let synced = self.file.as_ref().filter(|_| self.is_regular).map(File::sync_all);
            self.written(cx, synced.unwrap_or(Ok(())))?;
        }
        Ok(())
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult {
        match &event.kind {
            EventKind::Eos => self.put_gathered(cx),
            // A muxer goes back to complete its header.
            EventKind::Segment(segment) if segment.format == Format::Bytes => {
                self.seek_to(cx, self.begin + segment.start, false)
            }
            _ => Ok(()),
        }
    }

    fn flush(&mut self, cx: &mut Cx) {
        self.gathered.clear();
        // Its own error message is all that can be said here.
        let _ = self.seek_to(cx, self.begin, true);
    }
}
