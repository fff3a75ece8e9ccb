//! What the box decides while the hub does not answer: by slow hashes and by its own books.
//!
//! Never more in an hour than the place's order says, and never before what it gives is on the disk.

use super::{Inner, State, not_kept, too_often, unknown_here};
use crate::sessions::Own;
use crate::supervisor::Pass;
use kulkul_model::Refusal;
use kulkul_model::account::AccountName;
use kulkul_model::admission::Basis;
use kulkul_model::session::WayIn;
use kulkul_model::voucher::VoucherCode;
use kulkul_proof::slow;

impl Inner {
    /// Lets somebody in without the hub; `keep` writes down what must be there before.
    fn accept(&self, keep: impl FnOnce(&mut State) -> Result<Pass, Refusal>) -> Result<Pass, Refusal> {
        let (most, mono_ms) = (self.access().offline_per_hour, self.clock.mono_ms());
        let mut state = self.lock();
        if state.closed {
            return Err(Refusal::new(403, "way-in-closed"));
        }
        if !state.accepted.has_room(most, mono_ms) {
            return Err(too_often());
        }
        let pass = keep(&mut state)?;
        state.accepted.note(mono_ms);
        Ok(pass)
    }

    /// What a voucher of the place gives, by the box's own book.
    pub(super) fn voucher_alone(&self, code: &VoucherCode) -> Result<Pass, Refusal> {
        let orders = self.orders().ok_or_else(unknown_here)?;
        let salt = orders.vouchers.salt.ok_or_else(unknown_here)?;
        let holder = slow::voucher(code, salt).map_err(|e| not_kept(&e))?;
        let found = orders.vouchers.find(holder).ok_or_else(unknown_here)?;
        let (terms, now) = (found.terms, self.clock.stamp());
        self.accept(|state| {
            let told = found.begun.map(|at| now.wall.map_or(0, |now| now.since_ms(at)));
            let told = told.map(|ms| u64::try_from(ms).unwrap_or(0));
            let used_ms = state.book.used_ms(holder, now).max(told);
            if used_ms.is_none() && now.wall.is_some_and(|now| now >= terms.begin_before) {
                return Err(Refusal::new(403, "voucher-expired"));
            }
            let used_ms = used_ms.unwrap_or(0);
            let left_ms = terms.lasts_ms.saturating_sub(used_ms);
            if left_ms == 0 {
                return Err(Refusal::new(403, "voucher-used-up"));
            }
            state.book.begin(holder, terms.lasts_ms, used_ms, now).map_err(|e| not_kept(&e))?;
            Ok(Pass {
                basis: Basis::Voucher(holder),
                way_in: WayIn::Voucher,
                own: Own {
                    holder: Some(holder),
                    limit_ms: Some(left_ms),
                    down_kbps: terms.down_kbps,
                    up_kbps: terms.up_kbps,
                },
                devices: Some(terms.devices),
            })
        })
    }

    /// What an account that came in here before gives.
    pub(super) fn account_alone(&self, name: &AccountName, secret: &str) -> Result<Pass, Refusal> {
        let (revoked, now) = (self.revoked(), self.clock.stamp());
        let kept = self.lock().accounts.find(name.as_str(), &revoked, now).cloned();
        // A name that nobody remembers takes as long as one that somebody does.
        let salt = kept.as_ref().map_or([0; 16], |k| k.salt.0);
        let hash = slow::secret(name.as_str(), secret, salt).map_err(|e| not_kept(&e))?;
        let kept = kept.filter(|k| slow::same(&k.hash.0, &hash)).ok_or_else(unknown_here)?;
        self.accept(|_| {
            Ok(Pass {
                basis: Basis::Account(kept.account),
                way_in: WayIn::Account,
                own: Own {
                    holder: Some(kept.account),
                    limit_ms: kept.left_ms(now),
                    down_kbps: kept.down_kbps,
                    up_kbps: kept.up_kbps,
                },
                devices: kept.devices,
            })
        })
    }
}
