//! [`Telling`] turns what happens to objects into messages on the bus and published figures.
//!
//! ```text
//! object-stored, name=(string)segment_00003.cmfv, role=(string)segment, bytes=(uint64)3012345,
//!     delay=(uint64)84000000, attempts=(uint)1, running-time=(uint64)18000000000;
//!                        the store acknowledged it, this long after it was submitted; times in ns
//! object-retry, name=(string)segment_00004.cmfv, attempt=(uint)2, reason=(string)"503 …",
//!     next-delay=(uint64)200000000;                  that attempt failed, another one follows
//! sink-report, objects=(uint64)12, bytes=(uint64)7123456, retries=(uint64)0,
//!     worst-delay=(uint64)84000000;                  at the end
//! ```
//!
//! On simulated time an object is stored before its virtual delay has passed; so what the uploader
//! says is held back until it has, and told with that delay.
//!
//! Invariant: a failure is posted once; nothing is posted under a lock.
//! In GStreamer: the `stats` property of `net/aws/src/s3hlssink/imp.rs`; it posts no message for an object.
//! Left out: progress within an object.

use crate::fault::UploadError;
use crate::report::Event;
use crate::upload::Role;
use gst_mini_core::cx::{Level, Poster};
use gst_mini_core::message::MessageKind;
use gst_mini_core::object::ObjectRole;
use gst_mini_core::structure::Structure;
use parking_lot::Mutex;
use std::sync::Once;
use std::time::Duration;

/// Posts from whichever thread something happens on.
pub(crate) struct Telling {
    poster: Poster,
    figures: Mutex<Figures>,
    /// What waits for virtual time to pass; `None` on threads.
    held_back: Option<Mutex<Vec<Event>>>,
    /// The error that ends the recording is posted.
    failure: Once,
}

#[derive(Clone, Copy, Default)]
struct Figures {
    objects: u64,
    bytes: u64,
    retries: u64,
    worst_delay: Duration,
}

/// Nanoseconds, as messages and properties have them.
pub(crate) fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

impl Telling {
    /// With `holds_back`, what is heard is told by [`Telling::release`] only.
    pub(crate) fn new(poster: Poster, holds_back: bool) -> Self {
        let telling = Self {
            poster,
            figures: Mutex::default(),
            held_back: holds_back.then(Mutex::default),
            failure: Once::new(),
        };
        telling.publish();
        telling
    }

    /// The uploader's listener.
    pub(crate) fn hear(&self, event: Event) {
        match &self.held_back {
            Some(held_back) => held_back.lock().push(event),
            None => self.tell(event),
        }
    }

    /// Tells what was held back, with this delay.
    pub(crate) fn release(&self, virtual_delay: Duration) {
        let held = self.held_back.as_ref().map(|held| std::mem::take(&mut *held.lock()));
        for event in held.into_iter().flatten() {
            self.tell(match event {
                Event::Stored { name, role, bytes, attempts, took, running_time, .. } => {
                    let delay = virtual_delay;
                    Event::Stored { name, role, bytes, attempts, took, delay, running_time }
                }
                other => other,
            });
        }
    }

    fn tell(&self, event: Event) {
        self.poster.log(Level::Debug, &event.to_string());
        match event {
            Event::Stored { name, role, bytes, attempts, delay, running_time, .. } => {
                {
                    let mut figures = self.figures.lock();
                    figures.objects += 1;
                    figures.bytes += bytes;
                    figures.worst_delay = figures.worst_delay.max(delay);
                }
                self.publish();
                let mut stored = Structure::new("object-stored")
                    .with("name", &*name)
                    .with("role", object_role(role).name())
                    .with("bytes", bytes)
                    .with("delay", nanos(delay))
                    .with("attempts", attempts);
                if let Some(running_time) = running_time {
                    stored.set("running-time", running_time);
                }
                self.post(stored);
            }
            Event::Retrying { name, attempt, reason, next_delay } => {
                self.figures.lock().retries += 1;
                self.publish();
                self.post(
                    Structure::new("object-retry")
                        .with("name", &*name)
                        .with("attempt", attempt)
                        .with("reason", reason)
                        .with("next-delay", nanos(next_delay)),
                );
            }
            Event::Failed(error) => self.tell_failure(&error),
        }
    }

    /// Posts the error that ends the recording, unless that was done. It is posted when this returns, by whomever: an
    /// element that fails before is told about as one that did not say why.
    pub(crate) fn tell_failure(&self, error: &UploadError) {
        self.failure
            .call_once_force(|_| self.poster.post(MessageKind::Error(error.to_element_error())));
    }

    /// The closing report.
    pub(crate) fn report(&self) {
        self.publish();
        let figures = *self.figures.lock();
        self.post(
            Structure::new("sink-report")
                .with("objects", figures.objects)
                .with("bytes", figures.bytes)
                .with("retries", figures.retries)
                .with("worst-delay", nanos(figures.worst_delay)),
        );
    }

    fn publish(&self) {
        let figures = *self.figures.lock();
        self.poster.publish("objects", figures.objects);
        self.poster.publish("bytes", figures.bytes);
        self.poster.publish("retries", figures.retries);
        self.poster.publish("worst-delay", nanos(figures.worst_delay));
    }

    fn post(&self, structure: Structure) {
        self.poster.post(MessageKind::Element(structure));
    }
}

/// The uploader's role of an object.
pub(crate) fn role(role: ObjectRole) -> Role {
    match role {
        ObjectRole::Init => Role::Init,
        ObjectRole::Segment => Role::Segment,
        ObjectRole::Playlist => Role::Playlist,
        ObjectRole::Other => Role::Other,
    }
}

fn object_role(role: Role) -> ObjectRole {
    match role {
        Role::Init => ObjectRole::Init,
        Role::Segment => ObjectRole::Segment,
        Role::Playlist => ObjectRole::Playlist,
        Role::Other => ObjectRole::Other,
    }
}
