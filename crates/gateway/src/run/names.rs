//! Wiring of names: the resolver's process, its block lists, and what it tells.

use super::{GatewayError, House, part};
use crate::dns::counts::Today;
use crate::dns::keeper;
use crate::dns::lists::{Fetch, InForce, Lists};
use crate::link;
use kulkul_model::Zone;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

/// What is filtered, and what of it was asked for today.
pub(super) type Told = (watch::Receiver<Arc<InForce>>, watch::Receiver<Today>);

/// The resolver's process, its block lists, and what it tells of the walled garden and of blocked names.
pub(super) fn start(
    house: &House,
    exe: PathBuf,
    met: Option<&(link::Client, Arc<link::Identity>)>,
) -> Result<Told, GatewayError> {
    let fetch = met.cloned().map(|(client, identity)| -> Fetch {
        Arc::new(move |list, path| {
            let (client, identity) = (client.clone(), identity.clone());
            Box::pin(async move {
                let fetched = client.blob_to(&identity, list.sha256, list.bytes, &path).await;
                fetched.map_err(|e| e.to_string())
            })
        })
    });
    let (config, clock) = (house.config.clone(), house.clock.clone());
    let lists = Lists::open(&config.data, fetch, house.journal.clone(), clock.clone())
        .map_err(part("the directory of block lists"))?;
    let in_force = lists.in_force();
    house.tasks.spawn(lists.run(house.desired.clone(), house.stop.clone()));
    let (tell, blocked) = watch::channel(Today::default());
    let (data, supervisor, stop) = (config.data.clone(), house.supervisor.clone(), house.stop.clone());
    let (zone_of, now) = (house.desired.clone(), clock.clone());
    let day = move || {
        let zone = zone_of.borrow().as_ref().and_then(|d| Zone::named(&d.site.zone).ok());
        let zone = zone.or_else(|| Zone::named("Asia/Makassar").ok())?;
        Some(zone.civil(now.wall()?).strftime("%Y-%m-%d").to_string())
    };
    house.tasks.spawn(async move {
        if let Err(error) = keeper::learn(&data, supervisor, tell, day, stop).await {
            tracing::error!(%error, "the walled garden learns no names");
        }
    });
    let (desired, filter) = (house.desired.clone(), in_force.clone());
    let (failed, again) = (house.failed.clone(), house.again.clone());
    house.tasks.spawn(async move {
        if let Err(error) = keeper::keep(exe, config, (desired, filter), clock, failed, again).await {
            tracing::error!(%error, "names are not resolved");
        }
    });
    Ok((in_force, blocked))
}
