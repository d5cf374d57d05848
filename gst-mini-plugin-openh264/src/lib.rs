//! H.264 through Cisco's openh264, built from source: an optional codec, because of its patents and
//! its C++.

pub mod avc;
pub mod encoder;
mod openh264enc;

pub use openh264enc::OpenH264Enc;

use gst_mini_core::element_prelude::Factory;

gst_mini_core::plugin! {
    name: "openh264",
    description: "H.264 through Cisco's openh264",
    elements: [Factory::transform::<OpenH264Enc>()],
}
