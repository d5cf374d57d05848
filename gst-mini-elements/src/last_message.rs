//! What `last-message` says of buffers and events: GStreamer's lines, for eyes that know them.
//!
//! Invariant: equal to GStreamer's but for the address at the end, which is always `0x0`, so that a run can be
//! repeated to the byte.
//! In GStreamer: `plugins/elements/gstfakesink.c` (`gst_fake_sink_render`), `gstidentity.c` (`gst_identity_update_last_message_for_buffer`).
//! Left out: the names of metas.

use gst_mini_core::element_prelude::*;

/// An event that arrived at `pad` (`fakesink0:sink`).
pub(crate) fn event(pad: &str, event: &Event) -> String {
    format!("event   ******* ({pad}) E (type: {}) 0x0", event.description())
}

/// `name:pad` of an element's own pad.
pub(crate) fn pad_of(cx: &Cx, pad: &str) -> String {
    format!("{}:{pad}", cx.property("name").unwrap_or_default())
}

fn time(time: Option<ClockTime>) -> String {
    time.map_or_else(|| "none".to_owned(), |time| time.to_string())
}

fn number(number: Option<u64>) -> i64 {
    number.map_or(-1, |number| number as i64)
}

/// The flags in hexadecimal and by name, each name with a space behind it.
fn flags(buf: &Buffer) -> String {
    let names = buf.flags().to_string();
    let space = if names.is_empty() { "" } else { " " };
    format!("{:08x} {names}{space}", buf.flags().0)
}

/// A buffer that `fakesink` renders.
pub(crate) fn rendered(pad: &str, buf: &Buffer) -> String {
    passing("chain", pad, buf, &number(buf.offset_end()).to_string())
}

/// A buffer that `identity` passes (`chain`) or drops (`dropping`).
pub(crate) fn passed(what: &str, pad: &str, buf: &Buffer) -> String {
    // GStreamer leaves a place for the sign here.
    passing(what, pad, buf, &format!("{: >2}", number(buf.offset_end())))
}

fn passing(what: &str, pad: &str, buf: &Buffer, offset_end: &str) -> String {
    format!(
        "{what}   ******* ({pad}) ({} bytes, dts: {}, pts: {}, duration: {}, offset: {}, offset_end: \
         {offset_end}, flags: {}, meta: none) 0x0",
        buf.size(),
        time(buf.dts()),
        time(buf.pts()),
        time(buf.duration()),
        number(buf.offset()),
        flags(buf),
    )
}

/// A buffer that `tee` deals out.
pub(crate) fn dealt(pad: &str, buf: &Buffer) -> String {
    let pts = buf.pts().map_or(u64::MAX, ClockTime::nanos);
    format!("chain        ******* ({pad})t ({} bytes, {pts}) 0x0", buf.size())
}

/// A buffer that `fakesrc` made.
pub(crate) fn created(pad: &str, buf: &Buffer) -> String {
    format!(
        "create   ******* ({pad}) ({} bytes, dts: {}, pts:{}, duration: {}, offset: {}, offset_end: {}, \
         flags: {}) 0x0",
        buf.size(),
        time(buf.dts()),
        time(buf.pts()),
        time(buf.duration()),
        number(buf.offset()),
        number(buf.offset_end()),
        flags(buf),
    )
}
