//! What the hub forgets about people, as the portal's words promise.
//!
//! Sessions go 90 days after they ended. The journal's entries about them lose their
//! payload and salt at the same age; header, signature and chain stay, so that what is
//! left can still be checked.

use crate::Hub;
use kulkul_model::Moment;
use kulkul_store::{Lane, StoreError, Tx, access, disconnect, journal, session, setting};
use kulkul_wire::link::{Kind, Sealed};

/// Records about people are kept this long: 90 days.
pub const KEEP_MS: i64 = 90 * 24 * 3_600_000;
const SESSIONS: u32 = 500;
const ENTRIES: u32 = 200;
/// What a box's log told staff is no longer of use then either.
const KINDS: [Kind; 4] = [Kind::SessionStart, Kind::SessionInterim, Kind::SessionStop, Kind::Diagnostic];

/// Forgets what is due at `now`: how many sessions, how many entries' payloads.
///
/// # Errors
/// `StoreError` of the database; what was forgotten before it stays forgotten.
pub async fn forget(hub: &Hub, now: Moment) -> Result<(u64, u64), StoreError> {
    let before = now.plus_ms(-KEEP_MS);
    let mut sessions = 0;
    loop {
        let gone = hub
            .store()
            .write(Lane::Job, move |tx| Box::pin(async move { session::forget(tx, before, SESSIONS).await }))
            .await?;
        sessions += gone;
        if gone < u64::from(SESSIONS) {
            break;
        }
    }
    forget_access(hub, now).await?;
    let mut entries = 0;
    for kind in KINDS {
        while let Some(bared) = bare_some(hub, kind, before).await? {
            entries += bared;
        }
    }
    Ok((sessions, entries))
}

/// Uses of vouchers and accounts go with their sessions, findings a year after they were found.
async fn forget_access(hub: &Hub, now: Moment) -> Result<(), StoreError> {
    const DAY_MS: i64 = 24 * 3_600_000;
    let (before, unused, year) = (now.plus_ms(-KEEP_MS), now.plus_ms(-DAY_MS), now.plus_ms(-365 * DAY_MS));
    loop {
        let write = hub.store().write(Lane::Job, move |tx| {
            Box::pin(async move {
                let uses = access::forget(tx, before, unused, SESSIONS).await?;
                let findings = access::forget_findings(tx, year, SESSIONS).await?;
                let ended = disconnect::forget(tx, unused, SESSIONS).await?;
                Ok::<_, StoreError>(uses.max(findings).max(ended))
            })
        });
        if write.await? < u64::from(SESSIONS) {
            return Ok(());
        }
    }
}

/// Bares the next entries of a kind; none when no more are due.
async fn bare_some(hub: &Hub, kind: Kind, before: Moment) -> Result<Option<u64>, StoreError> {
    hub.store().write(Lane::Job, move |tx| Box::pin(async move { bare(tx, kind, before).await })).await
}

async fn bare(tx: &mut Tx, kind: Kind, before: Moment) -> Result<Option<u64>, StoreError> {
    let key = format!("fleet.bared.{}", kind.code());
    let reached = setting::find(tx, &key).await?.unwrap_or_default();
    let mut words = reached.split(' ');
    let at = words.next().and_then(|ms| ms.parse().ok()).unwrap_or(0);
    let gateway = words.next().unwrap_or_default();
    let seq = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let after = (Moment::from_ms(at), gateway, seq);
    let due = journal::arrived(tx, kind.code(), before, after, ENTRIES).await?;
    let Some(last) = due.last() else { return Ok(None) };
    let reached = format!("{} {} {}", last.received_at.ms(), last.gateway, last.seq);
    let mut bared = 0;
    for held in &due {
        // What cannot be read was not stored by this program; it stays for the operator.
        let Ok(sealed) = Sealed::decode(&held.sealed) else { continue };
        if sealed.parts.iter().any(Option::is_some) {
            let parts = sealed.parts.iter().map(|_| None).collect();
            journal::bare(tx, held, &Sealed { cose: sealed.cose, parts }.encode()).await?;
            bared += 1;
        }
    }
    setting::put(tx, &key, &reached).await?;
    Ok(Some(bared))
}
