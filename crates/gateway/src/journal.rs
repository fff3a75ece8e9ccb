//! The journal: what happened at the place, append-only, chained and signed.
//!
//! `append` returns when the entry is on the disk; those who wait at the same time
//! share one sync. Nothing here decides what is worth recording, and nothing rewrites
//! an entry.

mod segment;
#[cfg(test)]
mod tests;
mod writer;

use crate::clock::Clock;
use crate::disk::{Disk, Memory};
use kulkul_model::gateway::GatewayId;
use kulkul_proof::Signer;
use kulkul_wire::link::{BootId, Entry, Header, Sealed, Stamp, sign1};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedMutexGuard, oneshot, watch};
use writer::Writer;

/// Room for the journal on a box with space to spare: more than 30 days of a busy place.
pub const LIMIT: usize = 64 * 1024 * 1024;

/// Room for a journal that nobody will ever read, in memory.
const MEMORY_LIMIT: usize = 1024 * 1024;

/// Tells the run of the box, its monotonic time and, once set, the wall clock.
pub type Stamper = Arc<dyn Fn() -> Stamp + Send + Sync>;

/// The stamps of a clock.
#[must_use]
pub fn stamps(clock: &Clock) -> Stamper {
    let clock = clock.clone();
    Arc::new(move || Stamp {
        boot: BootId(clock.boot().0),
        mono_ms: u64::try_from(clock.mono_ms()).unwrap_or(0),
        wall: clock.wall(),
    })
}

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

/// What a journal is made of.
pub struct Options {
    /// Where it lies.
    pub disk: Arc<dyn Disk>,
    /// Signs its entries.
    pub signer: Signer,
    /// Whose it is.
    pub gateway: GatewayId,
    /// Gives 16 random bytes at a time.
    pub salts: Box<dyn FnMut() -> [u8; 16] + Send>,
    /// How many bytes it may take.
    pub limit: usize,
}

/// Hands entries to the journal; cheap to clone.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    queue: Mutex<Vec<Waiting>>,
    writer: Arc<tokio::sync::Mutex<Writer>>,
    stamper: Stamper,
    head: watch::Sender<u64>,
    held: watch::Sender<u64>,
    instant: bool,
}

struct Waiting {
    entry: Entry,
    stamp: Stamp,
    answer: oneshot::Sender<Result<u64, JournalError>>,
}

impl Journal {
    /// Opens a journal; a tail that a power cut tore off is cut away.
    ///
    /// # Errors
    /// `JournalError::Disk` when the disk cannot be read.
    pub fn open(options: Options, stamper: Stamper) -> Result<Self, JournalError> {
        let instant = options.disk.is_instant();
        let writer = Writer::open(options, stamper().wall)?;
        Ok(Journal(Arc::new(Inner {
            queue: Mutex::default(),
            head: watch::Sender::new(writer.head()),
            held: watch::Sender::new(writer.held()),
            writer: Arc::new(tokio::sync::Mutex::new(writer)),
            stamper,
            instant,
        })))
    }

    /// A journal that lives in memory only, under a key that everybody knows: for tests, and
    /// for a box that has no hub.
    ///
    /// # Panics
    /// Never: memory can be read.
    #[must_use]
    #[expect(clippy::expect_used, reason = "an empty disk in memory always opens")]
    pub fn in_memory() -> Self {
        let options = Options {
            disk: Arc::new(Memory::default()),
            signer: Signer::from_seed(&[1; 32]),
            gateway: GatewayId::from_bits(1),
            salts: Box::new(|| [0; 16]),
            limit: MEMORY_LIMIT,
        };
        Self::open(options, Arc::new(Stamp::default)).expect("memory can be read")
    }

    /// Records an entry and returns its number once it is on the disk.
    ///
    /// An entry goes on its way even when the caller stops waiting.
    ///
    /// # Errors
    /// `JournalError`: the entry is not recorded.
    pub async fn append(&self, entry: Entry) -> Result<u64, JournalError> {
        let (answer, told) = oneshot::channel();
        {
            let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
            // Stamped under the lock, so that times follow the order of the chain.
            queue.push(Waiting { entry, stamp: (self.0.stamper)(), answer });
        }
        // Whoever has the writer takes along all who wait: one sync for many.
        let writer = Arc::clone(&self.0.writer).lock_owned().await;
        let batch = std::mem::take(&mut *self.0.queue.lock().unwrap_or_else(PoisonError::into_inner));
        if !batch.is_empty() {
            let inner = Arc::clone(&self.0);
            let commit = move || inner.commit(writer, batch);
            if self.0.instant {
                commit();
            } else {
                tokio::task::spawn_blocking(commit).await.map_err(|_| JournalError::Closed)?;
            }
        }
        told.await.unwrap_or(Err(JournalError::Closed))
    }

    /// The number of the last entry; 0 when there is none.
    #[must_use]
    pub fn head(&self) -> u64 {
        *self.0.head.borrow()
    }

    /// The hub holds everything up to this number.
    #[must_use]
    pub fn held(&self) -> u64 {
        *self.0.held.borrow()
    }

    /// Follows the number of the last entry.
    #[must_use]
    pub fn heads(&self) -> watch::Receiver<u64> {
        self.0.head.subscribe()
    }

    /// Entries from number `from` on, as many as fit in `limit` bytes (at least one).
    ///
    /// What is lost is replaced by a signed gap.
    ///
    /// # Errors
    /// `JournalError` when the disk cannot be read.
    pub async fn unsent(&self, from: u64, limit: usize) -> Result<Vec<Stored>, JournalError> {
        let stamp = (self.0.stamper)();
        self.work(move |w| w.unsent(from, limit, stamp)).await
    }

    /// Takes note that the hub holds everything up to `seq`, so that it may be dropped.
    ///
    /// # Errors
    /// `JournalError` when the disk cannot be written.
    pub async fn held_through(&self, seq: u64) -> Result<(), JournalError> {
        let stamp = (self.0.stamper)();
        self.work(move |w| w.held_through(seq, stamp)).await
    }

    /// The hub refuses entry `seq`: a gap is sent in its place.
    pub async fn refuse(&self, seq: u64) {
        // Only marks it in memory; a restart hears it from the hub again.
        let _ = self
            .work(move |w| {
                w.refuse(seq);
                Ok(())
            })
            .await;
    }

    /// What is recorded from number `from` on, read back; dropped payloads are left out.
    ///
    /// # Errors
    /// `JournalError` when the disk cannot be read.
    pub async fn read(&self, from: u64, limit: usize) -> Result<Vec<(Header, Entry)>, JournalError> {
        let stored = self.unsent(from, limit).await?;
        Ok(stored.iter().filter_map(|s| open(&s.sealed)).collect())
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let mut writer = Arc::clone(&self.0.writer).lock_owned().await;
        let inner = Arc::clone(&self.0);
        let run = move || {
            let result = work(&mut writer);
            inner.tell(&writer);
            result
        };
        if self.0.instant {
            return run();
        }
        tokio::task::spawn_blocking(run).await.map_err(|_| JournalError::Closed)?
    }
}

impl Inner {
    fn commit(&self, mut writer: OwnedMutexGuard<Writer>, batch: Vec<Waiting>) {
        let (work, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|w| ((w.entry, w.stamp), w.answer)).unzip();
        let results = writer.commit(&work);
        self.tell(&writer);
        for (answer, result) in answers.into_iter().zip(results) {
            // Whoever stopped waiting does not want to know.
            let _ = answer.send(result);
        }
    }

    fn tell(&self, writer: &Writer) {
        for (sender, value) in [(&self.head, writer.head()), (&self.held, writer.held())] {
            sender.send_if_modified(|old| std::mem::replace(old, value) != value);
        }
    }
}

fn open(sealed: &[u8]) -> Option<(Header, Entry)> {
    let sealed = Sealed::decode(sealed).ok()?;
    let header = Header::decode(sign1::decode(sealed.cose).ok()?.payload).ok()?;
    let entry = sealed.entry(&header).ok()??;
    Some((header, entry))
}
