//! `dirsink` stores named objects in a directory, each whole or not at all.
//!
//! ```text
//!   segment_00001.cmfv ──▶ .gst-mini-4711-3.part ──rename──▶ segment_00001.cmfv
//! ```
//!
//! An object is written under a temporary name beside its final one and renamed when it is complete,
//! so a reader never sees a part of one. Objects are stored in the order they come, so a playlist
//! appears after all it lists. The query `object-exists` (field `name`) is answered in its field
//! `exists`, so that whoever names objects can keep what is there.
//!
//! It posts element messages: `object-stored` (`name`, `role`, `bytes`, `delay` in ns from the arrival of
//! the object's first buffer to its being stored, `running-time` in ns where it has one), and
//! `sink-report` (`objects`, `bytes`, `retries`, `worst-delay`) before the end of the stream.
//!
//! Invariant: under an object's name there is a whole object or nothing.
//! In GStreamer: nothing; the nearest is `gst/multifile/gstmultifilesink.c`.
//! Left out: removing objects. A store keeps what a playlist no longer lists.
//!
//! ```text
//! … ! hlssegmenter ! dirsink location=recording
//! ```

use crate::fd::{reason, write_kind};
use gst_mini_core::element_prelude::*;
use gst_mini_core::object::is_safe_name;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells the temporary names of one process apart.
static NEXT_PART: AtomicU64 = AtomicU64::new(0);

#[derive(Default)]
pub struct DirSink {
    location: String,
    fsync: bool,
    open: Option<Part>,
    objects: u64,
    bytes: u64,
    worst_delay: ClockTime,
}

/// The object that is being written.
struct Part {
    name: String,
    file: File,
    path: PathBuf,
    bytes: u64,
    arrived: AbsoluteTime,
    running_time: Option<RunningTime>,
    /// Taken away when it goes out of scope before it was renamed.
    is_temporary: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.is_temporary {
            let _ = fs::remove_file(&self.path);
        }
    }
}

struct Directory;

impl Shared for Directory {
    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        let Query::Custom(question) = query else { return false };
        if question.name() != "object-exists" {
            return false;
        }
        let (Some(location), Some(name)) = (cx.property("location"), question.str("name")) else {
            return false;
        };
        if location.is_empty() || !is_safe_name(name) {
            return false;
        }
        // An answer that is not known is none.
        let Ok(exists) = Path::new(&location).join(name).try_exists() else { return false };
        question.set("exists", exists);
        true
    }
}

impl Element for DirSink {
    const NAME: &str = "dirsink";
    const SUMMARY: &str = "Store named objects in a directory";
    const LONG_NAME: &str = "Directory Sink";
    const CLASS: &str = "Sink/File/Object";
    const RANK: u32 = 128;
    const PADS: &[PadTemplate] = &[PadTemplate::sink(ANY)];
    const PROPS: &[Prop<Self>] = &[
        Prop::string(
            "location",
            "Directory to store in, made if it is not there",
            |e: &mut Self| &mut e.location,
        )
        .ready_only(),
        Prop::boolean("fsync", "Wait until the disk has each object", |e: &mut Self| &mut e.fsync),
        Prop::published("objects", types::UINT64, "Objects stored", "0"),
        Prop::published("bytes", types::UINT64, "Bytes of them", "0").unit("bytes"),
        Prop::published("worst-delay", types::UINT64, "Longest from arrival to being stored", "0")
            .unit("ns"),
    ];

    fn shared(&self) -> Option<Arc<dyn Shared>> {
        Some(Arc::new(Directory))
    }
}

impl DirSink {
    /// Opens the temporary file of an object, and the folders it is to be in.
    fn begin(&self, name: &str) -> io::Result<(File, PathBuf)> {
        let target = Path::new(&self.location).join(name);
        let folder = target.parent().unwrap_or(Path::new(&self.location));
        fs::create_dir_all(folder)?;
        loop {
            let number = NEXT_PART.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".gst-mini-{}-{number}.part", std::process::id()));
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, path)),
                // Left behind by a process that was killed, or by another machine's.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the object its name.
    fn finish(&self, part: &mut Part) -> io::Result<()> {
        let target = Path::new(&self.location).join(&part.name);
        if self.fsync {
            part.file.sync_all()?;
        }
        fs::rename(&part.path, &target)?;
        part.is_temporary = false;
        if let Some(folder) = target.parent().filter(|_| self.fsync) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn store(&mut self, cx: &Cx, buf: &Buffer, meta: &ObjectMeta) -> io::Result<()> {
        if self.open.is_none() {
            let arrived = cx.runtime_now();
            let (file, path) = self.begin(&meta.name)?;
            let running_time =
                cx.pad_segment(FIRST_PAD).and_then(|segment| segment.to_running_time(buf.pts()?));
            let name = meta.name.clone();
            let is_temporary = true;
            self.open =
                Some(Part { name, file, path, bytes: 0, arrived, running_time, is_temporary });
        }
        let Some(mut part) = self.open.take() else { return Ok(()) };
        let stored = cx.foreign(ClockTime::ZERO, || {
            part.file.write_all(buf.data())?;
            part.bytes += buf.size() as u64;
            if meta.last { self.finish(&mut part) } else { Ok(()) }
        });
        stored.unwrap_or_else(|| Err(io::Error::other("a panic while writing")))?;
        if meta.last {
            self.count(cx, &part, meta);
        } else {
            self.open = Some(part);
        }
        Ok(())
    }

    fn count(&mut self, cx: &Cx, part: &Part, meta: &ObjectMeta) {
        let delay = cx.runtime_now().since(part.arrived);
        self.objects += 1;
        self.bytes += part.bytes;
        self.worst_delay = self.worst_delay.max(delay);
        self.publish(cx);
        let mut stored = Structure::new("object-stored")
            .with("name", part.name.as_str())
            .with("role", meta.role.name())
            .with("bytes", part.bytes)
            .with("delay", delay);
        if let Some(running_time) = part.running_time {
            stored.set("running-time", running_time.nanos());
        }
        cx.post_element(stored);
    }

    fn publish(&self, cx: &Cx) {
        cx.publish("objects", self.objects);
        cx.publish("bytes", self.bytes);
        cx.publish("worst-delay", self.worst_delay.nanos());
    }

    fn report(&self) -> Structure {
        Structure::new("sink-report")
            .with("objects", self.objects)
            .with("bytes", self.bytes)
            .with("retries", 0u64)
            .with("worst-delay", self.worst_delay)
    }
}

impl Sink for DirSink {
    fn start(&mut self, cx: &mut Cx) -> Result<(), ElementError> {
        if self.location.is_empty() {
            let text = "no directory to store in: set location";
            return Err(ElementError::new(ErrorKind::Settings, text));
        }
        (self.objects, self.bytes, self.worst_delay) = (0, 0, ClockTime::ZERO);
        self.publish(cx);
        // One file is made and taken away, so that what would fail in an hour fails now.
        let tried = fs::create_dir_all(&self.location).and_then(|()| {
            let (_, path) = self.begin("probe")?;
            fs::remove_file(path)
        });
        tried.map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                    "a file is in the way; choose another location or move the file".to_owned()
                }
                io::ErrorKind::PermissionDenied => {
                    "permission denied; choose a directory this user may write to".to_owned()
                }
                _ => reason(&error),
            };
            let kind = match write_kind(&error) {
                ErrorKind::NoSpace => ErrorKind::NoSpace,
                _ => ErrorKind::Open,
            };
            ElementError::new(kind, format!("cannot store in \"{}\": {why}", self.location))
        })
    }

    fn stop(&mut self, _: &mut Cx) -> Result<(), ElementError> {
        self.open = None;
        Ok(())
    }

    fn render(&mut self, cx: &mut Cx, buf: Buffer) -> FlowResult {
        let Some(meta) = ObjectMeta::of(&buf) else {
            let text = "this stream has no named objects in it; put hlssegmenter before dirsink, or \
                        use filesink";
            return Err(cx.error(ErrorKind::Format, text));
        };
        if !is_safe_name(&meta.name) {
            let text = format!(
                "the object name \"{}\" leads out of \"{}\"; names are relative, without . or ..",
                meta.name, self.location
            );
            return Err(cx.error(ErrorKind::Settings, text));
        }
        if let Some(part) = self.open.as_ref().filter(|part| part.name != meta.name) {
            let text = format!(
                "object \"{}\" began before \"{}\" was complete; the parts of an object come in a row",
                meta.name, part.name
            );
            return Err(cx.error(ErrorKind::Format, text));
        }
        let stored = self.store(cx, &buf, &meta);
        stored.map_err(|error| {
            let path = Path::new(&self.location).join(&meta.name);
            let advice = match write_kind(&error) {
                ErrorKind::NoSpace => "; make room, and start again",
                _ => "",
            };
            let text = format!("cannot store \"{}\": {}{advice}", path.display(), reason(&error));
            cx.error(write_kind(&error), text)
        })
    }

    fn sink_event(&mut self, cx: &mut Cx, event: &Event) -> FlowResult {
        if matches!(event.kind, EventKind::Eos) {
            if let Some(part) = self.open.take() {
                let text = format!(
                    "the stream ended inside object \"{}\": {} bytes of it are thrown away",
                    part.name, part.bytes
                );
                cx.warning(ErrorKind::Format, text);
            }
            cx.post_element(self.report());
        }
        Ok(())
    }

    fn flush(&mut self, _: &mut Cx) {
        self.open = None;
    }
}
