//! The built-in elements, one file each, and the list of their factories.
//!
//! A crate that nothing names is not linked, and its factories are not found. So a program that wants
//! these elements calls [`register`].

pub mod app;
pub mod hls;
pub mod video;

mod appsink;
mod appsrc;
mod capsfilter;
mod dirsink;
mod fakesink;
mod fakesrc;
mod fd;
mod fdsink;
mod fdsrc;
mod filesink;
mod filesrc;
mod hlssegmenter;
mod identity;
mod livesource;
mod queue;
mod tee;
mod videotestsrc;
mod y4mdec;

use gst_mini_core::element_prelude::Factory;
use gst_mini_core::register;

register![
    Factory::sink::<appsink::AppSink>(),
    Factory::source::<appsrc::AppSrc>(),
    Factory::transform::<capsfilter::CapsFilter>(),
    Factory::sink::<dirsink::DirSink>(),
    Factory::sink::<fakesink::FakeSink>(),
    Factory::source::<fakesrc::FakeSrc>(),
    Factory::sink::<fdsink::FdSink>(),
    Factory::source::<fdsrc::FdSrc>(),
    Factory::sink::<filesink::FileSink>(),
    Factory::source::<filesrc::FileSrc>(),
    Factory::transform::<hlssegmenter::HlsSegmenter>(),
    Factory::transform::<identity::Identity>(),
    Factory::source::<livesource::LiveSource>(),
    Factory::multi_pad::<queue::Queue>(),
    Factory::multi_pad::<tee::Tee>(),
    Factory::source::<videotestsrc::VideoTestSrc>(),
    Factory::transform::<y4mdec::Y4mDec>(),
];

/// Links this crate, and with it all its elements, into the program that calls it. Any number of
/// times, from any thread.
pub fn register() {}
