//! Gateways in memory: keys, versions and last beats, so that a beat needs no SQL.

use super::limits::Nonces;
use crate::Hub;
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_proof::{Chain, Verifier};
use kulkul_store::{StoreError, desired, gateway};
use kulkul_wire::link::{PublicKey, Version};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::watch;

/// The latest beat of a gateway, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastBeat {
    /// When it came.
    pub at: Moment,
    /// People online.
    pub people: u32,
    /// The desired state in force.
    pub desired: Option<Version>,
    /// The last entry of its journal.
    pub journal_head: u64,
}

/// One gateway as the hub knows it now.
pub struct Known {
    /// Its id.
    pub id: GatewayId,
    /// Where it stands.
    pub site: SiteCode,
    standing: RwLock<Standing>,
    /// The newest desired state; a change ends long polls.
    pub(crate) newest: watch::Sender<Option<Version>>,
    pub(crate) nonces: Mutex<Nonces>,
    /// Where its chain stands; none before it was read, and after a write failed.
    pub(crate) chain: tokio::sync::Mutex<Option<Chain>>,
    last: Mutex<Option<LastBeat>>,
}

#[derive(Clone)]
struct Standing {
    key: Option<Verifier>,
    revoked: bool,
}

impl Known {
    fn new(row: &gateway::Gateway, newest: Option<Version>) -> Self {
        Known {
            id: row.id.clone(),
            site: row.site.clone(),
            standing: RwLock::new(Standing {
                key: Verifier::new(&PublicKey(row.public_key)).ok(),
                revoked: row.revoked_at.is_some(),
            }),
            newest: watch::Sender::new(newest),
            nonces: Mutex::default(),
            chain: tokio::sync::Mutex::default(),
            last: Mutex::default(),
        }
    }

    /// The key that signs its requests; none once it is revoked.
    pub(crate) fn key(&self) -> Option<Verifier> {
        let standing = self.standing.read().unwrap_or_else(PoisonError::into_inner);
        standing.key.clone().filter(|_| !standing.revoked)
    }

    /// Whether it may still speak.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).revoked
    }

    pub(crate) fn set_key(&self, key: Verifier) {
        self.standing.write().unwrap_or_else(PoisonError::into_inner).key = Some(key);
    }

    pub(crate) fn set_revoked(&self) {
        self.standing.write().unwrap_or_else(PoisonError::into_inner).revoked = true;
        // Whoever waits for a change is told at once that there will be none.
        self.newest.send_modify(|_| ());
    }

    /// Its latest beat.
    #[must_use]
    pub fn last_beat(&self) -> Option<LastBeat> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_last(&self, beat: LastBeat) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(beat);
    }

    /// The newest desired state that the hub has for it.
    #[must_use]
    pub fn newest(&self) -> Option<Version> {
        *self.newest.borrow()
    }

    pub(crate) fn set_newest(&self, version: Version) {
        self.newest.send_if_modified(|now| {
            let newer = now.is_none_or(|n| n < version);
            if newer {
                *now = Some(version);
            }
            newer
        });
    }
}

/// All gateways that were met since the start.
#[derive(Default)]
pub(crate) struct Gateways(RwLock<BTreeMap<GatewayId, Arc<Known>>>);

impl Gateways {
    pub(crate) fn get(&self, id: &GatewayId) -> Option<Arc<Known>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).map(Arc::clone)
    }

    /// Puts one in, unless another request was faster.
    pub(crate) fn put(&self, row: &gateway::Gateway, newest: Option<Version>) -> Arc<Known> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(row.id.clone()).or_insert_with(|| Arc::new(Known::new(row, newest))))
    }

    pub(crate) fn all(&self) -> Vec<Arc<Known>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect()
    }
}

/// The gateway with this id, from memory or the database.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(hub: &Hub, id: &GatewayId) -> Result<Option<Arc<Known>>, StoreError> {
    if let Some(known) = hub.fleet().gateways.get(id) {
        return Ok(Some(known));
    }
    let mut tx = hub.store().reader().await?;
    let Some(row) = gateway::find(&mut tx, id).await? else { return Ok(None) };
    let newest = desired::find(&mut tx, id).await?.map(|d| d.version);
    Ok(Some(hub.fleet().gateways.put(&row, newest)))
}

/// Reads all gateways in use into memory.
///
/// # Errors
/// `StoreError` of the database.
pub(crate) async fn load(hub: &Hub) -> Result<usize, StoreError> {
    const PAGE: u32 = 500;
    let mut after = String::new();
    let mut count = 0;
    loop {
        let mut tx = hub.store().reader().await?;
        let rows = gateway::list(&mut tx, &after, PAGE).await?;
        for row in rows.iter().filter(|r| r.revoked_at.is_none()) {
            let newest = desired::find(&mut tx, &row.id).await?.map(|d| d.version);
            hub.fleet().gateways.put(row, newest);
            count += 1;
        }
        match rows.last() {
            Some(last) if rows.len() == PAGE as usize => last.id.as_str().clone_into(&mut after),
            _ => return Ok(count),
        }
    }
}
