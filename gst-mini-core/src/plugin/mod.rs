//! Plugins: the boundary, what an author's element becomes there, and how libraries are found.
//!
//! Invariant: linked and loaded elements go through the same functions.
//! In GStreamer: `gst/gstplugin.c`, `gst/gstpluginloader.c`.
//! Left out: unloading.

pub mod abi;
#[cfg(feature = "host")]
pub mod cache;
#[cfg(feature = "host")]
pub mod elf;
pub mod export;
#[cfg(feature = "host")]
pub mod loader;
#[cfg(feature = "host")]
pub mod scanner;

/// Registers element factories that are linked into a program: `register![Factory::sink::<MySink>()];`.
///
/// `register! { pub const FACTORIES: […] }` also makes a list of them, for [`registry::link`](crate::registry::link).
#[cfg(feature = "host")]
#[macro_export]
macro_rules! register {
    ($(#[$doc:meta])* pub const $list:ident: [$($factory:expr),* $(,)?]) => {
        $(#[$doc])*
        pub const $list: &[$crate::plugin::export::Factory] = &[$($factory),*];
        $($crate::inventory::submit! { $factory })*
    };
    ($($factory:expr),* $(,)?) => {
        $($crate::inventory::submit! { $factory })*
    };
}

/// Exports a plugin: its name, what it says about itself, and its factories.
///
/// ```ignore
/// gst_mini_core::plugin! {
///     name: "tsshift",
///     description: "Moves timestamps",
///     elements: [Factory::transform::<TsShift>()],
/// }
/// ```
#[macro_export]
macro_rules! plugin {
    (name: $name:literal, description: $description:literal, elements: [$($factory:expr),* $(,)?] $(,)?) => {
        /// The factories of this plugin, for programs that link it.
        pub const FACTORIES: &[$crate::plugin::export::Factory] = &[$($factory),*];

        const _: () = {
            use $crate::plugin::abi::{GmFactory, GmPluginDesc};
            const COUNT: usize = FACTORIES.len();
            struct List([*const GmFactory; COUNT]);
            // SAFETY: pointers to immutable statics.
            unsafe impl Sync for List {}
            static LIST: List = {
                let mut list = [std::ptr::null(); COUNT];
                let mut i = 0;
                while i < COUNT {
                    list[i] = FACTORIES[i].0;
                    i += 1;
                }
                List(list)
            };
            #[unsafe(export_name = concat!("gst_mini_plugin_", $name))]
            static DESCRIPTOR: GmPluginDesc = $crate::plugin::export::descriptor(
                $crate::plugin::export::About {
                    name: $name,
                    version: env!("CARGO_PKG_VERSION"),
                    license: env!("CARGO_PKG_LICENSE"),
                    source: env!("CARGO_PKG_NAME"),
                    description: $description,
                    aborts_on_panic: cfg!(panic = "abort"),
                },
                LIST.0.as_ptr(),
                COUNT,
            );
        };
    };
}
