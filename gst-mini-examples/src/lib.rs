//! What the demos share: flags, log lines, the table at the end, and the main job itself.

pub mod flags;
pub mod job;
pub mod show;
