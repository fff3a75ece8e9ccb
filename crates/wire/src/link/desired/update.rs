//! The section that names the program which a box should run.

use super::super::bytes::Blob;
use serde::{Deserialize, Serialize};

/// Which program the box should run; a box that runs another fetches, tries and proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateSection {
    /// The signed release; empty leaves the box with what it runs.
    pub release: Blob,
    /// The rollout that asks for it; a release that did not prove itself is tried again by another one.
    pub rollout: u64,
    /// Begins when the program is there, at any hour.
    pub at_once: bool,
    /// Else from this minute of the local day,
    pub quiet_from: u16,
    /// until before this one; over midnight where it is the smaller.
    pub quiet_until: u16,
    /// How long the box has to prove that the new program serves the place, milliseconds.
    pub prove_ms: u64,
}

impl Default for UpdateSection {
    fn default() -> Self {
        UpdateSection {
            release: Blob::default(),
            rollout: 0,
            at_once: false,
            quiet_from: 2 * 60,
            quiet_until: 5 * 60,
            prove_ms: 10 * 60_000,
        }
    }
}
