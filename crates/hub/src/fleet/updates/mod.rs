//! Updates: programs for boxes, taken from whoever signs them and rolled out in stages.
//!
//! The hub carries statement and file; it holds no key that could make one. `releases` takes
//! them, `rollouts` begins, pauses and stops, `told` is what a box is told and says, `run`
//! goes on from stage to stage, `progress` counts. The rules are `model::rollout`.

pub mod api;
pub mod pages;
pub mod progress;
pub mod releases;
pub mod rollouts;
pub mod run;
pub mod told;

use crate::web::Problem;
use kulkul_model::Refusal;
use kulkul_store::StoreError;

/// Who goes on by itself, as the audit names it.
const WHO: &str = "hub";

/// What a write of this room fails with: the rules say no, or the database does.
#[derive(Debug, thiserror::Error)]
enum NotWritten {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("updates: {0}")]
    Store(#[from] StoreError),
}

impl From<NotWritten> for Problem {
    fn from(error: NotWritten) -> Self {
        match error {
            NotWritten::Refused(refusal) => refusal.into(),
            NotWritten::Store(error) => error.into(),
        }
    }
}
