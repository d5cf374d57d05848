//! Messages as they wait on the bus, where nobody may ever read them: small, and with their names told once.
//!
//! Invariant: what is taken out is the message that was put in.
//! In GStreamer: a `GstMessage` holds a reference on its source.
//! Left out: small forms of what is rare.

use crate::event::Seqnum;
use crate::message::{Message, MessageKind, StreamStatus};
use crate::state::State;
use crate::time::RunningTime;
use std::collections::VecDeque;

/// How far back a name is looked for: elements of a small pipeline take turns.
const LOOKED_AT: usize = 16;

/// Messages that wait, and the names in them.
#[derive(Default)]
pub(super) struct Letters {
    waiting: VecDeque<Letter>,
    /// Forgotten when nothing waits, or little of what they were for.
    names: Vec<Box<str>>,
}

/// A message that waits; names by their numbers.
struct Letter {
    source: u32,
    seqnum: Seqnum,
    kind: Kept,
}

/// What happened.
enum Kept {
    State { old: State, new: State, pending: Option<State> },
    Status { status: StreamStatus, owner: u32 },
    Start(u32),
    Done(RunningTime),
    Latency,
    Other(Box<MessageKind>),
}

impl Letters {
    /// Puts a message behind those that wait.
    pub fn put(&mut self, message: Message) {
        let kind = match message.kind {
            MessageKind::StateChanged { old, new, pending } => Kept::State { old, new, pending },
            MessageKind::StreamStatus { status, owner } => {
                Kept::Status { status, owner: self.number(&owner) }
            }
            MessageKind::StreamStart { group_id: Some(group_id) } => Kept::Start(group_id),
            MessageKind::AsyncDone { running_time: Some(running_time) } => Kept::Done(running_time),
            MessageKind::Latency => Kept::Latency,
            other => Kept::Other(Box::new(other)),
        };
        let letter = Letter { source: self.number(&message.source), seqnum: message.seqnum, kind };
        if self.waiting.len() == self.waiting.capacity() {
            // Room for what a small pipeline says until it plays. What nobody reads stays, so a bus takes a
            // quarter more each time, and not as much again.
            self.waiting.reserve_exact((self.waiting.len() / 4).max(24));
        }
        self.waiting.push_back(letter);
    }

    /// Takes the first one out.
    pub fn take(&mut self) -> Option<Message> {
        let Letter { source, seqnum, kind } = self.waiting.pop_front()?;
        let named = |number: u32| self.names[number as usize].as_ref().to_owned();
        let kind = match kind {
            Kept::State { old, new, pending } => MessageKind::StateChanged { old, new, pending },
            Kept::Status { status, owner } => {
                MessageKind::StreamStatus { status, owner: named(owner) }
            }
            Kept::Start(group_id) => MessageKind::StreamStart { group_id: Some(group_id) },
            Kept::Done(time) => MessageKind::AsyncDone { running_time: Some(time) },
            Kept::Latency => MessageKind::Latency,
            Kept::Other(kind) => *kind,
        };
        let source = named(source);
        if self.waiting.is_empty() {
            self.names.clear();
        } else if self.names.len() > 4 * self.waiting.len().max(LOOKED_AT) {
            self.forget_names();
        }
        Some(Message { source, seqnum, kind })
    }

    /// Keeps the names of what waits alone, for a bus that is read but never empty.
    #[cold]
    fn forget_names(&mut self) {
        let names = std::mem::take(&mut self.names);
        let mut waiting = std::mem::take(&mut self.waiting);
        for letter in &mut waiting {
            letter.source = self.number(&names[letter.source as usize]);
            if let Kept::Status { owner, .. } = &mut letter.kind {
                *owner = self.number(&names[*owner as usize]);
            }
        }
        self.waiting = waiting;
    }

    /// The number of a name, which one of the last ones may be.
    fn number(&mut self, name: &str) -> u32 {
        let mut last = self.names.iter().enumerate().rev().take(LOOKED_AT);
        let known = last.find(|(_, known)| &***known == name).map(|(number, _)| number);
        let number = known.unwrap_or_else(|| {
            self.names.push(name.into());
            self.names.len() - 1
        });
        u32::try_from(number).expect("memory ends before four billion names")
    }
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
            Message::new(source, MessageKind::StreamStart { group_id: None }),
            Message::new(source, MessageKind::AsyncDone { running_time: None }),
            Message::new(source, MessageKind::AsyncDone { running_time: Some(RunningTime::ZERO) }),
            Message::new(source, MessageKind::DurationChanged),
            Message::new(source, MessageKind::NewClock("GstSystemClock".to_owned())),
        ];
        let mut letters = Letters::default();
        for _ in 0..2 {
            for message in &sent {
                letters.put(message.clone());
            }
            assert_eq!(letters.names.len(), 2, "{:?}", letters.names);
            let got: Vec<Message> = std::iter::from_fn(|| letters.take()).collect();
            assert_eq!(got, sent);
            assert!(letters.names.is_empty());
        }
    }

    #[test]
    fn names_of_long_ago_are_told_again() {
        let mut letters = Letters::default();
        let sent: Vec<Message> = (0..3 * LOOKED_AT)
            .map(|n| Message::new(format!("e{}", n % (2 * LOOKED_AT)), MessageKind::Latency))
            .collect();
        sent.iter().for_each(|message| letters.put(message.clone()));
        assert_eq!(letters.names.len(), 3 * LOOKED_AT);
        assert_eq!(std::iter::from_fn(|| letters.take()).collect::<Vec<_>>(), sent);
    }

    #[test]
    fn a_bus_that_is_never_empty_forgets_names_too() {
        let mut letters = Letters::default();
        let said = |n: usize| {
            let (source, owner) = (format!("e{n}"), format!("o{n}"));
            Message::new(source, MessageKind::StreamStatus { status: StreamStatus::Leave, owner })
        };
        let sent: Vec<Message> = (0..1_000).map(said).collect();
        let mut got = Vec::new();
        for message in &sent {
            letters.put(message.clone());
            if letters.waiting.len() > 3 {
                got.extend(letters.take());
            }
            assert!(letters.names.len() <= 4 * LOOKED_AT + 2, "{}", letters.names.len());
        }
        got.extend(std::iter::from_fn(|| letters.take()));
        assert_eq!(got, sent);
    }

    #[test]
    fn it_is_small() {
        assert!(size_of::<Letter>() <= 24, "{}", size_of::<Letter>());
    }
}
