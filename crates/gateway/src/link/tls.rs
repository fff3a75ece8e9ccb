//! TLS to the hub, with dates checked against the time that the box believes in.
//!
//! A box that wakes in 1970 would refuse every certificate; its clock is never before
//! the program was built, and later what the hub's signed time taught it.

use super::LinkError;
use crate::clock::{BUILT_AT, Clock};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Where Debian and OpenWrt keep the certificates of public CAs.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Settings that trust `ca` (the system's CAs when none), dated by `clock`.
///
/// With `dateless` an expired certificate passes: for the time call only, whose answer
/// is signed by itself.
///
/// # Errors
/// `LinkError::Setup` names the file.
pub(super) fn config(ca: Option<&Path>, clock: &Clock, dateless: bool) -> Result<ClientConfig, LinkError> {
    let path = ca.unwrap_or(Path::new(SYSTEM));
    let wrong = |why: String| LinkError::Setup(format!("{}: {why}", path.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))? {
        let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
        if let Err(error) = roots.add(certificate)
            && ca.is_some()
        {
            return Err(wrong(error.to_string()));
        }
    }
    let provider = Arc::new(ring::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|e| wrong(e.to_string()))?;
    let verifier = Dated { inner, clock: clock.clone(), dateless };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Settings that trust nobody, for a hub that is reached without TLS.
///
/// # Errors
/// `LinkError::Setup` when the build has no cipher that is safe.
pub(super) fn none() -> Result<ClientConfig, LinkError> {
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| LinkError::Setup(e.to_string()))?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

#[derive(Debug)]
struct Dated {
    inner: Arc<WebPkiServerVerifier>,
    clock: Clock,
    dateless: bool,
}

impl ServerCertVerifier for Dated {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let now = self.clock.now().max(BUILT_AT);
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        match self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
            Err(Error::InvalidCertificate(why))
                if (self.dateless && is_about_dates(&why))
                    // A box without a clock cannot know that a certificate is of the future.
                    || (!self.clock.is_set() && is_not_yet(&why)) =>
            {
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn is_not_yet(why: &CertificateError) -> bool {
    matches!(why, CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. })
}

fn is_about_dates(why: &CertificateError) -> bool {
    is_not_yet(why) || matches!(why, CertificateError::Expired | CertificateError::ExpiredContext { .. })
}
