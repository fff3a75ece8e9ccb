//! What the hub says of somebody who wants to come in, and what counts as silence.

use crate::link::{Client, Identity, LinkError};
use crate::sessions::Own;
use crate::supervisor::Pass;
use kulkul_model::Refusal;
use kulkul_model::admission::Basis;
use kulkul_wire::link::{Admit, Grant};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Asks the hub whether a device may come in.
pub type AskHub =
    Arc<dyn Fn(Admit) -> Pin<Box<dyn Future<Output = Result<Grant, LinkError>> + Send>> + Send + Sync>;

/// Asks over the link.
#[must_use]
pub fn over(client: Client, identity: Arc<Identity>) -> AskHub {
    Arc::new(move |ask| {
        let (client, identity) = (client.clone(), identity.clone());
        Box::pin(async move { client.admit(&identity, &ask).await })
    })
}

/// What it says.
pub(super) enum Answer {
    /// Come in.
    Granted(Grant),
    /// Not like this; the person reads why.
    Refused(Refusal),
    /// It refuses this box for good.
    Never,
    /// Nothing that helps: the box decides by itself.
    Silent,
}

/// Refusals that are about the person, not about the box.
const TOLD: [&str; 12] = [
    "voucher-mistyped",
    "voucher-unknown",
    "voucher-elsewhere",
    "voucher-used-up",
    "voucher-expired",
    "voucher-revoked",
    "voucher-devices",
    "account-wrong",
    "account-disabled",
    "account-devices",
    "admit-too-often",
    "roam-none",
];
/// What their sentences name.
const NAMED: [&str; 2] = ["devices", "site"];

impl Answer {
    /// Reads an answer; none came in time when there is none.
    pub(super) fn of(answer: Option<Result<Grant, LinkError>>) -> Self {
        let error = match answer {
            Some(Ok(grant)) => return Answer::Granted(grant),
            Some(Err(error)) if error.is_final() => return Answer::Never,
            Some(Err(error)) => error,
            None => LinkError::Silent,
        };
        if let LinkError::Refused { status: status @ 400..=499, code, about, .. } = &error
            && let Some(code) = TOLD.into_iter().find(|told| told == code)
        {
            let named = |name: &'static str| Some((name, about.get(name)?.clone()));
            let args = NAMED.into_iter().filter_map(named).collect();
            return Answer::Refused(Refusal { code, status: *status, args });
        }
        tracing::debug!(%error, "the hub says nothing about somebody who wants to come in");
        Answer::Silent
    }
}

/// What a grant lets in.
pub(super) fn pass(grant: &Grant) -> Pass {
    Pass {
        basis: Basis::Grant(grant.id),
        way_in: grant.way_in,
        own: Own {
            holder: grant.holder,
            limit_ms: grant.left_ms,
            down_kbps: grant.down_kbps,
            up_kbps: grant.up_kbps,
        },
        devices: grant.devices,
    }
}
