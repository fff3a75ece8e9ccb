//! The fleet: gateways and the hub's side of the link.
//!
//! Requests are checked against keys in memory: a beat touches no SQL. A journal is
//! acknowledged only after its entries are committed. What a gateway should do is
//! `desired`; what it did is `journal`. Nothing here talks to a gateway first.

pub mod access_points;
pub mod api;
pub mod beat;
pub mod blobs;
pub mod certificates;
pub mod claims;
pub mod console;
pub mod desired;
pub mod diagnostics;
pub mod enrol;
pub mod follower;
pub mod journal;
pub mod keys;
pub mod known;
pub mod limits;
pub mod link;
pub mod lists;
pub mod local_code;
pub mod orders;
pub mod retention;
pub mod sessions;
pub mod signed;
#[cfg(test)]
mod tests;
pub mod tunnel;
pub mod updates;

pub use keys::{Keys, KeysError};
pub use known::{Known, LastBeat};

use crate::clock::Clock;
use crate::staff::password::Passwords;
use certificates::Authority;
use known::Gateways;
use kulkul_model::Moment;
use limits::Limiter;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::Notify;

/// The fleet's state in memory; one in each hub.
pub struct Fleet {
    keys_directory: PathBuf,
    clock: Clock,
    keys: OnceLock<Arc<Keys>>,
    authority: OnceLock<Arc<Authority>>,
    opening: Mutex<()>,
    pub(crate) gateways: Gateways,
    pub(crate) limits: Limits,
    /// Works on secrets of accounts; staff's sign-ins have their own.
    pub(crate) accounts: Passwords,
    /// Rung when a rollout may have something to do.
    pub(crate) rollouts: Notify,
    /// Since when this hub listens to boxes.
    pub(crate) since: Moment,
}

/// What bounds strangers and boxes.
pub(crate) struct Limits {
    /// Failed enrolments of one address.
    pub(crate) enrol_address: Limiter,
    /// Enrolments at one site.
    pub(crate) enrol_site: Limiter,
    /// Blobs put by one gateway.
    pub(crate) blobs: Limiter,
    /// Questions of one gateway whether somebody may come in.
    pub(crate) admit: Limiter,
    /// Codes and secrets of one gateway that were wrong.
    pub(crate) admit_wrong: Limiter,
    /// Wrong secrets of one account.
    pub(crate) account: Limiter,
}

impl Fleet {
    /// An empty fleet whose keys lie in `keys_directory`; nothing is read yet.
    #[must_use]
    pub fn new(keys_directory: PathBuf, clock: Clock) -> Self {
        const MINUTE_MS: i64 = 60_000;
        let since = clock.now();
        Fleet {
            keys_directory,
            clock,
            keys: OnceLock::new(),
            authority: OnceLock::new(),
            opening: Mutex::default(),
            gateways: Gateways::default(),
            limits: Limits {
                enrol_address: Limiter::new(10, 10 * MINUTE_MS),
                enrol_site: Limiter::new(20, 60 * MINUTE_MS),
                blobs: Limiter::new(60, 60 * MINUTE_MS),
                admit: Limiter::new(3_000, 10 * MINUTE_MS),
                admit_wrong: Limiter::new(200, 10 * MINUTE_MS),
                account: Limiter::new(10, 10 * MINUTE_MS),
            },
            accounts: Passwords::default(),
            rollouts: Notify::new(),
            since,
        }
    }

    /// The hub's keys; made at the first call where there are none.
    ///
    /// # Errors
    /// `KeysError` names the file.
    pub fn keys(&self) -> Result<Arc<Keys>, KeysError> {
        if let Some(keys) = self.keys.get() {
            return Ok(Arc::clone(keys));
        }
        let _one = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if self.keys.get().is_none() {
            let keys = Keys::open(&self.keys_directory, self.clock.now())?;
            // Nobody else can have set it: we hold the lock.
            let _ = self.keys.set(Arc::new(keys));
        }
        self.keys.get().map(Arc::clone).ok_or(KeysError::Gone)
    }

    /// The authority for portals; made at the first call where there is none.
    ///
    /// # Errors
    /// `KeysError` names the file.
    pub fn authority(&self) -> Result<Arc<Authority>, KeysError> {
        if let Some(authority) = self.authority.get() {
            return Ok(Arc::clone(authority));
        }
        // The keys' directory is made with the keys.
        self.keys()?;
        let _one = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if self.authority.get().is_none() {
            let authority = Authority::open(&self.keys_directory, self.clock.now())?;
            // Nobody else can have set it: we hold the lock.
            let _ = self.authority.set(Arc::new(authority));
        }
        self.authority.get().map(Arc::clone).ok_or(KeysError::Gone)
    }

    /// Fingerprint of the root key, for the claim's QR code and `hub_root`.
    ///
    /// # Errors
    /// `KeysError` names the file.
    pub fn root_fingerprint(&self) -> Result<String, KeysError> {
        Ok(self.keys()?.hub_keys().roots.first().map(|r| r.fingerprint()).unwrap_or_default())
    }

    /// The gateway in memory, if it was met since the start.
    #[must_use]
    pub fn known(&self, id: &kulkul_model::gateway::GatewayId) -> Option<Arc<Known>> {
        self.gateways.get(id)
    }
}
