//! The four states of an element and the path between two of them.
//!
//! Invariant: an element moves one step at a time, through every state in between.
//! In GStreamer: `gst/gstelement.c` (`gst_element_continue_state`), design page `states`.
//! Left out: nothing; threads and waiting are in `element`.

use std::fmt;
use std::str::FromStr;

/// How far an element is from working.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing is allocated.
    #[default]
    Null,
    /// Devices and files may be open; no data flows.
    Ready,
    /// Pads are active; sinks hold their first buffer; running time stands still.
    Paused,
    /// Running time runs.
    Playing,
}

impl State {
    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            State::Null => "null",
            State::Ready => "ready",
            State::Paused => "paused",
            State::Playing => "playing",
        }
    }

    /// The next state on the way to `target`; `self` when there.
    pub fn next_towards(self, target: State) -> State {
        const ALL: [State; 4] = [State::Null, State::Ready, State::Paused, State::Playing];
        match self.cmp(&target) {
            std::cmp::Ordering::Less => ALL[self as usize + 1],
            std::cmp::Ordering::Equal => self,
            std::cmp::Ordering::Greater => ALL[self as usize - 1],
        }
    }
}

impl fmt::Display for State {
    /// Upper case, as gst-launch prints states.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Null => "NULL",
            State::Ready => "READY",
            State::Paused => "PAUSED",
            State::Playing => "PLAYING",
        })
    }
}

impl FromStr for State {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "null" => Ok(State::Null),
            "ready" => Ok(State::Ready),
            "paused" => Ok(State::Paused),
            "playing" => Ok(State::Playing),
            _ => Err(format!("\"{text}\" is no state; there are null, ready, paused and playing")),
        }
    }
}

/// One step of a state change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transition {
    /// The state left.
    pub from: State,
    /// The state entered.
    pub to: State,
}

impl Transition {
    /// NULL to READY.
    pub const NULL_TO_READY: Self = Self { from: State::Null, to: State::Ready };
    /// READY to PAUSED.
    pub const READY_TO_PAUSED: Self = Self { from: State::Ready, to: State::Paused };
    /// PAUSED to PLAYING.
    pub const PAUSED_TO_PLAYING: Self = Self { from: State::Paused, to: State::Playing };
    /// PLAYING to PAUSED.
    pub const PLAYING_TO_PAUSED: Self = Self { from: State::Playing, to: State::Paused };
    /// PAUSED to READY.
    pub const PAUSED_TO_READY: Self = Self { from: State::Paused, to: State::Ready };
    /// READY to NULL.
    pub const READY_TO_NULL: Self = Self { from: State::Ready, to: State::Null };

    /// Whether this goes towards PLAYING.
    pub fn is_upward(self) -> bool {
        self.from < self.to
    }
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}->{}", self.from.name(), self.to.name())
    }
}

/// What a state change came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateReturn {
    /// It did not happen; an error message says why.
    Failure,
    /// Done.
    Success,
    /// It goes on in another thread; async-done follows.
    Async,
    /// Done, but a live source gives no data in PAUSED.
    NoPreroll,
}

impl StateReturn {
    /// GStreamer's name.
    pub const fn name(self) -> &'static str {
        match self {
            StateReturn::Failure => "failure",
            StateReturn::Success => "success",
            StateReturn::Async => "async",
            StateReturn::NoPreroll => "no-preroll",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_passes_every_state_in_both_directions() {
        let walk = |from: State, to: State| {
            let mut path = vec![from];
            while *path.last().unwrap() != to {
                path.push(path.last().unwrap().next_towards(to));
            }
            path.iter().map(|s| s.name()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(walk(State::Null, State::Playing), "null ready paused playing");
        assert_eq!(walk(State::Playing, State::Null), "playing paused ready null");
        assert_eq!(walk(State::Paused, State::Paused), "paused");
    }
}
