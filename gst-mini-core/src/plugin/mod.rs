//! Plugins.
pub mod abi;
