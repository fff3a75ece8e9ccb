//! Booking: what journals tell of sessions by vouchers and accounts becomes uses.

use crate::fleet::Keys;
use kulkul_model::Moment;
use kulkul_model::admission::{Basis, FindingKind, Token16};
use kulkul_model::gateway::GatewayId;
use kulkul_model::session::SessionId;
use kulkul_model::site::SiteCode;
use kulkul_store::access::{self, Finding, Holder, Use};
use kulkul_store::{StoreError, Tx, account, voucher};
use kulkul_wire::link::{Entry, SessionStart, Stamp};

/// Books what an entry says; most say nothing.
///
/// # Errors
/// `StoreError` of the database.
pub async fn entry(
    tx: &mut Tx,
    keys: &Keys,
    (site, gateway): (&SiteCode, &GatewayId),
    (stamp, now): (Stamp, Moment),
    entry: &Entry,
) -> Result<(), StoreError> {
    match entry {
        Entry::SessionStart(start) => {
            let Some(basis) = start.basis else { return Ok(()) };
            // A box whose clock is unset, or ahead, is dated by when the hub heard of it.
            let at = stamp.wall.map_or(now, |wall| wall.min(now));
            begun(tx, keys, (site, gateway), (at, now), start, basis).await
        }
        // How long it lasted may show that it overlapped with another after all.
        Entry::SessionInterim(s) => access::unsettle(tx, s.session).await,
        Entry::SessionStop(s) => access::unsettle(tx, s.session).await,
        _ => Ok(()),
    }
}

async fn begun(
    tx: &mut Tx,
    keys: &Keys,
    (site, gateway): (&SiteCode, &GatewayId),
    (at, now): (Moment, Moment),
    start: &SessionStart,
    basis: Basis,
) -> Result<(), StoreError> {
    let holder = match basis {
        Basis::Grant(id) => {
            access::join(tx, id, start.session, at, gateway).await?;
            match access::find(tx, id).await?.filter(|u| u.session == Some(start.session)) {
                Some(used) => used.holder,
                None => return unknown(tx, (site, at, now), start.session, "grant", id).await,
            }
        }
        Basis::Voucher(digest) => match voucher::by_offline(tx, digest).await? {
            Some(held) => Some(Holder::Voucher(held.id)),
            None => return unknown(tx, (site, at, now), start.session, "voucher", digest).await,
        },
        Basis::Account(id) => match account::find(tx, id).await? {
            Some(held) => Some(Holder::Account(held.id)),
            None => return unknown(tx, (site, at, now), start.session, "account", id).await,
        },
    };
    if !matches!(basis, Basis::Grant(_)) {
        let used = Use {
            id: Token16(start.session.0),
            way_in: start.way_in,
            holder,
            session: Some(start.session),
            device: keys.device(start.mac),
            site: site.clone(),
            gateway: gateway.clone(),
            at,
            offline: true,
            began_at: None,
            lasted_ms: 0,
            ended: false,
        };
        access::insert(tx, &used).await?;
    }
    match holder {
        Some(Holder::Voucher(id)) => voucher::begin(tx, id, at).await,
        _ => Ok(()),
    }
}

async fn unknown(
    tx: &mut Tx,
    (site, at, now): (&SiteCode, Moment, Moment),
    session: SessionId,
    what: &str,
    token: Token16,
) -> Result<(), StoreError> {
    let finding = Finding {
        id: format!("unknown.{session}"),
        kind: FindingKind::Unknown,
        holder: None,
        session: Some(session),
        other_session: None,
        other_site: None,
        site: site.clone(),
        at,
        found_at: now,
        detail: format!("{what} {token}"),
        seen_at: None,
        seen_by: None,
    };
    access::put_finding(tx, &finding).await.map(drop)
}
