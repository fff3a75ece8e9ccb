//! The portal's certificate: read from files, watched for renewal, dropped when it is over.
//!
//! Without a certificate that is valid now there is no HTTPS, and nothing may announce
//! any (DHCP options 114 and 103, RA option 37).

use kulkul_model::Moment;
use kulkul_wire::certificate;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

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
}

/// A certificate that is ready, with its dates.
#[derive(Clone)]
pub struct Ready {
    acceptor: TlsAcceptor,
    /// The last moment at which it is valid.
    pub until: Moment,
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

/// Reads a chain and its key and checks that they fit and are valid at `now`.
///
/// `now` is none while the box's clock is unset: dates are not checked then.
///
/// # Errors
/// `TlsError` that says what to mend.
pub fn load(cert: &Path, key: &Path, now: Option<Moment>) -> Result<Ready, TlsError> {
    let read = |path: &Path, why: rustls::pki_types::pem::Error| TlsError::Read {
        path: path.to_owned(),
        why: why.to_string(),
    };
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(cert).and_then(Iterator::collect).map_err(|e| read(cert, e))?;
    let first = chain.first().ok_or_else(|| TlsError::Unfit("the file holds no certificate".to_owned()))?;
    let (from, to) =
        certificate::validity(first).ok_or_else(|| TlsError::Unfit("its dates cannot be read".to_owned()))?;
    if let Some(now) = now.filter(|now| *now < from || *now > to) {
        return Err(TlsError::NotNow { from, to, now });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| read(key, e))?;
    let unfit = |e: rustls::Error| TlsError::Unfit(e.to_string());
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Ready { acceptor: TlsAcceptor::from(Arc::new(config)), until: to })
}
