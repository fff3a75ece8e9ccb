//! Wiring of updates: where programs come from, and what ends the run for another one.

use super::House;
use crate::link;
use crate::status::HubSeen;
use crate::updates::{Fetch, Files, Parts, Running, Updates};
use std::sync::Arc;
use tokio::sync::watch;

/// What keeps the box's program as the desired state names it; tells what runs.
pub(super) fn start(
    house: &House,
    files: Files,
    met: Option<&(link::Client, Arc<link::Identity>)>,
    hub: watch::Receiver<HubSeen>,
) -> watch::Receiver<Running> {
    let fetch = met.cloned().map(|(client, identity)| -> Fetch {
        Arc::new(move |release, path| {
            let (client, identity) = (client.clone(), identity.clone());
            Box::pin(async move {
                let fetched = client.blob_to(&identity, release.sha256, release.bytes, &path).await;
                fetched.map_err(|e| e.to_string())
            })
        })
    });
    let updates = Updates::new(Parts {
        config: house.config.clone(),
        files,
        desired: house.desired.clone(),
        hub,
        fetch,
        journal: house.journal.clone(),
        clock: house.clock.clone(),
        again: house.again.clone(),
    });
    let running = updates.running();
    house.tasks.spawn(updates.run(house.stop.clone()));
    running
}
