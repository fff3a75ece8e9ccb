//! Telling the connection log who is online and what is ordered of it.

use super::Actor;
use crate::connections::{Teller, Told};
use crate::sessions::Phase;
use kulkul_model::session::{Mac, SessionId};
use kulkul_wire::link::Event;
use std::net::IpAddr;

/// The log, as the supervisor knows it.
pub(super) struct Log {
    teller: Teller,
    /// It had too much to do and is told of everybody anew.
    behind: bool,
}

impl Log {
    pub(super) fn new(teller: Teller) -> Self {
        Log { teller, behind: false }
    }
}

impl Actor {
    fn tell_log(&mut self, told: Told) {
        // What comes after something that was missed is in what is told of everybody.
        self.log.behind = self.log.behind || !self.log.teller.tell(told);
    }

    /// A session has an address from now on.
    pub(super) fn tell_address(&mut self, session: SessionId, mac: Mac, ip: IpAddr) {
        self.tell_log(Told::Has(session, mac, ip));
    }

    /// A session is over.
    pub(super) fn tell_over(&mut self, session: SessionId) {
        self.tell_log(Told::Over(session));
    }

    /// What is ordered now; a change is an event.
    pub(super) fn tell_ordered(&mut self, event: bool) {
        let ordered = self.orders.connections.clone();
        if event {
            let (log, days) = (ordered.log.as_str().to_owned(), ordered.keep_days.into());
            self.event(Event::ConnectionLog { log, days });
        }
        self.tell_log(Told::Ordered(ordered));
    }

    /// Everybody who is online.
    pub(super) fn tell_all(&mut self) {
        self.log.behind = false;
        let online = self.sessions.iter().filter(|l| l.phase == Phase::Online);
        let all = online.map(|l| (l.id, l.mac, l.addresses.keys().copied().collect())).collect();
        self.tell_log(Told::Everybody(all));
        self.tell_ordered(false);
    }

    /// Tells of everybody where something was missed.
    pub(super) fn catch_up(&mut self) {
        if self.log.behind {
            self.tell_all();
        }
    }
}
