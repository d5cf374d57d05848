//! The graph of a deadlock: each task, what it waits for, and who could end that.
//!
//! Invariant: the same deadlock gives the same text: tasks in the order they were started, names in alphabetical order.
//! In GStreamer: none.
//! Left out: proofs. Who *could* end a wait is read off the links, not off what the elements do.

use super::{Deadlock, HELD, Parts, TaskWait, names};
use crate::pipeline::Bin;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Explains a deadlock of a pipeline: its wait-for graph, the circle in it, and what would help.
pub fn deadlock(pipeline: &Bin, deadlock: &Deadlock) -> String {
    let parts = Parts::of(pipeline);
    let mut text = format!("Deadlock at {}: {}.", deadlock.at, deadlock.cause);
    let mut edges = BTreeMap::new();
    let mut advice = BTreeSet::new();
    for wait in &deadlock.waits {
        let _ = write!(text, "\n  {}{}", parts.wait(wait), level(&parts, wait));
        let (by, tasks) = parts.ended_by(wait);
        if !by.is_empty() {
            let _ = write!(text, "\n      ended by {by}");
        }
        for task in &tasks {
            if !deadlock.waits.iter().any(|wait| wait.task == *task) {
                let _ = write!(text, "\n      {task} has ended");
            }
        }
        edges.insert(wait.task.as_str(), tasks);
    }
    if let Some(circle) = circle(&edges) {
        let _ = write!(text, "\nThe circle: {}", circle.join(" → "));
        let among = |wait: &&TaskWait| circle.contains(&wait.task);
        advice.extend(deadlock.waits.iter().filter(among).filter_map(|wait| parts.too_small(wait)));
    }
    for sink in parts.unprerolled() {
        let (tasks, passed) = parts.feeders(sink);
        let helps =
            tasks.iter().filter_map(|task| parts.queue_advice(&passed, task, &deadlock.waits));
        advice.extend(helps);
    }
    for line in advice {
        let _ = write!(text, "\n{line}");
    }
    text
}

fn level(parts: &Parts, wait: &TaskWait) -> String {
    parts.level(&wait.place).trim_end_matches('.').replacen(' ', "; ", 1)
}

impl Parts {
    /// Who could end a wait, in words, and the tasks among them.
    fn ended_by(&self, wait: &TaskWait) -> (String, BTreeSet<String>) {
        if let Some(holder) = &wait.holder {
            return (holder.clone(), BTreeSet::from([holder.clone()]));
        }
        if wait.why == HELD {
            return self.ended_by_playing();
        }
        let Some(element) = self.named(&wait.place) else { return Default::default() };
        let own = self.own_tasks(element);
        let (mut feeders, _) = self.feeders(element);
        if own.contains(&wait.task) {
            let text = format!("data for {}, which {} brings", wait.place, names(&feeders));
            return if feeders.is_empty() { Default::default() } else { (text, feeders) };
        }
        if !feeders.remove(&wait.task) {
            return Default::default();
        }
        let others = if own.is_empty() { feeders } else { own };
        (names(&others), others)
    }

    /// What would make room for a task that waits for it.
    fn too_small(&self, wait: &TaskWait) -> Option<String> {
        let full = self.full(&wait.place);
        let element = self.named(&wait.place)?;
        if full.is_empty() || self.own_tasks(element).contains(&wait.task) {
            return None;
        }
        let limits: Vec<String> = full.iter().map(|(unit, _)| format!("max-size-{unit}")).collect();
        Some(format!(
            "{} is too small for what it waits for: raise its {}, or 0 for no limit.",
            wait.place,
            limits.join(" and ")
        ))
    }

    fn ended_by_playing(&self) -> (String, BTreeSet<String>) {
        let empty = self.unprerolled();
        if empty.is_empty() {
            return ("PLAYING, which the application sets".to_owned(), BTreeSet::new());
        }
        let mut all = BTreeSet::new();
        let mut sinks = Vec::new();
        for sink in empty {
            let (tasks, _) = self.feeders(sink);
            sinks.push(format!(
                "{} has its first buffer, which {} brings",
                sink.name(),
                if tasks.is_empty() { "nobody".to_owned() } else { names(&tasks) }
            ));
            all.extend(tasks);
        }
        (format!("PLAYING, once {}", sinks.join(" and ")), all)
    }
}

/// A way round from a task to itself, the first one in alphabetical order.
fn circle(edges: &BTreeMap<&str, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(
        edges: &BTreeMap<&str, BTreeSet<String>>,
        way: &mut Vec<String>,
        goal: &str,
    ) -> Option<Vec<String>> {
        let last = way.last()?.clone();
        for next in edges.get(last.as_str())? {
            if next == goal {
                way.push(next.clone());
                return Some(way.clone());
            }
            if !way.contains(next) {
                way.push(next.clone());
                if let Some(found) = walk(edges, way, goal) {
                    return Some(found);
                }
                way.pop();
            }
        }
        None
    }
    edges.keys().find_map(|task| walk(edges, &mut vec![(*task).to_owned()], task))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_circle_is_found_and_a_line_is_none() {
        let to = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let line = BTreeMap::from([("a", to(&["b"])), ("b", to(&["c"]))]);
        assert_eq!(circle(&line), None);
        let round = BTreeMap::from([("a", to(&["b"])), ("b", to(&["c", "d"])), ("c", to(&["b"]))]);
        assert_eq!(circle(&round).unwrap(), ["b", "c", "b"]);
        let alone = BTreeMap::from([("a", to(&["a"]))]);
        assert_eq!(circle(&alone).unwrap(), ["a", "a"]);
    }
}
