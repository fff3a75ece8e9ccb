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

/// Who goes on by itself, as the audit names it.
const WHO: &str = "hub";
