//! Calls of the real link over HTTP, signed as any gateway signs them.
//!
//! One caller holds a connection for each task of a fleet, and keeps it; each serves some
//! simulated gateways. It reads answers no further than they need them.

use crate::fleet::MOST_TASKS;
use bytes::Bytes;
use kulkul_model::Moment;
use kulkul_model::diagnostic::DiagnosticId;
use kulkul_model::session::SessionId;
use kulkul_proof::request;
use kulkul_proof::sign::Signer;
use kulkul_wire::link::desired::{DiagnosticsSection, RevokedSection};
use kulkul_wire::link::{
    Beat, BeatAnswer, Digest, Enrol, Enrolled, JOURNAL_TYPE, JournalAnswer, Manifest, Version, sign1,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Why a call brought no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The hub could not be reached, or did not answer in time.
    #[error("{0}")]
    Unreachable(#[from] reqwest::Error),
    /// The hub refuses this gateway: it was revoked, or never enrolled.
    #[error("the hub refuses this gateway ({status}): {detail}")]
    Refused {
        /// 401 or 403.
        status: u16,
        /// What the problem document says.
        detail: String,
    },
    /// The hub has too much to do, or a fault.
    #[error("the hub answers {status}: {detail}")]
    Status {
        /// The status.
        status: u16,
        /// What the problem document says.
        detail: String,
    },
    /// The answer has another shape than the link's.
    #[error("the hub's answer cannot be read: {0}")]
    Answer(#[from] serde_json::Error),
}

/// Who calls: the key, its name, and a nonce that is used once.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'g> {
    /// The gateway's key.
    pub signer: &'g Signer,
    /// The gateway's id, or its public key at enrolment.
    pub keyid: &'g str,
    /// 16 to 64 characters, never used twice.
    pub nonce: &'g str,
    /// The moment of signing.
    pub now: Moment,
}

/// Connections to one hub.
#[derive(Clone, Debug)]
pub struct Line {
    http: reqwest::Client,
    base: String,
}

/// A hub that has not answered for this long will not.
const PATIENCE: Duration = Duration::from_secs(20);

impl Line {
    /// A line to the hub at `base`, its public URL without a slash at the end.
    ///
    /// # Errors
    /// The TLS library cannot be set up, or `ca` is no certificate in PEM.
    pub fn to(base: &str, ca: Option<&[u8]>) -> Result<Self, reqwest::Error> {
        // Another part of the program may have chosen the same provider before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(MOST_TASKS);
        if let Some(pem) = ca {
            http = http.tls_certs_only([reqwest::Certificate::from_pem(pem)?]);
        }
        Ok(Line { http: http.build()?, base: base.trim_end_matches('/').to_owned() })
    }

    async fn call(
        &self,
        caller: Caller<'_>,
        (method, path): (reqwest::Method, &str),
        kind: &str,
        body: Vec<u8>,
    ) -> Result<(u16, Bytes), CallError> {
        let uri = format!("{}{path}", self.base);
        let signed = request::sign(
            caller.signer,
            caller.keyid,
            (method.as_str(), &uri),
            &body,
            caller.now,
            caller.nonce,
        );
        let mut request = self
            .http
            .request(method, &uri)
            .header("content-digest", signed.content_digest)
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature);
        if !body.is_empty() {
            request = request.header("content-type", kind).body(body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        match status {
            200..=204 | 304 | 409 => Ok((status, bytes)),
            401 | 403 => Err(CallError::Refused { status, detail: detail(&bytes) }),
            _ => Err(CallError::Status { status, detail: detail(&bytes) }),
        }
    }

    /// Enrols with a claim.
    ///
    /// # Errors
    /// `Refused` for a used, old or wrong claim; as for every call.
    pub async fn enrol(&self, caller: Caller<'_>, enrol: &Enrol) -> Result<Enrolled, CallError> {
        let body = serde_json::to_vec(enrol)?;
        let path = (reqwest::Method::POST, "/link/v1/enrol");
        let (_, bytes) = self.call(caller, path, "application/json", body).await?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Gives a sign of life.
    ///
    /// # Errors
    /// `Refused` when the gateway was revoked; as for every call.
    pub async fn beat(&self, caller: Caller<'_>, beat: &Beat) -> Result<BeatAnswer, CallError> {
        let body = serde_json::to_vec(beat)?;
        let path = (reqwest::Method::POST, "/link/v1/beat");
        let (_, bytes) = self.call(caller, path, "application/json", body).await?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Delivers sealed entries, one after another in `batch`.
    ///
    /// # Errors
    /// As for every call; 422 when a signature or the chain does not fit.
    pub async fn journal(&self, caller: Caller<'_>, batch: Vec<u8>) -> Result<JournalAnswer, CallError> {
        let path = format!("/link/v1/journal?gateway={}", caller.keyid);
        let (_, bytes) = self.call(caller, (reqwest::Method::POST, &path), JOURNAL_TYPE, batch).await?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Fetches the manifest of the desired state, waiting up to `wait_s` for one newer than `have`.
    ///
    /// # Errors
    /// As for every call.
    pub async fn desired(
        &self,
        caller: Caller<'_>,
        have: Option<Version>,
        wait_s: u32,
    ) -> Result<Option<Bytes>, CallError> {
        let have = have.unwrap_or_default();
        let path = format!("/link/v1/desired?have={have}&wait={wait_s}");
        let (status, bytes) = self.call(caller, (reqwest::Method::GET, &path), "", Vec::new()).await?;
        Ok((status == 200).then_some(bytes))
    }
}

impl Line {
    /// The sessions that a desired state ends; none where its section cannot be read.
    ///
    /// # Errors
    /// As for every call.
    pub async fn ended(&self, caller: Caller<'_>, manifest: &[u8]) -> Result<Vec<SessionId>, CallError> {
        let revoked: RevokedSection = self.section(caller, manifest, "revoked").await?;
        Ok(revoked.sessions.into_iter().map(|r| r.session).collect())
    }

    /// What a desired state asks of the box.
    ///
    /// # Errors
    /// As for every call.
    pub async fn asked(&self, caller: Caller<'_>, manifest: &[u8]) -> Result<Vec<DiagnosticId>, CallError> {
        let asked: DiagnosticsSection = self.section(caller, manifest, "diagnostics").await?;
        Ok(asked.asks.into_iter().map(|a| a.id).collect())
    }

    /// A section of a desired state; the default where it is that, or cannot be read.
    async fn section<T: Default + Serialize + DeserializeOwned>(
        &self,
        caller: Caller<'_>,
        manifest: &[u8],
        name: &str,
    ) -> Result<T, CallError> {
        let manifest = sign1::decode(manifest).and_then(|signed| Manifest::decode(signed.payload)).ok();
        let section = manifest.and_then(|m| m.sections.into_iter().find(|s| s.name == name));
        // Nearly always it is empty; thousands of simulated boxes need not ask for that.
        let empty = serde_json::to_vec(&T::default()).map(|json| Digest::of(&json));
        let Some(section) = section.filter(|s| empty.as_ref().ok() != Some(&s.sha256)) else {
            return Ok(T::default());
        };
        let path = format!("/link/v1/blobs/{}", section.sha256);
        let (_, body) = self.call(caller, (reqwest::Method::GET, &path), "", Vec::new()).await?;
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// The detail or title of a problem document, else the beginning of the text.
fn detail(bytes: &[u8]) -> String {
    let problem: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let text = ["detail", "title"].iter().find_map(|k| problem.get(k).and_then(|v| v.as_str()));
    text.map_or_else(
        || String::from_utf8_lossy(bytes.get(..200).unwrap_or(bytes)).into_owned(),
        str::to_owned,
    )
}
