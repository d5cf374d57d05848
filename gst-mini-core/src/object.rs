//! Named objects: buffers that are whole files, with what a store needs to know about them.
//!
//! A segmenter turns a stream into named objects; any object sink stores them. The facts ride on the
//! buffer as one meta, in text, so that they cross the plugin boundary.
//!
//! Invariant: an object is one buffer or a run of buffers of which the last has `last` set.
//! In GStreamer: none; the sinks of `gst-plugins-bad/ext/hls` write files themselves.
//! Left out: partial updates. An object is stored whole.

use crate::buffer::Buffer;
use crate::structure::Structure;

/// Caps of a stream of named objects.
pub const OBJECT_CAPS: &str = "application/x-named-objects";
/// Name of the events by which a sink that is being replaced agrees with whoever makes its objects on where to end.
/// Upstream it asks, with a number `serial`. Whoever is asked ends what it records as soon as nothing is lost by it,
/// and sends a serialized event downstream with that name and `serial`; what it sends behind it is for another
/// store. When the event comes again with `over=true`, that store is there, or the other is wanted again.
pub const OBJECT_SEAM: &str = "gst-mini-object-seam";
const META: &str = "gst-mini.object";

/// What an object is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectRole {
    /// Decoder setup, stored once.
    Init,
    /// A piece of the stream, stored once.
    Segment,
    /// A list of the others, stored again and again: only after all it lists.
    Playlist,
    /// Anything else.
    Other,
}

impl ObjectRole {
    const NAMES: [(ObjectRole, &'static str); 4] = [
        (ObjectRole::Init, "init"),
        (ObjectRole::Segment, "segment"),
        (ObjectRole::Playlist, "playlist"),
        (ObjectRole::Other, "other"),
    ];
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(role, _)| *role == self).map_or("other", |(_, name)| name)
    }
    /// The role of that name; anything unknown is [`ObjectRole::Other`].
    pub fn from_name(name: &str) -> ObjectRole {
        Self::NAMES.iter().find(|(_, n)| *n == name).map_or(ObjectRole::Other, |(role, _)| *role)
    }
}

/// The facts about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Relative name, `/` between folders.
    pub name: String,
    /// MIME type.
    pub content_type: String,
    /// `Cache-Control` header.
    pub cache_control: String,
    /// What it is for.
    pub role: ObjectRole,
    /// The object is complete with this buffer.
    pub last: bool,
    /// The recording is complete with this object (the playlist that ends it).
    pub ends: bool,
}

impl ObjectMeta {
    /// Puts the facts on a buffer.
    pub fn attach(&self, buf: &mut Buffer) {
        let text = Structure::new("object")
            .with("name", self.name.as_str())
            .with("content-type", self.content_type.as_str())
            .with("cache-control", self.cache_control.as_str())
            .with("role", self.role.name())
            .with("last", self.last)
            .with("ends", self.ends)
            .to_string();
        buf.set_meta(META, text.into_bytes());
    }

    /// Reads the facts from a buffer; `None` if it is no object.
    pub fn of(buf: &Buffer) -> Option<ObjectMeta> {
        let read: Structure = std::str::from_utf8(buf.meta(META)?).ok()?.parse().ok()?;
        Some(ObjectMeta {
            name: read.str("name")?.to_owned(),
            content_type: read.str("content-type").unwrap_or("").to_owned(),
            cache_control: read.str("cache-control").unwrap_or("").to_owned(),
            role: ObjectRole::from_name(read.str("role").unwrap_or("")),
            last: read.bool("last").unwrap_or(true),
            ends: read.bool("ends").unwrap_or(false),
        })
    }

    /// Whether the name stays inside the place it is stored in; see [`is_safe_name`].
    pub fn name_is_safe(&self) -> bool {
        is_safe_name(&self.name)
    }
}

/// Whether an object's name stays inside the place it is stored in: relative, no `..`, no empty part.
pub fn is_safe_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['\\', '\0'])
        && name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> ObjectMeta {
        ObjectMeta {
            name: name.into(),
            content_type: "video/mp4".into(),
            cache_control: "public, max-age=3".into(),
            role: ObjectRole::Segment,
            last: true,
            ends: false,
        }
    }

    #[test]
    fn the_facts_ride_on_the_buffer() {
        let mut buf = Buffer::from_vec(vec![1]);
        assert_eq!(ObjectMeta::of(&buf), None);
        let meta = named("a/segment \"1\", x.cmfv");
        meta.attach(&mut buf);
        assert_eq!(ObjectMeta::of(&buf.clone()), Some(meta));
    }

    #[test]
    fn a_name_that_leaves_its_place_is_not_safe() {
        assert!(named("run/segment_00000.cmfv").name_is_safe());
        for name in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a\\b", ".", "a\0b"] {
            assert!(!named(name).name_is_safe(), "{name}");
        }
    }
}
