//! Letting people in by vouchers and accounts, and those who come from another place.
//!
//! The hub is asked first. While it does not answer the box decides: by the place's
//! vouchers, of which it has slow hashes alone, and by accounts that the hub let in here
//! before. What it gives is a pass; the supervisor lets in, and the journal tells the hub
//! afterwards. Codes and secrets are never kept or logged.

mod alone;
mod book;
mod hub;
mod remembered;
mod roam;
mod tries;

pub use hub::{AskHub, over};
pub use remembered::{KEPT_MS, MOST as MOST_ACCOUNTS};
pub use roam::Roaming;
pub use tries::{MOST as MOST_TRIES, MOST_EACH};

use crate::clock::Clock;
use crate::link::client::ADMIT_MS;
use crate::status::HubSeen;
use crate::supervisor::{Pass, busy};
use book::Book;
use hub::Answer;
use kulkul_model::Refusal;
use kulkul_model::account::{AccountName, LONGEST_SECRET};
use kulkul_model::admission::Token16;
use kulkul_model::session::{Mac, WayIn};
use kulkul_model::voucher::VoucherCode;
use kulkul_proof::slow;
use kulkul_wire::link::desired::{AccessSection, RevokedAccount};
use kulkul_wire::link::{Admit, Blob, Desired, Grant, Proof};
use remembered::{Accounts, Remembered};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tries::{Accepted, Tries};
use zeroize::Zeroizing;

/// How often what is kept is looked through, milliseconds.
const TIDY_MS: i64 = 10 * 60_000;

/// What letting people in is made of.
pub struct Parts {
    /// Asks the hub; none for a box that is on its own.
    pub hub: Option<AskHub>,
    /// The desired state in force.
    pub desired: watch::Receiver<Option<Arc<Desired>>>,
    /// The box's clock.
    pub clock: Clock,
    /// The box's data directory.
    pub data: PathBuf,
    /// Draws the salt of an account that is remembered.
    pub salts: fn() -> io::Result<[u8; 16]>,
}

/// Lets people in by vouchers, accounts and grants; cheap to clone.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    hub: Option<AskHub>,
    desired: watch::Receiver<Option<Arc<Desired>>>,
    clock: Clock,
    salts: fn() -> io::Result<[u8; 16]>,
    /// One slow hash at a time: each takes 8 MiB.
    hashing: Arc<Semaphore>,
    state: Mutex<State>,
    roaming: roam::Asked,
}

struct State {
    tries: Tries,
    accepted: Accepted,
    book: Book,
    accounts: Accounts,
    /// The hub refused this box for good.
    closed: bool,
}

/// Neither hub nor box can tell whether what was shown is good.
fn unknown_here() -> Refusal {
    Refusal::new(429, "hub-silent")
}

fn too_often() -> Refusal {
    Refusal::new(429, "admit-too-often")
}

fn not_kept(error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(%error, "somebody is not let in, because it cannot be kept or worked out");
    busy()
}

impl Access {
    /// Opens what was kept in the data directory.
    ///
    /// # Errors
    /// The system's, when a file is there and cannot be read.
    pub fn open(parts: Parts) -> io::Result<Self> {
        let Parts { hub, desired, clock, data, salts } = parts;
        let state = State {
            tries: Tries::default(),
            accepted: Accepted::default(),
            book: Book::open(&data)?,
            accounts: Accounts::open(&data)?,
            closed: false,
        };
        Ok(Access(Arc::new(Inner {
            hub,
            desired,
            clock,
            salts,
            hashing: Arc::new(Semaphore::new(1)),
            state: Mutex::new(state),
            roaming: roam::Asked::default(),
        })))
    }

    /// What a voucher's code gives the device; `terms` is the version that was accepted.
    ///
    /// # Errors
    /// `Refusal`: `way-in-closed`, `voucher-mistyped`, `admit-too-often`; `voucher-unknown`, `-elsewhere`, `-used-up`,
    /// `-expired`, `-revoked`, `-devices` of the hub, `-used-up` and `-expired` of the box; `hub-silent`, `gateway-busy`.
    pub async fn voucher(&self, device: Mac, code: &str, terms: Option<u32>) -> Result<Pass, Refusal> {
        self.0.is_open(WayIn::Voucher)?;
        // Whoever mistypes guesses nothing: it is told here and costs no try.
        let code = VoucherCode::parse(code).map_err(|_| Refusal::new(422, "voucher-mistyped"))?;
        self.0.may_try(device)?;
        let pass = match self.ask(device, terms, Proof::Voucher { code: code.shown() }).await {
            Answer::Granted(grant) => Ok(self.granted(grant).await),
            Answer::Refused(refusal) => Err(refusal),
            Answer::Never => Err(self.forget().await),
            Answer::Silent => self.alone(move |inner| inner.voucher_alone(&code)).await,
        };
        self.0.tried(device, pass)
    }

    /// What an account gives the device; `terms` is the version that was accepted.
    ///
    /// # Errors
    /// `Refusal`: `way-in-closed`, `admit-too-often`, `account-wrong`, `account-disabled`, `account-devices`;
    /// `hub-silent`, `gateway-busy`.
    pub async fn account(
        &self,
        device: Mac,
        name: &str,
        secret: String,
        terms: Option<u32>,
    ) -> Result<Pass, Refusal> {
        let secret = Zeroizing::new(secret);
        self.0.is_open(WayIn::Account)?;
        self.0.may_try(device)?;
        let name = AccountName::parse(name).ok().filter(|_| secret.len() <= LONGEST_SECRET);
        let name = name.ok_or_else(|| Refusal::new(403, "account-wrong"))?;
        let proof = Proof::Account { name: name.to_string(), secret: secret.to_string() };
        let pass = match self.ask(device, terms, proof).await {
            Answer::Granted(grant) => {
                let pass = hub::pass(&grant);
                self.blocking(move |inner| inner.remember(&name, &secret, &grant)).await;
                Ok(pass)
            }
            Answer::Refused(refusal) => {
                if refusal.code == "account-disabled" {
                    self.blocking(move |inner| inner.drop_name(&name)).await;
                }
                Err(refusal)
            }
            Answer::Never => Err(self.forget().await),
            Answer::Silent => self.alone(move |inner| inner.account_alone(&name, &secret)).await,
        };
        self.0.tried(device, pass)
    }

    /// Keeps what is kept in order until `stop`, and forgets it when the hub refuses this box for good.
    pub async fn keep(self, mut seen: watch::Receiver<HubSeen>, stop: CancellationToken) {
        let mut desired = self.0.desired.clone();
        let refused = async {
            // An error means that there is no link: nobody will ever refuse.
            if seen.wait_for(|s| s.refused).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::pin!(refused);
        let mut over = false;
        loop {
            desired.mark_unchanged();
            self.blocking(Inner::tidy).await;
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = &mut refused, if !over => {
                    over = true;
                    self.forget().await;
                }
                changed = desired.changed() => if changed.is_err() { return },
                () = self.0.clock.sleep_ms(TIDY_MS) => {}
            }
        }
    }

    /// Asks the hub, for as long as somebody waits for it.
    async fn ask(&self, device: Mac, terms: Option<u32>, proof: Proof) -> Answer {
        let Some(hub) = &self.0.hub else { return Answer::Silent };
        let call = hub(Admit { device, terms, proof });
        let answer = Answer::of(self.0.clock.at_most(ADMIT_MS, call).await);
        self.0.roaming.heard(!matches!(answer, Answer::Silent), self.0.clock.mono_ms());
        answer
    }

    /// The pass of a grant; a voucher that works offline too is written down first.
    async fn granted(&self, grant: Grant) -> Pass {
        let pass = hub::pass(&grant);
        if grant.way_in == WayIn::Voucher {
            self.blocking(move |inner| inner.note(&grant)).await;
        }
        pass
    }

    /// Forgets vouchers and accounts: the hub refuses this box for good, and lets nobody in here any more.
    async fn forget(&self) -> Refusal {
        self.blocking(Inner::forget).await;
        Refusal::new(403, "way-in-closed")
    }

    async fn alone(
        &self,
        decide: impl FnOnce(&Inner) -> Result<Pass, Refusal> + Send + 'static,
    ) -> Result<Pass, Refusal> {
        self.blocking(decide).await.unwrap_or_else(|| Err(busy()))
    }

    /// Does what takes long, or waits for the disk, beside the network's threads; one at a time.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Option<T> {
        let one = self.0.hashing.clone().acquire_owned().await.ok()?;
        let inner = self.0.clone();
        let work = move || {
            let done = work(&inner);
            drop(one);
            done
        };
        tokio::task::spawn_blocking(work).await.ok()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The desired state in force; nobody waits for whoever reads it.
    fn orders(&self) -> Option<Arc<Desired>> {
        self.desired.borrow().clone()
    }

    fn access(&self) -> AccessSection {
        self.orders().map(|d| d.access.clone()).unwrap_or_default()
    }

    fn revoked(&self) -> Vec<RevokedAccount> {
        self.orders().map(|d| d.revoked.accounts.clone()).unwrap_or_default()
    }

    fn is_open(&self, way_in: WayIn) -> Result<(), Refusal> {
        let open = self.access().ways_in.contains(&way_in) && !self.lock().closed;
        if open { Ok(()) } else { Err(Refusal::new(403, "way-in-closed")) }
    }

    fn may_try(&self, device: Mac) -> Result<(), Refusal> {
        let mono_ms = self.clock.mono_ms();
        if self.lock().tries.take(device, mono_ms) { Ok(()) } else { Err(too_often()) }
    }

    /// Who shows something good guesses nothing: only the others' tries count.
    fn tried(&self, device: Mac, pass: Result<Pass, Refusal>) -> Result<Pass, Refusal> {
        if pass.is_ok() {
            self.lock().tries.forgive(device);
        }
        pass
    }

    /// Writes down that a voucher was begun which the hub granted.
    fn note(&self, grant: &Grant) {
        let (Some(holder), Some(orders)) = (grant.holder, self.orders()) else { return };
        let Some(lasts_ms) = orders.vouchers.find(holder).map(|found| found.terms.lasts_ms) else { return };
        let used_ms = lasts_ms.saturating_sub(grant.left_ms.unwrap_or(lasts_ms));
        let now = self.clock.stamp();
        // The hub knows it; only the box on its own would not.
        if let Err(error) = self.lock().book.begin(holder, lasts_ms, used_ms, now) {
            tracing::error!(%error, "a voucher that was begun is not in the book");
        }
    }

    /// Remembers an account that the hub let in; without it the box would only have to ask again.
    fn remember(&self, name: &AccountName, secret: &str, grant: &Grant) {
        let Some(account) = grant.account else { return };
        let hashed = (self.salts)().map_err(|e| e.to_string()).and_then(|salt| {
            let hash = slow::secret(name.as_str(), secret, salt).map_err(|e| e.to_string())?;
            Ok((salt, hash))
        });
        let kept = hashed.and_then(|(salt, hash)| {
            let one = Remembered {
                account,
                name: name.to_string(),
                salt: Token16(salt),
                hash: Blob(hash.to_vec()),
                at: self.clock.stamp(),
                limit_ms: grant.left_ms,
                expires: grant.expires,
                devices: grant.devices,
                down_kbps: grant.down_kbps,
                up_kbps: grant.up_kbps,
            };
            self.lock().accounts.remember(one).map_err(|e| e.to_string())
        });
        if let Err(error) = kept {
            tracing::warn!(error, "an account is not remembered");
        }
    }

    fn drop_name(&self, name: &AccountName) {
        if let Err(error) = self.lock().accounts.drop_name(name.as_str()) {
            tracing::error!(%error, "an account that is disabled is still on the disk");
        }
    }

    fn tidy(&self) {
        let known = self.orders().map(|d| {
            let digests = d.vouchers.batches.iter().flat_map(|b| b.digests.0.chunks_exact(16));
            digests.filter_map(|d| d.try_into().ok().map(Token16)).collect::<BTreeSet<Token16>>()
        });
        let (revoked, now) = (self.revoked(), self.clock.stamp());
        let mut state = self.lock();
        for done in [state.book.tidy(known.as_ref(), now), state.accounts.tidy(&revoked, now)] {
            if let Err(error) = done {
                tracing::warn!(%error, "vouchers and accounts that are kept");
            }
        }
    }

    fn forget(&self) {
        let mut state = self.lock();
        state.closed = true;
        for done in [state.book.forget(), state.accounts.forget()] {
            if let Err(error) = done {
                tracing::error!(%error, "vouchers and accounts are still on the disk");
            }
        }
    }
}

#[cfg(test)]
mod tests;
