//! Ending sessions: a disconnect is a line of the desired state with an end of its own.

use crate::Hub;
use crate::fleet::follower;
use crate::staff::Actor;
use crate::staff::actor::noted;
use crate::web::Problem;
use crate::web::problem::NotWritten;
use kulkul_model::session::{LEASE_MS, SessionId};
use kulkul_model::site::SiteCode;
use kulkul_model::{Moment, Refusal};
use kulkul_store::access::{self, Holder, Use};
use kulkul_store::session::{Cursor, Session};
use kulkul_store::{Lane, StoreError, Tx, audit, disconnect, session};

/// How long a device stays out unless staff say otherwise, minutes.
pub const MINUTES: u32 = 10;
/// The longest that a device may be kept out so, minutes: a day.
pub const MOST_MINUTES: u32 = 24 * 60;

/// Whether a session goes on as far as the hub knows.
#[must_use]
pub fn is_online(s: &Session, now: Moment) -> bool {
    s.ended.is_none() && s.began_at.is_none_or(|at| heard_of(at, s.lasted_ms, now))
}

/// Whether a session that began then and lasted so long was heard of within its lease.
#[must_use]
pub fn heard_of(began: Moment, lasted_ms: u64, now: Moment) -> bool {
    let last = began.plus_ms(i64::try_from(lasted_ms).unwrap_or(i64::MAX));
    now.since_ms(last) < LEASE_MS
}

/// Whether a use goes on as far as the hub knows.
#[must_use]
pub fn uses_now(u: &Use, now: Moment) -> bool {
    /// A grant that no session of the journal used within this time was not used.
    const GRANT_MS: i64 = 120_000;
    match u.session {
        None => now.since_ms(u.at) < GRANT_MS,
        Some(_) => !u.ended && heard_of(u.began_at.unwrap_or(u.at), u.lasted_ms, now),
    }
}

/// Where a list goes on after a moment and id.
pub(super) fn cursor_of(s: &Session) -> String {
    format!("{} {}", s.began_at.unwrap_or_default().ms(), s.id)
}

/// What `cursor_of` wrote.
pub(super) fn read_cursor(text: &str) -> Option<Cursor> {
    let (ms, id) = text.split_once(' ')?;
    Some((Moment::from_ms(ms.parse().ok()?), id.to_owned()))
}

/// Ends a session; its device stays out for `minutes`.
///
/// # Errors
/// `session-unknown`, `session-over`, `disconnect-minutes`, `not-operator`, `not-your-area`.
pub async fn disconnect(
    hub: &Hub,
    by: &Actor,
    id: SessionId,
    minutes: Option<u32>,
) -> Result<Moment, Problem> {
    let now = hub.clock().now();
    let minutes = minutes.unwrap_or(MINUTES);
    if !(1..=MOST_MINUTES).contains(&minutes) {
        return Err(Refusal::new(422, "disconnect-minutes").with("most", MOST_MINUTES).into());
    }
    let held = session::find(&mut hub.store().reader().await?, id).await?;
    let held = held.ok_or_else(|| Refusal::new(404, "session-unknown"))?;
    super::may(hub, by, Some(&held.site)).await?;
    let until = now.plus_ms(i64::from(minutes) * 60_000);
    let mut entry = by.did(now, "disconnect", "session", id);
    entry.after = noted(&serde_json::json!({ "site": held.site, "until": until }));
    let (site, who) = (held.site.clone(), by.who.clone());
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            let held = session::find(tx, id).await?;
            if held.is_none_or(|s| !is_online(&s, now)) {
                return Err(NotWritten::from(Refusal::new(409, "session-over")));
            }
            disconnect::put(tx, id, &site, (now, until), &who).await?;
            audit::append(tx, &entry).await?;
            Ok(())
        })
    });
    write.await?;
    follower::refresh_sites(hub, &[held.site]).await?;
    Ok(until)
}

/// Ends whoever is online by a voucher or account; gives the sites whose boxes must know.
pub(super) async fn end_all_of(
    tx: &mut Tx,
    holder: Holder,
    now: Moment,
    by: &str,
) -> Result<Vec<SiteCode>, NotWritten> {
    let uses = access::of_holder(tx, holder, Moment::EPOCH).await?;
    let mut sites = Vec::new();
    for u in uses.iter().filter(|u| uses_now(u, now)) {
        if end(tx, u, now, by).await? && !sites.contains(&u.site) {
            sites.push(u.site.clone());
        }
    }
    Ok(sites)
}

/// Ends the session of a use; false while nobody has told which that is.
pub(super) async fn end(tx: &mut Tx, u: &Use, now: Moment, by: &str) -> Result<bool, StoreError> {
    let Some(session) = u.session else { return Ok(false) };
    let until = now.plus_ms(i64::from(MINUTES) * 60_000);
    disconnect::put(tx, session, &u.site, (now, until), by).await?;
    Ok(true)
}
