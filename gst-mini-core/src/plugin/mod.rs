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
#[cfg(feature = "host")]
#[macro_export]
macro_rules! register {
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
            use $crate::plugin::abi::*;
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
            unsafe extern "C" fn init(host: *const GmHost) -> u8 {
                // SAFETY: the host passes its table, valid for the process.
                unsafe { $crate::plugin::export::init(host) }
            }
            #[unsafe(export_name = concat!("gst_mini_plugin_", $name))]
            static DESCRIPTOR: GmPluginDesc = GmPluginDesc {
                magic: GM_MAGIC,
                abi_major: GM_ABI_MAJOR,
                abi_minor: GM_ABI_MINOR,
                struct_size: size_of::<GmPluginDesc>() as u32,
                min_host_minor: GM_ABI_MINOR as u32,
                flags: if cfg!(panic = "abort") { GM_PLUGIN_PANIC_ABORT } else { 0 },
                name: GmStr::new($name),
                version: GmStr::new(env!("CARGO_PKG_VERSION")),
                license: GmStr::new(env!("CARGO_PKG_LICENSE")),
                source: GmStr::new(env!("CARGO_PKG_NAME")),
                build_info: GmStr::new($crate::plugin::export::BUILD_INFO),
                description: GmStr::new($description),
                n_factories: COUNT as u32,
                reserved: 0,
                factories: LIST.0.as_ptr(),
                init: Some(init),
                deinit: None,
            };
        };
    };
}
