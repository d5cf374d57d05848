//! gst-mini.
fn main() {}
