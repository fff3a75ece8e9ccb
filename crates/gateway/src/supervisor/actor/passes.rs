//! Vouchers, accounts and grants as the supervisor sees them: who comes in by what, and what it gives.
//!
//! What a pass is worth was decided before; here are only the ways in that are open, the
//! devices of one holder at this box, and limits and rates of its own.

use super::Actor;
use crate::config::Kind;
use crate::sessions::{Live, Own, Phase};
use crate::shaping::Way;
use crate::supervisor::Admission;
use kulkul_model::Refusal;
use kulkul_model::session::{Mac, WayIn};
use kulkul_wire::link::desired::PlanSection;

impl Actor {
    /// Why a newcomer does not come in this way: it is closed, or others are online by the same voucher or account.
    pub(super) fn not_by_this(&self, mac: Mac, kind: Kind, ask: &Admission) -> Option<Refusal> {
        // Staff segments are for people whom the place knows: ways in are those of the public.
        if kind == Kind::Public && !self.orders.access.ways_in.contains(&ask.by()) {
            return Some(Refusal::new(403, "way-in-closed"));
        }
        let (pass, holder) = ask.pass.and_then(|p| Some((p, p.own.holder?)))?;
        let same = |l: &&Live| l.mac != mac && l.own.and_then(|o| o.holder) == Some(holder);
        let others = self.sessions.iter().filter(same).filter(|l| !matches!(l.phase, Phase::Stopping(_)));
        let devices = pass.devices.filter(|most| others.count() >= usize::from(*most))?;
        Some(match pass.way_in {
            WayIn::Account => Refusal::new(403, "account-devices").with("devices", devices),
            _ => Refusal::new(403, "voucher-devices").with("devices", devices),
        })
    }

    /// Whether a voucher or account may bring rates that no class bounds: then the table knows
    /// of them before the first comes, so that letting somebody in never loads it anew.
    pub(super) fn may_bound_by_themselves(&self) -> bool {
        let may_come = |way: &WayIn| matches!(way, WayIn::Voucher | WayIn::Account);
        let here = |own: Own| own.up_kbps.is_some() || own.down_kbps.is_some();
        let all_shared = self.queues.is_shared(Way::Up) && self.queues.is_shared(Way::Down);
        !all_shared
            && (self.orders.access.ways_in.iter().any(may_come)
                || self.sessions.iter().filter_map(|l| l.own).any(here))
    }
}

/// How long a session may last: what its voucher or account gives, else what the place gives.
pub(super) fn limit_ms(own: Option<Own>, plan: &PlanSection) -> u64 {
    own.and_then(|own| own.limit_ms).unwrap_or(plan.session_ms)
}
