//! Keeping the way into the tunnel: its interface's addresses, its routes, who is led there.

use super::Actor;
use crate::kernel::KernelError;
use crate::tunnel::{self, INTERFACE};
use ipnet::IpNet;
use kulkul_wire::link::desired::TunnelSection;
use kulkul_wire::netlink::tunnel::Route;

impl Actor {
    /// Puts what is ordered in force, and tells the tunnel itself.
    pub(super) fn begin_tunnel(&mut self) {
        self.report("the tunnel's routes", Actor::keep_tunnel);
        let section = self.orders.tunnel.clone();
        self.tunnel.send_if_modified(|old| {
            let changed = *old != section;
            *old = section;
            changed
        });
    }

    /// Makes addresses, routes and rules what they should be.
    ///
    /// The routes that say that there is no way stay while the interface is away.
    pub(super) fn keep_tunnel(&mut self) -> Result<(), KernelError> {
        let section = self.orders.tunnel.clone();
        if !tunnel::is_wanted(&section, &self.config) {
            if self.upkeep.led {
                self.kernel.lead(&[], &[])?;
                self.upkeep.led = false;
            }
            return Ok(());
        }
        self.upkeep.led = true;
        let index = self.kernel.index(INTERFACE);
        if index.is_some() {
            self.settle_interface(&section)?;
        }
        let into = index.into_iter().map(Some);
        let ways: Vec<Option<u32>> = [None].into_iter().chain(into).collect();
        let routes: Vec<Route> = section
            .prefixes
            .iter()
            .flat_map(|p| ways.iter().map(|interface| Route { net: p.trunc(), interface: *interface }))
            .collect();
        self.kernel.lead(&routes, &tunnel::interfaces(&section, &self.config))
    }

    fn settle_interface(&mut self, section: &TunnelSection) -> Result<(), KernelError> {
        let size = |interface: &str| {
            std::fs::read_to_string(format!("/sys/class/net/{interface}/mtu")).ok()?.trim().parse().ok()
        };
        let uplinks = self.config.lines().filter_map(|l| size(&l.uplink.interface));
        let mtu = tunnel::mtu(section, uplinks);
        self.kernel.set_mtu(INTERFACE, mtu)?;
        let there = self.kernel.addresses(INTERFACE)?;
        for own in section.addresses.iter().map(|a| IpNet::from(*a)).filter(|a| !there.contains(a)) {
            self.kernel.ensure_address(INTERFACE, own)?;
        }
        Ok(())
    }
}
