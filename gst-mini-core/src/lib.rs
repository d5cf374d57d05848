//! GstMini.
