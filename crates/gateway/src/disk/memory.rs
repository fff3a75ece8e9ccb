//! A disk in memory: for simulated boxes, and for tests that break it.

use super::Disk;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A disk in memory; clones are the same disk.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    files: BTreeMap<String, Vec<u8>>,
    room: Option<usize>,
    /// What was done to it, when that is recorded.
    tape: Option<Vec<Act>>,
}

#[derive(Clone)]
enum Act {
    Append(String, Vec<u8>),
    Replace(String, Vec<u8>),
    Truncate(String, usize),
    Remove(String),
}

impl Inner {
    fn used(&self) -> usize {
        self.files.values().map(Vec::len).sum()
    }

    fn record(&mut self, act: Act) {
        if let Some(tape) = &mut self.tape {
            tape.push(act);
        }
    }

    fn play(&mut self, act: Act) {
        match act {
            Act::Append(name, bytes) => self.files.entry(name).or_default().extend(bytes),
            Act::Replace(name, bytes) => {
                self.files.insert(name, bytes);
            }
            Act::Truncate(name, length) => self.files.entry(name).or_default().truncate(length),
            Act::Remove(name) => {
                self.files.remove(&name);
            }
        }
    }
}

impl Memory {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the disk room for so many bytes; none for no bound.
    pub fn set_room(&self, room: Option<usize>) {
        self.inner().room = room;
    }

    /// Bytes in all files.
    #[must_use]
    pub fn used(&self) -> usize {
        self.inner().used()
    }

    /// From now on remembers what is done to it, for `cut`.
    pub fn record(&self) {
        self.inner().tape = Some(Vec::new());
    }

    /// Bytes that were written since `record`, each replacement, cut and removal counting as one.
    #[must_use]
    pub fn written(&self) -> usize {
        let inner = self.inner();
        inner.tape.iter().flatten().map(|a| if let Act::Append(_, b) = a { b.len() } else { 1 }).sum()
    }

    /// The disk as it would be if the power had gone after `written` had reached `at`.
    #[must_use]
    pub fn cut(&self, at: usize) -> Memory {
        let mut left = at;
        let mut after = Inner::default();
        let acts = self.inner().tape.clone().unwrap_or_default();
        for act in acts {
            let size = if let Act::Append(_, b) = &act { b.len() } else { 1 };
            if size <= left {
                left -= size;
                after.play(act);
            } else {
                if let Act::Append(name, mut bytes) = act {
                    bytes.truncate(left);
                    after.play(Act::Append(name, bytes));
                }
                break;
            }
        }
        Memory(Arc::new(Mutex::new(after)))
    }

    /// Flips a bit of a file; does nothing beyond its end.
    pub fn flip(&self, name: &str, byte: usize, bit: u8) {
        if let Some(b) = self.inner().files.get_mut(name).and_then(|f| f.get_mut(byte)) {
            *b ^= 1 << (bit & 7);
        }
    }
}

impl Disk for Memory {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.inner().files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.inner().files.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        let free = inner.room.map_or(usize::MAX, |room| room.saturating_sub(inner.used()));
        let fits = bytes.get(..free.min(bytes.len())).unwrap_or_default().to_vec();
        let short = fits.len() < bytes.len();
        let act = Act::Append(name.to_owned(), fits);
        inner.record(act.clone());
        inner.play(act);
        if short { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner();
        // Old and new are there together for a moment, as on a real disk.
        if inner.room.is_some_and(|room| inner.used() + bytes.len() > room) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let act = Act::Replace(name.to_owned(), bytes.to_vec());
        inner.record(act.clone());
        inner.play(act);
        Ok(())
    }

    fn truncate(&self, name: &str, length: usize) -> io::Result<()> {
        let mut inner = self.inner();
        let act = Act::Truncate(name.to_owned(), length);
        inner.record(act.clone());
        inner.play(act);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner();
        let act = Act::Remove(name.to_owned());
        inner.record(act.clone());
        inner.play(act);
        Ok(())
    }

    fn is_instant(&self) -> bool {
        true
    }
}
