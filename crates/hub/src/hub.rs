//! The hub's state: read once, cheap to clone, no statics.

use crate::acme::{Acme, Own};
use crate::clock::Clock;
use crate::config::Config;
use crate::fleet::Fleet;
use crate::fleet::follower::{self, FleetError};
use crate::metrics::Metrics;
use crate::staff::password::Passwords;
use crate::watch::Watch;
use crate::watch::board::Board;
use crate::watch::events::Event;
use crate::web::assets::Assets;
use crate::web::cache::PageCache;
use crate::web::words::{Words, WordsError};
use crate::web::{front, router};
use crate::{entropy, health};
use axum::Router;
use http::HeaderValue;
use kulkul_model::Zone;
use kulkul_model::moment::NotAZone;
use kulkul_store::{Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Events that a slow reader may fall behind by before it must read the board anew.
const EVENTS_KEPT: usize = 1024;

/// The hub; a handle that every room and every task has a clone of.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    config: Config,
    clock: Clock,
    store: Store,
    fleet: Fleet,
    acme: Option<Acme>,
    own_certificate: Option<Own>,
    zone: Zone,
    words: Arc<Words>,
    assets: Assets,
    board: watch::Sender<Arc<Board>>,
    events: broadcast::Sender<Event>,
    watch: Watch,
    stop: CancellationToken,
    tasks: TaskTracker,
    metrics: Metrics,
    page_cache: PageCache,
    passwords: Passwords,
    policy: HeaderValue,
    run: u32,
    requests: AtomicU32,
}

/// The hub cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The words have a mistake.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// The zone is not known.
    #[error(transparent)]
    Zone(#[from] NotAZone),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] entropy::NoEntropy),
}

/// The hub's jobs cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The fleet.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The live states.
    #[error("restoring the live states: {0}")]
    Watch(StoreError),
}

impl Hub {
    /// Makes the hub's state over an open, migrated store; starts no task and binds nothing.
    ///
    /// # Errors
    /// `StartError` says what is missing.
    pub fn start(config: Config, clock: Clock, store: Store) -> Result<Self, StartError> {
        Ok(Hub(Arc::new(Inner {
            zone: Zone::named(&config.zone)?,
            words: Arc::new(Words::load()?),
            assets: Assets::load(),
            board: watch::Sender::new(Arc::default()),
            events: broadcast::Sender::new(EVENTS_KEPT),
            watch: Watch::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            metrics: Metrics::default(),
            page_cache: PageCache::new(config.limits.page_cache_bytes),
            passwords: Passwords::default(),
            policy: front::content_security_policy(&config.map.tiles),
            run: u32::from_be_bytes(entropy::draw()?),
            requests: AtomicU32::new(0),
            acme: Acme::of(&config, &clock),
            own_certificate: Own::of(&config),
            fleet: Fleet::new(config.data.join("keys"), clock.clone()),
            config,
            clock,
            store,
        })))
    }

    /// Reads what was kept and begins the jobs of all rooms; call it once, before serving.
    ///
    /// # Errors
    /// Keys or database cannot be used; nothing runs then.
    pub async fn begin(&self) -> Result<(), BeginError> {
        follower::start(self).await?;
        crate::watch::start(self).await.map_err(BeginError::Watch)?;
        let settling = self.clone();
        self.tasks().spawn(async move {
            settling.stop().run_until_cancelled(crate::access::settle::run(&settling)).await;
        });
        let hub = self.clone();
        self.tasks().spawn(async move {
            hub.stop().run_until_cancelled(crate::fleet::retention::run(&hub)).await;
        });
        let hub = self.clone();
        self.tasks().spawn(async move {
            hub.stop().run_until_cancelled(crate::fleet::certificates::run(&hub)).await;
        });
        let hub = self.clone();
        self.tasks().spawn(async move {
            hub.stop().run_until_cancelled(crate::fleet::updates::run::run(&hub)).await;
        });
        Ok(())
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The fleet of gateways.
    #[must_use]
    pub fn fleet(&self) -> &Fleet {
        &self.0.fleet
    }

    /// The hub's own certificate; none where its settings name files or none.
    #[must_use]
    pub fn own_certificate(&self) -> Option<&Own> {
        self.0.own_certificate.as_ref()
    }

    /// The public authority; none where nothing is certified by one.
    #[must_use]
    pub fn acme(&self) -> Option<&Acme> {
        self.0.acme.as_ref()
    }

    /// The regency's time zone.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.0.zone
    }

    /// The words in both languages.
    #[must_use]
    pub fn words(&self) -> Arc<Words> {
        Arc::clone(&self.0.words)
    }

    /// The built-in files.
    #[must_use]
    pub fn assets(&self) -> &Assets {
        &self.0.assets
    }

    /// The board as it stands.
    #[must_use]
    pub fn board(&self) -> Arc<Board> {
        Arc::clone(&self.0.board.borrow())
    }

    /// Every board from now on; a slow reader sees the newest only.
    #[must_use]
    pub fn boards(&self) -> watch::Receiver<Arc<Board>> {
        self.0.board.subscribe()
    }

    /// Swaps the board; its version must have grown.
    pub fn set_board(&self, board: Board) {
        self.metrics().board_version.set(i64::try_from(board.version).unwrap_or(i64::MAX));
        self.0.board.send_replace(Arc::new(board));
    }

    /// What every place gives now.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.0.watch
    }

    /// Where live events are sent to and read from.
    #[must_use]
    pub fn events(&self) -> &broadcast::Sender<Event> {
        &self.0.events
    }

    /// Cancelled when the hub is to stop.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// The tasks that stopping waits for.
    #[must_use]
    pub fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Finished public answers.
    #[must_use]
    pub fn page_cache(&self) -> &PageCache {
        &self.0.page_cache
    }

    /// Works on passwords, a few at a time.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// The value of `Content-Security-Policy`.
    #[must_use]
    pub fn content_security_policy(&self) -> HeaderValue {
        self.0.policy.clone()
    }

    /// A name for the next request: this run's eight digits, then a count.
    #[must_use]
    pub fn next_request_id(&self) -> String {
        format!("{:08x}{:08x}", self.0.run, self.0.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// All that `listen` serves.
    pub fn router(&self) -> Router {
        router::router(self.clone())
    }

    /// All that `admin_listen` serves.
    pub fn admin_router(&self) -> Router {
        health::router(self.clone())
    }
}
