//! GstMini's core: elements, pads, caps, events, clocks and pipelines, with GStreamer's model.
//!
//! The life of a buffer, with the module to read for each step:
//!
//! 1. A source's [`create`](element::Source::create) makes it, in a thread of the host (`base/source`).
//! 2. Its first time through, formats are agreed on: [`caps`], `base/negotiate`.
//! 3. It is pushed from pad to pad ([`pad`]), behind the sticky events that explain it ([`event`]).
//! 4. Transforms change it; a queue hands it to another thread ([`element::MultiPad`]).
//! 5. The sink turns its timestamp into running time ([`segment`]), and that into a clock reading
//!    ([`time`], [`clock`]); waits; and renders it (`base/sink`).
//! 6. It goes back to where it came from ([`buffer`], [`pool`]).
//!
//! Applications begin at [`prelude`] and [`pipeline`], authors of elements at [`element_prelude`].

// A panic while unwinding through the boundary aborts; `expect` states an invariant of ours.
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(feature = "host")]
mod advice;
#[cfg(feature = "host")]
mod base;
#[cfg(feature = "host")]
pub mod bin;
pub mod buffer;
#[cfg(feature = "host")]
pub mod bus;
pub mod caps;
#[cfg(feature = "host")]
pub mod clock;
mod crossing;
pub mod cx;
#[cfg(feature = "host")]
pub mod diagnosis;
pub mod element;
pub mod element_prelude;
pub mod error;
pub mod event;
pub mod flow_combiner;
#[cfg(feature = "host")]
pub mod handle;
#[cfg(feature = "host")]
mod host;
pub mod launch;
#[cfg(feature = "host")]
pub mod log;
pub mod message;
mod names;
pub mod object;
#[cfg(feature = "host")]
pub mod pad;
#[cfg(feature = "host")]
pub mod pipeline;
pub mod plugin;
pub mod pool;
pub mod prefetch;
#[cfg(feature = "host")]
pub mod prelude;
pub mod property;
pub mod query;
#[cfg(feature = "host")]
pub mod registry;
#[cfg(feature = "host")]
pub mod runtime;
pub mod segment;
pub mod state;
pub mod structure;
pub mod suggest;
pub mod time;
#[cfg(feature = "host")]
pub mod tracer;
pub mod value;

#[cfg(feature = "host")]
pub use host::props::PropertyError;
#[cfg(feature = "host")]
#[doc(hidden)]
pub use inventory;
