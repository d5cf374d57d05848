//! `filesrc` reads a file, in buffers of `blocksize` bytes.
//!
//! Who comes next may pull any part of it, if it is a file on a disk. A named pipe or a device is read as `fdsrc` reads it: what there is, when it comes.
//!
//! Invariant: offsets count bytes from the start of the file, without a gap but for seeks.
//! In GStreamer: `plugins/elements/gstfilesrc.c` (`gst_file_src_fill`, `gst_file_src_is_seekable`).
//! Left out: playing backwards, `file://` URIs.
//!
//! ```text
//! filesrc location=clip.y4m ! fakesink
//! ```

use crate::fd::{Interrupt, reason};
use gst_mini_core::element_prelude::*;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;

/// Who pulls lets go of a range before it wants many more.
const KEPT_RANGES: usize = 16;

#[derive(Default)]
pub struct FileSrc {
    location: String,
    file: Option<File>,
    is_regular: bool,
    offset: u64,
    /// Where the segment ends.
    stop: Option<u64>,
    /// Buffers for the ranges that are pulled.
    pool: Option<BufferPool>,
    shared: Arc<FileSrcShared>,
}

#[derive(Default)]
struct FileSrcShared {
    interrupt: Interrupt,
}

impl Shared for FileSrcShared {
    fn unlock(&self, on: bool) {
        self.interrupt.set(on);
    }
}

impl Element for FileSrc {
    const NAME: &str = "filesrc";
    const SUMMARY: &str = "Read from arbitrary point in a file";
    const LONG_NAME: &str = "File Source";
    const CLASS: &str = "Source/File";
    const PADS: &[PadTemplate] = &[PadTemplate::src(ANY)];
    const PROPS: &[Prop<Self>] =
        &[Prop::string("location", "Location of the file to read", |e: &mut Self| &mut e.location)
            .ready_only()];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(self.shared.clone())
    }
}

/// Bytes of the file, if it is a file on a disk.
fn length(cx: &Cx) -> Option<u64> {
    let facts = std::fs::metadata(cx.property("location")?).ok()?;
    facts.is_file().then_some(facts.len())
}

impl Source for FileSrc {
    fn format(_: &Cx) -> Format {
        Format::Bytes
    }

    fn is_seekable(cx: &Cx) -> bool {
        length(cx).is_some()
    }

    fn duration(cx: &Cx) -> Option<u64> {
        length(cx)
    }

    fn start(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        if self.location.is_empty() {
            let text = "no file to read: set location";
            return Err(ElementError::new(ErrorKind::NotFound, text));
        }
        let failed = |error: io::Error| {
            let kind = match error.kind() {
                io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::Open,
            };
            let text = format!("cannot open \"{}\" for reading: {}", self.location, reason(&error));
            ElementError::new(kind, text)
        };
        // Without O_NONBLOCK a named pipe that nobody writes to would hold the state change.
        let file = File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&self.location)
            .map_err(failed)?;
        let facts = file.metadata().map_err(failed)?;
        if facts.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        self.shared.interrupt.prepare()?;
        self.is_regular = facts.is_file();
        self.file = Some(file);
        (self.offset, self.stop) = (0, None);
        Ok(())
    }

    fn seek(&mut self, cx: &mut Cx, segment: &Segment) -> bool {
        let Some(file) = self.file.as_mut().filter(|_| self.is_regular && segment.rate > 0.0)
        else {
            return false;
        };
        let to = segment.position.unwrap_or(segment.start);
        let sought = cx.foreign(ClockTime::ZERO, || file.seek(SeekFrom::Start(to)));
        if sought.is_none_or(|sought| sought.is_err()) {
            return false;
        }
        (self.offset, self.stop) = (to, segment.stop);
        true
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        (self.file, self.pool) = (None, None);
        Ok(())
    }

    const RANGES: bool = true;

    fn get_range(&mut self, cx: &mut Cx, offset: u64, size: u32) -> FlowResult<Buffer> {
        let Some(file) = &self.file else { return Err(FlowError::Flushing) };
        let wanted = usize::try_from(size).unwrap_or(usize::MAX);
        let pool = self.pool.take().filter(|pool| pool.size() == wanted);
        let pool = pool.unwrap_or_else(|| BufferPool::new(wanted, KEPT_RANGES));
        let mut buf = pool.acquire();
        self.pool = Some(pool);
        let data = buf.data_mut();
        let got = cx
            .foreign(ClockTime::ZERO, || read_at(file, data, offset))
            .unwrap_or_else(|| Err(io::Error::other("a panic while reading")))
            .map_err(|error| self.cannot_read(cx, &error))?;
        if got == 0 {
            return Err(FlowError::Eos);
        }
        buf.truncate(got);
        buf.set_offset(Some(offset));
        buf.set_offset_end(Some(offset + got as u64));
        Ok(buf)
    }

    fn create(&mut self, cx: &mut Cx) -> FlowResult<Buffer> {
        let Some(file) = &mut self.file else { return Err(FlowError::Flushing) };
        let left = self.stop.map(|stop| stop.saturating_sub(self.offset));
        let left = left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let size = blocksize(cx).min(left);
        let mut data = Vec::new();
        let got = if self.is_regular {
            cx.foreign(ClockTime::ZERO, || file.take(size as u64).read_to_end(&mut data))
                .unwrap_or_else(|| Err(io::Error::other("a panic while reading")))
        } else {
            data.resize(size, 0);
            self.shared.interrupt.read(cx, file.as_raw_fd(), &mut data, None, || {})?
        };
        let got = got.map_err(|error| self.cannot_read(cx, &error))?;
        if got == 0 {
            return Err(FlowError::Eos);
        }
        data.truncate(got);
        let mut buf = Buffer::from_vec(data);
        buf.set_offset(Some(self.offset));
        self.offset += got as u64;
        buf.set_offset_end(Some(self.offset));
        Ok(buf)
    }
}

impl FileSrc {
    fn cannot_read(&self, cx: &Cx, error: &io::Error) -> FlowError {
        let text = format!("cannot read \"{}\": {}", self.location, reason(error));
        cx.error(ErrorKind::Read, text)
    }
}

/// Fills `data` from a place in the file; fewer bytes at its end.
fn read_at(file: &File, data: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < data.len() {
        match file.read_at(&mut data[got..], offset + got as u64) {
            Ok(0) => break,
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// Bytes of a buffer of a source that reads bytes; 0 means the default.
pub(crate) fn blocksize(cx: &Cx) -> usize {
    match cx.property_as("blocksize").unwrap_or(0) {
        0 => 4096,
        size => size,
    }
}
