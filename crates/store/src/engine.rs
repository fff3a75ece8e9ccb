//! Opening a database, reading from it, handing work to its writer, stopping.
//!
//! Readers have connections of their own and see one state of the database for
//! as long as their transaction lives (at most 5 s on PostgreSQL). Only the
//! writer task of `writer` changes anything.

use crate::writer::{Queues, Work, Writer};
use crate::{Lane, StoreError, Tx, WriteTimes, dialect};
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Postgres, Sqlite};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Connections that read at the same time.
const READERS: u32 = 8;
/// How long a request waits for a connection before it is told that there is none.
const CONNECTION_WAIT: Duration = Duration::from_secs(5);
/// How long a read on PostgreSQL may take.
const READ_LIMIT_MS: &str = "5000";

/// A database: pools of readers and one writer task; cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    pools: Pools,
    queues: Option<Queues>,
    stop: CancellationToken,
    // Stops the writer when the last clone is dropped without `stop`.
    _stop_when_dropped: DropGuard,
    writer: Mutex<Option<JoinHandle<()>>>,
    // Held open for as long as the store lives; the system lets go of it at the end of the process.
    lock: Mutex<Option<File>>,
}

/// The connections of either database.
#[derive(Clone)]
pub(crate) enum Pools {
    Sqlite { write: sqlx::Pool<Sqlite>, read: sqlx::Pool<Sqlite> },
    Postgres { write: sqlx::Pool<Postgres>, read: sqlx::Pool<Postgres> },
}

impl Pools {
    pub(crate) async fn begin_write(&self) -> Result<Tx, StoreError> {
        match self {
            Pools::Sqlite { write, .. } => {
                write.begin_with(dialect::SQLITE_BEGIN_WRITE).await.map(Tx::Sqlite)
            }
            Pools::Postgres { write, .. } => {
                write.begin_with(dialect::POSTGRES_BEGIN_WRITE).await.map(Tx::Postgres)
            }
        }
        .map_err(StoreError::unavailable)
    }

    async fn begin_read(&self) -> Result<Tx, StoreError> {
        match self {
            Pools::Sqlite { read, .. } => read.begin_with(dialect::SQLITE_BEGIN_READ).await.map(Tx::Sqlite),
            Pools::Postgres { read, .. } => {
                read.begin_with(dialect::POSTGRES_BEGIN_READ).await.map(Tx::Postgres)
            }
        }
        .map_err(StoreError::unavailable)
    }

    async fn close(&self) {
        match self {
            Pools::Sqlite { write, read } => {
                read.close().await;
                // The last connection to close folds the write-ahead log into the database.
                write.close().await;
            }
            Pools::Postgres { write, read } => {
                read.close().await;
                write.close().await;
            }
        }
    }
}

impl Store {
    /// Opens a database for reading and writing; makes no tables (see `migrate`).
    ///
    /// `url` is `sqlite:///path/kulkul.db` (made when missing) or `postgres://...`.
    /// A SQLite database is locked by a file beside it until the store is stopped.
    ///
    /// # Errors
    /// `Address`, `Locked` when another process has it, `LockFile`, `Open`.
    pub async fn open(url: &str) -> Result<Store, StoreError> {
        Self::open_for(url, Use::Kept).await
    }

    /// Opens a database that is thrown away at the end, such as a demo's or a test's.
    ///
    /// A SQLite database does not wait for the disk then: a crash of the machine, not
    /// of the program, may damage it. PostgreSQL is as its server is set.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open_passing(url: &str) -> Result<Store, StoreError> {
        Self::open_for(url, Use::Passing).await
    }

    async fn open_for(url: &str, purpose: Use) -> Result<Store, StoreError> {
        let (pools, lock) = match address(url)? {
            Address::Sqlite(options) => {
                let lock = lock_beside(options.get_filename())?;
                (sqlite(url, *options, purpose).await?, Some(lock))
            }
            Address::Postgres(options) => (postgres(url, *options).await?, None),
        };
        let stop = CancellationToken::new();
        let (writer, queues) = Writer::new(pools.clone(), stop.clone());
        let task = tokio::spawn(writer.run());
        Ok(Store(Arc::new(Inner {
            pools,
            queues: Some(queues),
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
            writer: Mutex::new(Some(task)),
            lock: Mutex::new(lock),
        })))
    }

    /// Opens an existing database for reading only, also beside a running hub.
    ///
    /// # Errors
    /// `Address`, `Open`.
    pub async fn open_reader(url: &str) -> Result<Store, StoreError> {
        let pools = match address(url)? {
            Address::Sqlite(options) => sqlite(url, *options, Use::ReadOnly).await?,
            Address::Postgres(options) => postgres(url, *options).await?,
        };
        Ok(Store(Arc::new(Inner {
            pools,
            queues: None,
            _stop_when_dropped: CancellationToken::new().drop_guard(),
            stop: CancellationToken::new(),
            writer: Mutex::new(None),
            lock: Mutex::new(None),
        })))
    }

    /// The database's kind as people know it: `SQLite` or `PostgreSQL`.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self.0.pools {
            Pools::Sqlite { .. } => "SQLite",
            Pools::Postgres { .. } => "PostgreSQL",
        }
    }

    /// Begins a reading transaction, which ends when the `Tx` is dropped.
    ///
    /// Do not hold it over an await on anything but the database.
    ///
    /// # Errors
    /// `Unavailable` when no connection can be had within 5 s.
    pub async fn reader(&self) -> Result<Tx, StoreError> {
        self.0.pools.begin_read().await
    }

    /// Runs `work` within a reading transaction.
    ///
    /// # Errors
    /// `Unavailable`, and whatever the work gives.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
        E: From<StoreError>,
    {
        let mut tx = self.reader().await?;
        work(&mut tx).await
    }

    /// Hands `work` to the writer; resolves after it was committed.
    ///
    /// The work runs once, within a group of others. When it fails its own changes
    /// are undone and nobody else's. It goes on when the caller stops waiting.
    /// It must be short (a few milliseconds) and await nothing but its `Tx`.
    ///
    /// # Errors
    /// What the work gives; `Unavailable`, `Uncertain`, `Stopping`, `Panicked`, `ReadOnly`.
    pub async fn write<T, E, F>(&self, lane: Lane, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let queues = self.0.queues.as_ref().ok_or(StoreError::ReadOnly)?;
        let (item, answer) = Work::new(work);
        queues.hand_in(lane, Box::new(item)).await?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Stopping.into()))
    }

    /// Items that wait for the writer, in the order of `Lane`: Access, Journal, Page, Job.
    #[must_use]
    pub fn waiting(&self) -> [usize; 4] {
        self.0.queues.as_ref().map_or([0; 4], Queues::waiting)
    }

    /// How long transactions of this process's writer took; for metrics.
    #[must_use]
    pub fn write_times(&self) -> WriteTimes {
        self.0.queues.as_ref().map(Queues::times).unwrap_or_default()
    }

    /// Takes no more work, does what was handed in, closes the database and unlocks it.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = writer
            && let Err(e) = task.await
        {
            tracing::error!(error = %e, "the writer ended badly");
        }
        self.0.pools.close().await;
        drop(self.0.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

enum Address {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

fn address(url: &str) -> Result<Address, StoreError> {
    let wrong = || StoreError::Address { url: without_password(url) };
    if url.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(url).map_err(|_| wrong())?;
        Ok(Address::Sqlite(Box::new(options)))
    } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        PgConnectOptions::from_str(url).map(|o| Address::Postgres(Box::new(o))).map_err(|_| wrong())
    } else {
        Err(wrong())
    }
}

/// The address as it may appear in a message.
fn without_password(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| rest.rsplit_once('@').map(|(u, h)| (scheme, u, h)))
    {
        Some((scheme, user, host)) => {
            format!("{scheme}://{}@{host}", user.split(':').next().unwrap_or_default())
        }
        None => url.to_owned(),
    }
}

fn open_error(url: &str) -> impl FnOnce(sqlx::Error) -> StoreError {
    let url = without_password(url);
    move |e| StoreError::Open { url, source: Arc::new(e) }
}

/// What a database is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Kept,
    Passing,
    ReadOnly,
}

async fn sqlite(url: &str, options: SqliteConnectOptions, purpose: Use) -> Result<Pools, StoreError> {
    let options = options
        .create_if_missing(purpose != Use::ReadOnly)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged journal entry survives a power cut, not only a crash.
        .synchronous(if purpose == Use::Passing { SqliteSynchronous::Off } else { SqliteSynchronous::Full })
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", "-16000")
        .pragma("temp_store", "memory");
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECTION_WAIT)
        .test_before_acquire(false)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with(options.clone())
        .await
        .map_err(open_error(url))?;
    let read = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(CONNECTION_WAIT)
        .test_before_acquire(false)
        .connect_lazy_with(options.pragma("query_only", "on"));
    Ok(Pools::Sqlite { write, read })
}

async fn postgres(url: &str, options: PgConnectOptions) -> Result<Pools, StoreError> {
    let options = options.application_name("kulkul");
    let write = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECTION_WAIT)
        .connect_with(options.clone())
        .await
        .map_err(open_error(url))?;
    let read = PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(CONNECTION_WAIT)
        .connect_lazy_with(options.options([
            ("statement_timeout", READ_LIMIT_MS),
            ("idle_in_transaction_session_timeout", READ_LIMIT_MS),
        ]));
    Ok(Pools::Postgres { write, read })
}

/// Locks the file beside a SQLite database that says who may write to it.
fn lock_beside(database: &Path) -> Result<File, StoreError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
    let failed =
        |source: std::io::Error| StoreError::LockFile { path: lock.clone(), source: Arc::new(source) };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Locked { database: database.to_owned(), lock: lock.clone() })
        }
        Err(TryLockError::Error(e)) => Err(failed(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_never_carry_a_password() {
        assert_eq!(without_password("postgres://kk:s3cret@db/kk"), "postgres://kk@db/kk");
        assert_eq!(without_password("postgres://db/kk"), "postgres://db/kk");
        assert!(matches!(address("mysql://x"), Err(StoreError::Address { .. })));
    }
}
