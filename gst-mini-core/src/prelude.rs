//! For applications: `use gst_mini_core::prelude::*`.

pub use crate::buffer::{Buffer, BufferFlags, BufferList};
pub use crate::bus::Bus;
pub use crate::caps::Caps;
pub use crate::clock::{Clock, SystemClock, TestClock};
pub use crate::element::{Action, Direction};
pub use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
pub use crate::event::{Event, EventKind, Seek, Step};
pub use crate::handle::{ElementRef, WeakElement};
pub use crate::launch::parse_launch;
pub use crate::message::{Message, MessageKind, StreamStatus};
pub use crate::pad::{Pad, ProbeData, ProbeReturn, ProbeType};
pub use crate::pipeline::{Bin, Pipeline, ReplaceError};
pub use crate::query::Query;
pub use crate::registry::{make, registry};
pub use crate::runtime::Sim;
pub use crate::segment::Segment;
pub use crate::state::{State, StateReturn};
pub use crate::structure::Structure;
pub use crate::time::{AbsoluteTime, ClockTime, RunningTime};
pub use crate::value::{Fraction, Value};
