//! Ending the box's run in order to begin anew, in the same process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;

/// Ends the box's run so that it begins anew, with other settings or as another program.
#[derive(Clone, Debug)]
pub struct Again {
    wanted: Arc<AtomicBool>,
    leaves: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Again {
    /// Ends a run by `stop`.
    #[must_use]
    pub fn new(stop: CancellationToken) -> Self {
        Again { wanted: Arc::default(), leaves: Arc::default(), stop }
    }

    /// Ends the run; the kernel goes on enforcing meanwhile.
    pub fn begin(&self) {
        self.wanted.store(true, Ordering::Relaxed);
        self.stop.cancel();
    }

    /// Ends the run and leaves resolver and dnsmasq to the next, so that names and addresses go on.
    pub fn begin_as_another(&self) {
        self.leaves.store(true, Ordering::Relaxed);
        self.begin();
    }

    /// Whether the run ended in order to begin anew.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Whether programs beside this one are left running for the next run to take over.
    #[must_use]
    pub fn leaves(&self) -> bool {
        self.leaves.load(Ordering::Relaxed)
    }

    /// What ends the run, whoever ends it.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }
}
