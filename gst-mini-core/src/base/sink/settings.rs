//! The properties every sink has, and how its streaming thread reads them.
//!
//! Invariant: a value that was set is what the next look reads; none of these waits for a buffer.
//! In GStreamer: `libs/gst/base/gstbasesink.c` (`gst_base_sink_class_init`, `gst_base_sink_set_property`).
//! Left out: `last-sample`, so `enable-last-sample` enables nothing.

use crate::base::sink::qos::Told;
use crate::base::{prop, ranged};
use crate::host::core::ElementCore;
use crate::plugin::abi::{GM_PROP_READABLE, GM_ROLE_ASYNC, GM_ROLE_SYNC};
use crate::property::Live;
use crate::registry::factory::{FactoryInfo, PropInfo};

/// Properties every sink has, with the element's own defaults for `sync` and `async`.
pub(crate) fn base_props(factory: &FactoryInfo) -> Vec<PropInfo> {
    let flag = |bit: u32| if factory.role_flags & bit != 0 { "true" } else { "false" };
    vec![
        prop("sync", "boolean", "Wait for the clock before each buffer", "", flag(GM_ROLE_SYNC)),
        prop(
            "async",
            "boolean",
            "Going to PAUSED waits for the first buffer",
            "",
            flag(GM_ROLE_ASYNC),
        ),
        ranged(
            prop(
                "max-lateness",
                "int64",
                "A buffer later than this is dropped, -1: never",
                "ns",
                "-1",
            ),
            "-1",
            "9223372036854775807",
        ),
        prop("qos", "boolean", "Report lateness upstream", "", "false"),
        prop("ts-offset", "int64", "Added to each buffer's time", "ns", "0"),
        prop("render-delay", "uint64", "How long it takes until what is rendered shows", "ns", "0"),
        prop(
            "throttle-time",
            "uint64",
            "Least time between two buffers that are rendered, 0: any",
            "ns",
            "0",
        ),
        prop("blocksize", "uint", "Size of what is pulled at once, 0: any", "bytes", "4096"),
        prop("enable-last-sample", "boolean", "Whether the last buffer may be kept", "", "true"),
        PropInfo {
            flags: GM_PROP_READABLE,
            ..prop("stats", "structure", "Sink Statistics", "", &Told::default().text())
        },
        prop("max-bitrate", "uint64", "Most bits to render in a second, 0: any", "bit/s", "0"),
        prop(
            "processing-deadline",
            "uint64",
            "Longest time rendering may take; part of the latency",
            "ns",
            "20000000",
        ),
    ]
}

/// The base's properties as the streaming thread reads them: each one load.
#[derive(Default)]
pub(in crate::base) struct Settings {
    pub sync: Live<bool>,
    pub is_async: Live<bool>,
    pub qos: Live<bool>,
    pub max_lateness: Live<i64>,
    pub ts_offset: Live<i64>,
    pub render_delay: Live<u64>,
    pub throttle_time: Live<u64>,
    pub max_bitrate: Live<u64>,
    pub blocksize: Live<u32>,
    pub processing_deadline: Live<u64>,
    /// What lies outside the segment is dropped; an element may have a property for it.
    pub clips: Live<bool>,
}

impl Settings {
    pub fn read(&self, core: &ElementCore) {
        self.sync.set(core.number("sync").unwrap_or(true));
        self.is_async.set(core.number("async").unwrap_or(true));
        self.qos.set(core.number("qos").unwrap_or(false));
        self.max_lateness.set(core.number("max-lateness").unwrap_or(-1));
        self.ts_offset.set(core.number("ts-offset").unwrap_or(0));
        self.render_delay.set(core.number("render-delay").unwrap_or(0));
        self.throttle_time.set(core.number("throttle-time").unwrap_or(0));
        self.blocksize.set(core.number("blocksize").unwrap_or(4096));
        self.max_bitrate.set(core.number("max-bitrate").unwrap_or(0));
        self.processing_deadline.set(core.number("processing-deadline").unwrap_or(0));
        self.clips.set(core.number("drop-out-of-segment").unwrap_or(true));
    }
}
