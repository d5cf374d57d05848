//! For authors of elements: `use gst_mini_core::element_prelude::*`.

pub use crate::buffer::{Buffer, BufferFlags, BufferList, Passed, Passing, Place};
pub use crate::caps::Caps;
pub use crate::cx::{Cx, Level, PadId, Poster, Woken};
pub use crate::element::{
    ANY, Action, Direction, Element, FIRST_PAD, MultiPad, PadTemplate, SECOND_PAD, Shared, Signal,
    Sink, Source, Transform,
};
pub use crate::error::{ElementError, ErrorKind, FlowError, FlowResult};
pub use crate::event::{CustomKind, Event, EventKind};
pub use crate::flow_combiner::FlowCombiner;
pub use crate::object::{OBJECT_CAPS, OBJECT_SEAM, ObjectMeta, ObjectRole};
pub use crate::plugin::export::Factory;
pub use crate::pool::{AllocationParams, BufferPool};
pub use crate::property::{Live, LiveField, Prop, types};
pub use crate::query::{Allocation, PoolOffer, Query, Scheduling, VIDEO_META};
pub use crate::segment::{Format, Segment};
pub use crate::state::{State, StateReturn, Transition};
pub use crate::structure::Structure;
pub use crate::time::{AbsoluteTime, ClockTime, RunningTime};
pub use crate::value::{Fraction, Value};
