//! Taking a desired state in: checked, put into force as one, kept for the next start.

use super::Actor;
use super::passes::limit_ms;
use crate::kernel::KernelError;
use crate::orders::{Orders, PutOut};
use crate::sessions::Phase;
use crate::tunnel;
use kulkul_model::session::{SessionId, StopReason};
use kulkul_model::{Refusal, Zone};
use kulkul_wire::link::Desired;
use kulkul_wire::link::desired::RevokedSession;
use std::io;
use std::path::Path;

const ORDERS: &str = "orders.json";

impl Actor {
    /// Takes a desired state in; on failure everything is as before.
    pub(super) fn apply(&mut self, desired: &Desired) -> Result<(), Refusal> {
        let mut orders = Orders::from(desired);
        orders.put_out = self.put_out(&desired.revoked.sessions);
        if orders == self.orders {
            return Ok(());
        }
        let refused = |why: &dyn std::fmt::Display| Refusal::new(422, "desired-refused").with("why", why);
        let zone = orders.check().map_err(|e| refused(&e))?;
        tunnel::fits(&orders.tunnel, &self.config).map_err(|e| refused(&e))?;
        let before = std::mem::replace(&mut self.orders, orders);
        if let Err(e) = self.enforce_orders() {
            tracing::error!(error = %e, "a desired state was refused by the kernel");
            self.orders = before;
            if let Err(e) = self.enforce_orders() {
                tracing::error!(error = %e, "the state before could not be put back at once");
                self.upkeep.suspicious = true;
            }
            return Err(refused(&e));
        }
        self.zone = zone;
        self.begin_tunnel();
        if before.connections != self.orders.connections {
            self.tell_ordered(true);
        }
        self.keep_hours();
        self.end_what_must();
        let now = self.clock.now();
        let put_out: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|l| l.phase == Phase::Online)
            .filter(|l| self.orders.is_out(l.mac, now))
            .map(|l| l.id)
            .collect();
        if !put_out.is_empty() {
            self.last_look();
        }
        for id in put_out {
            self.stop(id, StopReason::Disconnected);
        }
        if let Err(e) = write_orders(&self.config.data, &self.orders) {
            tracing::warn!(error = %e, "the orders were not written down; a restart asks the link for them");
        }
        Ok(())
    }

    /// The devices of sessions that are to end: those online now, and those put out before.
    fn put_out(&self, ended: &[RevokedSession]) -> Vec<PutOut> {
        let device = |session: SessionId| {
            let before = self.orders.put_out.iter().find(|p| p.session == session).map(|p| p.mac);
            before.or_else(|| self.sessions.get(session).map(|l| l.mac))
        };
        let one = |r: &RevokedSession| {
            device(r.session).map(|mac| PutOut { session: r.session, mac, until: r.until })
        };
        ended.iter().filter_map(one).collect()
    }

    /// Makes queues, table and elements what the orders ask for.
    pub(super) fn enforce_orders(&mut self) -> Result<(), KernelError> {
        // Classes first: a packet that is sent into one that is not there yet waits with the box's own.
        self.share_out()?;
        for live in self.sessions.iter_mut() {
            live.limit_ms = limit_ms(live.own, &self.orders.plan);
        }
        // Caps that came or went changed which elements a person has: the old ones are what `reconcile` removes.
        if self.policy().digest() == self.digest {
            self.reconcile().map(|_| ())?
        } else {
            self.load()?
        }
        self.clear_queues()
    }
}

/// The orders of the last run with their zone; the defaults where they cannot be followed.
pub(super) fn read_orders(dir: &Path) -> io::Result<(Orders, Zone)> {
    let orders: Orders = match std::fs::read(dir.join(ORDERS)) {
        // Orders that cannot be read are asked for again by the link; the defaults serve until then.
        Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Orders::default(),
        Err(e) => return Err(e),
    };
    match orders.check() {
        Ok(zone) => Ok((orders, zone)),
        Err(error) => {
            tracing::warn!(%error, "the orders of the last run cannot be followed");
            let plain = Orders::default();
            let zone = plain.check().map_err(io::Error::other)?;
            Ok((plain, zone))
        }
    }
}

fn write_orders(dir: &Path, orders: &Orders) -> io::Result<()> {
    let temporary = dir.join("orders.new");
    std::fs::write(&temporary, serde_json::to_vec(orders)?)?;
    std::fs::File::open(&temporary)?.sync_all()?;
    std::fs::rename(temporary, dir.join(ORDERS))
}
