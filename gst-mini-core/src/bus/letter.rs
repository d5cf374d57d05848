//! A message as it waits on the bus, which nobody may ever read: small, and with the names that the ones before it have.
//!
//! Invariant: what is taken out is the message that was put in.
//! In GStreamer: a `GstMessage` holds a reference on its source.
//! Left out: small forms of what is rare.

use crate::event::Seqnum;
use crate::message::{Message, MessageKind, StreamStatus};
use crate::state::State;
use crate::time::RunningTime;
use std::collections::VecDeque;
use std::sync::Arc;

/// How far back a name is looked for: elements of a small pipeline take turns.
const LOOKED_AT: usize = 16;

/// A message that waits.
pub(super) struct Letter {
    source: Arc<str>,
    seqnum: Seqnum,
    kind: Kept,
}

/// What happened.
enum Kept {
    State { old: State, new: State, pending: Option<State> },
    Status { status: StreamStatus, owner: Arc<str> },
    Start(Option<u32>),
    Done(Option<RunningTime>),
    Clock(Box<str>),
    Latency,
    Other(Box<MessageKind>),
}

impl Letter {
    /// For what waits already, which it is put behind.
    pub fn close(message: Message, waiting: &VecDeque<Letter>) -> Letter {
        let kind = match message.kind {
            MessageKind::StateChanged { old, new, pending } => Kept::State { old, new, pending },
            MessageKind::StreamStatus { status, owner } => {
                Kept::Status { status, owner: shared(owner, waiting) }
            }
            MessageKind::StreamStart { group_id } => Kept::Start(group_id),
            MessageKind::AsyncDone { running_time } => Kept::Done(running_time),
            MessageKind::NewClock(name) => Kept::Clock(name.into()),
            MessageKind::Latency => Kept::Latency,
            other => Kept::Other(Box::new(other)),
        };
        Letter { source: shared(message.source, waiting), seqnum: message.seqnum, kind }
    }

    pub fn open(self) -> Message {
        let kind = match self.kind {
            Kept::State { old, new, pending } => MessageKind::StateChanged { old, new, pending },
            Kept::Status { status, owner } => {
                MessageKind::StreamStatus { status, owner: owner.as_ref().to_owned() }
            }
            Kept::Start(group_id) => MessageKind::StreamStart { group_id },
            Kept::Done(running_time) => MessageKind::AsyncDone { running_time },
            Kept::Clock(name) => MessageKind::NewClock(name.into()),
            Kept::Latency => MessageKind::Latency,
            Kept::Other(kind) => *kind,
        };
        Message { source: self.source.as_ref().to_owned(), seqnum: self.seqnum, kind }
    }
}

/// The name as one of the last letters has it.
fn shared(name: String, waiting: &VecDeque<Letter>) -> Arc<str> {
    let mut last = waiting.iter().rev().take(LOOKED_AT);
    let known = last.find(|letter| *letter.source == *name);
    known.map_or_else(|| name.into(), |letter| letter.source.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_out_as_it_was_and_names_are_shared() {
        let (source, owner) = ("queue0", "queue0".to_owned());
        let sent = [
            Message::new(source, MessageKind::Latency),
            Message::new(
                source,
                MessageKind::StateChanged {
                    old: State::Null,
                    new: State::Ready,
                    pending: Some(State::Playing),
                },
            ),
            Message::new(
                "queue0.src",
                MessageKind::StreamStatus { status: StreamStatus::Enter, owner },
            ),
            Message::new(source, MessageKind::StreamStart { group_id: Some(7) }),
            Message::new(source, MessageKind::AsyncDone { running_time: Some(RunningTime::ZERO) }),
            Message::new(source, MessageKind::DurationChanged),
            Message::new(source, MessageKind::NewClock("GstSystemClock".to_owned())),
        ];
        let mut waiting = VecDeque::new();
        for message in &sent {
            let letter = Letter::close(message.clone(), &waiting);
            waiting.push_back(letter);
        }
        assert!(Arc::ptr_eq(&waiting[0].source, &waiting[6].source));
        let got: Vec<Message> = waiting.into_iter().map(Letter::open).collect();
        assert_eq!(got, sent);
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<Letter>() <= 48, "{}", size_of::<Letter>());
    }
}
