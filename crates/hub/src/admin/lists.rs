//! Lists that the command line shows: short, the newest or the first.

use crate::Hub;
use crate::fleet::updates::progress::boxes_of;
use kulkul_model::gateway::UpdateStep;
use kulkul_store::release::{self, Taken};
use kulkul_store::rollout::{self, Rollout};
use kulkul_store::{StoreError, account, voucher};

/// The most lines of a list.
const MOST: u32 = 200;

/// The newest batches of vouchers: id, label, place, how many, how many used.
pub(super) async fn batches(hub: &Hub) -> Result<Vec<[String; 5]>, StoreError> {
    let mut tx = hub.store().reader().await?;
    let mut lines = Vec::new();
    for b in voucher::list_batches(&mut tx, None, &voucher::newest(), MOST).await? {
        let (used, _) = voucher::counts(&mut tx, &b.id).await?;
        let place = b.site.map_or_else(|| "everywhere".to_owned(), |s| s.to_string());
        lines.push([b.id, b.label, place, b.vouchers.to_string(), used.to_string()]);
    }
    Ok(lines)
}

/// Accounts by name: name, note, devices, state.
pub(super) async fn accounts(hub: &Hub) -> Result<Vec<[String; 4]>, StoreError> {
    let now = hub.clock().now();
    let mut tx = hub.store().reader().await?;
    let all = account::list(&mut tx, "", "", MOST).await?;
    let line = |a: account::Account| {
        let over = a.expires_at.is_some_and(|at| at <= now);
        let state = if a.disabled_at.is_some() { "disabled" } else { if over { "over" } else { "open" } };
        [a.name.to_string(), a.label, a.devices.to_string(), state.to_owned()]
    };
    Ok(all.into_iter().map(line).collect())
}

/// A release: version, target, bytes, signed, taken by, digest.
pub(super) fn release(hub: &Hub, t: Taken) -> [String; 6] {
    let signed = hub.zone().rfc3339(t.release.signed_at);
    let Taken { release: r, taken_by, .. } = t;
    [r.version, r.target, r.bytes.to_string(), signed, taken_by, r.sha256.to_string()]
}

/// The newest releases.
pub(super) async fn releases(hub: &Hub) -> Result<Vec<[String; 6]>, StoreError> {
    let all = release::list(&mut hub.store().reader().await?, &release::first(), MOST).await?;
    Ok(all.into_iter().map(|t| release(hub, t)).collect())
}

/// A rollout: number, version, state, stage of how many, boxes that have proven it of those told, begun by.
pub(super) async fn rollout(hub: &Hub, r: Rollout) -> Result<[String; 6], StoreError> {
    let boxes = boxes_of(hub, r.number).await?;
    let proven = boxes.iter().filter(|(told, _)| told.step == Some(UpdateStep::Proven)).count();
    let state = if r.why.is_empty() {
        r.state.as_str().to_owned()
    } else {
        format!("{} ({})", r.state.as_str(), r.why)
    };
    let stage = format!("{} of {}", r.stage, r.stages.len());
    let boxes = format!("{proven} of {}", boxes.len());
    Ok([r.number.to_string(), r.version, state, stage, boxes, r.begun_by])
}

/// The newest rollouts.
pub(super) async fn rollouts(hub: &Hub) -> Result<Vec<[String; 6]>, StoreError> {
    let newest = rollout::list(&mut hub.store().reader().await?, u64::MAX, 20).await?;
    let mut lines = Vec::new();
    for r in newest {
        lines.push(rollout(hub, r).await?);
    }
    Ok(lines)
}
