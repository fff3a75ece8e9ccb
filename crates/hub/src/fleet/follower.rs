//! The follower: notices that the register or a setting changed, here or at another
//! hub over the same database, and makes the desired states that follow from it.

use super::{desired, known};
use crate::Hub;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_store::{Lane, StoreError, setting};
use kulkul_wire::link::Version;

/// How often the database's versions are looked at, milliseconds.
const EVERY_MS: i64 = 1_000;
/// Gateways of one write, so that nobody waits long for the writer.
const PAGE: usize = 20;
/// Counts the register's changes that were a stage and nothing else: no desired state has it.
pub(super) const STAGES: &str = "stage_version";

/// Opens the keys, reads the fleet into memory, and follows changes until the hub stops.
///
/// # Errors
/// When keys or database cannot be used; nothing runs then.
pub async fn start(hub: &Hub) -> Result<(), FleetError> {
    hub.fleet().keys()?;
    let met = known::load(hub).await?;
    tracing::info!(gateways = met, "the fleet is in memory");
    let task = hub.clone();
    hub.tasks().spawn(async move { follow(&task).await });
    Ok(())
}

/// The fleet cannot start.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The hub's keys.
    #[error(transparent)]
    Keys(#[from] super::KeysError),
    /// The database.
    #[error("reading the fleet: {0}")]
    Store(#[from] StoreError),
}

impl From<FleetError> for crate::web::Problem {
    fn from(error: FleetError) -> Self {
        match error {
            FleetError::Store(error) => error.into(),
            other => crate::web::Problem::fault(&other),
        }
    }
}

async fn follow(hub: &Hub) {
    let mut seen = None;
    loop {
        match look(hub).await {
            Ok(now) if seen == Some(now) => {}
            Ok(now) => match refresh_all(hub).await {
                Ok(changed) => {
                    if changed > 0 {
                        tracing::info!(changed, "desired states are new");
                    }
                    seen = Some(now);
                }
                Err(error) => tracing::error!(%error, "desired states cannot be made"),
            },
            Err(error) => tracing::warn!(%error, "the database's versions cannot be read"),
        }
        tokio::select! {
            biased;
            () = hub.stop().cancelled() => return,
            () = hub.clock().sleep_ms(EVERY_MS) => {}
        }
    }
}

/// The counters that say that something changed which desired states are made from.
async fn look(hub: &Hub) -> Result<[u64; 4], StoreError> {
    let mut tx = hub.store().reader().await?;
    let register = setting::counter(&mut tx, "register_version").await?;
    let stages = setting::counter(&mut tx, STAGES).await?;
    Ok([
        register.saturating_sub(stages),
        setting::counter(&mut tx, "desired_settings").await?,
        setting::counter(&mut tx, "desired_epoch").await?,
        // Timetables reach so many days ahead: each day they are worked out anew.
        hub.zone().day(hub.clock().now()).seconds().unsigned_abs(),
    ])
}

/// Makes the desired states of the boxes at these sites anew now; other hubs follow within a second.
///
/// # Errors
/// `FleetError` of keys or database.
pub async fn refresh_sites(hub: &Hub, sites: &[SiteCode]) -> Result<(), FleetError> {
    if sites.is_empty() {
        return Ok(());
    }
    let all = hub.fleet().gateways.all();
    let boxes: Vec<_> = all
        .iter()
        .filter(|g| !g.is_revoked() && sites.contains(&g.site))
        .map(|g| (g.id.clone(), g.site.clone()))
        .collect();
    let (source, now) = (desired::Source::of(hub)?, hub.clock().now());
    let made = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            setting::bump(tx, "desired_settings").await?;
            let mut made = Vec::new();
            for (id, site) in boxes {
                made.push((id.clone(), desired::refresh(tx, &source, &id, &site, now).await?.version));
            }
            Ok::<_, StoreError>(made)
        })
    });
    for (id, version) in made.await? {
        if let Some(known) = hub.fleet().gateways.get(&id) {
            known.set_newest(version);
        }
    }
    Ok(())
}

/// Looks at every gateway's desired state and makes those anew that differ; tells how many.
///
/// # Errors
/// `FleetError` of keys or database.
pub async fn refresh_all(hub: &Hub) -> Result<usize, FleetError> {
    let all = hub.fleet().gateways.all();
    let mut changed = 0;
    for page in all.chunks(PAGE) {
        let boxes: Vec<_> =
            page.iter().filter(|g| !g.is_revoked()).map(|g| (g.id.clone(), g.site.clone())).collect();
        let source = desired::Source::of(hub)?;
        let now = hub.clock().now();
        let made: Vec<(GatewayId, Version, bool)> = hub
            .store()
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    let mut made = Vec::new();
                    for (id, site) in boxes {
                        let r = desired::refresh(tx, &source, &id, &site, now).await?;
                        made.push((id, r.version, r.changed));
                    }
                    Ok::<_, StoreError>(made)
                })
            })
            .await?;
        for (id, version, fresh) in made {
            changed += usize::from(fresh);
            if let Some(known) = hub.fleet().gateways.get(&id) {
                known.set_newest(version);
            }
        }
    }
    Ok(changed)
}
