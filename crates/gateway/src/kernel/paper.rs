//! A kernel on paper: remembers tables, elements and neighbours, and enforces nothing.
//!
//! For tests and simulated boxes. It says what it is, so that nobody takes its word
//! for a packet that was dropped.

use super::{Kernel, KernelError};
use ipnet::IpNet;
use kulkul_wire::netlink::queues::{Class, Queue};
use kulkul_wire::netlink::routes::Neighbour;
use kulkul_wire::netlink::tunnel::Route;
use kulkul_wire::netlink::ways::DefaultRoute;
use kulkul_wire::netlink::{Change, Counter, Element, Key, Set};
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is written on the paper.
#[derive(Debug, Default)]
pub struct Sheet {
    /// The last text that was loaded.
    pub text: Option<String>,
    /// Elements by set and key.
    pub elements: BTreeMap<(Set, Key), Element>,
    /// Neighbours, all on interface 1.
    pub neighbours: BTreeMap<IpAddr, kulkul_model::session::Mac>,
    /// Classes by interface and minor number.
    pub classes: BTreeMap<(String, u16), Class>,
    /// Addresses by interface.
    pub addresses: BTreeMap<String, Vec<IpNet>>,
    /// Default routes.
    pub routes: Vec<DefaultRoute>,
    /// Whether the rules of the way in use are there.
    pub steered: bool,
    /// The tunnel's routes, and from which interfaces packets are led to them.
    pub led: (Vec<Route>, Vec<String>),
    /// What the counters of ways say.
    pub carried: BTreeMap<String, Counter>,
    /// Transactions so far.
    pub generation: u32,
    /// Refuses the next change, to see that the caller bears it.
    pub refuse_next: bool,
    /// Refuses so many changes of queues.
    pub refuse_queues: usize,
}

/// A kernel on paper; clones write on the same sheet.
#[derive(Clone, Debug, Default)]
pub struct Paper(Arc<Mutex<Sheet>>);

impl Paper {
    /// The sheet, for looking and for scribbling.
    pub fn sheet(&self) -> MutexGuard<'_, Sheet> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(index: usize, errno: i32) -> KernelError {
    let source = io::Error::from_raw_os_error(errno);
    KernelError::Refused { doing: "changing a set", source, words: None, index: Some(index) }
}

impl Kernel for Paper {
    fn name(&self) -> String {
        "paper (nothing is enforced)".to_owned()
    }

    fn renews(&self) -> bool {
        true
    }

    fn load(&mut self, text: &str) -> Result<(), KernelError> {
        let mut sheet = self.sheet();
        sheet.text = Some(text.to_owned());
        sheet.generation += 1;
        // Elements in the text are not read back: the caller dumps and adds what is missing.
        sheet.elements.clear();
        Ok(())
    }

    fn digest(&mut self) -> Result<Option<String>, KernelError> {
        let sheet = self.sheet();
        let digest = |t: &String| {
            let (_, rest) = t.split_once("kulkul ")?;
            let (_, rest) = rest.split_once("comment \"kulkul ")?;
            Some(rest.chars().take_while(char::is_ascii_hexdigit).collect())
        };
        Ok(sheet.text.as_ref().and_then(digest))
    }

    fn structure(&mut self) -> Result<u64, KernelError> {
        Ok(self.sheet().text.as_ref().map_or(0, |t| t.split("add element").next().map_or(0, str::len)) as u64)
    }

    fn generation(&mut self) -> Result<u32, KernelError> {
        Ok(self.sheet().generation)
    }

    fn change(&mut self, changes: &[Change]) -> Result<(), KernelError> {
        let mut sheet = self.sheet();
        if std::mem::take(&mut sheet.refuse_next) {
            return Err(refused(0, 28));
        }
        let mut next = sheet.elements.clone();
        for (i, change) in changes.iter().enumerate() {
            match change {
                Change::Add(e) => {
                    let there = next.get(&(e.set, e.key)).copied();
                    let extra = there.map_or(e.extra, |t| t.extra);
                    next.insert((e.set, e.key), Element { extra, ..*e });
                }
                Change::Remove(set, key) => {
                    next.remove(&(*set, *key)).ok_or_else(|| refused(i, 2))?;
                }
            }
        }
        sheet.elements = next;
        sheet.generation += 1;
        Ok(())
    }

    fn dump(&mut self, set: Set) -> Result<Vec<Element>, KernelError> {
        Ok(self.sheet().elements.values().filter(|e| e.set == set).copied().collect())
    }

    fn neighbour(&mut self, _: &str, ip: IpAddr) -> Result<Option<Neighbour>, KernelError> {
        let mac = self.sheet().neighbours.get(&ip).copied();
        Ok(mac.map(|mac| Neighbour { interface: 1, ip, mac: Some(mac) }))
    }

    fn neighbours(&mut self) -> Result<Vec<Neighbour>, KernelError> {
        let all = self.sheet();
        Ok(all
            .neighbours
            .iter()
            .map(|(ip, mac)| Neighbour { interface: 1, ip: *ip, mac: Some(*mac) })
            .collect())
    }

    fn addresses(&mut self, interface: &str) -> Result<Vec<IpNet>, KernelError> {
        Ok(self.sheet().addresses.get(interface).cloned().unwrap_or_default())
    }

    fn drop_address(&mut self, interface: &str, net: IpNet) -> Result<(), KernelError> {
        if let Some(all) = self.sheet().addresses.get_mut(interface) {
            all.retain(|n| *n != net);
        }
        Ok(())
    }

    fn ensure_vlan(&mut self, _: &str, _: &str, _: u16) -> Result<(), KernelError> {
        Ok(())
    }

    fn defaults(&mut self) -> Result<Vec<DefaultRoute>, KernelError> {
        Ok(self.sheet().routes.clone())
    }

    fn put_default(&mut self, route: &DefaultRoute) -> Result<(), KernelError> {
        let mut sheet = self.sheet();
        let place = |r: &DefaultRoute| (r.six, r.table, r.metric);
        sheet.routes.retain(|r| place(r) != place(route));
        sheet.routes.push(*route);
        Ok(())
    }

    fn drop_default(&mut self, route: &DefaultRoute) -> Result<(), KernelError> {
        self.sheet().routes.retain(|r| r != route);
        Ok(())
    }

    fn steer(&mut self, on: bool) -> Result<(), KernelError> {
        self.sheet().steered = on;
        Ok(())
    }

    fn set_mtu(&mut self, _: &str, _: u32) -> Result<(), KernelError> {
        Ok(())
    }

    fn lead(&mut self, routes: &[Route], from: &[String]) -> Result<(), KernelError> {
        self.sheet().led = (routes.to_vec(), from.to_vec());
        Ok(())
    }

    fn carried(&mut self) -> Result<BTreeMap<String, Counter>, KernelError> {
        Ok(self.sheet().carried.clone())
    }

    fn ensure_address(&mut self, interface: &str, net: IpNet) -> Result<(), KernelError> {
        let mut sheet = self.sheet();
        let all = sheet.addresses.entry(interface.to_owned()).or_default();
        if !all.contains(&net) {
            all.push(net);
        }
        Ok(())
    }

    fn ensure_link(&mut self, _: &str, _: &str) -> Result<(), KernelError> {
        Ok(())
    }

    fn shape(&mut self, interface: &str, queues: &[Queue]) -> Result<(), KernelError> {
        let mut sheet = self.sheet();
        if sheet.refuse_queues > 0 {
            sheet.refuse_queues -= 1;
            return Err(refused(0, 95));
        }
        for (i, queue) in queues.iter().enumerate() {
            match *queue {
                Queue::Root { .. } | Queue::NoRoot => sheet.classes.retain(|(on, _), _| on != interface),
                Queue::Class(class) => {
                    sheet.classes.insert((interface.to_owned(), class.minor), class);
                }
                Queue::NoClass(minor) => {
                    let there = sheet.classes.remove(&(interface.to_owned(), minor));
                    there.ok_or_else(|| refused(i, 2))?;
                }
                Queue::Leaf(..) | Queue::Through(_) | Queue::NotThrough => {}
            }
        }
        Ok(())
    }

    fn join_packets(&mut self, _: &str, _: bool) -> Result<(), KernelError> {
        Ok(())
    }

    fn classes(&mut self, interface: &str) -> Result<Vec<Class>, KernelError> {
        Ok(self.sheet().classes.iter().filter(|((on, _), _)| on == interface).map(|(_, c)| *c).collect())
    }

    fn index(&self, interface: &str) -> Option<u32> {
        // As the names in tests end: wan0 is 1, wan1 is 2.
        let last = interface.bytes().last().filter(u8::is_ascii_digit);
        Some(last.map_or(1, |digit| u32::from(digit - b'0') + 1))
    }
}
