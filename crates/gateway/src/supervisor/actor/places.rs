//! Interfaces of the place that go and come back: a switch that reboots, an adapter that is pulled.
//!
//! Whoever is online stays so: elements name addresses, not interfaces. What an
//! interface loses with itself (addresses, queues) it gets again when it is back.

use super::Actor;
use crate::kernel::KernelError;
use kulkul_wire::link::Event;

impl Actor {
    /// Looks whether every interface of the place is there with its addresses.
    pub(super) fn keep_places(&mut self) -> Result<(), KernelError> {
        let places: Vec<_> = self
            .config
            .segments
            .iter()
            .map(|s| (s.interface.clone(), s.below.clone().zip(s.vlan), s.networks().collect::<Vec<_>>()))
            .collect();
        for (name, vlan, networks) in places {
            if let Some((below, id)) = vlan {
                self.make_vlan(&name, &below, id);
            }
            if self.kernel.index(&name).is_none() {
                if self.upkeep.gone.insert(name.clone()) {
                    tracing::warn!(name, "an interface of the place is gone");
                    self.event(Event::InterfaceGone { name });
                }
                continue;
            }
            let there = self.kernel.addresses(&name)?;
            for net in networks.iter().filter(|n| !there.contains(n)) {
                tracing::debug!(name, %net, "an address is given again");
                self.kernel.ensure_address(&name, *net)?;
            }
            if self.upkeep.gone.contains(&name) {
                self.enforce_orders()?;
                self.upkeep.gone.remove(&name);
                tracing::info!(name, "an interface of the place is back");
                self.event(Event::InterfaceBack { name });
            }
        }
        Ok(())
    }

    /// Makes a VLAN's link again that went with the one below it.
    pub(super) fn make_vlan(&mut self, name: &str, below: &str, id: u16) {
        if self.kernel.index(name).is_some() || self.kernel.index(below).is_none() {
            return;
        }
        match self.kernel.ensure_vlan(name, below, id) {
            Ok(()) => tracing::info!(name, "the link of a VLAN is made"),
            Err(error) => tracing::debug!(name, %error, "a VLAN has no link"),
        }
    }
}
