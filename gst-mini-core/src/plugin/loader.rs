//! Finds plugins in the plugin path, has new ones examined, and opens a library when the first element
//! of it is made.
//!
//! ```text
//! folders ─▶ permissions and ELF header ─▶ cache ─▶ examined in a child process ─▶ names and descriptions
//!                                                         first element made ─▶ library opened, compared
//! ```
//!
//! Invariant: listing opens no library; a library that was opened is never closed.
//! In GStreamer: `gst/gstplugin.c` (`gst_plugin_load_file`), `gst/gstregistry.c` (`gst_registry_scan_path_internal`).
//! Left out: blacklists, unloading.

pub mod files;
pub mod library;
pub mod report;

use crate::cx::Level;
use crate::log;
use crate::plugin::cache::{self, Cache};
use crate::plugin::scanner::{self, NotExamined};
use crate::registry::factory::FactoryInfo;
use files::FileId;
use library::Loaded;
use report::{Outcome, PluginInfo};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A plugin that was found and found good.
pub struct FoundPlugin {
    /// Its file.
    pub file: PathBuf,
    /// What it says about itself.
    pub info: PluginInfo,
    id: FileId,
    loaded: OnceLock<Result<Loaded, String>>,
}

/// A plugin that was found and is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its file.
    pub file: PathBuf,
    /// Why, without the file's name.
    pub why: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let details = if self.why.starts_with("crashed") {
            format!(". Details: gst-mini scan {}", self.file.display())
        } else {
            String::new()
        };
        write!(f, "plugin \"{}\": {}{details}", self.file.display(), self.why)
    }
}

/// What was found in the plugin path.
#[derive(Default)]
pub struct Plugins {
    found: Vec<FoundPlugin>,
    refused: Vec<Refusal>,
    shadowed: Vec<String>,
}

/// Looks through the plugin path. Examines what is new, and remembers what that came to.
pub fn discover() -> Plugins {
    discover_in(&files::folders(), cache::place().as_deref())
}

/// The same for other folders and another cache.
pub fn discover_in(folders: &[PathBuf], cache_file: Option<&Path>) -> Plugins {
    let mut cache = cache_file.map(Cache::read).unwrap_or_default();
    let mut plugins = Plugins::default();
    for folder in folders {
        for file in files::plugins_in(folder) {
            plugins.consider(file, &mut cache);
        }
    }
    if let Some(Err(why)) = cache_file.map(|place| cache.write(place)) {
        warn(&why);
    }
    plugins.note_shadowed();
    plugins
}

/// Examines one file as [`discover`] does, without looking into the cache.
///
/// # Errors
/// The sentence that `inspect` shows for it.
pub fn explain(file: &Path) -> Result<PluginInfo, Refusal> {
    let refused = |why| Refusal { file: file.to_path_buf(), why };
    if files::name_of(file).is_none() {
        files::check(file).map_err(refused)?;
        let suffix = std::env::consts::DLL_SUFFIX;
        return Err(refused(format!(
            "not a plugin: a plugin's file is named libgstmini<name>{suffix}"
        )));
    }
    let id = files::check(file).map_err(refused)?;
    examine(file, id).map_err(|NotExamined(why)| refused(why))?.map_err(refused)
}

fn examine(file: &Path, id: FileId) -> Result<Outcome, NotExamined> {
    if files::variable("GST_MINI_SCAN_INPROCESS").is_some_and(|value| value == "yes") {
        return Ok(scanner::examine_here(file, id));
    }
    scanner::examine(&scanner::find()?, file, id)
}

fn warn(text: &str) {
    if log::enabled("registry", Level::Warning) {
        log::write("registry", Level::Warning, "", text);
    }
}

impl Plugins {
    fn consider(&mut self, file: PathBuf, cache: &mut Cache) {
        if let Some(first) =
            self.found.iter().find(|first| first.file.file_name() == file.file_name())
        {
            self.shadowed.push(format!(
                "plugin \"{}\" is hidden by \"{}\"; remove one, or change GST_MINI_PLUGIN_PATH",
                file.display(),
                first.file.display()
            ));
            return;
        }
        match look_at(&file, cache) {
            Ok((id, info)) => {
                if info.aborts_on_panic {
                    warn(&format!(
                        "plugin \"{}\": built with panic=abort; a panic in it ends this program",
                        file.display()
                    ));
                }
                self.found.push(FoundPlugin { file, info, id, loaded: OnceLock::new() });
            }
            Err(why) => {
                let refusal = Refusal { file, why };
                warn(&refusal.to_string());
                self.refused.push(refusal);
            }
        }
    }

    /// Elements of the same name: the first one is made.
    fn note_shadowed(&mut self) {
        for (index, plugin) in self.found.iter().enumerate() {
            for element in &plugin.info.elements {
                let first = self.found[..index].iter().find(|first| first.has(&element.name));
                if let Some(first) = first {
                    self.shadowed.push(format!(
                        "element \"{}\" from {} is hidden by the one from {}; remove one, or change GST_MINI_PLUGIN_PATH",
                        element.name,
                        plugin.file.display(),
                        first.file.display()
                    ));
                }
            }
        }
        self.shadowed.iter().for_each(|text| warn(text));
    }

    /// Names of all elements of all plugins.
    pub fn element_names(&self) -> Vec<String> {
        let elements = self.found.iter().flat_map(|plugin| &plugin.info.elements);
        elements.map(|element| element.name.clone()).collect()
    }

    /// The factory of that name; opens its plugin's library. `None` if no plugin has it.
    pub fn factory(&self, name: &str) -> Option<Result<Arc<FactoryInfo>, String>> {
        let plugin = self.found.iter().find(|plugin| plugin.has(name))?;
        Some(plugin.factory(name))
    }

    /// A sentence for each plugin that was refused.
    pub fn refused(&self) -> Vec<String> {
        self.refused.iter().map(Refusal::to_string).collect()
    }

    /// The plugins that were refused.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refused
    }

    /// The plugins that can be used, in the order of the plugin path.
    pub fn list(&self) -> &[FoundPlugin] {
        &self.found
    }

    /// A sentence for each plugin and element that is hidden by an earlier one of its name.
    pub fn shadowed(&self) -> &[String] {
        &self.shadowed
    }
}

/// Whether the user wants what is known, and nothing new.
fn is_update_off() -> bool {
    std::env::var_os("GST_MINI_REGISTRY_UPDATE").is_some_and(|value| value == "no")
}

/// The checks of one file, the cheap and harmless ones first.
fn look_at(file: &Path, cache: &mut Cache) -> Result<(FileId, PluginInfo), String> {
    let id = files::check(file)?;
    let outcome = match cache.get(file, id) {
        Some(outcome) => outcome.clone(),
        None if is_update_off() => {
            return Err(
                "not examined: it is new or has changed, and GST_MINI_REGISTRY_UPDATE is no".into(),
            );
        }
        None => {
            let outcome = examine(file, id).map_err(|NotExamined(why)| why)?;
            cache.put(file, id, outcome.clone());
            outcome
        }
    };
    Ok((id, outcome?))
}

impl FoundPlugin {
    fn has(&self, element: &str) -> bool {
        self.info.elements.iter().any(|other| other.name == element)
    }

    /// Whether its library is open.
    pub fn is_loaded(&self) -> bool {
        self.loaded.get().is_some_and(Result::is_ok)
    }

    /// The factory of that name; opens the library if it is not open yet.
    ///
    /// # Errors
    /// A sentence, the same at every call.
    pub fn factory(&self, name: &str) -> Result<Arc<FactoryInfo>, String> {
        let loaded = self.loaded.get_or_init(|| self.load());
        let loaded =
            loaded.as_ref().map_err(|why| format!("plugin \"{}\": {why}", self.file.display()))?;
        loaded.factories.iter().find(|factory| factory.name == name).cloned().ok_or_else(|| {
            format!("plugin \"{}\": it no longer has the element \"{name}\"", self.file.display())
        })
    }

    fn load(&self) -> Result<Loaded, String> {
        let mut id = self.id;
        let mut expected = self.info.clone();
        if files::check(&self.file)? != id {
            warn(&format!(
                "plugin \"{}\": changed on disk after it was examined; scanning it again",
                self.file.display()
            ));
            id = files::check(&self.file)?;
            expected = examine(&self.file, id).map_err(|NotExamined(why)| why)??;
        }
        let loaded = library::open(&self.file, id)?;
        if loaded.info != expected {
            return Err("says something else than when it was examined; refused".to_owned());
        }
        loaded.init()?;
        if log::enabled("registry", Level::Info) {
            let info = &loaded.info;
            let text = format!("loaded {} {} ({})", info.name, info.version, info.build_info);
            log::write("registry", Level::Info, "", &text);
        }
        Ok(loaded)
    }
}
