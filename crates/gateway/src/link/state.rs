//! Who the box is: its key, its ids and the hub's keys, kept over restarts.
//!
//! The key is made here and never leaves. `link.json` is written when the hub has
//! answered; a box that has one never enrols again by itself.

use crate::clock::Clock;
use crate::disk::{Files, write_whole};
use crate::journal::{self, Journal, JournalError, Options};
use crate::link::client::random;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_proof::{KeyRing, KeyTrouble, Signer, key_file};
use kulkul_wire::link::{Digest, Enrolled, HubKeys};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// The box's own records cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {why}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The hub's keys do not hold.
    #[error("the hub's keys: {0}")]
    Keys(#[from] KeyTrouble),
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// No randomness.
    #[error("the machine gives no random bytes")]
    Entropy,
}

#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    gateway: GatewayId,
    site: SiteCode,
    hub_keys: HubKeys,
}

/// Who this box is.
pub struct Identity {
    /// The id that the hub gave it.
    pub gateway: GatewayId,
    /// The site that it stands at.
    pub site: SiteCode,
    /// Its key.
    pub signer: Signer,
    hub: RwLock<HubSide>,
}

/// The hub's keys as far as the box has seen them; none is forgotten.
struct HubSide {
    keys: HubKeys,
    ring: KeyRing,
    /// The list that was last looked at, taken or not.
    seen: Option<Digest>,
}

impl HubSide {
    fn trust(keys: HubKeys, fingerprint: Option<&str>) -> Result<RwLock<Self>, KeyTrouble> {
        let ring = KeyRing::trust(&keys, fingerprint)?;
        Ok(RwLock::new(HubSide { keys, ring, seen: None }))
    }
}

impl Identity {
    pub(super) fn signs(&self) -> (&Signer, &str) {
        (&self.signer, self.gateway.as_str())
    }

    pub(super) fn ring(&self) -> KeyRing {
        self.hub.read().unwrap_or_else(PoisonError::into_inner).ring.clone()
    }

    /// Whether the hub's keys may be others than those that were last looked at.
    pub(super) fn wants_keys(&self, told: Option<Digest>) -> bool {
        let seen = self.hub.read().unwrap_or_else(PoisonError::into_inner).seen;
        told.is_some() && seen != told
    }

    /// Takes keys and revocations that a pinned root has signed; tells whether any was new.
    ///
    /// Roots are never taken: those of the enrolment stay pinned. Keys and revocations are
    /// only added, so that a list that leaves one out brings nothing back.
    pub(super) fn take_keys(&self, data: &Path, offered: &HubKeys) -> Result<bool, StateError> {
        let mut hub = self.hub.write().unwrap_or_else(PoisonError::into_inner);
        hub.seen = Some(offered.digest());
        let (mut keys, mut ring) = (hub.keys.clone(), hub.ring.clone());
        for key in offered.keys.iter().filter(|k| !hub.keys.keys.contains(k)) {
            match ring.take(key) {
                Ok(_) => keys.keys.push(key.clone()),
                Err(error) => tracing::warn!(%error, "a key that the hub offers is not taken"),
            }
        }
        for revocation in offered.revoked.iter().filter(|r| !hub.keys.revoked.contains(r)) {
            match ring.take_back(revocation) {
                Ok(gone) => {
                    tracing::warn!(key = %gone.key.id(), at = %gone.at, "a key of the hub is revoked");
                    keys.revoked.push(revocation.clone());
                }
                Err(error) => tracing::warn!(%error, "a revocation that the hub offers is not taken"),
            }
        }
        if keys == hub.keys {
            return Ok(false);
        }
        let kept = Kept { gateway: self.gateway.clone(), site: self.site.clone(), hub_keys: keys.clone() };
        kept.write(data)?;
        (hub.keys, hub.ring) = (keys, ring);
        Ok(true)
    }
}

const STATE: &str = "link.json";
const KEY: &str = "gateway.key";

/// Writes a file whole or not at all, readable by its owner only.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    write_whole(path, bytes).map_err(|cause| StateError::File { path: path.to_owned(), cause })
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(StateError::File { path: path.to_owned(), cause }),
    }
}

/// The box's key, made at the first call.
///
/// # Errors
/// `StateError` names the file.
pub(super) fn key(data: &Path) -> Result<Signer, StateError> {
    let path = data.join(KEY);
    if let Some(bytes) = read(&path)? {
        let text = String::from_utf8_lossy(&bytes);
        return key_file::read("gateway", &text)
            .map_err(|e| StateError::Content { path, why: e.to_string() });
    }
    let seed = zeroize::Zeroizing::new(random::<32>().ok_or(StateError::Entropy)?);
    let signer = Signer::from_seed(&seed);
    write(&path, key_file::write("gateway", &signer).as_bytes())?;
    Ok(signer)
}

/// Who this box is; none before it has enrolled.
///
/// # Errors
/// `StateError` names the file.
pub fn identity(data: &Path) -> Result<Option<Identity>, StateError> {
    let path = data.join(STATE);
    let Some(bytes) = read(&path)? else { return Ok(None) };
    let kept: Kept =
        serde_json::from_slice(&bytes).map_err(|e| StateError::Content { path, why: e.to_string() })?;
    let hub = HubSide::trust(kept.hub_keys, None)?;
    Ok(Some(Identity { gateway: kept.gateway, site: kept.site, signer: key(data)?, hub }))
}

/// Keeps what the hub answered to the enrolment.
///
/// # Errors
/// `StateError`; `Keys` when no root has the fingerprint that was given on paper.
pub(super) fn keep(
    data: &Path,
    signer: Signer,
    enrolled: Enrolled,
    fingerprint: Option<&str>,
) -> Result<Identity, StateError> {
    let hub = HubSide::trust(enrolled.hub_keys.clone(), fingerprint)?;
    let Enrolled { gateway, site, hub_keys, .. } = enrolled;
    Kept { gateway: gateway.clone(), site: site.clone(), hub_keys }.write(data)?;
    Ok(Identity { gateway, site, signer, hub })
}

impl Kept {
    fn write(&self, data: &Path) -> Result<(), StateError> {
        let path = data.join(STATE);
        let json = serde_json::to_vec_pretty(self)
            .map_err(|e| StateError::Content { path: path.clone(), why: e.to_string() })?;
        write(&path, &json)
    }
}

/// Opens the journal of an enrolled box.
///
/// # Errors
/// `StateError` names the file.
pub fn open_journal(data: &Path, identity: &Identity, clock: &Clock) -> Result<Journal, StateError> {
    let directory = data.join("journal");
    let disk = Files::open(&directory).map_err(|cause| StateError::File { path: directory, cause })?;
    // Entropy was there when the key was made; the pool does not dry up.
    let salts = Box::new(|| random::<16>().unwrap_or_default());
    let options = Options {
        disk: Arc::new(disk),
        signer: identity.signer.clone(),
        gateway: identity.gateway.clone(),
        salts,
        limit: journal::LIMIT,
    };
    Ok(Journal::open(options, journal::stamps(clock))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::Moment;
    use kulkul_proof::hub_keys::{certify, revoke};
    use kulkul_wire::link::enrol::KeyClaim;
    use kulkul_wire::link::{CertifiedKey, KeyUse, Version, sign1};

    fn signer(seed: u8) -> Signer {
        Signer::from_seed(&[seed; 32])
    }

    fn certified(root: u8, key: u8) -> CertifiedKey {
        let key = signer(key).public();
        let (from, until) = (Moment::EPOCH, Moment::from_ms(1 << 40));
        certify(&signer(root), &KeyClaim { key_use: KeyUse::Desired, key, from, until })
    }

    fn opens(identity: &Identity, key: u8) -> bool {
        let signed = signer(key).cose(sign1::DESIRED_AAD, b"x");
        identity.ring().open(KeyUse::Desired, sign1::DESIRED_AAD, &signed, None).is_ok()
    }

    #[test]
    fn keys_that_a_pinned_root_vouches_for_are_learnt_kept_and_taken_back() {
        const ROOT: u8 = 1;
        const STRANGER: u8 = 9;
        let dir = tempfile::tempdir().unwrap();
        let listed = |keys: &[CertifiedKey]| HubKeys {
            roots: vec![signer(ROOT).public()],
            keys: keys.to_vec(),
            revoked: Vec::new(),
        };
        let enrolled = Enrolled {
            gateway: GatewayId::from_bits(1),
            site: SiteCode::parse("BJ-001").unwrap(),
            hub_keys: listed(&[certified(ROOT, 2)]),
            desired: Version::default(),
        };
        let identity = keep(dir.path(), key(dir.path()).unwrap(), enrolled.clone(), None).unwrap();
        let take = |identity: &Identity, offered: &HubKeys| identity.take_keys(dir.path(), offered).unwrap();
        assert!(identity.wants_keys(Some(enrolled.hub_keys.digest())), "looked at once after each start");
        assert!(!take(&identity, &enrolled.hub_keys), "the same keys are nothing new");
        assert!(!identity.wants_keys(Some(enrolled.hub_keys.digest())));
        assert!(!identity.wants_keys(None), "a hub of an older version tells nothing");

        // A list with a root of its own is nobody's word.
        let forged = HubKeys {
            roots: vec![signer(STRANGER).public()],
            keys: vec![certified(STRANGER, 3)],
            revoked: vec![revoke(&signer(STRANGER), signer(2).public(), Moment::EPOCH)],
        };
        assert!(!take(&identity, &forged));
        assert!(opens(&identity, 2) && !opens(&identity, 3));

        // The former key stays good: what is kept on the disk was signed by it.
        assert!(take(&identity, &listed(&[certified(ROOT, 4)])));
        assert!(opens(&identity, 2) && opens(&identity, 4));

        let mut gone = listed(&[certified(ROOT, 4)]);
        gone.revoked.push(revoke(&signer(ROOT), signer(2).public(), Moment::EPOCH));
        assert!(take(&identity, &gone));
        assert!(!opens(&identity, 2) && opens(&identity, 4));

        // After a restart too, and whatever a list that leaves the revocation out says.
        let again = super::identity(dir.path()).unwrap().unwrap();
        assert!(!take(&again, &listed(&[certified(ROOT, 2), certified(ROOT, 4)])));
        assert!(!opens(&again, 2) && opens(&again, 4));
    }
}
