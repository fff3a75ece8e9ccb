//! Keeping the ways out: the routes of the one in use, addresses that change, what each carried.
//!
//! Going over changes one default route of each family, the queues, and nothing else:
//! sessions, table and elements stay. Where the box has one way that the system set up,
//! it leaves routes and rules alone.

use super::Actor;
use super::carried::Kept;
use crate::config::{Config, UplinkKind};
use crate::kernel::{Kernel, KernelError, leased};
use crate::ways::{self, Lease, LineState, Why};
use ipnet::IpNet;
use kulkul_wire::link::Event;
use kulkul_wire::netlink::ways::{DefaultRoute, MAIN, TABLE};
use std::net::IpAddr;

/// The metric of the way in use, alone in its table.
const IN_USE: u32 = 10;
/// The ways out.
pub(super) struct Ways {
    pub(super) kept: Kept,
    /// Addresses by way.
    addresses: Vec<Vec<IpNet>>,
    /// What ways that the box sets itself were given.
    leases: Vec<Option<Lease>>,
    troubles: Vec<Option<String>>,
    overlaps: Vec<Option<String>>,
    interfaces: Vec<String>,
    /// When the journal was told last what each carried, monotonic milliseconds.
    pub(super) told_ms: i64,
}

impl Ways {
    /// As the last run left them, with the addresses of now.
    pub(super) fn open(config: &Config, kernel: &mut dyn Kernel, mono_ms: i64) -> Result<Self, KernelError> {
        let mut kept = Kept::open(&config.data);
        let interfaces: Vec<String> = config.lines().map(|l| l.uplink.interface.clone()).collect();
        if kept.in_use >= interfaces.len() {
            kept.in_use = 0;
        }
        let addresses = interfaces.iter().map(|i| kernel.addresses(i)).collect::<Result<_, _>>()?;
        Ok(Ways {
            kept,
            addresses,
            leases: config
                .lines()
                .map(|l| (l.uplink.kind == UplinkKind::Static).then(|| Lease::written(l.uplink)))
                .collect(),
            troubles: vec![None; interfaces.len()],
            overlaps: vec![None; interfaces.len()],
            interfaces,
            told_ms: mono_ms,
        })
    }

    /// The addresses of all ways.
    pub(super) fn addresses(&self) -> Vec<IpNet> {
        self.addresses.concat()
    }

    /// The addresses of each way with its interface.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &[IpNet])> {
        self.interfaces.iter().map(String::as_str).zip(self.addresses.iter().map(Vec::as_slice))
    }

    /// The number of the way in use.
    pub(super) fn in_use(&self) -> usize {
        self.kept.in_use
    }

    pub(super) fn are_many(&self) -> bool {
        self.interfaces.len() > 1
    }
}

impl Actor {
    /// Puts routes and rules in force at the start.
    pub(super) fn begin_ways(&mut self) {
        self.write_servers();
        if let Err(error) = self.keep_ways() {
            tracing::error!(%error, "the ways out");
        }
    }

    /// Looks at addresses and routes of every way, and puts right what is not as it should be.
    pub(super) fn keep_ways(&mut self) -> Result<(), KernelError> {
        let vlans: Vec<(String, String, u16)> = self
            .config
            .lines()
            .filter_map(|l| l.uplink.vlan_link())
            .map(|(name, below, id)| (name.to_owned(), below.to_owned(), id))
            .collect();
        for (name, below, id) in vlans {
            self.make_vlan(&name, &below, id);
        }
        self.set_leased()?;
        self.follow_addresses()?;
        self.steer()?;
        self.count_ways();
        self.show_ways();
        Ok(())
    }

    /// Takes in what a way was given, or that it has nothing.
    pub(super) fn leased(&mut self, line: usize, lease: Option<Lease>, trouble: Option<String>) {
        let overlap = lease.as_ref().and_then(|l| {
            let name = self.ways.interfaces.get(line)?;
            self.config.check_uplink(name, &l.addresses).err()
        });
        // An address that hides the place's own network is worse than none.
        let lease = lease.filter(|_| overlap.is_none());
        if let (Some(error), Some(name)) = (overlap, self.ways.interfaces.get(line).cloned()) {
            tracing::error!(%error, name, "what the provider gave is refused");
            self.overlaps(line, &name, Some(error.to_string()));
        }
        if let Some(place) = self.ways.troubles.get_mut(line) {
            *place = trouble;
        }
        if let Some(place) = self.ways.leases.get_mut(line) {
            let old = std::mem::replace(place, lease);
            let now = place.clone().unwrap_or_default();
            if let (Some(old), Some(name)) = (old, self.ways.interfaces.get(line).cloned()) {
                for gone in old.addresses.iter().filter(|a| !now.addresses.contains(a)) {
                    // The kernel drops the connections that were translated to it.
                    if let Err(error) = self.kernel.drop_address(&name, *gone) {
                        tracing::warn!(%error, %gone, "an address that is not ours any more stays");
                    }
                }
            }
        }
        self.write_servers();
        if let Err(error) = self.keep_ways() {
            tracing::warn!(%error, "a way's new address");
        }
    }

    /// Writes the servers for names that come with the ways, those of the way in use first.
    fn write_servers(&self) {
        let file = self.config.resolv_conf();
        if !file.starts_with(&self.config.data) {
            return;
        }
        let of = |line: usize| self.ways.leases.get(line).cloned().flatten().unwrap_or_default().dns;
        let first = self.ways.in_use();
        let others = (0..self.ways.interfaces.len()).filter(|l| *l != first);
        let mut servers: Vec<IpAddr> = of(first).into_iter().chain(others.flat_map(of)).collect();
        servers.dedup();
        if let Err(error) = ways::write_servers(&file, &servers) {
            tracing::warn!(%error, "the provider's servers for names");
        }
    }

    /// Gives ways that the box sets itself their addresses, and the main table their routes.
    fn set_leased(&mut self) -> Result<(), KernelError> {
        let lines: Vec<_> = self.config.lines().map(|l| l.uplink.clone()).collect();
        for (line, uplink) in lines.iter().enumerate() {
            if let Some(lease) = self.ways.leases.get(line).cloned().flatten() {
                leased::set(self.kernel.as_mut(), line, uplink, &lease)?;
            }
        }
        Ok(())
    }

    /// Follows addresses that changed: the ranges that public people never reach, and the journal.
    fn follow_addresses(&mut self) -> Result<(), KernelError> {
        let mut changed = false;
        for (line, name) in self.ways.interfaces.clone().into_iter().enumerate() {
            let now = self.kernel.addresses(&name)?;
            let Some(before) = self.ways.addresses.get_mut(line) else { continue };
            if *before == now {
                continue;
            }
            let before = std::mem::replace(before, now.clone());
            changed = true;
            let (from, to) = (shown(&before), shown(&now));
            if from != to {
                tracing::info!(name, from, to, "an uplink's address changed");
                self.event(Event::UplinkMoved { interface: name.clone(), from, to });
            }
            // It may be gone again in a minute; people who are online are not put out for it.
            let error = self.config.check_uplink(&name, &now).err();
            self.overlaps(line, &name, error.map(|e| e.to_string()));
        }
        if changed && self.policy().digest() != self.digest { self.load() } else { Ok(()) }
    }

    fn overlaps(&mut self, line: usize, name: &str, why: Option<String>) {
        let Some(before) = self.ways.overlaps.get_mut(line) else { return };
        if *before == why {
            return;
        }
        before.clone_from(&why);
        if let Some(why) = why {
            tracing::error!(name, why, "an uplink's network overlaps the place's");
            self.event(Event::UplinkOverlaps { interface: name.to_owned(), why });
        }
    }

    /// Makes the way in use the one that packets without a more specific route leave by.
    fn steer(&mut self) -> Result<(), KernelError> {
        if !self.ways.are_many() {
            return Ok(());
        }
        let index = self.ways.interfaces.get(self.ways.in_use()).and_then(|name| self.kernel.index(name));
        let all = self.kernel.defaults()?;
        for six in [false, true] {
            let best = all.iter().filter(|r| r.six == six && r.table == MAIN && Some(r.interface) == index);
            let best = best.min_by_key(|r| r.metric);
            let now = all.iter().find(|r| r.six == six && r.table == TABLE && r.metric == IN_USE);
            // Without a way for this family people are told so at once, instead of waiting for a dead line.
            let wanted = best.map_or(
                DefaultRoute { six, table: TABLE, interface: 0, gateway: None, metric: IN_USE, ours: true },
                |best| DefaultRoute { table: TABLE, metric: IN_USE, ours: true, ..*best },
            );
            if now != Some(&wanted) {
                self.kernel.put_default(&wanted)?;
            }
        }
        self.kernel.steer(true)
    }

    /// Goes over to another way; whoever is online stays so.
    pub(super) fn go_over(&mut self, to: usize, why: Why) {
        if to == self.ways.in_use() || to >= self.ways.interfaces.len() {
            return;
        }
        self.ways.kept.in_use = to;
        if let Err(error) = self.keep_ways() {
            tracing::error!(%error, "going over to another way");
        }
        // Only now does nothing more leave by the old one.
        self.count_ways();
        self.tell_carried();
        self.keep_carried();
        self.write_servers();
        self.queues.leave_by(to);
        if let Err(error) = self.enforce_orders() {
            tracing::error!(%error, "the queues of another way");
            self.upkeep.suspicious = true;
        }
        let owner = self.config.lines().nth(to).map(|l| l.owner.to_owned()).unwrap_or_default();
        let (to, why) = (ways::name(to).to_owned(), why.as_str().to_owned());
        tracing::warn!(to, why, owner, "the place goes over to another way out");
        self.event(Event::UplinkSwitched { to, why, owner });
        self.show_ways();
    }

    /// Shows the ways to whoever asks.
    pub(super) fn show_ways(&mut self) {
        let in_use = self.ways.in_use();
        let states: Vec<LineState> = self
            .config
            .lines()
            .enumerate()
            .map(|(line, l)| {
                let [up_bytes, down_bytes] =
                    self.ways.kept.carried.get(line).map(|c| c.total).unwrap_or_default();
                LineState {
                    name: ways::name(line).to_owned(),
                    interface: l.uplink.interface.clone(),
                    kind: l.uplink.kind.as_str().to_owned(),
                    owner: l.owner.to_owned(),
                    in_use: line == in_use,
                    answers: None,
                    addresses: self.ways.addresses.get(line).cloned().unwrap_or_default(),
                    overlap: self.ways.overlaps.get(line).cloned().flatten(),
                    trouble: self.ways.troubles.get(line).cloned().flatten(),
                    up_bytes,
                    down_bytes,
                }
            })
            .collect();
        self.lines.send_if_modified(|old| {
            let changed = *old != states;
            *old = states;
            changed
        });
    }
}

/// Addresses in words, without those that every interface has.
fn shown(addresses: &[IpNet]) -> String {
    let is_local = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let mut all: Vec<String> =
        addresses.iter().filter(|a| !is_local(a.addr())).map(ToString::to_string).collect();
    all.sort();
    all.join(", ")
}
