//! Where plugins are looked for, and whether a file may be opened at all.
//!
//! Invariant: a file is only ever judged through the descriptor that was opened.
//! In GStreamer: `gst/gstregistry.c` (`gst_registry_scan_path_level`, `scan_and_update_registry`).
//! Left out: folders within folders.

use crate::plugin::elf;
use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What the name of a plugin's file begins with.
const PREFIX: &str = "libgstmini";

/// Which file it was, and whether it is still the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// Device, inode, size, and the nanoseconds of the last change of content and of anything.
    numbers: [i128; 5],
}

impl FileId {
    /// The identity of what this describes.
    pub fn of(meta: &Metadata) -> FileId {
        let nanos =
            |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        FileId {
            numbers: [
                i128::from(meta.dev()),
                i128::from(meta.ino()),
                i128::from(meta.size()),
                nanos(meta.mtime(), meta.mtime_nsec()),
                nanos(meta.ctime(), meta.ctime_nsec()),
            ],
        }
    }

    /// The identity of the file at a path now.
    pub fn at(path: &Path) -> Option<FileId> {
        std::fs::metadata(path).ok().map(|meta| FileId::of(&meta))
    }

    /// As text, for the cache.
    pub fn to_text(self) -> String {
        self.numbers.map(|number| number.to_string()).join(":")
    }

    /// Reads what [`FileId::to_text`] wrote.
    pub fn from_text(text: &str) -> Option<FileId> {
        let numbers: Option<Vec<i128>> = text.split(':').map(|part| part.parse().ok()).collect();
        Some(FileId { numbers: numbers?.try_into().ok()? })
    }

    /// Whether both name the same file of the same device, whatever its content.
    pub fn is_same_file(&self, other: &FileId) -> bool {
        self.numbers[..2] == other.numbers[..2]
    }
}

/// The folders to look in, first come first.
pub fn folders() -> Vec<PathBuf> {
    let lists =
        |name: &str| variable(name).map(|list| std::env::split_paths(&list).collect::<Vec<_>>());
    let mut folders = lists("GST_MINI_PLUGIN_PATH").unwrap_or_default();
    folders.extend(lists("GST_MINI_PLUGIN_SYSTEM_PATH").unwrap_or_else(default_folders));
    folders.retain(|folder| !folder.as_os_str().is_empty());
    let mut seen = Vec::new();
    folders.retain(|folder| !seen.contains(folder) && (seen.push(folder.clone()), true).1);
    folders
}

fn default_folders() -> Vec<PathBuf> {
    let own = format!("gst-mini-{}", crate::plugin::abi::GM_ABI_MAJOR);
    let installed = std::env::current_exe().ok().and_then(|program| {
        Some(program.parent()?.parent()?.join("lib").join(&own).join("plugins"))
    });
    let data = home_folder("XDG_DATA_HOME", ".local/share");
    data.map(|data| data.join(&own).join("plugins")).into_iter().chain(installed).collect()
}

/// A folder of the user's: from a variable, or below the home folder.
pub fn home_folder(name: &str, below: &str) -> Option<PathBuf> {
    let named = variable(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    named.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(below)))
}

/// An environment variable that names files; none while the process has more rights than who set it.
pub fn variable(name: &str) -> Option<std::ffi::OsString> {
    variable_of(name, is_privileged(), |name| std::env::var_os(name))
}

fn variable_of(
    name: &str,
    privileged: bool,
    value: impl Fn(&str) -> Option<std::ffi::OsString>,
) -> Option<std::ffi::OsString> {
    if privileged { None } else { value(name).filter(|value| !value.is_empty()) }
}

#[cfg(target_os = "linux")]
fn is_privileged() -> bool {
    // SAFETY: reads a number the kernel put beside the program's arguments.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

#[cfg(not(target_os = "linux"))]
fn is_privileged() -> bool {
    // SAFETY: these read numbers of the process.
    unsafe { libc::geteuid() != libc::getuid() || libc::getegid() != libc::getgid() }
}

/// The plugin files of a folder, by name. A folder that cannot be read has none.
pub fn plugins_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| name_of(path).is_some())
        .collect();
    files.sort();
    files
}

/// The plugin's name in the name of its file, `s3` in `libgstminis3.so`; `None` if it is not one.
pub fn name_of(path: &Path) -> Option<&str> {
    let name = path.file_name().and_then(OsStr::to_str)?;
    name.strip_prefix(PREFIX)?.strip_suffix(std::env::consts::DLL_SUFFIX)
}

/// Opens a plugin's file and checks all that can be checked without running any of it: kind, owner,
/// permissions, header.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub fn check(path: &Path) -> Result<FileId, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    // Without O_NONBLOCK a pipe of that name would make this wait for its writer.
    let mut file: File = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if !meta.is_file() {
        return Err("not a plugin: this is not a regular file".to_owned());
    }
    // SAFETY: reads a number of the process.
    let user = unsafe { libc::geteuid() };
    permitted("file", path, &meta, user)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let folder_meta = std::fs::metadata(folder).map_err(unreadable)?;
    permitted("directory", folder, &folder_meta, user)?;
    if cfg!(target_os = "linux") {
        elf::check(&mut file, meta.size())?;
    }
    Ok(FileId::of(&meta))
}

fn permitted(what: &str, path: &Path, meta: &Metadata, user: u32) -> Result<(), String> {
    let subject = || match what {
        "file" => String::new(),
        _ => format!("the {what} {} is ", path.display()),
    };
    if !is_owned_well(meta.uid(), user) {
        return Err(format!(
            "refused: {}owned by uid {}; it must belong to you or to root",
            subject(),
            meta.uid()
        ));
    }
    if meta.mode() & 0o002 != 0 {
        return Err(format!(
            "refused: the {what} {} can be written by other users (mode {:04o}); run chmod go-w",
            path.display(),
            meta.mode() & 0o7777
        ));
    }
    Ok(())
}

/// Whether a file of `owner` may be opened by `user`: their own, or root's.
const fn is_owned_well(owner: u32, user: u32) -> bool {
    owner == user || owner == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_named_as_plugins_are_looked_at() {
        let suffix = std::env::consts::DLL_SUFFIX;
        assert_eq!(name_of(Path::new(&format!("a/libgstminis3{suffix}"))), Some("s3"));
        assert_eq!(name_of(Path::new(&format!("a/libgsts3{suffix}"))), None);
        assert_eq!(name_of(Path::new("a/libgstminis3.tmp")), None);
    }

    #[test]
    fn an_identity_survives_its_text() {
        let id = FileId::at(&std::env::current_exe().expect("a path")).expect("a file");
        assert_eq!(FileId::from_text(&id.to_text()), Some(id));
        assert_eq!(FileId::from_text("1:2:3:4"), None);
        assert_eq!(FileId::from_text("1:2:3:4:x"), None);
    }

    #[test]
    fn a_file_of_somebody_else_is_refused_to_everybody_and_roots_to_nobody() {
        assert!(is_owned_well(1000, 1000) && is_owned_well(0, 1000) && is_owned_well(0, 0));
        assert!(!is_owned_well(1001, 1000) && !is_owned_well(1000, 0));
    }

    #[test]
    fn a_process_with_more_rights_than_its_user_hears_no_variable() {
        let set = |_: &str| Some(std::ffi::OsString::from("/tmp/evil"));
        assert_eq!(variable_of("GST_MINI_PLUGIN_PATH", false, set), set(""));
        assert_eq!(variable_of("GST_MINI_PLUGIN_PATH", true, set), None);
        let empty = |_: &str| Some(std::ffi::OsString::new());
        assert_eq!(variable_of("GST_MINI_PLUGIN_PATH", false, empty), None);
    }
}
