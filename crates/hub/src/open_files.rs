//! Open files: every connection is one, and the system bounds them for each process.
//!
//! The hub takes what it is allowed and serves fewer connections at once where
//! that is less than its settings want, instead of failing at the worst moment.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are open besides connections: database, logs, blobs.
pub const OTHERS: u64 = 256;

/// How many connections fit into what the system allows this process, at most `wanted`.
#[must_use]
pub fn fit(wanted: usize) -> usize {
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    usize::try_from(most.saturating_sub(OTHERS)).unwrap_or(usize::MAX).min(wanted)
}

/// Raises the bound of this process for `wanted` connections; gives how many fit.
///
/// Only the superuser may go above what the system set as the most.
pub fn make_room(wanted: usize) -> usize {
    let need = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let now = getrlimit(Resource::Nofile);
    if now.current.is_some_and(|current| current < need) {
        let above = now.maximum.is_some_and(|most| most < need);
        let whole = Rlimit { current: Some(need), maximum: if above { Some(need) } else { now.maximum } };
        if setrlimit(Resource::Nofile, whole).is_err() {
            // The most that is allowed is still more than what is set.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: now.maximum, maximum: now.maximum });
        }
    }
    let fits = fit(wanted);
    if fits < wanted {
        tracing::warn!(wanted, fits, "fewer connections at once than limits.connections: raise LimitNOFILE");
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_never_more_than_wanted_nor_than_allowed() {
        assert_eq!(fit(1), 1);
        let fits = make_room(2_000);
        let bound = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert!(fits <= 2_000);
        assert!(bound >= fits as u64 + OTHERS || fits == 0, "{bound} {fits}");
    }
}
