//! History: the weeks before a demo began, as the journals of earlier, replaced gateways.
//!
//! Each place had a gateway before the one that lives now. Its chain is real: keyed,
//! signed and hash-linked, and goes through the same intake as any journal. Only
//! its enrolment and revocation are written straight into the database, because
//! they lie in the past. The newest day comes first, so that pages fill where people
//! look: each entry says when it happened, but the chain is not in the order of time.

use crate::diary::{self, HOUR_MS};
use crate::fleet::shares;
use crate::light::{HARDWARE, LightGateway};
use crate::world::{Place, World};
use kulkul_hub::Hub;
use kulkul_hub::entropy::{self, NoEntropy};
use kulkul_hub::fleet::{Known, journal, known};
use kulkul_model::Moment;
use kulkul_model::gateway::{Capabilities, GatewayId};
use kulkul_store::gateway::Gateway;
use kulkul_store::{Lane, StoreError, gateway, journal as chains};
use kulkul_wire::link::BATCH_LIMIT;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

/// Hours of a day; one batch of a place's journal is one day.
const DAY_HOURS: u32 = 24;

/// Why the history of a place could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The database.
    #[error("making a place's history: {0}")]
    Store(#[from] StoreError),
    /// No randomness for a key.
    #[error("making a place's history: {0}")]
    Entropy(#[from] NoEntropy),
    /// The hub's own intake did not take it.
    #[error("the hub does not take the history of {place}: {why}")]
    Refused {
        /// The site's code.
        place: String,
        /// What the problem says.
        why: String,
    },
}

/// How far the history has come; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<(AtomicU64, AtomicU64)>);

impl Progress {
    /// Site-days that are there, and how many there will be.
    #[must_use]
    pub fn now(&self) -> (u64, u64) {
        (self.0.0.load(Ordering::Relaxed), self.0.1.load(Ordering::Relaxed))
    }

    fn expect(&self, days: u64) {
        self.0.1.store(days, Ordering::Relaxed);
    }

    fn step(&self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A place's earlier gateway, and how the hub knows it.
struct Earlier {
    gateway: LightGateway,
    known: Arc<Known>,
}

/// Fills `days` days before the hour of `now`, for all places, newest day first.
///
/// Stops early, with all that is there kept, when the hub stops.
///
/// # Errors
/// `HistoryError` names the place.
pub async fn fill(
    hub: &Hub,
    world: World,
    places: Vec<Place>,
    days: u32,
    now: Moment,
    progress: &Progress,
) -> Result<(), HistoryError> {
    progress.expect(places.len() as u64 * u64::from(days));
    let begins = now.hour().plus_ms(-i64::from(days * DAY_HOURS) * HOUR_MS);
    let mut tasks: JoinSet<Result<(), HistoryError>> = JoinSet::new();
    for share in shares(places) {
        let (hub, progress) = (hub.clone(), progress.clone());
        tasks.spawn(async move {
            let mut earlier = Vec::new();
            for place in share {
                earlier.push(install(&hub, place, begins, now).await?);
            }
            for day in 0..days {
                for one in &mut earlier {
                    if hub.stop().is_cancelled() {
                        return Ok(());
                    }
                    let end = now.hour().plus_ms(-i64::from(day * DAY_HOURS) * HOUR_MS);
                    write_day(&hub, world, one, end).await?;
                    progress.step();
                }
            }
            Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        // A panic in a task is a fault of this file and was reported; the others go on.
        if let Ok(result) = done {
            result?;
        }
    }
    Ok(())
}

/// Writes down that a gateway stood here before, and was replaced.
async fn install(hub: &Hub, place: Place, from: Moment, until: Moment) -> Result<Earlier, HistoryError> {
    let site = place.code.clone();
    let mut gateway = LightGateway::new(place, &entropy::draw()?, from, false);
    let id = GatewayId::from_bits(u128::from_be_bytes(entropy::draw()?));
    let capabilities = Capabilities { kernel: "simulated".to_owned(), ..Capabilities::default() };
    let row = Gateway {
        id: id.clone(),
        site,
        public_key: gateway.public_key().0,
        hardware: HARDWARE.to_owned(),
        capabilities: capabilities.clone(),
        enrolled_at: from,
        revoked_at: Some(until),
        revoked_why: Some("replaced".to_owned()),
    };
    let key = gateway.public_key();
    hub.store()
        .write(Lane::Job, move |tx| {
            Box::pin(async move {
                gateway::insert(tx, &row).await?;
                chains::begin(tx, &row.id, &key).await
            })
        })
        .await?;
    gateway.enrolled(id.clone(), &capabilities, from);
    let known = known::find(hub, &id).await?.ok_or_else(|| HistoryError::Refused {
        place: gateway.place().code.to_string(),
        why: "it is not in the database".to_owned(),
    })?;
    Ok(Earlier { gateway, known })
}

/// Writes the day that ends at `end` and hands it to the hub's intake.
async fn write_day(hub: &Hub, world: World, earlier: &mut Earlier, end: Moment) -> Result<(), HistoryError> {
    let place = earlier.gateway.place().clone();
    let mut gateway = std::mem::replace(&mut earlier.gateway, LightGateway::nowhere(&place));
    // A day of minutes is some milliseconds of pure work.
    let (sealed, gateway) = tokio::task::spawn_blocking(move || {
        for hour in (1..=i64::from(DAY_HOURS)).rev() {
            let begins = end.plus_ms(-hour * HOUR_MS);
            for (at, entry) in diary::entries(&world, gateway.place(), begins) {
                gateway.append(&entry, at);
            }
        }
        (gateway.drain(), gateway)
    })
    .await
    .map_err(|e| HistoryError::Refused { place: place.code.to_string(), why: e.to_string() })?;
    earlier.gateway = gateway;
    let mut batch = Vec::new();
    for entry in sealed {
        if batch.len() + entry.len() > BATCH_LIMIT {
            take(hub, earlier, &std::mem::take(&mut batch)).await?;
        }
        batch.extend_from_slice(&entry);
    }
    take(hub, earlier, &batch).await
}

async fn take(hub: &Hub, earlier: &Earlier, batch: &[u8]) -> Result<(), HistoryError> {
    if batch.is_empty() {
        return Ok(());
    }
    journal::take(hub, &earlier.known, batch).await.map(drop).map_err(|problem| HistoryError::Refused {
        place: earlier.gateway.place().code.to_string(),
        why: format!("{problem:?}"),
    })
}
