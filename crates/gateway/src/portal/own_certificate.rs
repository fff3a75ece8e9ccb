//! The portal's own key and its certificate from the hub.
//!
//! The key is made here and never leaves; the request goes up in the journal, the
//! certificate comes down as desired state. What does not fit the key is not taken, and
//! asked for anew. Files of the operator's own, named in gateway.toml, win over this.

use super::tls::Files;
use crate::clock::Clock;
use crate::disk::write_whole;
use crate::journal::Journal;
use kulkul_model::Moment;
use kulkul_wire::link::desired::{CertificateSection, Desired};
use kulkul_wire::link::{CertificateRequest, Digest, Entry};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PublicKeyData as _};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// A request that brought nothing is made again after this, milliseconds: 7 days.
const AGAIN_MS: i64 = 7 * 86_400_000;

const KEY: &str = "key.pem";
const CHAIN: &str = "chain.pem";
const ASKED: &str = "asked.json";

/// Why the box has no certificate of its own.
#[derive(Debug, thiserror::Error)]
pub enum NoCertificate {
    /// A file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Key or request cannot be made.
    #[error("making the portal's key: {0}")]
    Made(#[from] rcgen::Error),
    /// The request is not recorded.
    #[error("recording the request: {0}")]
    Journal(#[from] crate::journal::JournalError),
}

/// What was asked for last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    host: String,
    key: Digest,
    /// None where the clock was not set.
    at: Option<Moment>,
}

/// Keeps the portal's key and certificate.
pub struct OwnCertificate {
    directory: PathBuf,
    journal: Journal,
    clock: Clock,
}

impl OwnCertificate {
    /// Keeps them below the box's data directory.
    #[must_use]
    pub fn new(data: &Path, journal: Journal, clock: Clock) -> Self {
        OwnCertificate { directory: data.join("portal"), journal, clock }
    }

    /// Follows the desired state until `stop`; `tell` hears where the files lie.
    pub async fn run(
        self,
        mut desired: watch::Receiver<Option<Arc<Desired>>>,
        tell: watch::Sender<Option<Files>>,
        stop: CancellationToken,
    ) {
        loop {
            let wanted = desired.borrow_and_update().as_ref().map(|d| d.certificate.clone());
            if let Some(wanted) = wanted {
                match self.look(&wanted).await {
                    Ok(files) => {
                        tell.send_if_modified(|old| {
                            let other = *old != files;
                            *old = files;
                            other
                        });
                    }
                    Err(error) => tracing::error!(%error, "the portal has no certificate of its own"),
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = desired.changed() => if changed.is_err() { return },
                // A request that was lost on the way is made again by and by.
                () = self.clock.sleep_ms(AGAIN_MS / 7) => {}
            }
        }
    }

    /// Takes a chain that fits, or asks for one; says where the files lie, once there are any.
    async fn look(&self, wanted: &CertificateSection) -> Result<Option<Files>, NoCertificate> {
        let Some(host) = &wanted.host else { return Ok(None) };
        let key = self.key()?;
        if fits(&wanted.chain, &key) {
            if self.read(CHAIN)?.as_deref().map(Vec::as_slice) != Some(wanted.chain.as_bytes()) {
                self.write(CHAIN, wanted.chain.as_bytes())?;
            }
        } else {
            self.ask(host, &key).await?;
        }
        let files = Files { cert: self.path(CHAIN), key: self.path(KEY), host: host.clone() };
        // An earlier chain serves on until the new one is there; `tls` checks name and dates.
        Ok(files.cert.exists().then_some(files))
    }

    async fn ask(&self, host: &str, key: &KeyPair) -> Result<(), NoCertificate> {
        let now = self.clock.wall();
        let asked = Asked { host: host.to_owned(), key: Digest::of(&key.subject_public_key_info()), at: now };
        let before = self.read(ASKED)?.and_then(|text| serde_json::from_slice::<Asked>(&text).ok());
        let waits = before.is_some_and(|b| {
            let age_ms = b.at.zip(now).map_or(0, |(then, now)| now.since_ms(then));
            (&b.host, b.key) == (&asked.host, asked.key) && age_ms < AGAIN_MS
        });
        if waits {
            return Ok(());
        }
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        let csr = params.serialize_request(key)?.der().to_vec();
        self.journal.append(Entry::CertificateRequest(CertificateRequest { csr })).await?;
        tracing::info!(host, "the portal asks the hub for a certificate");
        self.write(ASKED, &serde_json::to_vec(&asked).unwrap_or_default())
    }

    /// The portal's key, made at the first call; one that cannot be read is replaced.
    fn key(&self) -> Result<KeyPair, NoCertificate> {
        if let Some(pem) = self.read(KEY)? {
            match KeyPair::from_pem(&String::from_utf8_lossy(&pem)) {
                Ok(key) => return Ok(key),
                Err(error) => tracing::error!(%error, "the portal's key is damaged; another is made"),
            }
        }
        let key = KeyPair::generate()?;
        self.write(KEY, Zeroizing::new(key.serialize_pem()).as_bytes())?;
        Ok(key)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, NoCertificate> {
        match fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(NoCertificate::File { path: self.path(name), cause }),
        }
    }

    /// Writes a file whole or not at all, readable by its owner only.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), NoCertificate> {
        let path = self.path(name);
        fs::create_dir_all(&self.directory)
            .and_then(|()| write_whole(&path, bytes))
            .map_err(|cause| NoCertificate::File { path: path.clone(), cause })
    }
}

/// Where a certificate from the hub lies, with the name that was asked for; none before there is one.
#[must_use]
pub fn files(data: &Path) -> Option<Files> {
    let directory = data.join("portal");
    let asked: Asked = serde_json::from_slice(&fs::read(directory.join(ASKED)).ok()?).ok()?;
    let files = Files { cert: directory.join(CHAIN), key: directory.join(KEY), host: asked.host };
    files.cert.exists().then_some(files)
}

/// Whether the first certificate of a chain is for a key.
fn fits(chain: &str, key: &KeyPair) -> bool {
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let key = PrivateKeyDer::try_from(key.serialize_der());
    let (Ok(chain), Ok(key)) = (chain, key) else { return false };
    // It compares the certificate's key with ours.
    !chain.is_empty() && CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()).is_ok()
}

#[cfg(test)]
mod tests;
