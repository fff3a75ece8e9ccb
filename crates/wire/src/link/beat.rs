//! Beats: the sign of life every 30 seconds. Signed, volatile, never an entry.

use super::bytes::Digest;
use super::desired::Version;
use super::header::BootId;
use kulkul_model::Moment;
use kulkul_model::measurement::Minute;
use serde::{Deserialize, Serialize};

/// Body of `POST /link/v1/beat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Which run of the box.
    pub boot: BootId,
    /// Milliseconds since that run began.
    pub mono_ms: u64,
    /// The box's wall clock; none until it was set.
    #[serde(default)]
    pub wall_ms: Option<i64>,
    /// The desired state in force; none before the first.
    #[serde(default)]
    pub desired: Option<Version>,
    /// The last entry of the journal; 0 when it is empty.
    #[serde(default)]
    pub journal_head: u64,
    /// The latest minutes that were measured, oldest first, at most ten.
    #[serde(default)]
    pub minutes: Vec<Minute>,
    /// Devices online now.
    #[serde(default)]
    pub people: u32,
    /// The latest checkpoint of the evidence log that the box has seen.
    #[serde(default)]
    pub checkpoint: Option<Checkpoint>,
}

/// A beat carries at most this many minutes.
pub const MINUTES_LIMIT: usize = 10;

/// A state of the evidence log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Leaves.
    pub size: u64,
    /// Root hash.
    pub root: Digest,
}

/// The hub's answer to a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeatAnswer {
    /// The hub's time.
    pub now: Moment,
    /// The newest desired state.
    #[serde(default)]
    pub desired: Option<Version>,
    /// Digest of the keys that `GET keys` gives (`HubKeys::digest`).
    #[serde(default)]
    pub keys: Option<Digest>,
}

/// The hub's answer to `POST journal`, with 200 or (nothing new was stored) 409.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalAnswer {
    /// The hub holds every entry up to this one durably.
    pub held_through: u64,
}
