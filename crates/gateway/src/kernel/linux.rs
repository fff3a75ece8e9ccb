//! Linux: nf_tables and rtnetlink by raw sockets, `nft -f` for the whole table.

mod outward;
mod socket;
mod tunnel;

use super::{Kernel, KernelError};
use ipnet::IpNet;
use kulkul_model::session::Mac;
use kulkul_wire::netlink::message::Message;
use kulkul_wire::netlink::queues::{self, Class, Queue};
use kulkul_wire::netlink::routes::{self, Neighbour};
use kulkul_wire::netlink::tables::{self, Part};
use kulkul_wire::netlink::tunnel::Route;
use kulkul_wire::netlink::ways::{self, DefaultRoute};
use kulkul_wire::netlink::{Change, Counter, Element, Set};
use kulkul_wire::netlink::{devices, features};
use outward::{NO_SUCH, unless};
use socket::Talk;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::net::IpAddr;
use std::process::{Command, Stdio};

const NETFILTER: isize = 12;
const ROUTE: isize = 0;
const GENERIC: isize = 16;

/// Changes of queues in one datagram: their acknowledgements fit the socket's buffer.
const QUEUES_AT_ONCE: usize = 200;

/// How often a dump that was interrupted by a change is read again.
const DUMP_TRIES: u32 = 5;

/// The kernel of this machine, in the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct Linux {
    filter: Talk,
    route: Talk,
    release: String,
    renews: bool,
}

impl Linux {
    /// Opens the sockets; needs CAP_NET_ADMIN.
    ///
    /// # Errors
    /// `KernelError::Io` when a socket cannot be opened.
    pub fn open() -> Result<Self, KernelError> {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let release = release.trim().to_owned();
        let renews = version(&release) >= (6, 12);
        Ok(Linux { filter: Talk::open(NETFILTER)?, route: Talk::open(ROUTE)?, release, renews })
    }

    /// Behaves as kernels before 6.12 need it, whatever this one is; for tests.
    pub fn pretend_old(&mut self) {
        self.renews = false;
    }

    /// Makes a link of a kind such as `ifb`.
    ///
    /// # Errors
    /// `KernelError::Refused` where the kernel does not know the kind.
    pub fn add_link(&mut self, name: &str, kind: &str) -> Result<(), KernelError> {
        self.route.ask("making a link", |seq| devices::add_link(name, kind, seq), |_| ())
    }

    /// Puts a queue discipline of a kind such as `fq_codel` in place of an interface's own.
    ///
    /// # Errors
    /// `KernelError::Refused` where the kernel does not know the kind.
    pub fn replace_root(&mut self, interface: u32, kind: &str) -> Result<(), KernelError> {
        let doing = "setting a queue discipline";
        self.route.ask(doing, |seq| devices::replace_root(interface, kind, seq), |_| ())
    }

    /// Has the kernel ask a device whether it still answers for an address.
    ///
    /// # Errors
    /// `KernelError::Refused` where the interface is gone or down.
    pub fn probe_neighbour(&mut self, interface: u32, ip: IpAddr, mac: Mac) -> Result<(), KernelError> {
        let doing = "probing a neighbour";
        self.route.ask(doing, |seq| routes::probe_neighbour(interface, ip, mac, seq), |_| ())
    }

    /// The neighbours that were heard within the last seconds.
    ///
    /// # Errors
    /// `KernelError` when the kernel cannot be asked.
    pub fn reachable(&mut self) -> Result<Vec<Neighbour>, KernelError> {
        self.neighbours_where(routes::is_reachable)
    }

    fn neighbours_where(&mut self, wanted: fn(&Message<'_>) -> bool) -> Result<Vec<Neighbour>, KernelError> {
        let doing = "reading neighbours";
        let mut all = Vec::new();
        for six in [false, true] {
            all.extend(self.dump_all(
                doing,
                false,
                |seq| routes::neighbours(six, seq),
                |m, out| {
                    if wanted(m) {
                        out.extend(routes::neighbour_from(m).map_err(garbled(doing))?);
                    }
                    Ok(())
                },
            )?);
        }
        Ok(all)
    }

    fn number(&self, interface: &str) -> Result<u32, KernelError> {
        let source =
            || std::io::Error::new(std::io::ErrorKind::NotFound, format!("no interface {interface}"));
        self.index(interface).ok_or_else(|| KernelError::Io { doing: "changing queues", source: source() })
    }

    fn dump_all<T>(
        &mut self,
        doing: &'static str,
        filter: bool,
        ask: impl Fn(u32) -> Vec<u8>,
        mut read: impl FnMut(&Message<'_>, &mut Vec<T>) -> Result<(), KernelError>,
    ) -> Result<Vec<T>, KernelError> {
        let talk = if filter { &mut self.filter } else { &mut self.route };
        for _ in 0..DUMP_TRIES {
            let mut out = Vec::new();
            if talk.dump(doing, &ask, |m| read(m, &mut out))? {
                return Ok(out);
            }
        }
        // Five changes in five dumps: what the last one saw would be a guess.
        Err(KernelError::Io { doing, source: std::io::ErrorKind::Interrupted.into() })
    }
}

/// Major and minor number of a release such as `6.18.44-amd64`.
fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(['.', '-']).map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn garbled(doing: &'static str) -> impl Fn(kulkul_wire::netlink::Garbled) -> KernelError {
    move |source| KernelError::Garbled { doing, source }
}

impl Kernel for Linux {
    fn name(&self) -> String {
        format!("Linux {}", self.release)
    }

    fn renews(&self) -> bool {
        self.renews
    }

    fn load(&mut self, text: &str) -> Result<(), KernelError> {
        let io = |source| KernelError::Io { doing: "running nft", source };
        let mut child = Command::new("nft")
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(io)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A broken pipe means that nft has given up; it says why below.
            let _ = stdin.write_all(text.as_bytes());
        }
        let done = child.wait_with_output().map_err(io)?;
        if done.status.success() {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&done.stderr);
        let first: Vec<&str> = words.lines().take(3).map(str::trim).collect();
        Err(KernelError::Nft(first.join(" | ")))
    }

    fn digest(&mut self) -> Result<Option<String>, KernelError> {
        let mut digest = None;
        let asked = self.filter.ask("asking for the table", tables::table, |m| {
            // A table without our comment is somebody else's idea of ours: a digest that never fits.
            digest = Some(tables::table_digest(m).unwrap_or_default());
        });
        match asked {
            Ok(()) => Ok(digest),
            Err(e) if e.is_missing() => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn structure(&mut self) -> Result<u64, KernelError> {
        let mut hasher = DefaultHasher::new();
        for part in Part::ALL {
            let doing = "reading the table";
            let bodies = self.dump_all(
                doing,
                true,
                |seq| tables::structure(part, seq),
                |m, out| {
                    out.extend(tables::lasting(m, part));
                    Ok(())
                },
            )?;
            bodies.hash(&mut hasher);
        }
        Ok(hasher.finish())
    }

    fn generation(&mut self) -> Result<u32, KernelError> {
        let mut generation = None;
        self.filter.ask("asking for the generation", tables::generation, |m| {
            generation = generation.or(tables::generation_from(m));
        })?;
        Ok(generation.unwrap_or(0))
    }

    fn change(&mut self, changes: &[Change]) -> Result<(), KernelError> {
        if changes.is_empty() { Ok(()) } else { self.filter.batch(changes) }
    }

    fn dump(&mut self, set: Set) -> Result<Vec<Element>, KernelError> {
        let doing = "reading a set";
        self.dump_all(
            doing,
            true,
            |seq| tables::dump(set, seq),
            |m, out| tables::elements(m, set, out).map_err(garbled(doing)),
        )
    }

    fn neighbour(&mut self, interface: &str, ip: IpAddr) -> Result<Option<Neighbour>, KernelError> {
        let doing = "asking for a neighbour";
        let Some(index) = self.index(interface) else { return Ok(None) };
        let mut found = Ok(None);
        let asked = self.route.ask(
            doing,
            |seq| routes::neighbour(index, ip, seq),
            |m| {
                if let Some(n) = routes::neighbour_from(m).transpose() {
                    found = n.map(Some).map_err(garbled(doing));
                }
            },
        );
        match asked {
            Ok(()) => found,
            Err(e) if e.is_missing() => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn neighbours(&mut self) -> Result<Vec<Neighbour>, KernelError> {
        self.neighbours_where(|_| true)
    }

    fn addresses(&mut self, interface: &str) -> Result<Vec<IpNet>, KernelError> {
        let doing = "reading addresses";
        let index = self.index(interface);
        self.dump_all(doing, false, routes::addresses, |m, out| {
            let found = routes::address_from(m).map_err(garbled(doing))?;
            out.extend(found.filter(|(i, _)| Some(*i) == index).map(|(_, net)| net));
            Ok(())
        })
    }

    fn ensure_address(&mut self, interface: &str, net: IpNet) -> Result<(), KernelError> {
        let doing = "setting an interface's address";
        let Some(index) = self.index(interface) else {
            let source =
                std::io::Error::new(std::io::ErrorKind::NotFound, format!("there is no {interface}"));
            return Err(KernelError::Io { doing, source });
        };
        self.route.ask(doing, |seq| routes::link_up(index, seq), |_| ())?;
        if self.addresses(interface)?.contains(&net) {
            return Ok(());
        }
        self.route.ask(doing, |seq| routes::add_address(index, net, seq), |_| ())
    }

    fn ensure_link(&mut self, name: &str, kind: &str) -> Result<(), KernelError> {
        if self.index(name).is_none() {
            self.add_link(name, kind)?;
        }
        self.switch_on(name)
    }

    fn shape(&mut self, interface: &str, queues: &[Queue]) -> Result<(), KernelError> {
        let number = self.number(interface)?;
        queues.chunks(QUEUES_AT_ONCE).try_for_each(|part| {
            self.route.many("changing queues", part.len(), |i, seq| {
                part.get(i).map(|q| queues::encode(number, q, seq)).unwrap_or_default()
            })
        })
    }

    fn drop_address(&mut self, interface: &str, net: IpNet) -> Result<(), KernelError> {
        let Some(index) = self.index(interface) else { return Ok(()) };
        if !self.addresses(interface)?.contains(&net) {
            return Ok(());
        }
        self.route.ask("taking an address away", |seq| routes::remove_address(index, net, seq), |_| ())
    }

    fn ensure_vlan(&mut self, name: &str, below: &str, id: u16) -> Result<(), KernelError> {
        self.switch_on(below)?;
        let number = self.number(below)?;
        if self.index(name).is_none() {
            let doing = "making a VLAN's link";
            self.route.ask(doing, |seq| devices::add_vlan(name, number, id, seq), |_| ())?;
        }
        let number = self.number(name)?;
        self.route.ask("switching a link on", |seq| routes::link_up(number, seq), |_| ())
    }

    fn defaults(&mut self) -> Result<Vec<DefaultRoute>, KernelError> {
        self.default_routes()
    }

    fn put_default(&mut self, route: &DefaultRoute) -> Result<(), KernelError> {
        self.route.ask("setting a default route", |seq| ways::put(route, seq), |_| ())
    }

    fn drop_default(&mut self, route: &DefaultRoute) -> Result<(), KernelError> {
        let gone = self.route.ask("taking a default route away", |seq| ways::remove(route, seq), |_| ());
        unless(gone, NO_SUCH)
    }

    fn steer(&mut self, on: bool) -> Result<(), KernelError> {
        self.set_rules(on)
    }

    fn set_mtu(&mut self, interface: &str, mtu: u32) -> Result<(), KernelError> {
        self.change_mtu(interface, mtu)
    }

    fn lead(&mut self, routes: &[Route], from: &[String]) -> Result<(), KernelError> {
        self.lead_into_tunnel(routes, from)
    }

    fn carried(&mut self) -> Result<BTreeMap<String, Counter>, KernelError> {
        let doing = "reading the counters of ways";
        let all = self.dump_all(doing, true, tables::counters, |m, out| {
            out.extend(tables::counter_from(m));
            Ok(())
        })?;
        Ok(all.into_iter().collect())
    }

    fn join_packets(&mut self, interface: &str, on: bool) -> Result<(), KernelError> {
        let doing = "setting an interface's features";
        let mut talk = Talk::open(GENERIC)?;
        let mut family = None;
        talk.ask(doing, features::family, |m| family = family.or(features::family_from(m).ok()))?;
        let family =
            family.ok_or(KernelError::Garbled { doing, source: kulkul_wire::netlink::Garbled::Value })?;
        talk.ask(doing, |seq| features::join(family, interface, on, seq), |_| ())
    }

    fn classes(&mut self, interface: &str) -> Result<Vec<Class>, KernelError> {
        let doing = "reading classes";
        let number = self.number(interface)?;
        self.dump_all(
            doing,
            false,
            |seq| queues::classes(number, seq),
            |m, out| {
                out.extend(queues::class(m).map_err(garbled(doing))?);
                Ok(())
            },
        )
    }

    fn index(&self, interface: &str) -> Option<u32> {
        std::fs::read_to_string(format!("/sys/class/net/{interface}/ifindex")).ok()?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_compare_by_number() {
        assert!(version("6.18.44-fc") >= (6, 12));
        assert!(version("6.1.0-40-amd64") < (6, 12));
        assert!(version("10.0") >= (6, 12));
        assert_eq!(version("odd"), (0, 0));
    }
}
