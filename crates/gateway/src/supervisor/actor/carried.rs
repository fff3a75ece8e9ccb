//! What each way out carried for the place: counted by the kernel, kept, told to the journal.
//!
//! The table counts packets that were let through, by the interface that they leave or
//! come in by; nothing is counted where there is one way only.

use super::Actor;
use crate::ways;
use kulkul_wire::link::Event;
use kulkul_wire::ruleset::counters;
use serde::{Deserialize, Serialize};
use std::path::Path;

const FILE: &str = "ways.json";
/// What each way carried is told this often, milliseconds.
const TOLD_MS: i64 = 3_600_000;

/// What a way carried, as it lies on the disk: a restart loses nothing and counts nothing twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Carried {
    /// What the kernel's counters said last: to the provider, to the place.
    last: [u64; 2],
    /// All that was counted.
    pub(super) total: [u64; 2],
    /// What the journal was told of it.
    told: [u64; 2],
}

/// What is kept of the ways from run to run.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    pub(super) in_use: usize,
    pub(super) carried: [Carried; 2],
}

impl Kept {
    pub(super) fn open(data: &Path) -> Self {
        let text = std::fs::read(data.join(FILE)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

fn write(data: &Path, kept: &Kept) -> std::io::Result<()> {
    let file = data.join(FILE);
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, serde_json::to_vec(kept)?)?;
    std::fs::rename(fresh, file)
}

impl Actor {
    /// Reads what each way carried; the counters begin anew with a table that is loaded anew.
    pub(super) fn count_ways(&mut self) {
        if !self.ways.are_many() {
            return;
        }
        match self.kernel.carried() {
            Ok(all) => {
                for (line, carried) in self.ways.kept.carried.iter_mut().enumerate() {
                    for ((name, last), total) in
                        counters(line).iter().zip(&mut carried.last).zip(&mut carried.total)
                    {
                        let now = all.get(name).map_or(0, |c| c.bytes);
                        *total = total.saturating_add(if now >= *last { now - *last } else { now });
                        *last = now;
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "what the ways carried"),
        }
    }

    /// The table is made anew next: its counters begin at nothing.
    pub(super) fn forget_counters(&mut self) {
        for carried in &mut self.ways.kept.carried {
            carried.last = [0, 0];
        }
        self.keep_carried();
    }

    /// Keeps what was counted, and tells the journal once an hour.
    pub(super) fn account_ways(&mut self, mono_ms: i64) {
        if !self.ways.are_many() {
            return;
        }
        self.count_ways();
        if mono_ms.saturating_sub(self.ways.told_ms) >= TOLD_MS {
            self.tell_carried();
        }
        self.keep_carried();
        self.show_ways();
    }

    /// Tells the journal what each way carried since it was told last.
    pub(super) fn tell_carried(&mut self) {
        let mono_ms = self.clock.mono_ms();
        let ms = u64::try_from(mono_ms.saturating_sub(self.ways.told_ms)).unwrap_or(0);
        self.ways.told_ms = mono_ms;
        let owners: Vec<String> = self.config.lines().map(|l| l.owner.to_owned()).collect();
        let mut told = Vec::new();
        for (line, owner) in owners.into_iter().enumerate() {
            let Some(carried) = self.ways.kept.carried.get_mut(line) else { continue };
            let [up_bytes, down_bytes] = [0, 1].map(|way: usize| {
                let of = |all: &[u64; 2]| all.get(way).copied().unwrap_or(0);
                of(&carried.total).saturating_sub(of(&carried.told))
            });
            carried.told = carried.total;
            if up_bytes > 0 || down_bytes > 0 {
                let line = ways::name(line).to_owned();
                told.push(Event::LineCarried { line, owner, ms, up_bytes, down_bytes });
            }
        }
        for event in told {
            self.event(event);
        }
    }

    /// Keeps what was counted on the disk.
    pub(super) fn keep_carried(&self) {
        if !self.ways.are_many() {
            return;
        }
        if let Err(error) = write(&self.config.data, &self.ways.kept) {
            tracing::warn!(%error, "what the ways carried is not on the disk");
        }
    }
}
