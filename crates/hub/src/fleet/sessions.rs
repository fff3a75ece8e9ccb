//! Sessions: what journals say of them becomes rows, and staff read those.

use super::Keys;
use crate::Hub;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_store::session::{self, Cursor, Filter, Report, Session};
use kulkul_store::{StoreError, Tx};
use kulkul_wire::link::{Entry, Stamp};

/// A page of sessions has at most this many.
pub const PAGE_LIMIT: u32 = 1_000;

/// Merges what an entry says of a session; others say nothing.
///
/// # Errors
/// `StoreError` of the database.
pub async fn entry(
    tx: &mut Tx,
    keys: &Keys,
    (site, gateway): (&SiteCode, &GatewayId),
    stamp: Stamp,
    entry: &Entry,
) -> Result<(), StoreError> {
    let blank = |id, lasted_ms, usage| Report {
        id,
        site: site.clone(),
        gateway: gateway.clone(),
        stamp,
        device: None,
        way_in: None,
        terms: None,
        language: None,
        limit_ms: None,
        lasted_ms,
        usage,
        ended: None,
    };
    let report = match entry {
        Entry::SessionStart(s) => Report {
            device: Some(keys.device(s.mac)),
            way_in: Some(s.way_in),
            terms: s.terms,
            language: Some(s.language.chars().take(8).collect()),
            limit_ms: Some(s.limit_ms),
            ..blank(s.session, 0, Default::default())
        },
        Entry::SessionInterim(s) => blank(s.session, s.age_ms, s.usage),
        Entry::SessionStop(s) => Report { ended: Some(s.reason), ..blank(s.session, s.age_ms, s.usage) },
        Entry::Anchor(anchor) => return session::anchor(tx, gateway, &anchor.at).await.map(drop),
        _ => return Ok(()),
    };
    session::merge(tx, &report).await
}

/// Sessions before `before`, newest first, of one site or of all, and where the list goes on.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(
    hub: &Hub,
    site: Option<&SiteCode>,
    before: Option<Cursor>,
    limit: u32,
) -> Result<(Vec<Session>, Option<Cursor>), StoreError> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    let before = before.unwrap_or_else(session::newest);
    let mut tx = hub.store().reader().await?;
    let filter = Filter { site: site.cloned(), online_since: None };
    let items = session::list(&mut tx, &filter, &before, limit).await?;
    let full = items.len() == limit as usize;
    let next = items.last().filter(|_| full).and_then(|s| Some((s.began_at?, s.id.to_string())));
    Ok((items, next))
}
