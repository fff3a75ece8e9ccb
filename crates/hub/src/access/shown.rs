//! Vouchers, accounts and findings as the API shows them.

use crate::Hub;
use kulkul_model::Moment;
use kulkul_model::voucher::VoucherState;
use kulkul_store::access::{Finding, Holder};
use kulkul_store::account::Account;
use kulkul_store::voucher::{Batch, Voucher};
use serde::Serialize;

/// A batch.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BatchOut {
    id: String,
    label: String,
    /// The one place where it lets in, also while the box is on its own; null is everywhere.
    site: Option<String>,
    vouchers: u32,
    /// How long each lasts from its first use.
    minutes: u64,
    begin_before: String,
    /// Devices online by one at a time.
    devices: u16,
    down_kbps: Option<u32>,
    up_kbps: Option<u32>,
    made_at: String,
    made_by: String,
}

impl BatchOut {
    /// As the API shows it.
    #[must_use]
    pub fn of(hub: &Hub, b: &Batch) -> Self {
        let time = |at: Moment| hub.zone().rfc3339(at);
        BatchOut {
            id: b.id.clone(),
            label: b.label.clone(),
            site: b.site.as_ref().map(ToString::to_string),
            vouchers: b.vouchers,
            minutes: b.terms.lasts_ms / 60_000,
            begin_before: time(b.terms.begin_before),
            devices: b.terms.devices,
            down_kbps: b.terms.down_kbps,
            up_kbps: b.terms.up_kbps,
            made_at: time(b.made_at),
            made_by: b.made_by.clone(),
        }
    }
}

/// A voucher; its code is known to nobody but who has the sheet.
#[derive(Serialize, utoipa::ToSchema)]
pub struct VoucherOut {
    id: String,
    batch: String,
    /// Its place on the sheet, from 1.
    position: u32,
    site: Option<String>,
    /// `unused`, `running`, `used_up`, `expired` or `revoked`.
    state: &'static str,
    begun_at: Option<String>,
    ends_at: Option<String>,
    revoked_at: Option<String>,
    revoked_by: Option<String>,
    works_offline: bool,
}

impl VoucherOut {
    /// As the API shows it at `now`.
    #[must_use]
    pub fn of(hub: &Hub, v: Voucher, now: Moment) -> Self {
        let time = |at: Moment| hub.zone().rfc3339(at);
        VoucherOut {
            id: v.id.to_string(),
            position: v.position,
            site: v.batch.site.as_ref().map(ToString::to_string),
            state: VoucherState::of(&v.batch.terms, v.begun, v.revoked_at, now).as_str(),
            begun_at: v.begun.map(time),
            ends_at: v.begun.map(|at| time(v.batch.terms.ends_at(at))),
            revoked_at: v.revoked_at.map(time),
            revoked_by: v.revoked_by,
            works_offline: v.offline.is_some(),
            batch: v.batch.id,
        }
    }
}

/// An account; its secret is known to nobody but its person.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AccountOut {
    id: String,
    name: String,
    label: String,
    devices: u16,
    session_minutes: Option<u64>,
    down_kbps: Option<u32>,
    up_kbps: Option<u32>,
    expires_at: Option<String>,
    disabled_at: Option<String>,
    made_at: String,
    made_by: String,
}

impl AccountOut {
    /// As the API shows it.
    #[must_use]
    pub fn of(hub: &Hub, a: Account) -> Self {
        let time = |at: Moment| hub.zone().rfc3339(at);
        AccountOut {
            id: a.id.to_string(),
            name: a.name.to_string(),
            label: a.label,
            devices: a.devices,
            session_minutes: a.session_ms.map(|ms| ms / 60_000),
            down_kbps: a.down_kbps,
            up_kbps: a.up_kbps,
            expires_at: a.expires_at.map(time),
            disabled_at: a.disabled_at.map(time),
            made_at: time(a.made_at),
            made_by: a.made_by,
        }
    }
}

/// Something that does not fit.
#[derive(Serialize, utoipa::ToSchema)]
pub struct FindingOut {
    id: String,
    /// `double_use`, `revoked`, `expired`, `used_up`, `unknown` or `void`.
    kind: &'static str,
    voucher: Option<String>,
    account: Option<String>,
    site: String,
    session: Option<String>,
    other_site: Option<String>,
    other_session: Option<String>,
    at: String,
    found_at: String,
    detail: String,
    seen_at: Option<String>,
    seen_by: Option<String>,
}

impl FindingOut {
    /// As the API shows it.
    #[must_use]
    pub fn of(hub: &Hub, f: Finding) -> Self {
        let time = |at: Moment| hub.zone().rfc3339(at);
        let (voucher, account) = match f.holder {
            Some(Holder::Voucher(id)) => (Some(id.to_string()), None),
            Some(Holder::Account(id)) => (None, Some(id.to_string())),
            None => (None, None),
        };
        FindingOut {
            id: f.id,
            kind: f.kind.as_str(),
            voucher,
            account,
            site: f.site.to_string(),
            session: f.session.map(|s| s.to_string()),
            other_site: f.other_site.map(|s| s.to_string()),
            other_session: f.other_session.map(|s| s.to_string()),
            at: time(f.at),
            found_at: time(f.found_at),
            detail: f.detail,
            seen_at: f.seen_at.map(time),
            seen_by: f.seen_by,
        }
    }
}
