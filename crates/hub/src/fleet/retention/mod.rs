//! Retention: what the hub lets go of as time passes, and when.
//!
//! Nothing grows without bound but what is meant to: outages, hourly sums and the audit.
//! Each write is small, so that nobody waits for it; what one run does not reach the next
//! one does. Watch retires its own minutes and hour blocks (`watch::jobs`).

mod blobs;
mod journal;
mod people;

pub use blobs::{UNNAMED_MS, drop_unnamed};
pub use journal::{DIAGNOSTICS_MS, forget_diagnostics, forget_reports, retire};
pub use people::{KEEP_MS, forget};

use crate::Hub;

const EVERY_MS: i64 = 3_600_000;
/// To find blobs that nothing names every manifest is read, so that is done once a day.
const BLOBS_EVERY_MS: i64 = 24 * EVERY_MS;
/// Rows of one write.
const ROWS: u32 = 500;

/// Lets go of what is due, each hour, until the hub stops.
pub async fn run(hub: &Hub) {
    let mut blobs_due = hub.clock().now();
    loop {
        let now = hub.clock().now();
        match forget(hub, now).await {
            Ok((0, 0)) => {}
            Ok((sessions, entries)) => {
                tracing::info!(sessions, entries, "records about people were forgotten");
            }
            Err(e) => {
                tracing::warn!(error = %e, "records about people could not be forgotten; tried again in an hour");
            }
        }
        match retire(hub, now).await {
            Ok(0) => {}
            Ok(entries) => tracing::info!(entries, "old journal entries were retired"),
            Err(e) => tracing::warn!(error = %e, "old journal entries stay; tried again in an hour"),
        }
        match forget_reports(hub, now).await {
            Ok(0) => {}
            Ok(reports) => tracing::info!(reports, "old reports were forgotten"),
            Err(e) => tracing::warn!(error = %e, "old reports stay; tried again in an hour"),
        }
        match forget_diagnostics(hub, now).await {
            Ok(0) => {}
            Ok(asks) => tracing::info!(asks, "what was asked of boxes long ago was forgotten"),
            Err(e) => tracing::warn!(error = %e, "old diagnostics stay; tried again in an hour"),
        }
        if now >= blobs_due {
            match drop_unnamed(hub, now).await {
                Ok(dropped) => {
                    blobs_due = now.plus_ms(BLOBS_EVERY_MS);
                    if dropped > 0 {
                        tracing::info!(dropped, "blobs that no desired state names were dropped");
                    }
                }
                Err(e) => tracing::warn!(error = %e, "unnamed blobs stay; tried again in an hour"),
            }
        }
        hub.clock().sleep_until(now.plus_ms(EVERY_MS)).await;
    }
}
