//! What each device used today in sessions that are over.
//!
//! A device that logs out and in again goes on where it was. Kept in a file that is
//! written anew when something changed; a power cut loses what was added since.

use kulkul_model::Moment;
use kulkul_model::session::Mac;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

const NAME: &str = "spent.json";
/// Devices that are remembered; beyond them a box that is flooded with false addresses forgets newcomers.
const MOST: usize = 50_000;

/// What one device used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Used {
    /// Bytes in both directions.
    pub bytes: u64,
    /// Time online, milliseconds.
    pub ms: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Page {
    day: Moment,
    used: BTreeMap<Mac, Used>,
}

/// The page of today.
#[derive(Debug)]
pub struct Spent {
    path: PathBuf,
    page: Page,
    changed: bool,
}

impl Spent {
    /// Reads the page; one that cannot be read is begun anew.
    ///
    /// # Errors
    /// The system's, when the file is there and cannot be read.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join(NAME);
        let page = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Page::default(),
            Err(e) => return Err(e),
        };
        Ok(Spent { path, page, changed: false })
    }

    /// The first moment of the day that is counted; the epoch before the clock was ever set.
    #[must_use]
    pub fn day(&self) -> Moment {
        self.page.day
    }

    /// Turns the page.
    pub fn begin(&mut self, day: Moment) {
        self.page = Page { day, used: BTreeMap::new() };
        self.changed = true;
    }

    /// What a device has used.
    #[must_use]
    pub fn of(&self, mac: Mac) -> Used {
        self.page.used.get(&mac).copied().unwrap_or_default()
    }

    /// Adds a session that is over.
    pub fn add(&mut self, mac: Mac, bytes: u64, ms: u64) {
        if self.page.used.len() >= MOST && !self.page.used.contains_key(&mac) {
            return;
        }
        let used = self.page.used.entry(mac).or_default();
        used.bytes = used.bytes.saturating_add(bytes);
        used.ms = used.ms.saturating_add(ms);
        self.changed = true;
    }

    /// Writes the page when it changed.
    ///
    /// # Errors
    /// The system's; it is tried again at the next call.
    pub fn keep(&mut self) -> io::Result<()> {
        if !self.changed {
            return Ok(());
        }
        let new = self.path.with_extension("new");
        std::fs::write(&new, serde_json::to_vec(&self.page)?)?;
        std::fs::rename(new, &self.path)?;
        self.changed = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_kept_added_to_and_turned() {
        let dir = tempfile::tempdir().unwrap();
        let (mac, other) = (Mac([2; 6]), Mac([3; 6]));
        let mut spent = Spent::open(dir.path()).unwrap();
        spent.begin(Moment::from_ms(1_000));
        spent.add(mac, 700, 60_000);
        spent.add(mac, 300, 1_000);
        spent.keep().unwrap();
        let mut again = Spent::open(dir.path()).unwrap();
        assert_eq!(again.of(mac), Used { bytes: 1_000, ms: 61_000 });
        assert_eq!((again.of(other), again.day()), (Used::default(), Moment::from_ms(1_000)));
        again.begin(Moment::from_ms(2_000));
        assert_eq!(again.of(mac), Used::default());
        std::fs::write(dir.path().join(NAME), b"{half").unwrap();
        assert_eq!(Spent::open(dir.path()).unwrap().day(), Moment::EPOCH, "damage is a new page");
    }
}
