//! What is known of each access point from minute to minute, kept over a restart.
//!
//! An access point that was asked in vain for two minutes on end is lost; it is told once,
//! and once when it is back. Addresses that it was met by are remembered, so that one that
//! has been silent since the box started is still asked. Interfaces are kept by name:
//! their numbers change from one start of the machine to the next.

use kulkul_model::Moment;
use kulkul_model::session::Mac;
use kulkul_wire::link::Event;
use kulkul_wire::link::desired::AccessPoint;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

/// Minutes on end without an answer that make one lost.
const LOST_AFTER: u32 = 2;

/// What is known of all.
#[derive(Debug)]
pub struct Known {
    file: PathBuf,
    all: BTreeMap<Mac, One>,
    changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct One {
    /// Interface and address by which it was met, the latest last.
    addresses: Vec<(String, IpAddr)>,
    /// The first minute of those on end in which it did not answer.
    since: Option<Moment>,
    missed: u32,
}

#[derive(Serialize, Deserialize)]
struct Row {
    mac: Mac,
    #[serde(flatten)]
    one: One,
}

impl Known {
    /// Reads what an earlier run knew; what cannot be read is learned anew.
    #[must_use]
    pub fn open(file: PathBuf) -> Self {
        let text = std::fs::read(&file).unwrap_or_default();
        let rows: Vec<Row> = serde_json::from_slice(&text).unwrap_or_default();
        Known { file, all: rows.into_iter().map(|r| (r.mac, r.one)).collect(), changed: false }
    }

    /// Forgets those that are not registered any more.
    pub fn keep_only(&mut self, registered: &BTreeSet<Mac>) {
        let before = self.all.len();
        self.all.retain(|mac, _| registered.contains(mac));
        self.changed |= before != self.all.len();
        if self.all.is_empty() && self.changed {
            self.write();
        }
    }

    /// Remembers an address; the oldest over `most` is forgotten.
    pub fn learn(&mut self, mac: Mac, interface: &str, ip: IpAddr, most: usize) {
        let one = self.all.entry(mac).or_default();
        if one.addresses.iter().any(|a| a.0 == interface && a.1 == ip) {
            return;
        }
        one.addresses.push((interface.to_owned(), ip));
        if one.addresses.len() > most {
            one.addresses.remove(0);
        }
        self.changed = true;
    }

    /// Every address at which one of them may be met.
    #[must_use]
    pub fn addresses(&self) -> Vec<(Mac, String, IpAddr)> {
        let each = |(mac, one): (&Mac, &One)| {
            let mac = *mac;
            one.addresses.clone().into_iter().map(move |(interface, ip)| (mac, interface, ip))
        };
        self.all.iter().flat_map(each).collect()
    }

    /// Takes in one minute; gives the events that it brings, and since when each lost one is so.
    pub fn after(
        &mut self,
        at: Moment,
        registered: &[AccessPoint],
        heard: &BTreeMap<Mac, IpAddr>,
    ) -> (Vec<Event>, BTreeMap<Mac, Moment>) {
        let (mut events, mut lost) = (Vec::new(), BTreeMap::new());
        for mac in registered.iter().map(|a| a.mac).collect::<BTreeSet<_>>() {
            let one = self.all.entry(mac).or_default();
            let before = one.clone();
            if heard.contains_key(&mac) {
                let since = one.since.take().filter(|_| one.missed >= LOST_AFTER);
                one.missed = 0;
                if let Some(since) = since {
                    let lost_ms = u64::try_from(at.since_ms(since)).unwrap_or(0);
                    events.push(Event::AccessPointBack { mac, lost_ms });
                }
            } else {
                let since = *one.since.get_or_insert(at);
                one.missed = one.missed.saturating_add(1).min(LOST_AFTER + 1);
                if one.missed == LOST_AFTER {
                    events.push(Event::AccessPointLost { mac, left: heard.len() as u64 });
                }
                if one.missed >= LOST_AFTER {
                    lost.insert(mac, since);
                }
            }
            self.changed |= before != *one;
        }
        if self.changed {
            self.write();
        }
        (events, lost)
    }

    fn write(&mut self) {
        self.changed = false;
        let rows: Vec<Row> = self.all.iter().map(|(mac, one)| Row { mac: *mac, one: one.clone() }).collect();
        let fresh = self.file.with_extension("new");
        let text = serde_json::to_vec(&rows).unwrap_or_default();
        if let Err(error) = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, &self.file)) {
            tracing::warn!(%error, "what is known of access points is in memory only");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Mac = Mac([2, 0, 0, 0, 0, 0xa1]);
    const B: Mac = Mac([2, 0, 0, 0, 0, 0xb2]);

    fn registered() -> Vec<AccessPoint> {
        [A, B].map(|mac| AccessPoint { mac, name: String::new(), address: None }).to_vec()
    }

    fn at(minute: i64) -> Moment {
        Moment::from_ms(minute * 60_000)
    }

    #[test]
    fn a_loss_takes_two_minutes_and_is_told_once_over_a_restart_too() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("access-points.json");
        let ip: IpAddr = "10.77.0.41".parse().unwrap();
        let heard = |macs: &[Mac]| macs.iter().map(|m| (*m, ip)).collect::<BTreeMap<_, _>>();
        let mut known = Known::open(file.clone());
        known.learn(A, "lan0", ip, 4);
        assert_eq!(known.after(at(0), &registered(), &heard(&[A, B])).0, []);
        assert_eq!(known.after(at(1), &registered(), &heard(&[A])).0, [], "one minute is no loss");
        let (events, lost) = known.after(at(2), &registered(), &heard(&[A]));
        assert_eq!(events, [Event::AccessPointLost { mac: B, left: 1 }]);
        assert_eq!(lost, BTreeMap::from([(B, at(1))]), "since the first minute of it");
        assert_eq!(known.after(at(3), &registered(), &heard(&[])).0, []);

        let mut known = Known::open(file.clone());
        assert_eq!(known.addresses(), [(A, "lan0".to_owned(), ip)], "what was known is known");
        assert_eq!(
            known.after(at(4), &registered(), &heard(&[])).0,
            [Event::AccessPointLost { mac: A, left: 0 }]
        );
        let back = known.after(at(6), &registered(), &heard(&[A, B])).0;
        let lost = |mac, minutes: u64| Event::AccessPointBack { mac, lost_ms: minutes * 60_000 };
        assert_eq!(back, [lost(A, 3), lost(B, 5)]);

        known.keep_only(&BTreeSet::new());
        assert!(Known::open(file).addresses().is_empty(), "one that is not registered is forgotten");
    }

    #[test]
    fn an_address_more_pushes_out_the_oldest() {
        let data = tempfile::tempdir().unwrap();
        let mut known = Known::open(data.path().join("x"));
        for n in 1..=5u8 {
            known.learn(A, "lan0", IpAddr::from([10, 77, 0, n]), 4);
        }
        let all: Vec<IpAddr> = known.addresses().into_iter().map(|a| a.2).collect();
        assert_eq!(all.first(), Some(&IpAddr::from([10, 77, 0, 2])));
        assert_eq!(all.len(), 4);
    }
}
