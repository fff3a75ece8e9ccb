//! A harness for tests: one body, run on SQLite and on a PostgreSQL of its own.
//!
//! SQLite lives in a temporary directory. PostgreSQL is `postgres`'s work: one
//! server for all test processes of a build, a database for each test, gone when
//! the last test process is gone, whatever became of it.

mod postgres;

use crate::Store;
use std::future::Future;

/// Runs `body` on a fresh, migrated SQLite store and on a fresh, migrated PostgreSQL store.
///
/// Where PostgreSQL is not installed it says so and runs SQLite only, unless
/// `CI=true`, which makes that a failure.
///
/// # Panics
/// When a database cannot be made, and whenever the body panics.
pub async fn on_both<F, R>(body: F)
where
    F: Fn(Store) -> R,
    R: Future<Output = ()>,
{
    on_both_unmigrated(|store| async {
        migrated(&store).await;
        body(store).await;
    })
    .await;
}

/// As `on_both`, without tables.
///
/// # Panics
/// As `on_both`.
pub async fn on_both_unmigrated<F, R>(body: F)
where
    F: Fn(Store) -> R,
    R: Future<Output = ()>,
{
    let body = &body;
    on_both_addresses(|url| async move {
        let store = opened(&url).await;
        body(store.clone()).await;
        store.stop().await;
    })
    .await;
}

/// Runs `body` with the address of an empty database of each kind, for a story that opens it more than once.
///
/// # Panics
/// As `on_both`.
pub async fn on_both_addresses<F, R>(body: F)
where
    F: Fn(String) -> R,
    R: Future<Output = ()>,
{
    say("on SQLite:");
    let (url, directory) = sqlite();
    body(url).await;
    drop(directory);

    match postgres::Database::new().await {
        Ok(database) => {
            say("on PostgreSQL:");
            body(database.url.clone()).await;
            database.remove().await;
        }
        Err(reason) => {
            let required = std::env::var("CI").is_ok_and(|v| v == "true");
            assert!(!required, "PostgreSQL cannot be tested here: {reason}");
            say(&format!("PostgreSQL skipped: {reason}"));
        }
    }
}

/// A SQLite store in a directory that goes away with it.
pub struct Temporary {
    /// The store, without tables.
    pub store: Store,
    /// Its address.
    pub url: String,
    _directory: tempfile::TempDir,
}

impl Temporary {
    /// Opens an empty SQLite store.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn new() -> Self {
        let (url, directory) = sqlite();
        Temporary { store: opened(&url).await, url, _directory: directory }
    }

    /// Opens a SQLite store with all tables.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn migrated() -> Self {
        let temporary = Self::new().await;
        migrated(&temporary.store).await;
        temporary
    }
}

fn sqlite() -> (String, tempfile::TempDir) {
    let directory = match tempfile::tempdir() {
        Ok(d) => d,
        Err(e) => fail(&format!("no temporary directory: {e}")),
    };
    (format!("sqlite://{}", directory.path().join("kulkul.db").display()), directory)
}

async fn opened(url: &str) -> Store {
    match Store::open(url).await {
        Ok(store) => store,
        Err(e) => fail(&e.to_string()),
    }
}

async fn migrated(store: &Store) {
    if let Err(e) = store.migrate().await {
        fail(&e.to_string());
    }
}

#[expect(clippy::panic, reason = "a test that cannot have its database fails")]
fn fail(why: &str) -> ! {
    panic!("{why}")
}

#[expect(clippy::print_stderr, reason = "a failing test shows on which database it failed")]
fn say(what: &str) {
    eprintln!("{what}");
}
