//! The tunnel's routes, its rules and the size of its packets, on the real kernel.

use super::outward::{NO_SUCH, unless};
use super::{Linux, garbled};
use crate::kernel::KernelError;
use kulkul_wire::netlink::tunnel::{self, Route};
use kulkul_wire::netlink::{routes, ways};
use std::collections::BTreeSet;

const THERE_ALREADY: [i32; 1] = [17];

impl Linux {
    pub(super) fn change_mtu(&mut self, interface: &str, mtu: u32) -> Result<(), KernelError> {
        let now = std::fs::read_to_string(format!("/sys/class/net/{interface}/mtu")).unwrap_or_default();
        if now.trim().parse() == Ok(mtu) {
            return Ok(());
        }
        let number = self.number(interface)?;
        self.route.ask("setting the size of packets", |seq| routes::link_mtu(number, mtu, seq), |_| ())
    }

    pub(super) fn lead_into_tunnel(&mut self, wanted: &[Route], from: &[String]) -> Result<(), KernelError> {
        let mut first = Ok(());
        let mut keep = |done: Result<(), KernelError>| {
            if first.is_ok() {
                first = done;
            }
        };
        // Rules come before routes are taken away and after they are there: in between nothing takes another way.
        for six in [false, true] {
            let there = self.tunnel_routes(six)?;
            let wanted: BTreeSet<Route> =
                wanted.iter().copied().filter(|r| r.net.addr().is_ipv6() == six).collect();
            for route in wanted.difference(&there) {
                keep(self.route.ask("setting a route of the tunnel", |seq| tunnel::put(route, seq), |_| ()));
            }
            let led = self.tunnel_rules(six)?;
            // Without ranges of a family there is nothing to be led to.
            let from: BTreeSet<&String> = from.iter().filter(|_| !wanted.is_empty()).collect();
            for name in from.iter().filter(|n| !led.contains(**n)) {
                let doing = "making a rule of the tunnel";
                let made = self.route.ask(doing, |seq| tunnel::add_rule(name, six, seq), |_| ());
                keep(unless(made, THERE_ALREADY));
            }
            for name in led.iter().filter(|n| !from.contains(n)) {
                let doing = "taking a rule of the tunnel away";
                let gone = self.route.ask(doing, |seq| tunnel::remove_rule(name, six, seq), |_| ());
                keep(unless(gone, NO_SUCH));
            }
            for route in there.difference(&wanted) {
                let doing = "taking a route of the tunnel away";
                let gone = self.route.ask(doing, |seq| tunnel::remove(route, seq), |_| ());
                keep(unless(gone, NO_SUCH));
            }
        }
        first
    }

    fn tunnel_routes(&mut self, six: bool) -> Result<BTreeSet<Route>, KernelError> {
        let doing = "reading the tunnel's routes";
        let all = self.dump_all(
            doing,
            false,
            |seq| ways::routes(six, seq),
            |m, out| {
                out.extend(tunnel::route_from(m).map_err(garbled(doing))?);
                Ok(())
            },
        )?;
        Ok(all.into_iter().collect())
    }

    fn tunnel_rules(&mut self, six: bool) -> Result<BTreeSet<String>, KernelError> {
        let doing = "reading the tunnel's rules";
        let all = self.dump_all(
            doing,
            false,
            |seq| tunnel::rules(six, seq),
            |m, out| {
                out.extend(tunnel::rule_from(m).map_err(garbled(doing))?);
                Ok(())
            },
        )?;
        Ok(all.into_iter().collect())
    }
}
