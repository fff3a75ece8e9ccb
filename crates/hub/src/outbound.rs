//! The one client for what the hub itself asks of others over HTTP.
//!
//! Only https, no redirects, bounded in bytes and time. It never asks an address that a
//! stranger names: whom it asks stands in hub.toml.

use crate::clock::within;
use bytes::Bytes;
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Where Debian keeps the certificates of public authorities.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";
/// An answer may be this long, bytes.
const MOST_BYTES: usize = 1 << 20;
/// An answer may take this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the client cannot be made, or what it asked was not answered.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The roots cannot be read.
    #[error("cannot use {path}: {why}")]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The library refuses.
    #[error("cannot prepare TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// No connection, or it broke.
    #[error("{0}")]
    Reach(String),
    /// No whole answer in time.
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Late,
    /// The answer is too long.
    #[error("the answer is longer than {MOST_BYTES} bytes")]
    Long,
}

impl From<reqwest::Error> for OutboundError {
    fn from(error: reqwest::Error) -> Self {
        // The library's own words leave out what matters.
        let mut said = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            said = format!("{said}: {inner}");
            cause = inner.source();
        }
        OutboundError::Reach(said)
    }
}

/// Asks others; cheap to clone, connections are shared.
#[derive(Clone)]
pub struct Outbound(reqwest::Client);

impl Outbound {
    /// A client that believes the roots in a file; none: the system's.
    ///
    /// # Errors
    /// `Roots` names the file.
    pub fn new(roots: Option<&Path>) -> Result<Self, OutboundError> {
        let path = roots.unwrap_or(Path::new(SYSTEM));
        let wrong = |why: String| OutboundError::Roots { path: path.to_owned(), why };
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))? {
            let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
            // Among the system's a few are of kinds that are not used any more.
            if let Err(error) = store.add(certificate)
                && roots.is_some()
            {
                return Err(wrong(error.to_string()));
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Outbound(client))
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// `Reach`, `Late`, `Long`; a status is an answer, whatever it says.
    pub async fn ask<B: Into<reqwest::Body>>(
        &self,
        request: http::Request<B>,
    ) -> Result<http::Response<Bytes>, OutboundError> {
        let asking = async {
            let mut answer = self.0.execute(reqwest::Request::try_from(request)?).await?;
            let mut bytes = Vec::new();
            while let Some(part) = answer.chunk().await? {
                if bytes.len() + part.len() > MOST_BYTES {
                    return Err(OutboundError::Long);
                }
                bytes.extend_from_slice(&part);
            }
            let mut whole = http::Response::new(Bytes::from(bytes));
            *whole.status_mut() = answer.status();
            *whole.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(whole)
        };
        within(PATIENCE, asking).await.unwrap_or(Err(OutboundError::Late))
    }
}

impl HttpClient for Outbound {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let client = self.clone();
        Box::pin(async move {
            let failed = |e: OutboundError| instant_acme::Error::Other(Box::new(e));
            let (parts, body) = request.into_parts();
            let body = http_body_util::BodyExt::collect(body).await;
            let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let answer = client.ask(http::Request::from_parts(parts, body)).await.map_err(failed)?;
            Ok(BytesResponse::from(answer.map(http_body_util::Full::new)))
        })
    }
}
