//! A ghost pad stands on a bin for a pad of something inside it: its *target*.
//!
//! ```text
//!            ┌─ bin ──────────────────────────────┐
//!   src ────▶│ ghost sink ┄┄target┄▶ sink │ child │       data goes straight from src to the child's sink
//!            └────────────────────────────────────┘
//! ```
//!
//! A ghost pad is a detour of the link, not of the data. Who is linked to whom is looked up through
//! ghosts when a streaming thread adopts a link; buffers and events then cross from the one real pad
//! to the other, and a ghost costs nothing, however deep it is nested. What is asked of a ghost pad
//! (caps, queries, events, sticky events, probes) is asked of its target, because exactly the same
//! passes there. A new target or a new peer makes the real source pad link anew, and tell its sticky
//! events again.
//!
//! Invariant: a pad is the target of one ghost or linked, never both; no chunk of a stream ever passes
//! through a ghost pad itself.
//! In GStreamer: `gst/gstghostpad.c` (`gst_ghost_pad_set_target`); there data crosses two extra pads.
//! Left out: activation of its own; a ghost is as active as its target. Sticky events of a ghost that has no target.

use super::probe::Callback;
use super::{LinkError, Pad, PadCore, Peer, ProbeId, ProbeReturn, ProbeType};
use crate::caps::Caps;
use crate::cx::PadId;
use crate::element::Direction;
use crate::runtime::Monitor;
use crate::runtime::prim::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};

/// What only a ghost pad has.
pub(super) struct Ghost {
    /// Number of its inner side, as GStreamer counts them in the names of those.
    proxy: u32,
    /// The child that owns the pad keeps it.
    target: Mutex<Weak<PadCore>>,
    /// Held while the target's probes change.
    probes: Monitor<Probes>,
}

#[derive(Default)]
struct Probes {
    list: Vec<GhostProbe>,
    last_id: u64,
}

/// A probe on a ghost pad: it sits on the target, and moves when that changes.
struct GhostProbe {
    id: ProbeId,
    mask: ProbeType,
    callback: Arc<Callback>,
    /// The callback asked to be removed.
    is_gone: Arc<AtomicBool>,
    sits: Option<(Weak<PadCore>, ProbeId)>,
}

impl PadCore {
    /// A ghost pad of bin `owner`, without a target.
    pub fn new_ghost(
        id: PadId,
        owner: impl Into<Arc<str>>,
        name: &str,
        direction: Direction,
        template_caps: Caps,
    ) -> Arc<PadCore> {
        let mut pad = PadCore::make(id, owner.into(), name, direction, template_caps);
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let proxy = NEXT.fetch_add(1, Ordering::Relaxed);
        pad.ghost =
            Some(Box::new(Ghost { proxy, target: Mutex::default(), probes: Monitor::default() }));
        Arc::new(pad)
    }

    /// Whether this pad stands for another one.
    pub fn is_ghost(&self) -> bool {
        self.ghost.is_some()
    }

    /// The pad that a ghost pad stands for, which may be a ghost pad itself.
    pub fn ghost_target(&self) -> Option<Arc<PadCore>> {
        self.ghost.as_ref()?.target.lock().upgrade()
    }

    /// The pad through which data passes: a ghost pad's target, or that one's; any other pad itself.
    pub fn real(self: &Arc<Self>) -> Option<Arc<PadCore>> {
        let mut at = self.clone();
        while at.is_ghost() {
            at = at.ghost_target()?;
        }
        Some(at)
    }

    /// Makes a ghost pad stand for another pad from now on, or for none. A stream that is under way
    /// goes to the new target with its next buffer.
    ///
    /// # Errors
    /// If this is no ghost pad, the directions differ, the target is linked or has a ghost already,
    /// or stands for this pad itself. Then nothing has changed.
    pub fn set_ghost_target(
        self: &Arc<Self>,
        target: Option<&Arc<PadCore>>,
    ) -> Result<(), LinkError> {
        let Some(ghost) = &self.ghost else {
            return Err(LinkError::NoGhost(self.path()));
        };
        if let Some(target) = target {
            if target.direction != self.direction {
                let kind = self.direction.name();
                return Err(LinkError::GhostDirection(self.path(), target.path(), kind));
            }
            let mut at = Some(target.clone());
            while let Some(pad) = at {
                if Arc::ptr_eq(&pad, self) {
                    return Err(LinkError::GhostOfItself(self.path(), target.path()));
                }
                at = pad.ghost_target();
            }
        }
        let fed_before = self.feeding();
        {
            // Ghost before target, here and nowhere the other way round.
            let mut ours = ghost.target.lock();
            let old = ours.upgrade();
            if let (Some(old), Some(target)) = (&old, target)
                && Arc::ptr_eq(old, target)
            {
                return Ok(());
            }
            if let Some(target) = target {
                let mut theirs = target.peer.lock();
                if let Some(other) = theirs.upgrade() {
                    return Err(LinkError::WasLinked(target.path(), other.path()));
                }
                *theirs = Peer::Ghost(Arc::downgrade(self));
            }
            if let Some(old) = old {
                *old.peer.lock() = Peer::None;
            }
            *ours = target.map(Arc::downgrade).unwrap_or_default();
        }
        self.move_probes(target);
        if let Some(fed) = fed_before {
            fed.adopt_link();
        }
        if let Some(feeding) = self.feeding() {
            feeding.adopt_link();
        }
        Ok(())
    }

    /// Takes a pad out of whatever link it is in: its own, its peer's, or from under its ghost.
    pub fn detach(&self) -> bool {
        let ghost = {
            let mut peer = self.peer.lock();
            match &*peer {
                Peer::None => return false,
                Peer::Sink(_) => None,
                Peer::Src(src) => {
                    let src = src.upgrade();
                    drop(peer);
                    return src.is_some_and(|src| src.unlink());
                }
                Peer::Ghost(ghost) => {
                    let ghost = ghost.upgrade();
                    // Without its ghost, the pad is free at once.
                    if ghost.is_none() {
                        *peer = Peer::None;
                    }
                    ghost
                }
            }
        };
        match ghost {
            Some(ghost) => ghost.set_ghost_target(None).is_ok(),
            None => self.unlink(),
        }
    }

    /// The names of the ghost pads that stand for this pad, the innermost first, as messages name them, and of
    /// the inner side of each.
    pub(crate) fn ghost_names(&self) -> Vec<(String, String)> {
        let mut names = Vec::new();
        let above = |pad: &PadCore| match &*pad.peer.lock() {
            Peer::Ghost(ghost) => ghost.upgrade(),
            _ => None,
        };
        let mut at = above(self);
        while let Some(ghost) = at {
            let outer = format!("{}.{}", ghost.owner, ghost.name);
            let proxy = ghost.ghost.as_ref().map_or(0, |ghost| ghost.proxy);
            let inner = format!("{outer}.proxypad{proxy}");
            names.push((outer, inner));
            at = above(&ghost);
        }
        names
    }

    /// The real pad at the other end, through ghosts on both sides.
    pub fn linked_peer(&self) -> Option<Arc<PadCore>> {
        let mut ghost: Arc<PadCore>;
        let mut at = self;
        loop {
            // No lock of a pad is held while another is asked.
            let (next, is_ghost) = match &*at.peer.lock() {
                Peer::None => return None,
                Peer::Sink(pad) => (pad.clone(), false),
                Peer::Src(pad) => (pad.upgrade()?, false),
                Peer::Ghost(pad) => (pad.upgrade()?, true),
            };
            if !is_ghost {
                return next.real();
            }
            ghost = next;
            at = &ghost;
        }
    }

    /// The real source pad whose data crosses the link this pad is part of.
    pub(super) fn feeding(self: &Arc<Self>) -> Option<Arc<PadCore>> {
        match self.direction {
            Direction::Src => self.real(),
            Direction::Sink => self.linked_peer(),
        }
    }

    pub(super) fn install_ghost_probe(
        &self,
        ghost: &Ghost,
        mask: ProbeType,
        callback: Arc<Callback>,
    ) -> ProbeId {
        let mut probes = ghost.probes.lock();
        probes.last_id += 1;
        let id = ProbeId::new(probes.last_id);
        let is_gone = Arc::new(AtomicBool::new(false));
        let mut probe = GhostProbe { id, mask, callback, is_gone, sits: None };
        if let Some(target) = self.ghost_target() {
            probe.sit_on(&target);
        }
        probes.list.push(probe);
        id
    }

    pub(super) fn uninstall_ghost_probe(&self, ghost: &Ghost, id: ProbeId) {
        let mut probes = ghost.probes.lock();
        if let Some(at) = probes.list.iter().position(|probe| probe.id == id) {
            let mut probe = probes.list.remove(at);
            drop(probes);
            probe.get_up();
        }
    }

    fn move_probes(&self, target: Option<&Arc<PadCore>>) {
        let Some(ghost) = &self.ghost else { return };
        let mut probes = ghost.probes.lock();
        probes.list.retain(|probe| !probe.is_gone.load(Ordering::Acquire));
        for probe in &mut probes.list {
            probe.get_up();
            if let Some(target) = target {
                probe.sit_on(target);
            }
        }
    }
}

impl GhostProbe {
    fn sit_on(&mut self, target: &Arc<PadCore>) {
        let (callback, is_gone) = (self.callback.clone(), self.is_gone.clone());
        let id = target.add_probe(
            self.mask,
            Box::new(move |data| {
                let said = callback.call(data);
                if said == ProbeReturn::Remove {
                    is_gone.store(true, Ordering::Release);
                }
                said
            }),
        );
        self.sits = Some((Arc::downgrade(target), id));
    }

    fn get_up(&mut self) {
        if let Some((target, id)) = self.sits.take()
            && let Some(target) = target.upgrade()
        {
            target.remove_probe(id);
        }
    }
}
