//! What the hub shows in a TLS handshake: its own certificate, or the proof that the name is its.
//!
//! The proof (TLS-ALPN-01, RFC 8737) is shown to nobody who does not ask for it by its protocol's
//! name, and a connection by that protocol ends with the handshake.

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// The protocol by which an authority asks for the proof.
pub const PROOF_PROTOCOL: &[u8] = b"acme-tls/1";

/// Shows what is set, from one handshake to the next; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Handshake(Arc<RwLock<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    own: Option<Arc<CertifiedKey>>,
    proof: Option<(String, Arc<CertifiedKey>)>,
}

impl Handshake {
    /// Shows a chain from now on.
    ///
    /// # Errors
    /// Why it cannot be shown, in words.
    pub fn show(&self, chain: &str, key: &KeyPair) -> Result<(), String> {
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
        let own = certified(chain.map_err(|e| e.to_string())?, key)?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).own = Some(own);
        Ok(())
    }

    /// Shows the proof for a name, or none any more.
    ///
    /// # Errors
    /// Why it cannot be made, in words.
    pub fn prove(&self, proof: Option<(&str, &[u8; 32])>) -> Result<(), String> {
        let made = proof.map(|(host, digest)| {
            let key = KeyPair::generate().map_err(|e| e.to_string())?;
            let mut params = CertificateParams::new(vec![host.to_owned()]).map_err(|e| e.to_string())?;
            params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
            let signed = params.self_signed(&key).map_err(|e| e.to_string())?;
            // Not compared with its key: the proof's extension must be critical, which the library
            // takes in no certificate that it reads.
            let key = private(&key)?;
            let key =
                ring::default_provider().key_provider.load_private_key(key).map_err(|e| e.to_string())?;
            let shown = CertifiedKey::new(vec![signed.der().clone()], key);
            Ok::<_, String>((host.to_owned(), Arc::new(shown)))
        });
        self.0.write().unwrap_or_else(PoisonError::into_inner).proof = made.transpose()?;
        Ok(())
    }

    /// What speaks TLS with it.
    ///
    /// # Errors
    /// The library refuses its own defaults.
    pub fn acceptor(&self) -> Result<TlsAcceptor, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), PROOF_PROTOCOL.to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Handshake {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let asks = hello.alpn().is_some_and(|mut all| all.any(|p| p == PROOF_PROTOCOL));
        if !asks {
            return shown.own.clone();
        }
        let (host, proof) = shown.proof.as_ref()?;
        hello.server_name().is_some_and(|name| name.eq_ignore_ascii_case(host)).then(|| Arc::clone(proof))
    }
}

fn certified(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Result<Arc<CertifiedKey>, String> {
    let made = CertifiedKey::from_der(chain, private(key)?, &ring::default_provider());
    made.map(Arc::new).map_err(|e| e.to_string())
}

fn private(key: &KeyPair) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::try_from(key.serialize_der()).map_err(str::to_owned)
}
