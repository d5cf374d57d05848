//! The file of `--trace`.
//!
//! Invariant: a file that could not be written completely is told of at the end.
//! In GStreamer: `GST_TRACERS` with `GST_DEBUG_FILE`.
//! Left out: compression.

use gst_mini_core::tracer;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A trace being written.
pub struct Trace {
    file: Arc<Mutex<BufWriter<File>>>,
    place: PathBuf,
}

/// Writes a trace to a file from now on; what was in it is gone.
pub fn start(place: &Path) -> Result<Trace, String> {
    let file = File::create(place)
        .map_err(|error| format!("the trace {} cannot be written: {error}", place.display()))?;
    let file = Arc::new(Mutex::new(BufWriter::with_capacity(1 << 18, file)));
    let writer = file.clone();
    tracer::trace_to(Some(Box::new(move |text| {
        if let Ok(mut file) = writer.lock() {
            // What cannot be written is found again by the flush at the end.
            let _ = file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n"));
        }
    })));
    Ok(Trace { file, place: place.to_owned() })
}

impl Trace {
    /// Stops tracing.
    pub fn end(self) -> Result<(), String> {
        tracer::trace_to(None);
        let flushed = self.file.lock().map_or(Ok(()), |mut file| file.flush());
        flushed.map_err(|error| {
            format!("the trace {} could not be written: {error}", self.place.display())
        })
    }
}
