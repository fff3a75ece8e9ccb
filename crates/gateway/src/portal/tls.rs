//! The portal's certificate: read from files, checked, followed while they change.
//!
//! Without a certificate that is valid now and for the portal's own name there is no
//! HTTPS, and nothing may announce any (DHCP options 114 and 103, RA option 37): a
//! device that cannot validate would be worse off than with the redirect alone.

use crate::clock::Clock;
use kulkul_model::Moment;
use kulkul_wire::certificate;
use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at, in milliseconds.
const LOOK_MS: i64 = 5_000;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read as PEM.
    #[error("{path}: {why}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Certificate and key do not fit, or the chain is empty.
    #[error("the certificate cannot be used: {0}")]
    Unfit(String),
    /// The certificate is not valid at this time.
    #[error("the certificate is valid from {from} to {to}, not at {now}")]
    NotNow {
        /// First moment.
        from: Moment,
        /// Last moment.
        to: Moment,
        /// The time when it was looked at.
        now: Moment,
    },
    /// The certificate is for another name than the portal's.
    #[error("the certificate is not for {0}, the portal's own name")]
    OtherName(String),
}

/// A certificate that is ready, with its dates.
#[derive(Clone)]
pub struct Ready {
    acceptor: TlsAcceptor,
    from: Moment,
    /// The last moment at which it is valid.
    pub until: Moment,
    /// The name that it is for: the portal's own.
    pub host: String,
}

/// The certificate as it is now; follows the files.
#[derive(Clone)]
pub struct Tls(watch::Receiver<Option<Ready>>);

impl Tls {
    /// Follows what is loaded into `ready`.
    #[must_use]
    pub const fn new(ready: watch::Receiver<Option<Ready>>) -> Self {
        Tls(ready)
    }

    /// What answers handshakes, or nothing while no certificate is valid.
    #[must_use]
    pub fn acceptor(&self) -> Option<TlsAcceptor> {
        self.0.borrow().as_ref().map(|r| r.acceptor.clone())
    }

    /// Whether HTTPS may be announced, and changes of that.
    #[must_use]
    pub fn ready(&self) -> watch::Receiver<Option<Ready>> {
        self.0.clone()
    }
}

/// Where the certificate lies, and the name that devices will ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The chain, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The portal's name.
    pub host: String,
}

/// Shows the certificate under the portal's own name only.
///
/// A blocked name leads here too: it is refused in the handshake, which a browser shows as
/// "refused", and not as a certificate of somebody else's.
#[derive(Debug)]
struct OwnName {
    key: Arc<CertifiedKey>,
    host: String,
}

impl ResolvesServerCert for OwnName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        hello.server_name().is_none_or(|name| name.eq_ignore_ascii_case(&self.host)).then(|| self.key.clone())
    }
}

/// The bytes of both files.
struct Pem {
    cert: Vec<u8>,
    key: zeroize::Zeroizing<Vec<u8>>,
}

impl Files {
    /// Reads chain and key and checks that they fit, are for the name, and valid at `now`.
    ///
    /// `now` is none while the box's clock is unset: dates are not checked then.
    ///
    /// # Errors
    /// `TlsError` that says what to mend.
    pub fn load(&self, now: Option<Moment>) -> Result<Ready, TlsError> {
        self.check(&self.read()?, now)
    }

    /// What is new in the files; nothing where what is held still holds.
    fn look(
        &self,
        ready: &watch::Sender<Option<Ready>>,
        held: Option<[u8; 32]>,
        now: Option<Moment>,
    ) -> Result<Option<([u8; 32], Ready)>, TlsError> {
        let pem = self.read()?;
        let digest = Sha256::new()
            .chain_update(&pem.cert)
            .chain_update(&*pem.key)
            .chain_update(&self.host)
            .finalize()
            .into();
        // The same files keep their acceptor, and with it the sessions that phones resume.
        let holds = ready.borrow().as_ref().is_some_and(|r| r.holds(now));
        if holds && held == Some(digest) {
            return Ok(None);
        }
        self.check(&pem, now).map(|fresh| Some((digest, fresh)))
    }

    fn read(&self) -> Result<Pem, TlsError> {
        let file = |path: &PathBuf| {
            std::fs::read(path).map_err(|e| TlsError::Read { path: path.clone(), why: e.to_string() })
        };
        Ok(Pem { cert: file(&self.cert)?, key: file(&self.key)?.into() })
    }

    fn check(&self, pem: &Pem, now: Option<Moment>) -> Result<Ready, TlsError> {
        let not_pem =
            |path: &PathBuf, why: pem::Error| TlsError::Read { path: path.clone(), why: why.to_string() };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem.cert)
            .collect::<Result<_, _>>()
            .map_err(|e| not_pem(&self.cert, e))?;
        let first =
            chain.first().ok_or_else(|| TlsError::Unfit("the file holds no certificate".to_owned()))?;
        let (from, to) = dates(&chain)?;
        if let Some(now) = now.filter(|now| *now < from || *now > to) {
            return Err(TlsError::NotNow { from, to, now });
        }
        let unfit = |e: rustls::Error| TlsError::Unfit(e.to_string());
        let other = || TlsError::OtherName(self.host.clone());
        let name = ServerName::try_from(self.host.as_str()).map_err(|_| other())?;
        verify_server_name(&ParsedCertificate::try_from(first).map_err(unfit)?, &name)
            .map_err(|_| other())?;
        let key = PrivateKeyDer::from_pem_slice(&pem.key).map_err(|e| not_pem(&self.key, e))?;
        let own =
            CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()).map_err(unfit)?;
        let own = Arc::new(own);
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(unfit)?
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(OwnName { key: own, host: self.host.clone() }));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Ready { acceptor: TlsAcceptor::from(Arc::new(config)), from, until: to, host: self.host.clone() })
    }
}

/// Follows the files until `stop`: a new certificate is taken, one that is over or gone is dropped.
///
/// `files` says where they lie; none while the portal has no name of its own.
pub async fn follow(
    mut files: watch::Receiver<Option<Files>>,
    clock: Clock,
    ready: watch::Sender<Option<Ready>>,
    stop: CancellationToken,
) {
    let mut held: Option<[u8; 32]> = None;
    let mut told = String::new();
    while !stop.is_cancelled() {
        let now = clock.wall();
        let place = files.borrow_and_update().clone();
        match place.as_ref().map(|files| files.look(&ready, held, now)) {
            Some(Ok(None)) => {}
            Some(Ok(Some((digest, fresh)))) => {
                tracing::info!(host = fresh.host, until = %fresh.until, "the portal has a certificate");
                (held, told) = (Some(digest), String::new());
                ready.send_replace(Some(fresh));
            }
            Some(Err(error)) => {
                held = None;
                ready.send_if_modified(|old| old.take().is_some());
                let words = error.to_string();
                if words != told {
                    tracing::warn!(error = words, "the portal is plain HTTP, and is not announced");
                    told = words;
                }
            }
            None => {
                held = None;
                ready.send_if_modified(|old| old.take().is_some());
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            // The sender lives as long as the box; without one the files stay where they are.
            Ok(()) = files.changed() => {}
            () = clock.sleep_ms(LOOK_MS) => {}
        }
    }
}

impl Ready {
    fn holds(&self, now: Option<Moment>) -> bool {
        now.is_none_or(|now| self.from <= now && now <= self.until)
    }
}

/// From when to when all of a chain is valid.
fn dates(chain: &[CertificateDer<'_>]) -> Result<(Moment, Moment), TlsError> {
    let unread = || TlsError::Unfit("its dates cannot be read".to_owned());
    let mut all = chain.iter().map(|one| certificate::validity(one).ok_or_else(unread));
    let first = all.next().ok_or_else(unread)??;
    all.try_fold(first, |(from, to), next| {
        let next = next?;
        Ok((from.max(next.0), to.min(next.1)))
    })
}

#[cfg(test)]
mod tests;
