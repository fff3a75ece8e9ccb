//! Running: stages begin one after the other as boxes prove what they were given.
//!
//! A stage that has begun is told box by box, a few to a write, before anybody asks whether
//! it is over. Two hubs over one database may both do this: each step is done once.

use super::progress::now_of;
use super::rollouts::by_itself;
use crate::Hub;
use crate::fleet::desired;
use crate::fleet::follower::FleetError;
use crate::staff::actor::noted;
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_model::rollout::{BoxNow, Next, RolloutState, StageNow, next};
use kulkul_store::rollout::{self, Rollout};
use kulkul_store::{Lane, StoreError, audit, gateway, gateway_run};
use std::collections::BTreeMap;

/// How often there is a look, milliseconds.
const EVERY_MS: i64 = 1_000;
/// How often it is looked who was heard, milliseconds.
const HEARD_EVERY_MS: i64 = 60_000;
/// What is kept of when a box was heard is at most as much older, milliseconds.
const HEARD_MS: i64 = 10 * 60_000;
/// Boxes of one write.
const PAGE: u32 = 20;

/// Looks after the rollout that holds, until the hub stops.
pub async fn run(hub: &Hub) {
    let (mut kept, mut heard_due) = (BTreeMap::new(), hub.clock().now());
    loop {
        if hub.clock().now() >= heard_due {
            heard_due = hub.clock().now().plus_ms(HEARD_EVERY_MS);
            if let Err(error) = keep_heard(hub, &mut kept).await {
                tracing::warn!(%error, "when boxes were heard was not written down");
            }
        }
        if let Err(error) = look(hub).await {
            tracing::warn!(%error, "the rollout of an update does not go on; tried again");
        }
        tokio::select! {
            biased;
            () = hub.fleet().rollouts.notified() => {}
            () = hub.clock().sleep_ms(EVERY_MS) => {}
        }
    }
}

/// Keeps when boxes were heard, for a hub that starts anew or hears others; `kept` is what was.
///
/// # Errors
/// `StoreError` of the database.
pub async fn keep_heard(hub: &Hub, kept: &mut BTreeMap<GatewayId, Moment>) -> Result<usize, StoreError> {
    let fresh = hub.fleet().gateways.all().into_iter().filter_map(|known| {
        let at = known.last_beat()?.at;
        let old = kept.get(&known.id).is_none_or(|k| at.since_ms(*k) >= HEARD_MS);
        old.then(|| (known.id.clone(), at))
    });
    let fresh: Vec<(GatewayId, Moment)> = fresh.collect();
    for page in fresh.chunks(250) {
        let page = page.to_vec();
        let rows = page.clone();
        hub.store()
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    for (id, at) in &rows {
                        gateway_run::heard(tx, id, *at).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
        kept.extend(page);
    }
    Ok(fresh.len())
}

/// Does what is due now: tells boxes, begins stages, ends the rollout.
///
/// # Errors
/// `FleetError` of keys or database; what was done before it stays so.
pub async fn look(hub: &Hub) -> Result<(), FleetError> {
    loop {
        let mut tx = hub.store().reader().await?;
        let held = rollout::newest(&mut tx).await?.filter(|r| r.state == RolloutState::Running);
        let Some(held) = held else { return Ok(()) };
        if held.told_at.is_none() {
            drop(tx);
            tell(hub, &held).await?;
            continue;
        }
        let boxes = rollout::of_stage(&mut tx, held.number, held.stage).await?;
        drop(tx);
        let boxes: Vec<BoxNow> = boxes.into_iter().map(|b| now_of(hub, b).1).collect();
        let stage = StageNow {
            begun_at: held.stage_begun_at,
            is_last: held.stage as usize >= held.stages.len(),
            wait_ms: held.wait_ms,
        };
        let now = hub.clock().now();
        let number = held.number;
        match next(&stage, &boxes, now, hub.fleet().since) {
            Next::Stay => return Ok(()),
            Next::Begin => {
                let stage = held.stage;
                let mut entry = by_itself(now, "advance", number);
                entry.after = noted(&serde_json::json!({ "stage": stage + 1 }));
                let write = hub.store().write(Lane::Job, move |tx| {
                    Box::pin(async move {
                        if rollout::advance(tx, number, stage, now).await? {
                            audit::append(tx, &entry).await?;
                        }
                        Ok::<_, StoreError>(())
                    })
                });
                write.await?;
                tracing::info!(rollout = number, stage = stage + 1, "the next stage of a rollout begins");
            }
            Next::Done => {
                let entry = by_itself(now, "finish", number);
                let from = (number, RolloutState::Running);
                let write = hub.store().write(Lane::Job, move |tx| {
                    Box::pin(async move {
                        let by = (now, super::WHO);
                        if rollout::set_state(tx, from, RolloutState::Done, "", by).await? {
                            audit::append(tx, &entry).await?;
                        }
                        Ok::<_, StoreError>(())
                    })
                });
                write.await?;
                tracing::info!(rollout = number, "a rollout is done");
            }
        }
    }
}

/// Makes the desired states of all boxes in use anew: those of stages that have begun are told.
async fn tell(hub: &Hub, held: &Rollout) -> Result<(), FleetError> {
    let mut after = String::new();
    loop {
        let mut tx = hub.store().reader().await?;
        let page = gateway::list_in_use(&mut tx, &after, PAGE).await?;
        drop(tx);
        let Some(last) = page.last() else { break };
        last.id.as_str().clone_into(&mut after);
        let (source, now) = (desired::Source::of(hub)?, hub.clock().now());
        let made = hub.store().write(Lane::Job, move |tx| {
            Box::pin(async move {
                let mut made = Vec::new();
                for row in page {
                    let version = desired::refresh(tx, &source, &row.id, &row.site, now).await?.version;
                    made.push((row.id, version));
                }
                Ok::<_, StoreError>(made)
            })
        });
        for (id, version) in made.await? {
            if let Some(known) = hub.fleet().gateways.get(&id) {
                known.set_newest(version);
            }
        }
    }
    let (number, stage, now) = (held.number, held.stage, hub.clock().now());
    let write = hub
        .store()
        .write(Lane::Job, move |tx| Box::pin(async move { rollout::told(tx, number, stage, now).await }));
    Ok(write.await?)
}
