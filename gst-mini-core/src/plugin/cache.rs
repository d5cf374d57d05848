//! Remembers what examinations came to, so that a file is examined once per change.
//!
//! Invariant: a cache that is damaged, foreign or of another version is as good as none; it is never an
//! error.
//! In GStreamer: `gst/gstregistrybinary.c`.
//! Left out: memory mapping. A hundred plugins are a few kilobytes.

use crate::plugin::abi::{GM_ABI_MAJOR, GM_ABI_MINOR};
use crate::plugin::loader::files::{self, FileId};
use crate::plugin::loader::report::{self, Outcome};
use crate::structure::Structure;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const OPENING: &str = "gst-mini-registry 1";
/// A larger file is not ours.
const MAX_SIZE: u64 = 64 << 20;

/// What is remembered, by path.
#[derive(Default)]
pub struct Cache {
    entries: BTreeMap<String, (FileId, Outcome)>,
    changed: bool,
}

/// Where the cache is kept: GST_MINI_REGISTRY, or the user's cache folder; `None` without either.
pub fn place() -> Option<PathBuf> {
    files::variable("GST_MINI_REGISTRY").map(PathBuf::from).or_else(|| {
        let folder = files::home_folder("XDG_CACHE_HOME", ".cache")?;
        let (arch, system) = (std::env::consts::ARCH, std::env::consts::OS);
        Some(folder.join("gst-mini").join(format!("registry-{GM_ABI_MAJOR}-{arch}-{system}.bin")))
    })
}

impl Cache {
    /// Reads the cache; an empty one if there is none that can be used.
    pub fn read(place: &Path) -> Cache {
        let read = || {
            let mut file = File::open(place).ok()?;
            let meta = file.metadata().ok()?;
            // SAFETY: reads a number of the process.
            let user = unsafe { libc::geteuid() };
            if !meta.is_file()
                || meta.len() > MAX_SIZE
                || meta.uid() != user
                || meta.mode() & 0o022 != 0
            {
                return None;
            }
            let mut text = String::new();
            file.read_to_string(&mut text).ok()?;
            Cache::parse(&text)
        };
        read().unwrap_or_default()
    }

    fn parse(text: &str) -> Option<Cache> {
        let (head, body) = text.split_once('\n')?;
        if head != heading(body) {
            return None;
        }
        let mut entries = BTreeMap::new();
        let mut lines = body.lines();
        while let Some(line) = lines.next() {
            let file: Structure = line.parse().ok()?;
            let id = FileId::from_text(file.str("id")?)?;
            entries.insert(file.str("path")?.to_owned(), (id, report::from_lines(&mut lines)?));
        }
        Some(Cache { entries, changed: false })
    }

    /// The outcome of examining exactly this file, if it was examined.
    pub fn get(&self, path: &Path, id: FileId) -> Option<&Outcome> {
        let (known, outcome) = self.entries.get(path.to_str()?)?;
        (*known == id).then_some(outcome)
    }

    /// Remembers an outcome. A path that is not UTF-8 is examined at every start.
    pub fn put(&mut self, path: &Path, id: FileId, outcome: Outcome) {
        if let Some(path) = path.to_str() {
            self.entries.insert(path.to_owned(), (id, outcome));
            self.changed = true;
        }
    }

    /// Writes the cache if something new is in it: whole, by a rename, for nobody else to read. Entries
    /// of files that are gone are left out.
    ///
    /// # Errors
    /// A sentence; the next start examines again, nothing else is lost.
    pub fn write(&mut self, place: &Path) -> Result<(), String> {
        if !self.changed {
            return Ok(());
        }
        self.entries.retain(|path, _| FileId::at(Path::new(path)).is_some());
        let mut body = String::new();
        for (path, (id, outcome)) in &self.entries {
            let file = Structure::new("file").with("path", path.as_str()).with("id", id.to_text());
            body.push_str(&format!("{file}\n{}", report::to_text(outcome)));
        }
        let text = format!("{}\n{body}", heading(&body));
        let unfinished = place.with_extension(format!("tmp{}", std::process::id()));
        let stored = || {
            if let Some(folder) = place.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            // Whatever is left of an earlier process of this number may be somebody's link.
            let _ = std::fs::remove_file(&unfinished);
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&unfinished, place)
        };
        stored().map_err(|error: std::io::Error| {
            let _ = std::fs::remove_file(&unfinished);
            format!("the plugin cache {} cannot be written: {error}", place.display())
        })?;
        self.changed = false;
        Ok(())
    }
}

/// The first line: another program, ABI or content has another one.
fn heading(body: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let sum = report::checksum(body.as_bytes());
    format!("{OPENING} {version} abi {GM_ABI_MAJOR}.{GM_ABI_MINOR} {sum:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::loader::report::PluginInfo;

    fn own_file() -> (PathBuf, FileId) {
        let path = std::env::current_exe().expect("a path");
        let id = FileId::at(&path).expect("a file");
        (path, id)
    }

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("gst-mini-cache-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        folder
    }

    #[test]
    fn what_was_written_is_read_and_what_is_gone_is_forgotten() {
        let (path, id) = own_file();
        let place = folder("written").join("sub/registry.bin");
        let mut cache = Cache::read(&place);
        let info = PluginInfo { name: "x".to_owned(), ..PluginInfo::default() };
        cache.put(&path, id, Ok(info.clone()));
        cache.put(Path::new("gone/libgstminigone.so"), id, Err("bad".to_owned()));
        cache.write(&place).expect("written");
        let read = Cache::read(&place);
        assert_eq!(read.get(&path, id), Some(&Ok(info)));
        assert_eq!(read.entries.len(), 1);
        assert_eq!(std::fs::metadata(&place).expect("there").mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_cache_is_none() {
        let (path, id) = own_file();
        let mut cache = Cache::default();
        cache.put(&path, id, Err("bad \"one\"".to_owned()));
        let place = folder("damaged").join("registry.bin");
        cache.write(&place).expect("written");
        let text = std::fs::read_to_string(&place).expect("readable");
        for length in 0..text.len() {
            assert!(Cache::parse(&text[..length]).is_none(), "{length}");
        }
        assert!(Cache::parse(&text.replace("bad", "mad")).is_none());
        assert!(Cache::parse(&text.replace("registry 1", "registry 2")).is_none());
    }

    #[test]
    fn a_cache_that_others_may_write_is_not_believed() {
        use std::os::unix::fs::PermissionsExt;
        let (path, id) = own_file();
        let place = folder("open").join("registry.bin");
        let mut cache = Cache::default();
        cache.put(&path, id, Err("bad".to_owned()));
        cache.write(&place).expect("written");
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o666)).expect("changed");
        assert!(Cache::read(&place).entries.is_empty());
    }
}
