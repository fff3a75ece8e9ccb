//! Which program runs, and what it says of itself.

use super::slots::Slots;
use kulkul_wire::link::Release;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a program says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// Which machines run it, for example `x86_64-linux-gnu`.
    pub target: String,
}

impl Program {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        Program { version: env!("CARGO_PKG_VERSION").to_owned(), target: kulkul_model::gateway::target() }
    }
}

/// What runs, for the status.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Running {
    /// The release whose program runs; none for the installed one.
    pub release: Option<Release>,
    /// Whether it is on trial.
    pub trial: bool,
}

impl Running {
    /// What `exe` is, by the slot that it lies in.
    #[must_use]
    pub fn of(data: &Path, exe: &Path) -> Self {
        let slots = Slots::of(data);
        let slot = slots.slot_of(exe);
        let trial = slot.is_some() && slots.record().trial.map(|t| t.slot) == slot;
        Running { release: slot.and_then(|s| slots.release(s)), trial }
    }
}
