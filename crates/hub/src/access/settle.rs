//! Settling: every use is compared with the others once its box has told everything.
//!
//! A box that was on its own delivers later, in any order with others. A use is looked
//! at when its box's journal is here up to the box's last beat, so that a session that
//! ended long ago is not taken for one that goes on.

use super::sessions::{end, heard_of};
use crate::Hub;
use crate::fleet::{Known, follower};
use kulkul_model::Moment;
use kulkul_model::admission::{FindingKind, Span, too_many};
use kulkul_model::session::SessionId;
use kulkul_model::site::SiteCode;
use kulkul_store::access::{self, Finding, Holder, Use};
use kulkul_store::{Lane, StoreError, Tx, account, disconnect, journal, voucher};
use std::collections::BTreeSet;

/// How often there is a look, milliseconds.
const EVERY_MS: i64 = 1_000;
/// Uses of one look.
const PAGE: u32 = 50;
/// A use whose box says nothing for this long is settled by what is known, milliseconds.
const LATE_MS: i64 = 24 * 3_600_000;
/// Who ends sessions that do not fit, as disconnects name it.
const WHO: &str = "hub";

/// Settles until the hub stops.
pub async fn run(hub: &Hub) {
    loop {
        if let Err(error) = settle(hub).await {
            tracing::warn!(%error, "uses of vouchers and accounts cannot be settled");
        }
        hub.clock().sleep_ms(EVERY_MS).await;
    }
}

/// Settles what can be settled now; how many findings that made.
///
/// # Errors
/// `StoreError` of the database; what was settled before it stays so.
pub async fn settle(hub: &Hub) -> Result<usize, StoreError> {
    let now = hub.clock().now();
    let mut tx = hub.store().reader().await?;
    let waiting = access::unsettled(&mut tx, PAGE).await?;
    let mut ready = Vec::new();
    for used in waiting {
        if used.ended || now.since_ms(used.at) > LATE_MS || has_told_all(hub, &mut tx, &used).await? {
            ready.push(used);
        }
    }
    drop(tx);
    let mut found = 0;
    for used in ready {
        let write =
            hub.store().write(Lane::Job, move |tx| Box::pin(async move { look(tx, &used, now).await }));
        let (findings, sites) = write.await?;
        found += findings;
        if !sites.is_empty()
            && let Err(error) = follower::refresh_sites(hub, &sites).await
        {
            tracing::error!(%error, "boxes do not hear of a disconnect at once");
        }
    }
    Ok(found)
}

/// Whether the journal of a use's box is here up to its last beat.
async fn has_told_all(hub: &Hub, tx: &mut Tx, used: &Use) -> Result<bool, StoreError> {
    let beat = hub.fleet().known(&used.gateway).as_deref().and_then(Known::last_beat);
    let Some(beat) = beat else { return Ok(false) };
    Ok(journal::head(tx, &used.gateway).await?.is_some_and(|head| head.seq >= beat.journal_head))
}

fn span(u: &Use, now: Moment) -> Span {
    let from = u.began_at.unwrap_or(u.at);
    let known = from.plus_ms(i64::try_from(u.lasted_ms).unwrap_or(i64::MAX));
    let goes_on = !u.ended && heard_of(from, u.lasted_ms, now);
    let until = if goes_on { now.plus_ms(1) } else { known };
    Span { device: u.device.clone(), from, until: until.max(from.plus_ms(1)) }
}

async fn look(tx: &mut Tx, used: &Use, now: Moment) -> Result<(usize, Vec<SiteCode>), StoreError> {
    let mut findings: Vec<(FindingKind, Use, Option<Use>)> = Vec::new();
    let start = used.began_at.unwrap_or(used.at);
    let mut devices = 1;
    match used.holder {
        Some(Holder::Voucher(id)) => {
            let Some(held) = voucher::find(tx, id).await? else { return done(tx, used, now).await };
            devices = held.batch.terms.devices;
            let begun = held.begun.unwrap_or(start);
            let kind = if held.revoked_at.is_some_and(|at| at <= start) {
                Some(FindingKind::Revoked)
            } else if begun >= held.batch.terms.begin_before {
                Some(FindingKind::Expired)
            } else if start >= held.batch.terms.ends_at(begun) {
                Some(FindingKind::UsedUp)
            } else {
                None
            };
            findings.extend(kind.filter(|_| used.offline).map(|kind| (kind, used.clone(), None)));
        }
        Some(Holder::Account(id)) => {
            let Some(held) = account::find(tx, id).await? else { return done(tx, used, now).await };
            devices = held.devices;
            let out = held.disabled_at.is_some_and(|at| at <= start);
            let over = held.expires_at.is_some_and(|at| at <= start);
            if used.offline && (out || over) {
                let kind = if out { FindingKind::Revoked } else { FindingKind::Expired };
                findings.push((kind, used.clone(), None));
            }
        }
        None => {}
    }
    if let Some(holder) = used.holder {
        findings.extend(double(tx, used, holder, devices, now).await?);
    }
    let mut new = 0;
    let mut sites = BTreeSet::new();
    for (kind, late, other) in findings {
        let finding = Finding {
            id: format!("{}.{}", kind.as_str(), late.id),
            kind,
            holder: late.holder,
            session: late.session,
            other_session: other.as_ref().and_then(|o| o.session),
            other_site: other.map(|o| o.site),
            site: late.site.clone(),
            at: late.began_at.unwrap_or(late.at),
            found_at: now,
            detail: if late.offline { "offline".to_owned() } else { "online".to_owned() },
            seen_at: None,
            seen_by: None,
        };
        if access::put_finding(tx, &finding).await? {
            new += 1;
            tracing::warn!(kind = kind.as_str(), site = %late.site, "a use of a voucher or account does not fit");
        }
        let goes_on = !late.ended && heard_of(finding.at, late.lasted_ms, now);
        if goes_on && !is_ended(tx, &late.site, late.session, now).await? && end(tx, &late, now, WHO).await? {
            sites.insert(late.site.clone());
        }
    }
    access::settle(tx, used.id, now).await?;
    Ok((new, sites.into_iter().collect()))
}

async fn done(tx: &mut Tx, used: &Use, now: Moment) -> Result<(usize, Vec<SiteCode>), StoreError> {
    access::settle(tx, used.id, now).await.map(|()| (0, Vec::new()))
}

/// The later session where more devices are online than are allowed, with one that was there before.
async fn double(
    tx: &mut Tx,
    used: &Use,
    holder: Holder,
    devices: u16,
    now: Moment,
) -> Result<Option<(FindingKind, Use, Option<Use>)>, StoreError> {
    let mut others = access::of_holder(tx, holder, Moment::EPOCH).await?;
    others.retain(|u| u.id != used.id && u.session.is_some());
    let spans: Vec<Span> = others.iter().map(|u| span(u, now)).collect();
    let met = too_many(&span(used, now), &spans, devices);
    let mut all: Vec<&Use> = met.iter().filter_map(|i| others.get(*i)).collect();
    if all.is_empty() {
        return Ok(None);
    }
    all.push(used);
    all.sort_by_key(|u| (u.began_at.unwrap_or(u.at), u.id));
    let late = all.pop().cloned();
    let other = all.pop().cloned();
    Ok(late.map(|late| (FindingKind::DoubleUse, late, other)))
}

/// Whether the box was told already: a disconnect is given once.
async fn is_ended(
    tx: &mut Tx,
    site: &SiteCode,
    session: Option<SessionId>,
    now: Moment,
) -> Result<bool, StoreError> {
    let told = disconnect::of_site(tx, site, now, 1_000).await?;
    Ok(told.iter().any(|(id, _)| Some(*id) == session))
}
