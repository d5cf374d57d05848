//! H.264 through Cisco's openh264, built from source: an optional codec, because of its patents and
//! its C++.

pub mod avc;
pub mod encoder;
