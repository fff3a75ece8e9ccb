//! Watch: what every place gives now and gave before.
//!
//! `live` takes beats, `jobs` let time pass, `assemble` builds the board from both,
//! `events` tells open pages. `intake` takes what journals bring, `settle` makes
//! outages and seconds agree with all that is known, `availability` reads it back.
//! Late news corrects the past and raises nothing.

pub mod api;
pub mod assemble;
pub mod availability;
pub mod board;
pub mod canaries;
pub mod events;
pub mod intake;
pub mod jobs;
pub mod live;
pub mod metrics;
pub mod restore;
pub mod settle;
#[cfg(test)]
mod tests;

pub use jobs::start;

use live::Live;
use metrics::WatchMetrics;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Watch's state in memory; one in each hub.
#[derive(Debug, Default)]
pub struct Watch {
    live: Mutex<Live>,
    metrics: WatchMetrics,
    streams: events::Streams,
}

impl Watch {
    /// The live states; hold it for a moment only, and never over an await.
    pub fn live(&self) -> MutexGuard<'_, Live> {
        // A panic in a holder leaves whole entries: each is changed in one step.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `/metrics` shows of it.
    #[must_use]
    pub fn metrics(&self) -> &WatchMetrics {
        &self.metrics
    }

    /// Who follows the live events.
    #[must_use]
    pub fn streams(&self) -> &events::Streams {
        &self.streams
    }
}
