//! Who the box is: its key, its ids and the hub's keys, kept over restarts.
//!
//! The key is made here and never leaves. `link.json` is written when the hub has
//! answered; a box that has one never enrols again by itself.

use crate::clock::Clock;
use crate::disk::Files;
use crate::journal::{self, Journal, JournalError, Options};
use crate::link::client::random;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_proof::{KeyRing, KeyTrouble, Signer, key_file};
use kulkul_wire::link::{Enrolled, HubKeys};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
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

#[derive(Serialize, Deserialize)]
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
    ring: RwLock<KeyRing>,
}

impl Identity {
    pub(super) fn signs(&self) -> (&Signer, &str) {
        (&self.signer, self.gateway.as_str())
    }

    pub(super) fn ring(&self) -> KeyRing {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

const STATE: &str = "link.json";
const KEY: &str = "gateway.key";

/// Writes a file whole or not at all, readable by its owner only.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let half = path.with_extension("half");
    let run = || {
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&half, path)?;
        path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
    };
    run().map_err(|cause| StateError::File { path: path.to_owned(), cause })
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
    let ring = RwLock::new(KeyRing::trust(&kept.hub_keys, None)?);
    Ok(Some(Identity { gateway: kept.gateway, site: kept.site, signer: key(data)?, ring }))
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
    let ring = RwLock::new(KeyRing::trust(&enrolled.hub_keys, fingerprint)?);
    let Enrolled { gateway, site, hub_keys, .. } = enrolled;
    let kept = Kept { gateway: gateway.clone(), site: site.clone(), hub_keys };
    let path = data.join(STATE);
    let json = serde_json::to_vec_pretty(&kept)
        .map_err(|e| StateError::Content { path: path.clone(), why: e.to_string() })?;
    write(&path, &json)?;
    Ok(Identity { gateway, site, signer, ring })
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
