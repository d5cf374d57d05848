//! Named objects into S3, GCS, Azure, WebDAV, a directory or memory: `s3sink` and its engine.
//!
//! [`s3sink`] is the element. Under it, [`location`] turns a URL and settings into a store, [`upload`]
//! brings objects there in the right order and in spite of failures, [`fault`] tells what went wrong
//! in a sentence, [`report`] counts, and [`secret`] keeps credentials out of every text.
//!
//! Invariant: a playlist is stored only after everything that was submitted before it.
//! In GStreamer: `net/aws/src/s3sink` and `net/aws/src/s3hlssink` of gst-plugins-rs.
//! Left out: deleting expired objects; spooling to disk; conditional writes.

pub mod fault;
pub mod location;
pub mod report;
pub mod s3sink;
pub mod secret;
mod telling;
pub mod upload;

use gst_mini_core::plugin::export::Factory;

gst_mini_core::plugin! {
    name: "s3",
    description: "Named objects into S3 and other object stores",
    elements: [Factory::sink::<s3sink::S3Sink>()],
}
