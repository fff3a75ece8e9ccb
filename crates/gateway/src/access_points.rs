//! The place's access points: found by their hardware address, asked every minute, told of.
//!
//! The kernel asks the registered device itself (ARP or neighbour solicitation) for each
//! address that it is known by: its fixed one, its lease, what the neighbour table has.
//! An address that somebody else has by now is left alone. Nothing is changed but the
//! neighbour table's own knowledge.

mod known;

pub use known::Known;

use crate::clock::Clock;
use crate::config::Config;
use crate::kernel::linux::Linux;
use crate::kernel::{Kernel as _, KernelError};
use crate::supervisor::Supervisor;
use kulkul_model::Moment;
use kulkul_model::measurement::Radios;
use kulkul_model::session::Mac;
use kulkul_wire::link::Event;
use kulkul_wire::link::desired::{AccessPoint, Desired, MOST_ACCESS_POINTS};
use kulkul_wire::netlink::routes::Neighbour;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// How long the kernel takes at most to find out, milliseconds: three questions, a second apart.
const PATIENCE_MS: i64 = 4_000;
/// Between two looks at what it found out, milliseconds.
const LOOK_MS: i64 = 250;
/// Addresses of one access point that are tried.
const MOST_ADDRESSES: usize = 4;

/// One access point, for the status and the doctor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its hardware address.
    pub mac: Mac,
    /// What people call it.
    pub name: String,
    /// Where it answered last.
    pub address: Option<IpAddr>,
    /// Whether it answered in the last minute.
    pub answers: bool,
    /// Since when it is lost; none while it is not.
    pub lost_since: Option<Moment>,
    /// Whether somebody is online by its own hardware address: then it is a router, and
    /// whoever is behind it shares one address.
    pub router: bool,
}

/// What was found in the last minute.
pub type Seen = watch::Receiver<Vec<Shown>>;

/// Looks for the access points of the desired state.
#[derive(Default)]
pub struct AccessPoints(Option<Parts>);

struct Parts {
    config: Arc<Config>,
    desired: watch::Receiver<Option<Arc<Desired>>>,
    supervisor: Supervisor,
    clock: Clock,
    known: Known,
    tell: watch::Sender<Vec<Shown>>,
}

impl AccessPoints {
    /// What looks for them, and where what it found is told.
    #[must_use]
    pub fn new(
        config: Arc<Config>,
        desired: watch::Receiver<Option<Arc<Desired>>>,
        supervisor: Supervisor,
        clock: Clock,
    ) -> (Self, Seen) {
        let (tell, seen) = watch::channel(Vec::new());
        let known = Known::open(config.data.join("access-points.json"));
        (AccessPoints(Some(Parts { config, desired, supervisor, clock, known, tell })), seen)
    }

    /// Looks for all of them; gives how many answered and what is to be told of it.
    pub async fn look(&mut self, at: Moment) -> (Radios, Vec<Event>) {
        match &mut self.0 {
            Some(parts) => parts.look(at).await,
            None => (Radios::default(), Vec::new()),
        }
    }
}

impl Parts {
    async fn look(&mut self, at: Moment) -> (Radios, Vec<Event>) {
        let registered: Vec<AccessPoint> = {
            let desired = self.desired.borrow();
            let all = desired.as_ref().map(|d| d.fleet.access_points.as_slice()).unwrap_or_default();
            all.iter().take(MOST_ACCESS_POINTS).cloned().collect()
        };
        self.known.keep_only(&registered.iter().map(|a| a.mac).collect());
        if registered.is_empty() {
            self.tell.send_if_modified(|old| !std::mem::take(old).is_empty());
            return (Radios::default(), Vec::new());
        }
        let heard = match self.ask(&registered).await {
            Ok(heard) => heard,
            Err(error) => {
                // Not to have asked is no loss: this minute says nothing of them.
                tracing::warn!(%error, "access points cannot be asked");
                return (Radios::default(), Vec::new());
            }
        };
        let online: BTreeSet<Mac> = self.supervisor.sessions().await.iter().map(|s| s.mac).collect();
        let (events, lost) = self.known.after(at, &registered, &heard);
        let shown = registered.iter().map(|a| Shown {
            mac: a.mac,
            name: a.name.clone(),
            address: heard.get(&a.mac).copied().or(a.address),
            answers: heard.contains_key(&a.mac),
            lost_since: lost.get(&a.mac).copied(),
            router: online.contains(&a.mac),
        });
        self.tell.send_replace(shown.collect());
        let count = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        let macs: BTreeSet<Mac> = registered.iter().map(|a| a.mac).collect();
        (Radios { known: count(macs.len()), seen: count(heard.len()) }, events)
    }

    /// Has the kernel ask every one; gives those that answered, with an address of each.
    async fn ask(&mut self, registered: &[AccessPoint]) -> Result<BTreeMap<Mac, IpAddr>, KernelError> {
        let wanted: BTreeSet<Mac> = registered.iter().map(|a| a.mac).collect();
        let mut kernel = Linux::open()?;
        let places: BTreeMap<u32, String> = self
            .config
            .segments
            .iter()
            .filter_map(|s| Some((kernel.index(&s.interface)?, s.interface.clone())))
            .collect();
        let neighbours: Vec<Neighbour> =
            kernel.neighbours()?.into_iter().filter(|n| places.contains_key(&n.interface)).collect();
        self.learn(registered, &neighbours, &places);
        for (mac, name, ip) in self.known.addresses() {
            // One whose interface is gone does not answer; that is what is told then.
            let Some(interface) = kernel.index(&name) else { continue };
            let taken = |n: &&Neighbour| n.ip == ip && n.interface == interface;
            let other = neighbours.iter().find(taken).and_then(|n| n.mac).is_some_and(|m| m != mac);
            // Refused where the interface is down: no answer either.
            if !other && let Err(error) = kernel.probe_neighbour(interface, ip, mac) {
                tracing::debug!(%mac, %ip, %error, "an access point is not asked");
            }
        }
        let until = self.clock.mono_ms().saturating_add(PATIENCE_MS);
        loop {
            self.clock.sleep_ms(LOOK_MS).await;
            let mut heard = BTreeMap::new();
            for n in kernel.reachable()?.into_iter().filter(|n| places.contains_key(&n.interface)) {
                if let Some(mac) = n.mac.filter(|m| wanted.contains(m)) {
                    heard.entry(mac).or_insert(n.ip);
                }
            }
            if heard.len() == wanted.len() || self.clock.mono_ms() >= until {
                return Ok(heard);
            }
        }
    }

    /// Collects the addresses by which each is known: its fixed one, its lease, its neighbours' entries.
    fn learn(
        &mut self,
        registered: &[AccessPoint],
        neighbours: &[Neighbour],
        places: &BTreeMap<u32, String>,
    ) {
        let on = |ip: IpAddr| {
            let segment = self.config.segments.iter().find(|s| s.networks().any(|n| n.contains(&ip)))?;
            Some(segment.interface.clone())
        };
        let leases = std::fs::read_to_string(self.config.data.join("leases")).unwrap_or_default();
        let leases: Vec<(Mac, IpAddr)> = leases.lines().filter_map(lease).collect();
        for a in registered {
            let leased = leases.iter().filter(|l| l.0 == a.mac).map(|l| l.1);
            for ip in a.address.into_iter().chain(leased) {
                if let Some(interface) = on(ip) {
                    self.known.learn(a.mac, &interface, ip, MOST_ADDRESSES);
                }
            }
            for n in neighbours.iter().filter(|n| n.mac == Some(a.mac)) {
                if let Some(interface) = places.get(&n.interface) {
                    self.known.learn(a.mac, interface, n.ip, MOST_ADDRESSES);
                }
            }
        }
    }
}

/// A line of dnsmasq's leases: when it ends, hardware address, address.
fn lease(line: &str) -> Option<(Mac, IpAddr)> {
    let mut words = line.split(' ').skip(1);
    let (mac, ip) = (words.next()?, words.next()?);
    Some((Mac::parse(mac).ok()?, ip.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_read_and_anything_else_is_not() {
        let read = lease("1795503600 02:00:00:00:00:a1 10.77.0.41 ap-1 01:02:00:00:00:00:a1");
        assert_eq!(read, Some((Mac([2, 0, 0, 0, 0, 0xa1]), "10.77.0.41".parse().unwrap())));
        for odd in ["", "duid 00:01:00:01", "1795503600 * 10.77.0.41", "x 02:00:00:00:00:a1 nowhere"] {
            assert_eq!(lease(odd), None, "{odd}");
        }
    }
}
