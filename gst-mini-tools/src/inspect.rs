//! `gst-mini inspect`: all elements, one plugin, one element, or one plugin file.
//!
//! Invariant: listing, and asking whether something exists, opens no plugin's library; only an element's own page
//! does, and what an installer is told of formats.
//! In GStreamer: `tools/gst-inspect.c`.
//! Left out: URI handlers, presets, type hierarchies.

mod element;
mod install;
pub mod list;
mod property;

use crate::output;
use gst_mini_core::plugin::loader;
use gst_mini_core::registry::{Registry, registry};
use gst_mini_core::suggest::nearest;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Options {
    /// An element, a plugin, or a plugin's file; everything without it
    name: Option<String>,
    /// Print all elements
    #[arg(short = 'a', long, conflicts_with_all = ["name", "types", "exists"])]
    print_all: bool,
    /// Print the files that are not used as plugins, with the reason
    #[arg(short = 'b', long, conflicts_with_all = ["name", "types", "exists", "print_all"])]
    print_blacklist: bool,
    /// Print a list for programs: the features of the plugin, or of all plugins
    #[arg(long, conflicts_with_all = ["types", "exists", "print_all", "print_blacklist"])]
    print_plugin_auto_install_info: bool,
    /// NAME is a plugin
    #[arg(long, requires = "name")]
    plugin: bool,
    /// List elements of which the class (as Sink/File) has all these words
    #[arg(short, long, value_name = "WORD/WORD", conflicts_with = "name")]
    types: Option<String>,
    /// Say with the exit code whether there is an element of that name: 0 yes, 1 no
    #[arg(long, requires = "name")]
    exists: bool,
    /// With --exists: and its plugin is of this version or later
    #[arg(long, value_name = "X.Y[.Z]", requires = "exists", value_parser = version)]
    atleast_version: Option<Version>,
    /// No colors, as with NO_COLOR
    #[arg(long, conflicts_with = "color")]
    no_colors: bool,
    /// Colors also where standard output is no terminal
    #[arg(short = 'C', long)]
    color: bool,
    /// How the list is sorted
    #[arg(long, value_name = "KEY", default_value = "name", value_parser = ["name", "none"])]
    sort: String,
}

/// Major, minor, micro.
type Version = [u32; 3];

/// Two or three numbers.
fn version(text: &str) -> Result<Version, String> {
    let numbers: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some([major, minor]) => Ok([*major, *minor, 0]),
        Some([major, minor, micro]) => Ok([*major, *minor, *micro]),
        _ => Err("a version is two or three numbers, as 1.22 or 0.1.3".to_owned()),
    }
}

pub fn run(options: &Options) -> ExitCode {
    output::set_colors(options.color, options.no_colors);
    let registry = registry();
    if options.print_blacklist {
        return show(&list::blacklist(registry));
    }
    if options.print_plugin_auto_install_info {
        return install_info(registry, options.name.as_deref());
    }
    if options.print_all {
        return print_all(registry);
    }
    let Some(name) = &options.name else {
        let types = options.types.as_deref().unwrap_or("");
        let types: Vec<&str> = types.split('/').filter(|word| !word.is_empty()).collect();
        return show(&list::everything(registry, &types, options.sort == "name"));
    };
    if options.exists {
        return exists(registry, name, options.atleast_version);
    }
    if is_path(name) {
        return match loader::explain(Path::new(name)) {
            Ok(info) => show(&list::plugin_details(&info, Path::new(name))),
            Err(refusal) => fail(&refusal.to_string()),
        };
    }
    if !options.plugin && registry.names().iter().any(|known| known == name) {
        return match element::page(registry, name) {
            Ok(page) => show(&page),
            Err(why) => fail(&why),
        };
    }
    match plugin_page(registry, name) {
        Some(Ok(page)) => show(&page),
        Some(Err(why)) => fail(&why),
        None => fail(&unknown(registry, name)),
    }
}

/// The page of a plugin, or why it is not used; `None` if there is none of that name.
fn plugin_page(registry: &Registry, name: &str) -> Option<Result<String, String>> {
    if let Some(plugin) = registry.plugins().list().iter().find(|found| found.info.name == *name) {
        return Some(Ok(list::plugin_details(&plugin.info, &plugin.file)));
    }
    let own = list::builtin_of(registry, name);
    if !own.is_empty() {
        return Some(Ok(list::builtin_details(name, &own)));
    }
    let refused: Vec<String> = (registry.plugins().refusals().iter())
        .filter(|refusal| loader::files::name_of(&refusal.file) == Some(name))
        .map(ToString::to_string)
        .collect();
    (!refused.is_empty()).then(|| Err(refused.join("\n")))
}

/// The page of every element, each line with the element's name.
fn print_all(registry: &Registry) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for name in registry.names() {
        match element::page(registry, &name) {
            Ok(page) => {
                let lines: String = page.lines().map(|line| format!("{name}: {line}\n")).collect();
                output::text(&format!("{lines}\n"));
            }
            Err(why) => code = fail(&why),
        }
    }
    code
}

fn install_info(registry: &Registry, name: Option<&str>) -> ExitCode {
    let elements = match name {
        None => registry.names(),
        Some(name) => {
            let plugin = registry.plugins().list().iter().find(|found| found.info.name == name);
            let own = list::builtin_of(registry, name).into_iter().map(|(name, _)| name);
            let theirs = plugin.iter().flat_map(|plugin| &plugin.info.elements);
            own.chain(theirs.map(|element| element.name.clone())).collect()
        }
    };
    if elements.is_empty() {
        return fail(&unknown(registry, name.unwrap_or_default()));
    }
    match install::lines(registry, &elements) {
        Ok(lines) => show(&lines),
        Err(why) => fail(&why),
    }
}

/// The question for scripts: nothing is printed.
fn exists(registry: &Registry, name: &str, least: Option<Version>) -> ExitCode {
    let builtin = registry.builtin().iter().any(|info| info.name == name);
    let found = (registry.plugins().list().iter())
        .find(|plugin| plugin.info.elements.iter().any(|element| element.name == name));
    let of = match (builtin, found) {
        (true, _) => env!("CARGO_PKG_VERSION"),
        (false, Some(plugin)) => &plugin.info.version,
        (false, None) => return ExitCode::FAILURE,
    };
    // What comes behind a dash, as in 1.2.0-rc1, is no part of the number.
    let number = of.split(['-', '+']).next().unwrap_or_default();
    match least {
        Some(least) if version(number).is_ok_and(|own| own < least) => ExitCode::FAILURE,
        Some(_) if version(number).is_err() => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

fn show(text: &str) -> ExitCode {
    output::text(text);
    ExitCode::SUCCESS
}

fn fail(text: &str) -> ExitCode {
    eprintln!("{text}");
    ExitCode::FAILURE
}

fn is_path(name: &str) -> bool {
    name.contains('/') || name.ends_with(std::env::consts::DLL_SUFFIX)
}

fn unknown(registry: &Registry, name: &str) -> String {
    let mut names = registry.names();
    names.extend(registry.plugins().list().iter().map(|plugin| plugin.info.name.clone()));
    let near = nearest(name, names.iter().map(String::as_str));
    let mut text = format!("No such element or plugin '{name}'");
    if !near.is_empty() {
        let _ = write!(text, "; did you mean {}?", near.join(", "));
    }
    text.push_str(&list::not_loaded(registry));
    text
}
