//! The built-in elements, one file each, and the list of their factories.
//!
//! A crate that nothing names is not linked, and its factories are not found. So a program that wants
//! these elements calls [`register()`].
//!
//! | element | what it does | file |
//! |---|---|---|
//! | `appsink` | hands the stream to the application | `appsink.rs`, [`app`] |
//! | `appsrc` | is fed by the application | `appsrc.rs`, [`app`] |
//! | `audioconvert` | changes how samples are stored and mixes channels | `audioconvert.rs`, [`audio`] |
//! | `audioresample` | changes the rate of samples | `audioresample.rs`, [`audio`] |
//! | `audiotestsrc` | makes test tones and noises | `audiotestsrc.rs`, [`audio`] |
//! | `capsfilter` | lets only some formats through a link | `capsfilter.rs` |
//! | `clocksync` | holds each buffer until its time has come | `clocksync.rs` |
//! | `concat` | plays its inputs one after the other | `concat.rs` |
//! | `dirsink` | stores named objects in a directory, each whole or not at all | `dirsink.rs` |
//! | `fakesink` | takes whatever comes and forgets it | `fakesink.rs` |
//! | `fakesrc` | makes buffers of no meaning | `fakesrc.rs` |
//! | `fdsink` | writes to an open file descriptor | `fdsink.rs` |
//! | `fdsrc` | reads an open file descriptor: standard input, a pipe, a camera through ffmpeg | `fdsrc.rs` |
//! | `filesink` | writes to a file | `filesink.rs` |
//! | `filesrc` | reads a file | `filesrc.rs` |
//! | `funnel` | sends whatever comes in anywhere out through one pad | `funnel.rs` |
//! | `hlssegmenter` | cuts H.264 into the objects of an HLS recording | `hlssegmenter.rs`, [`hls`] |
//! | `identity` | passes data on, and can look, wait, drop or fail | `identity.rs` |
//! | `imagedec` | reads PNG and JPEG files | `imagedec.rs`, [`video`] |
//! | `imagefreeze` | repeats one picture at a regular rate | `imagefreeze.rs` |
//! | `input-selector` | lets one of its inputs through | `inputselector.rs` |
//! | `jpegenc` | makes a JPEG file of each picture | `jpegenc.rs`, [`video`] |
//! | `livesource` | a simulated camera that misses frames nobody takes | `livesource.rs`, [`video`] |
//! | `multiqueue` | queues side by side that let each other grow | `multiqueue.rs` |
//! | `output-selector` | sends its stream to one of its outputs | `outputselector.rs` |
//! | `pngenc` | makes a PNG file of each picture | `pngenc.rs`, [`video`] |
//! | `queue` | a thread boundary with limits and leaks | `queue.rs` |
//! | `streamiddemux` | one output for each stream id | `streamiddemux.rs` |
//! | `tee` | sends every buffer to all its source pads | `tee.rs` |
//! | `valve` | lets everything through or drops it | `valve.rs` |
//! | `videoconvert` | changes how the samples of a picture are stored | `videoconvert.rs`, [`video`] |
//! | `videorate` | drops and repeats frames so that they come at regular times | `videorate.rs` |
//! | `videoscale` | makes pictures of another size | `videoscale.rs`, [`video`] |
//! | `videotestsrc` | makes test pictures | `videotestsrc.rs`, [`video`] |
//! | `wavenc` | puts a WAVE header before samples | `wavenc.rs`, [`audio`] |
//! | `wavparse` | samples out of a WAVE file | `wavparse.rs`, [`audio`] |
//! | `y4mdec` | pictures out of a `yuv4mpegpipe` stream | `y4mdec.rs` |
//!
//! The smallest to read are `fakesink` and `capsfilter`; `queue` and `tee` are those with more than one
//! pad of a kind or thread.

pub mod app;
pub mod audio;
pub mod hls;
pub mod video;

mod appsink;
mod appsrc;
mod audioconvert;
mod audioresample;
mod audiotestsrc;
mod capsfilter;
mod clocksync;
mod concat;
mod dirsink;
mod dump;
mod fakesink;
mod fakesrc;
mod fd;
mod fdsink;
mod fdsrc;
mod filesink;
mod filesrc;
mod frames;
mod funnel;
mod hlssegmenter;
mod identity;
mod imagedec;
mod imagefreeze;
mod inputselector;
mod jpegenc;
mod last_message;
mod livesource;
mod multiqueue;
mod outputselector;
mod pngenc;
mod queue;
mod queued;
mod routing;
mod streamiddemux;
mod tee;
mod valve;
mod videoconvert;
mod videorate;
mod videoscale;
mod videotestsrc;
mod wavenc;
mod wavparse;
mod y4mdec;

use gst_mini_core::element_prelude::Factory;
use gst_mini_core::register;

register! {
    /// All of them.
    pub const FACTORIES: [
        Factory::sink::<appsink::AppSink>(),
        Factory::source::<appsrc::AppSrc>(),
        Factory::transform::<audioconvert::AudioConvert>(),
        Factory::transform::<audioresample::AudioResample>(),
        Factory::source::<audiotestsrc::AudioTestSrc>(),
        Factory::transform::<capsfilter::CapsFilter>(),
        Factory::transform::<clocksync::ClockSync>(),
        Factory::multi_pad::<concat::Concat>(),
        Factory::sink::<dirsink::DirSink>(),
        Factory::sink::<fakesink::FakeSink>(),
        Factory::source::<fakesrc::FakeSrc>(),
        Factory::sink::<fdsink::FdSink>(),
        Factory::source::<fdsrc::FdSrc>(),
        Factory::sink::<filesink::FileSink>(),
        Factory::source::<filesrc::FileSrc>(),
        Factory::multi_pad::<funnel::Funnel>(),
        Factory::transform::<hlssegmenter::HlsSegmenter>(),
        Factory::transform::<identity::Identity>(),
        Factory::transform::<imagedec::ImageDec>(),
        Factory::multi_pad::<imagefreeze::ImageFreeze>(),
        Factory::multi_pad::<inputselector::InputSelector>(),
        Factory::transform::<jpegenc::JpegEnc>(),
        Factory::source::<livesource::LiveSource>(),
        Factory::multi_pad::<multiqueue::MultiQueue>(),
        Factory::multi_pad::<outputselector::OutputSelector>(),
        Factory::transform::<pngenc::PngEnc>(),
        Factory::multi_pad::<queue::Queue>(),
        Factory::multi_pad::<streamiddemux::StreamIdDemux>(),
        Factory::multi_pad::<tee::Tee>(),
        Factory::multi_pad::<valve::Valve>(),
        Factory::transform::<videoconvert::VideoConvert>(),
        Factory::transform::<videorate::VideoRate>(),
        Factory::transform::<videoscale::VideoScale>(),
        Factory::source::<videotestsrc::VideoTestSrc>(),
        Factory::transform::<wavenc::WavEnc>(),
        Factory::transform::<wavparse::WavParse>(),
        Factory::transform::<y4mdec::Y4mDec>(),
    ]
}

/// Links this crate, and with it all its elements, into the program that calls it. Any number of
/// times, from any thread, before the first element is made.
pub fn register() {
    gst_mini_core::registry::link(FACTORIES);
}

#[cfg(test)]
mod tests {
    use gst_mini_core::registry::registry;

    #[test]
    fn types_are_called_as_in_gstreamer() {
        // Those whose words do not follow from the factory's name.
        let names = [
            ("appsrc", "GstAppSrc"),
            ("capsfilter", "GstCapsFilter"),
            ("fakesink", "GstFakeSink"),
            ("fakesrc", "GstFakeSrc"),
            ("fdsink", "GstFdSink"),
            ("filesrc", "GstFileSrc"),
            ("identity", "GstIdentity"),
            ("jpegenc", "GstJpegEnc"),
            ("pngenc", "GstPngEnc"),
            ("queue", "GstQueue"),
            ("tee", "GstTee"),
            ("videoconvert", "GstVideoConvert"),
            ("videotestsrc", "GstVideoTestSrc"),
            ("y4mdec", "GstY4mDec"),
        ];
        for (factory, type_name) in names {
            let made = registry().factory(factory).unwrap();
            assert_eq!(made.type_name, type_name);
        }
    }
}
