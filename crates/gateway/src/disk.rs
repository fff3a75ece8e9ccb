//! The box's disk as the journal sees it: named files that grow, and replace whole.
//!
//! Behind a trait, so that simulated boxes keep theirs in memory and tests can fill it,
//! cut its power at any byte and flip its bits.

mod files;
mod memory;

pub use files::{Files, write_whole};
pub use memory::Memory;

use std::io;

/// Named files in one directory. Calls may block; none is made on the network's threads.
pub trait Disk: Send + Sync {
    /// Names of all files, sorted.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// A file's bytes.
    ///
    /// # Errors
    /// What the system says.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Adds bytes at the end of a file, making it when it is not there. After an error
    /// some of the bytes may be there.
    ///
    /// # Errors
    /// What the system says; `StorageFull` when there is no room.
    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Returns when a file and its name survive a power cut.
    ///
    /// # Errors
    /// What the system says.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Puts other bytes in a file's place, whole or not at all, and syncs.
    ///
    /// # Errors
    /// What the system says; the old bytes are there then.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file to `length` bytes.
    ///
    /// # Errors
    /// What the system says.
    fn truncate(&self, name: &str, length: usize) -> io::Result<()>;

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Whether calls return at once, so that they may be made on any thread.
    fn is_instant(&self) -> bool {
        false
    }
}

/// Whether an error says that there is no room.
#[must_use]
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
