//! Runs the built programs in folders of their own, and compiles small plugins in C.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
        Ran { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }
}

/// A folder with a plugin folder and a cache file, removed at the end.
pub struct Place {
    folder: PathBuf,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Place {
    pub fn new() -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tools-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(folder.join("plugins")).expect("a folder");
        Place { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where a plugin of that name stands.
    pub fn plugin(&self, name: &str) -> PathBuf {
        self.folder.join("plugins").join(format!("libgstmini{name}.so"))
    }

    /// The program `gst-mini`, which sees only the plugins of this place.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gst-mini"));
        command
            .args(arguments)
            .env("GST_MINI_PLUGIN_PATH", self.path("plugins"))
            .env("GST_MINI_PLUGIN_SYSTEM_PATH", "")
            .env("XDG_DATA_HOME", self.path("data"))
            .env("GST_MINI_PLUGIN_SCANNER", env!("CARGO_BIN_EXE_gst-mini-scanner"))
            .env("GST_MINI_REGISTRY", self.path("registry.bin"))
            .env("COUNTER", self.path("counter"))
            .env_remove("GST_MINI_DEBUG")
            .env_remove("GST_MINI_SCAN_INPROCESS")
            .env("NO_COLOR", "1");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().expect("gst-mini starts").into()
    }

    /// Compiles the C plugin with these definitions.
    pub fn compile(&self, name: &str, defines: &[&str]) -> PathBuf {
        let file = self.plugin(name);
        compile(&file, name, defines, &["-shared", "-fPIC"]);
        file
    }

    /// How often the C plugin's constructor ran.
    pub fn examined(&self) -> usize {
        std::fs::read(self.path("counter")).map_or(0, |bytes| bytes.len())
    }
}

/// Compiles `fixture.c`. A machine that builds Rust programs has `cc`, which links them.
pub fn compile(file: &Path, name: &str, defines: &[&str], flags: &[&str]) {
    compile_source("fixture.c", file, name, defines, flags);
}

/// Compiles a C file of this folder.
pub fn compile_source(source: &str, file: &Path, name: &str, defines: &[&str], flags: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("cc")
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers"])
        .arg("-I")
        .arg(root.join("../include"))
        .args(flags)
        .arg(format!("-DNAME={}", name.replace('-', "_")))
        .arg(format!("-DNAME_TEXT=\"{name}\""))
        .args(defines.iter().map(|define| format!("-D{define}")))
        .arg(root.join("tests/support").join(source))
        .arg("-o")
        .arg(file)
        .output()
        .expect("cc starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
