//! The many questions that need nobody else: answered at once from what is in memory.
//!
//! What is unusual, walled, not kept, or from a device that the main process has to be
//! asked about is left to the whole way, which decides the same by the same rules.

use super::filter::Verdict;
use super::{BLOCKED_TTL_S, Orders, Over, Resolver, is_plain, limit, local, pace, portal_address};
use kulkul_wire::dns::{Glance, Wants};
use std::net::IpAddr;
use std::sync::PoisonError;

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quick {
    /// The answer is written.
    Answered,
    /// None is due.
    Silent,
    /// It has to go the whole way; its device may ask.
    Whole,
}

impl Resolver {
    /// What is known of a device without asking the main process.
    #[must_use]
    pub fn knows(&self, ip: IpAddr, now_ms: i64) -> Option<bool> {
        self.0.online.known(ip, now_ms)
    }

    /// Answers a message of a neighbour at `ip` from what is in memory, if that can be done.
    ///
    /// Whether the device is online must be known; who is not counts as not admitted.
    pub fn quick(
        &self,
        orders: &Orders,
        bytes: &[u8],
        ip: IpAddr,
        over: Over,
        now_ms: i64,
        out: &mut Vec<u8>,
    ) -> Quick {
        let online = self.knows(ip, now_ms).unwrap_or(false);
        // The box's own programs are not a crowd.
        if !ip.is_loopback() {
            let rate = if online { pace::AFTER } else { pace::BEFORE };
            let mut pace = self.0.pace.lock().unwrap_or_else(PoisonError::into_inner);
            if !pace.allows(ip, rate, now_ms) {
                return Quick::Silent;
            }
        }
        let Some(glance) = Glance::of(bytes) else { return Quick::Whole };
        let wants = Wants { dnssec: glance.wants.dnssec && online, ..glance.wants };
        if !online && !is_plain(glance.kind) {
            return Quick::Whole;
        }
        let Some(key) = glance.key(wants) else { return Quick::Whole };
        let limit = limit(online, over, glance.limit);
        if let Some(kept) = self.cache().find(&key, now_ms)
            && kept.open_under == Some(orders.number)
        {
            kept.ready.write(&glance, limit, kept.count_down(now_ms), out);
            return Quick::Answered;
        }
        let mut room = [0; 255];
        let Some(name) = key.name(&mut room) else { return Quick::Whole };
        if local::is_ours(name, &orders.settings) {
            return Quick::Whole;
        }
        match orders.filter.verdict(name) {
            Verdict::Open => return Quick::Whole,
            Verdict::NoName => glance.blocked(3, None, BLOCKED_TTL_S, "", out),
            Verdict::Blocked(list) => {
                self.0.counts.count(list);
                let address = portal_address(&orders.settings, ip, glance.kind);
                glance.blocked(0, address, BLOCKED_TTL_S, list, out);
            }
        }
        Quick::Answered
    }
}
