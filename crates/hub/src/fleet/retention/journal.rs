//! Journal entries that are older than the evidence they carry is kept.
//!
//! A chain loses entries from its beginning only, never from its middle: what is left is
//! one unbroken run whose first header names the digest of the last entry that went. The
//! chain's head is a row of its own, so a chain goes on however much of it is gone.

use super::ROWS;
use crate::Hub;
use crate::watch::jobs::EVIDENCE_MS;
use kulkul_model::Moment;
use kulkul_store::{Lane, StoreError, diagnostic, journal, report};

/// What was asked of boxes is kept this long: 30 days.
pub const DIAGNOSTICS_MS: i64 = 30 * 24 * 3_600_000;
/// Chains looked at in one reading transaction.
const PAGE: u32 = 200;

/// Lets go of reports that came in before the evidence's age.
///
/// # Errors
/// `StoreError` of the database; what went before it stays gone.
pub async fn forget_reports(hub: &Hub, now: Moment) -> Result<u64, StoreError> {
    let before = now.plus_ms(-EVIDENCE_MS);
    let mut gone = 0;
    loop {
        let some = hub
            .store()
            .write(Lane::Job, move |tx| Box::pin(async move { report::forget(tx, before, ROWS).await }))
            .await?;
        gone += some;
        if some < u64::from(ROWS) {
            return Ok(gone);
        }
    }
}

/// Lets go of what was asked of boxes thirty days ago, with the answers.
///
/// # Errors
/// `StoreError` of the database; what went before it stays gone.
pub async fn forget_diagnostics(hub: &Hub, now: Moment) -> Result<u64, StoreError> {
    let before = now.plus_ms(-DIAGNOSTICS_MS);
    let mut gone = 0;
    loop {
        let some = hub
            .store()
            .write(Lane::Job, move |tx| Box::pin(async move { diagnostic::forget(tx, before, ROWS).await }))
            .await?;
        gone += some;
        if some < u64::from(ROWS) {
            return Ok(gone);
        }
    }
}

/// Lets go of entries that arrived before the evidence's age, and of as old ones kept aside.
///
/// # Errors
/// `StoreError` of the database; what went before it stays gone.
pub async fn retire(hub: &Hub, now: Moment) -> Result<u64, StoreError> {
    let before = now.plus_ms(-EVIDENCE_MS);
    let mut gone = 0;
    let mut after = String::new();
    loop {
        let mut tx = hub.store().reader().await?;
        let due = journal::overdue(&mut tx, &after, before, PAGE).await?;
        drop(tx);
        for gateway in &due {
            loop {
                let gateway = gateway.clone();
                let some = hub
                    .store()
                    .write(Lane::Job, move |tx| {
                        Box::pin(async move { journal::retire(tx, &gateway, before, ROWS).await })
                    })
                    .await?;
                gone += some;
                if some < u64::from(ROWS) {
                    break;
                }
            }
        }
        match due.last() {
            Some(last) => last.as_str().clone_into(&mut after),
            None => break,
        }
    }
    loop {
        let some = hub
            .store()
            .write(Lane::Job, move |tx| {
                Box::pin(async move { journal::retire_aside(tx, before, ROWS).await })
            })
            .await?;
        if some < u64::from(ROWS) {
            return Ok(gone);
        }
    }
}
