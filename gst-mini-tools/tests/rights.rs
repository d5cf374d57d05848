//! Files and programs of other users. Only the superuser can make them; for everybody else the rules are tested on
//! numbers, in `plugin/loader/files.rs`.

#![allow(clippy::unwrap_used, reason = "what a test's helpers unwrap is part of the test")]

mod support;

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Ran, compile};

/// Nobody, on every system.
const OTHER: u32 = 65534;

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder that everybody can reach, with the programs in it and an empty `plugins`; `None` for who is not root.
struct Public(PathBuf);

impl Drop for Public {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Public {
    fn new(name: &str) -> Option<Public> {
        let folder = std::env::temp_dir().join(format!("gst-mini-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("plugins")).unwrap();
        let place = Public(folder);
        if std::fs::metadata(&place.0).unwrap().uid() != 0 {
            return None;
        }
        set_mode(&place.0, 0o755);
        set_mode(&place.0.join("plugins"), 0o755);
        for (name, program) in [
            ("gst-mini", env!("CARGO_BIN_EXE_gst-mini")),
            ("gst-mini-scanner", env!("CARGO_BIN_EXE_gst-mini-scanner")),
        ] {
            std::fs::copy(program, place.0.join(name)).unwrap();
            set_mode(&place.0.join(name), 0o755);
        }
        Some(place)
    }

    fn plugin(&self, name: &str) -> PathBuf {
        let file = self.0.join(format!("plugins/libgstmini{name}.so"));
        compile(&file, name, &[], &["-shared", "-fPIC"]);
        set_mode(&file, 0o644);
        file
    }

    /// The program, run by that user.
    fn run(&self, user: u32, arguments: &[&str]) -> Ran {
        let mut command = Command::new(self.0.join("gst-mini"));
        command.args(arguments).current_dir("/").env_clear().env("NO_COLOR", "1");
        command.env("GST_MINI_PLUGIN_PATH", self.0.join("plugins"));
        command.env("GST_MINI_REGISTRY", "/proc/none").env("PATH", "/usr/bin:/bin");
        command.uid(user).output().expect("gst-mini starts").into()
    }
}

#[test]
fn a_file_or_folder_of_another_user_is_refused_and_roots_is_not() {
    let Some(place) = Public::new("owners") else { return };
    let file = place.plugin("their");
    let scan = |user| place.run(user, &["scan", file.to_str().unwrap()]);
    for user in [0, OTHER] {
        assert_eq!(scan(user).code, Some(0), "{:?}", scan(user));
    }
    chown(&file, Some(1001), Some(1001)).unwrap();
    for user in [0, OTHER] {
        let ran = scan(user);
        let why = "refused: owned by uid 1001; it must belong to you or to root";
        assert_eq!(ran.err.trim_end(), format!("plugin \"{}\": {why}", file.display()), "{ran:?}");
    }
    assert_eq!(scan(1001).code, Some(0));
    chown(&file, Some(0), Some(0)).unwrap();
    let folder = place.0.join("plugins");
    chown(&folder, Some(1001), Some(1001)).unwrap();
    let ran = scan(OTHER);
    let why = format!("refused: the directory {} is owned by uid 1001", folder.display());
    assert!(ran.err.contains(&why), "{ran:?}");
}

#[test]
fn a_file_that_may_not_be_read_is_told_as_such() {
    let Some(place) = Public::new("unreadable") else { return };
    let file = place.plugin("closed");
    set_mode(&file, 0o600);
    let ran = place.run(OTHER, &["scan", file.to_str().unwrap()]);
    let why = "cannot be read: Permission denied (os error 13)";
    assert_eq!(ran.err.trim_end(), format!("plugin \"{}\": {why}", file.display()));
    set_mode(&place.0.join("plugins"), 0o700);
    // A folder that cannot be listed has no plugins.
    assert_eq!(place.run(OTHER, &["inspect", "closed"]).code, Some(1));
    assert_eq!(place.run(0, &["inspect", "closed"]).code, Some(0));
}

#[test]
fn a_program_with_more_rights_than_its_user_takes_no_plugin_from_a_variable() {
    let Some(place) = Public::new("privileged") else { return };
    place.plugin("tempting");
    let program = place.0.join("gst-mini");
    assert_eq!(place.run(OTHER, &["inspect", "tempting"]).code, Some(0));
    chown(&program, Some(OTHER), Some(OTHER)).unwrap();
    set_mode(&program, 0o4755);
    let path = std::ffi::CString::new(place.0.to_str().unwrap()).unwrap();
    // SAFETY: all zero is a value of this struct; the path ends with a zero and the place is valid.
    let takes_rights = unsafe {
        let mut about: libc::statvfs = std::mem::zeroed();
        libc::statvfs(path.as_ptr(), &mut about) == 0 && about.f_flag & libc::ST_NOSUID == 0
    };
    // Started by root it has another user's rights now, where the file system allows that.
    let ran = place.run(0, &["inspect", "tempting"]);
    assert_eq!(ran.code, Some(i32::from(takes_rights)), "{ran:?}");
    assert_eq!(place.run(0, &["inspect", "fakesink"]).code, Some(0));
}
