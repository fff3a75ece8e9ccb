//! Keeping the queues of uplink and place as the orders share the line.
//!
//! The up side waits on the uplink, the down side on the place's interface; where there
//! are several, all of them go through one `ifb` first, because they share one line.
//! A device keeps the number of its class for as long as its session lasts, across
//! restarts of the daemon. Where the kernel cannot share, rates by themselves bound people.

use super::Actor;
use crate::config::{Config, Kind};
use crate::firewall::Caps;
use crate::kernel::KernelError;
use crate::sessions::{Own, Phase};
use crate::shaping::{Leaves, Side, Way};
use kulkul_model::gateway::Capabilities;
use kulkul_model::session::SessionId;
use kulkul_wire::link::Event;
use kulkul_wire::link::desired::LineSection;
use kulkul_wire::netlink::queues::{Class, Queue};
use kulkul_wire::ruleset::classes::{FIRST_DEVICE, OWN};
use std::collections::{BTreeMap, BTreeSet};

/// The interface through whose queues all of the place's go.
pub const TOGETHER: &str = "kulkul-down";

/// How this kernel can share a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Can {
    /// It has classes.
    pub htb: bool,
    /// It has interfaces that only queue.
    pub ifb: bool,
    /// What it has to wait in.
    pub leaves: Leaves,
}

impl From<&Capabilities> for Can {
    fn from(c: &Capabilities) -> Self {
        Can { htb: c.htb, ifb: c.ifb, leaves: Leaves { fq_codel: c.fq_codel, sfq: c.sfq } }
    }
}

/// What is shared, and which numbers of classes are taken.
pub(super) struct Queues {
    can: Can,
    /// Interface and side in force, both ways.
    sides: Vec<(String, Side)>,
    places: Vec<String>,
    /// The ways out.
    uplinks: Vec<String>,
    /// The one in use.
    in_use: usize,
    /// Packets are left single as they come in.
    parted: bool,
    taken: BTreeSet<u16>,
    /// No number below this one is free.
    lowest: u16,
}

impl Queues {
    pub(super) fn new(config: &Config, in_use: usize, can: Can) -> Self {
        let places: Vec<String> = config.segments.iter().map(|s| s.interface.clone()).collect();
        Queues {
            can,
            sides: Vec::new(),
            places,
            uplinks: config.lines().map(|l| l.uplink.interface.clone()).collect(),
            in_use,
            parted: false,
            lowest: FIRST_DEVICE,
            taken: BTreeSet::new(),
        }
    }

    /// Whether packets wait in classes.
    pub(super) fn are_shared(&self) -> bool {
        !self.sides.is_empty()
    }

    pub(super) fn is_shared(&self, way: Way) -> bool {
        self.sides.iter().any(|(_, side)| side.way() == way)
    }

    /// A free number; nothing where nothing is shared.
    pub(super) fn take(&mut self) -> Option<u16> {
        if !self.are_shared() {
            return None;
        }
        let free = (self.lowest..u16::MAX).find(|n| !self.taken.contains(n))?;
        self.taken.insert(free);
        self.lowest = free + 1;
        Some(free)
    }

    pub(super) fn give_back(&mut self, class: u16) {
        self.taken.remove(&class);
        self.lowest = self.lowest.min(class);
    }

    /// The interface that the place's packets wait on; nothing where they cannot wait together.
    fn down(&self) -> Option<&str> {
        match self.places.as_slice() {
            [one] => Some(one),
            _ => self.can.ifb.then_some(TOGETHER),
        }
    }

    /// Every interface that a tree of ours may be on.
    fn interfaces(&self) -> impl Iterator<Item = &str> {
        self.uplinks.iter().map(String::as_str).chain(self.down())
    }

    /// The interface of the way in use.
    fn uplink(&self) -> String {
        self.uplinks.get(self.in_use).cloned().unwrap_or_default()
    }

    /// From now on the up side waits on the way with this number.
    pub(super) fn leave_by(&mut self, line: usize) {
        self.in_use = line;
        // Its packets may come in joined.
        self.parted = false;
    }
}

impl Actor {
    /// What bounds an address by itself: rates of those ways in which the line is not shared.
    pub(super) fn caps(&self, own: Option<Own>) -> Caps {
        let all = Caps::of(&self.orders.plan, own);
        Caps {
            up: all.up.filter(|_| !self.queues.is_shared(Way::Up)),
            down: all.down.filter(|_| !self.queues.is_shared(Way::Down)),
            class: None,
        }
    }

    /// Shares the line out as the orders say; makes and changes classes, removes those of nobody.
    pub(super) fn share_out(&mut self) -> Result<(), KernelError> {
        let sides = self.sides();
        if sides.iter().any(|(on, _)| on == TOGETHER) {
            self.kernel.ensure_link(TOGETHER, "ifb")?;
        }
        self.queues.sides = sides;
        self.number_people();
        self.queue_up()?;
        self.part_packets();
        if self.queues.sides.iter().any(|(on, _)| on == TOGETHER) {
            let through = self.kernel.index(TOGETHER).map(Queue::Through);
            for place in self.queues.places.clone() {
                self.kernel.shape(&place, through.as_slice())?;
            }
        }
        Ok(())
    }

    /// Lets packets stay single where they take turns, and be joined again where they do not.
    ///
    /// A flow's packets that came in joined would leave as one: one greedy flow's turn would
    /// be forty frames long, whatever the quantum says.
    fn part_packets(&mut self) {
        let shared = self.queues.are_shared();
        if self.queues.parted == shared {
            return;
        }
        for on in self.queues.uplinks.clone().into_iter().chain(self.queues.places.clone()) {
            if let Err(error) = self.kernel.join_packets(&on, !shared) {
                tracing::info!(%error, on, "turns of this interface's packets may be long");
            }
        }
        self.queues.parted = shared;
    }

    /// What the orders ask for and this kernel can do.
    fn sides(&self) -> Vec<(String, Side)> {
        let (plan, can) = (&self.orders.plan, self.queues.can);
        let line = &self.line();
        if !can.htb {
            return Vec::new();
        }
        let up = Side::of(line, plan, Way::Up, can.leaves).map(|s| (self.queues.uplink(), s));
        let down = Side::of(line, plan, Way::Down, can.leaves);
        let down = down.and_then(|s| Some((self.queues.down()?.to_owned(), s)));
        up.into_iter().chain(down).collect()
    }

    /// The line in use: as the orders have it, with its own rates where it is the community's.
    fn line(&self) -> LineSection {
        let ordered = self.orders.line.clone();
        match self.config.backup.as_ref().filter(|_| self.queues.in_use > 0) {
            Some(own) => LineSection { down_kbps: own.down_kbps, up_kbps: own.up_kbps, ..ordered },
            None => ordered,
        }
    }

    /// Goes on without sharing until the queues are looked at again.
    pub(super) fn share_no_more(&mut self) {
        self.queues.sides.clear();
        self.number_people();
    }

    /// Gives everybody a class, or takes it away, and the caps that go with it.
    fn number_people(&mut self) {
        let caps: Vec<Caps> = self.sessions.iter().map(|l| self.caps(l.own)).collect();
        let shared = self.queues.are_shared();
        self.queues.taken = self.sessions.iter().filter_map(|l| l.caps.class).filter(|_| shared).collect();
        self.queues.lowest = FIRST_DEVICE;
        let mut renumbered = Vec::new();
        for (live, caps) in self.sessions.iter_mut().zip(caps) {
            let class = if shared { live.caps.class.or_else(|| self.queues.take()) } else { None };
            if class != live.caps.class {
                renumbered.push(live.id);
            }
            live.caps = Caps { class, ..caps };
        }
        // The number must be the same after a crash: packets are in the class already.
        for id in renumbered {
            if let Some(live) = self.sessions.get(id).cloned() {
                self.write_down(&live);
            }
        }
    }

    /// Makes the classes of the sides in force what they should be; returns how many were not.
    fn queue_up(&mut self) -> Result<usize, KernelError> {
        let mut changed = 0;
        for (on, side) in self.queues.sides.clone() {
            let is = self.kernel.classes(&on)?;
            let devices = self.sessions.iter().filter(|l| l.phase == Phase::Online);
            let devices = devices.filter_map(|l| Some(side.device(l.caps.class?, l.kind, l.own)));
            let wanted: Vec<Class> = side.frame().into_iter().chain(devices).collect();
            let there: BTreeMap<u16, Class> = is.iter().map(|c| (c.minor, *c)).collect();
            let moved = |c: &Class| there.get(&c.minor).is_some_and(|t| t.parent != c.parent);
            let mut queues = Vec::new();
            if there.is_empty() || wanted.iter().any(moved) {
                // A class cannot be moved below another one: the tree is begun anew. That no
                // tree of ours was there is no fault.
                let _ = self.kernel.shape(&on, &[Queue::NoRoot]);
                queues.push(Queue::Root { default: OWN });
                queues.extend(
                    wanted.iter().flat_map(|c| [Queue::Class(*c), Queue::Leaf(c.minor, side.leaf(c))]),
                );
            } else {
                for class in &wanted {
                    match there.get(&class.minor) {
                        Some(same) if same == class => {}
                        _ => {
                            queues.extend([Queue::Class(*class), Queue::Leaf(class.minor, side.leaf(class))])
                        }
                    }
                }
                let keep: BTreeSet<u16> = wanted.iter().map(|c| c.minor).collect();
                // Those below first.
                let stale = is.iter().rev().filter(|c| !keep.contains(&c.minor));
                queues.extend(stale.map(|c| Queue::NoClass(c.minor)));
            }
            // Classes above others hold no leaf.
            queues.retain(|q| !matches!(q, Queue::Leaf(minor, _) if is_above(*minor)));
            changed += queues.iter().filter(|q| !matches!(q, Queue::Leaf(..))).count();
            self.kernel.shape(&on, &queues)?;
        }
        Ok(changed)
    }

    /// Takes away trees of ours on interfaces where nothing is shared any more.
    pub(super) fn clear_queues(&mut self) -> Result<(), KernelError> {
        let shared: Vec<&String> = self.queues.sides.iter().map(|(on, _)| on).collect();
        let rest: Vec<String> = self
            .queues
            .interfaces()
            .filter(|on| !shared.iter().any(|s| s == on))
            .map(str::to_owned)
            .collect();
        for on in rest {
            if self.kernel.index(&on).is_some() && !self.kernel.classes(&on)?.is_empty() {
                self.kernel.shape(&on, &[Queue::NoRoot])?;
            }
        }
        self.part_packets();
        Ok(())
    }

    /// Puts right what somebody else did to the queues; tells the journal.
    pub(super) fn mend_queues(&mut self) -> Result<(), KernelError> {
        if self.queues.sides.len() != self.sides().len() {
            // An interface was not there, or the kernel refused: tried again.
            return self.enforce_orders();
        }
        let changed = self.queue_up()?;
        if changed > 0 {
            tracing::warn!(changed, "the queues were put right");
            self.event(Event::RulesetHealed { what: format!("{changed} queues were not ours") });
        }
        Ok(())
    }

    /// Makes a device's class both ways; without it its packets wait with the box's own.
    pub(super) fn make_class(&mut self, minor: u16, kind: Kind, own: Option<Own>) {
        for (on, side) in &self.queues.sides {
            let class = side.device(minor, kind, own);
            let queues = [Queue::Class(class), Queue::Leaf(minor, side.leaf(&class))];
            if let Err(error) = self.kernel.shape(on, &queues) {
                tracing::warn!(%error, on, "a device has no class until the queues are looked at");
            }
        }
    }

    /// Takes a device's class away.
    pub(super) fn drop_class(&mut self, id: SessionId, minor: u16) {
        for (on, _) in &self.queues.sides {
            if let Err(error) = self.kernel.shape(on, &[Queue::NoClass(minor)]) {
                tracing::debug!(%error, on, "a class that was gone already");
            }
        }
        self.queues.give_back(minor);
        if let Some(live) = self.sessions.get_mut(id) {
            live.caps.class = None;
        }
    }
}

fn is_above(minor: u16) -> bool {
    use kulkul_wire::ruleset::classes::{LINE, PUBLIC, STAFF};
    [LINE, PUBLIC, STAFF].contains(&minor)
}
