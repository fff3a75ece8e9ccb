//! The link: the box's side of what gateway and hub say to each other.
//!
//! All connections go out from here. What the place needs never waits for them: people
//! are let in, and the journal grows, whether the hub answers or not.

mod beat;
pub mod client;
mod enrol;
mod follow;
mod local_key;
mod state;
mod tls;
mod upload;

pub use client::{Client, LinkError};
pub use enrol::{NotEnrolled, enrol, enrol_once};
pub use local_key::local_key;
pub use state::{Identity, StateError, identity, open_journal};

/// TLS as the link has it, for a part that asks others than the hub.
///
/// # Errors
/// `LinkError::Setup` names the file.
pub(crate) fn tls_config(
    ca: Option<&std::path::Path>,
    clock: &Clock,
) -> Result<rustls::ClientConfig, LinkError> {
    tls::config(ca, clock, false)
}

use crate::clock::Clock;
use crate::journal::Journal;
use crate::status::HubSeen;
use kulkul_model::Refusal;
use kulkul_model::measurement::{Minute, UsageMinute};
use kulkul_wire::link::{Desired, Version};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Puts a desired state into force: the supervisor's `apply`.
pub type Apply =
    Arc<dyn Fn(Desired) -> Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>> + Send + Sync>;

/// Everything that the link's loops share.
#[derive(Clone)]
pub struct Link {
    /// Speaks to the hub.
    pub client: Client,
    /// Who this box is.
    pub identity: Arc<Identity>,
    /// What is delivered.
    pub journal: Journal,
    /// Puts a desired state into force.
    pub apply: Apply,
    /// Devices online now.
    pub people: Arc<dyn Fn() -> u32 + Send + Sync>,
    /// The latest minute that was measured.
    pub minutes: watch::Receiver<Option<(Minute, UsageMinute)>>,
    /// The desired state in force, for the other parts.
    pub desired: Arc<watch::Sender<Option<Arc<Desired>>>>,
    /// When the hub last answered, for the status.
    pub seen: Arc<watch::Sender<HubSeen>>,
    /// The clock.
    pub clock: Clock,
    /// The box's data directory.
    pub data: PathBuf,
}

impl Link {
    /// Runs until `stop`, or for good when the hub has revoked this box; then people are
    /// served on as before, and nothing enrols by itself.
    pub async fn run(self, stop: CancellationToken) {
        // The last good state counts from the first second, hub or no hub.
        let held = follow::restore(&self).await;
        let version = watch::Sender::new(held);
        if !self.clock.is_set() {
            self.ask_time().await;
        }
        let (beats, follows, uploads) =
            (beat::run(&self, version.subscribe()), follow::run(&self, &version), upload::run(&self));
        // Not being told the key ends nothing, nor does being told it.
        let key = async {
            local_key::fetch(&self).await;
            std::future::pending::<LinkError>().await
        };
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            error = beats => error,
            error = follows => error,
            error = uploads => error,
            error = key => error,
        };
        tracing::error!(error = %ended, "the hub refuses this box for good; the place is served on without it");
        self.trouble(&ended);
        self.seen.send_modify(|s| s.refused = true);
        stop.cancelled().await;
    }

    /// Takes the hub's signed time while the box has none.
    async fn ask_time(&self) {
        match self.client.time(&self.identity.ring()).await {
            Ok(now) => {
                let taken = self.clock.learn(now);
                tracing::info!(%now, taken, "the hub tells the time");
            }
            Err(error) => tracing::warn!(%error, "the hub tells no time"),
        }
    }

    /// Looks at the hub's keys anew; tells whether the box knows one more, or one as revoked.
    async fn ask_keys(&self) -> bool {
        let taken = match self.client.keys().await {
            Ok(offered) => self.identity.take_keys(&self.data, &offered),
            Err(error) => {
                tracing::debug!(%error, "the hub's keys were not read");
                return false;
            }
        };
        match taken {
            Ok(new) => {
                if new {
                    tracing::info!("the hub's keys are others now");
                }
                new
            }
            Err(error) => {
                tracing::error!(%error, "the hub's keys cannot be kept");
                false
            }
        }
    }

    fn heard(&self) {
        self.seen.send_modify(|s| {
            s.at = self.clock.wall();
            s.trouble = None;
        });
    }

    fn trouble(&self, error: &LinkError) {
        self.seen.send_modify(|s| s.trouble = Some(error.to_string()));
    }

    fn held(&self, seq: u64) {
        self.seen.send_modify(|s| s.held_through = seq);
    }
}

/// Waits between tries: doubles from `first_ms` to `most_ms`, a tenth more or less.
struct Patience {
    first_ms: i64,
    most_ms: i64,
    next_ms: i64,
}

impl Patience {
    fn new(first_ms: i64, most_ms: i64) -> Self {
        Patience { first_ms, most_ms, next_ms: first_ms }
    }

    fn calm(&mut self) {
        self.next_ms = self.first_ms;
    }

    async fn wait(&mut self, clock: &Clock) {
        clock.sleep_ms(jittered(self.next_ms)).await;
        self.next_ms = (self.next_ms * 2).min(self.most_ms);
    }
}

/// A wait that differs by up to a tenth, so that a thousand boxes do not speak at once.
fn jittered(ms: i64) -> i64 {
    let dice = crate::link::client::random::<2>().map_or(0, u16::from_be_bytes);
    ms - ms / 10 + ms / 5 * i64::from(dice) / i64::from(u16::MAX)
}

/// What desired state a box without one names in its requests.
const NONE: Version = Version { epoch: 0, counter: 0 };
