//! Opens a library, and reads and checks the descriptor in it.
//!
//! The same code runs in the examiner, where a crash costs a child process, and in the program, where
//! it comes second.
//!
//! Invariant: a library that was opened is never closed, whether it turned out to be good or not.
//! In GStreamer: `gst/gstplugin.c` (`_priv_gst_plugin_load_file_for_registry`).
//! Left out: dependencies of plugins on other plugins.

use super::files::{FileId, name_of};
use super::report::{ElementInfo, PluginInfo};
use crate::plugin::abi::*;
use crate::registry::factory::{FactoryInfo, growth};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW, Symbol};
use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::Arc;

/// The most elements one plugin is believed to have.
const MAX_FACTORIES: u32 = 1024;

/// A plugin whose library is in this process.
pub struct Loaded {
    /// What it says about itself.
    pub info: PluginInfo,
    /// What it can make.
    pub factories: Vec<Arc<FactoryInfo>>,
    descriptor: &'static GmPluginDesc,
}

impl Loaded {
    /// Gives the plugin the host's table, once, before anything is made.
    ///
    /// # Errors
    /// A sentence when the plugin refuses to start.
    pub fn init(&self) -> Result<(), String> {
        let Some(init) = self.descriptor.init else { return Ok(()) };
        let mut why = String::new();
        let host = crate::host::table::host();
        // SAFETY: the host's table is valid for the process; `init` is the plugin's own and called once.
        match unsafe { init(host, &mut GmText::for_string(&mut why)) } {
            0 if why.is_empty() => Err("refused to start; it did not say why".to_owned()),
            0 => Err(format!("refused to start: {why}")),
            _ => Ok(()),
        }
    }
}

/// Opens the library at `path` and reads its descriptor.
///
/// Running foreign code is the point of it: what its constructors do is beyond any check.
///
/// # Errors
/// A sentence that says why it is no plugin for this program.
pub fn open(path: &Path, id: FileId) -> Result<Loaded, String> {
    let name = name_of(path).ok_or("not a plugin: a plugin's file is named libgstmini<name>.so")?;
    // SAFETY: the constructors of the library run. The user asked for this plugin.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
        .map(ManuallyDrop::new)
        .map_err(|error| cannot_load(path, &error))?;
    // The path may have been given to another file between the check and now.
    if FileId::at(path) != Some(id) {
        return Err("changed on disk while it was opened; try again".to_owned());
    }
    let symbol = format!("gst_mini_plugin_{}", name.replace('-', "_"));
    let literal = format!("gst_mini_plugin_{name}");
    let found = [&symbol, &literal].into_iter().find_map(|symbol| {
        // SAFETY: only the address is taken; what is there is checked below, field by field.
        let found: Symbol<*const GmPluginDesc> = unsafe { library.get(symbol.as_bytes()) }.ok()?;
        Some(found.into_raw().cast::<GmPluginDesc>().cast_const())
    });
    let Some(address) = found.filter(|address| !address.is_null()) else {
        return Err(format!(
            "not a GstMini plugin: symbol {symbol} not found; if the file was renamed, restore its name"
        ));
    };
    belongs_to(address, id)?;
    // SAFETY: the address is that of data in a library that is never closed.
    let loaded = unsafe { read(address, name) }?;
    Ok(loaded)
}

/// What the dynamic linker says, without the path that stands before it anyway.
fn cannot_load(path: &Path, error: &libloading::Error) -> String {
    let mut said = error.to_string();
    if let libloading::Error::DlOpen { source, .. } = error {
        said = source.to_string();
    }
    let said = said.trim_start_matches(&format!("{}: ", path.display())).to_owned();
    if let Some((library, _)) = said.split_once(": cannot open shared object file") {
        return format!("cannot load: {library} is missing (needed by the plugin)");
    }
    format!("cannot load: {}", said.replace("undefined symbol: ", "undefined symbol "))
}

/// A symbol is also found in the libraries that a library needs; it must be in this one.
fn belongs_to(address: *const GmPluginDesc, id: FileId) -> Result<(), String> {
    // SAFETY: all zero is a value of this struct of pointers.
    let mut found: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: any address may be asked about, and the place is valid.
    if unsafe { libc::dladdr(address.cast(), &mut found) } == 0 || found.dli_fname.is_null() {
        return Err("the descriptor is damaged or from another product".to_owned());
    }
    // SAFETY: the dynamic linker's own text, valid while the library is open.
    let owner = unsafe { CStr::from_ptr(found.dli_fname) }.to_string_lossy().into_owned();
    match FileId::at(Path::new(&owner)) {
        Some(other) if other.is_same_file(&id) => Ok(()),
        _ => Err(format!("not a plugin itself: the descriptor belongs to {owner}")),
    }
}

/// # Safety
/// `address` must be that of a symbol in a library that stays open.
unsafe fn read(address: *const GmPluginDesc, name: &str) -> Result<Loaded, String> {
    let damaged = || "the descriptor is damaged or from another product".to_owned();
    if !address.cast::<u64>().is_aligned() {
        return Err(damaged());
    }
    // SAFETY: the first four fields are frozen for ever; nothing else is read until they are good.
    let (magic, major, minor, size) = unsafe {
        let desc = address;
        ((*desc).magic, (*desc).abi_major, (*desc).abi_minor, (*desc).struct_size)
    };
    let ours = format!("{GM_ABI_MAJOR}.{GM_ABI_MINOR}");
    let rebuild = format!("rebuild it against gst-mini-core {}", env!("CARGO_PKG_VERSION"));
    if magic != GM_MAGIC {
        return Err(damaged());
    }
    if major != GM_ABI_MAJOR {
        return Err(format!(
            "needs plugin ABI {major}, this program offers ABI {GM_ABI_MAJOR}; {rebuild}"
        ));
    }
    if !(24..=growth::MAX_SIZE).contains(&(size as usize)) || size % 8 != 0 {
        return Err(damaged());
    }
    // SAFETY: within the size just checked.
    let needed = unsafe { (*address).min_host_minor };
    if needed > u32::from(GM_ABI_MINOR) {
        return Err(format!(
            "needs plugin ABI {major}.{needed} or later, this program offers {ours}; update the program, or use an older plugin"
        ));
    }
    if GM_ABI_MAJOR == 0 && minor != GM_ABI_MINOR {
        return Err(format!(
            "needs plugin ABI {major}.{minor}, this program offers {ours}; {rebuild}"
        ));
    }
    // SAFETY: a descriptor of our own version, in a library that stays open.
    let desc = unsafe { growth::read(address) }.ok_or_else(damaged)?.leak();
    let text = |text: GmStr, what: &str| {
        // SAFETY: texts of a descriptor live as long as the library.
        let text = unsafe { text.to_str::<'static>() };
        text.map(str::to_owned)
            .ok_or_else(|| format!("the descriptor's {what} is invalid; refused"))
    };
    let own_name = text(desc.name, "name")?;
    if own_name.replace('-', "_") != name.replace('-', "_") {
        return Err("the descriptor's name is invalid; refused".to_owned());
    }
    // SAFETY: as above.
    let factories = unsafe { factories(desc, &own_name) }?;
    let info = PluginInfo {
        name: own_name,
        version: text(desc.version, "version")?,
        license: text(desc.license, "license")?,
        source: text(desc.source, "source")?,
        description: text(desc.description, "description")?,
        build_info: text(desc.build_info, "build information")?,
        abi: format!("{major}.{minor}"),
        aborts_on_panic: desc.flags & GM_PLUGIN_PANIC_ABORT != 0,
        elements: factories.iter().map(|factory| about(factory)).collect(),
    };
    Ok(Loaded { info, factories, descriptor: desc })
}

/// # Safety
/// The descriptor must be of our version, in a library that stays open.
unsafe fn factories(
    desc: &'static GmPluginDesc,
    plugin: &str,
) -> Result<Vec<Arc<FactoryInfo>>, String> {
    if desc.n_factories > MAX_FACTORIES {
        return Err("the descriptor's number of elements is invalid; refused".to_owned());
    }
    if desc.factories.is_null() && desc.n_factories > 0 {
        return Err("the descriptor's list of elements is missing; refused".to_owned());
    }
    let mut factories: Vec<Arc<FactoryInfo>> = Vec::new();
    for index in 0..desc.n_factories as usize {
        // SAFETY: the list has that many pointers; each is checked for null.
        let raw = unsafe { (*desc.factories.add(index)).as_ref() };
        let raw =
            raw.ok_or_else(|| format!("entry {index} of its elements is missing; refused"))?;
        // SAFETY: statics of a library that stays open.
        let info = unsafe { FactoryInfo::read(raw, plugin) }?;
        if info.name.contains('%') || factories.iter().any(|other| other.name == info.name) {
            return Err(format!(
                "the element name \"{}\" is invalid or given twice; refused",
                info.name
            ));
        }
        factories.push(Arc::new(info));
    }
    Ok(factories)
}

fn about(factory: &FactoryInfo) -> ElementInfo {
    ElementInfo {
        name: factory.name.clone(),
        long_name: factory.long_name.clone(),
        klass: factory.klass.clone(),
        description: factory.description.clone(),
        author: factory.author.clone(),
        rank: factory.rank,
    }
}
