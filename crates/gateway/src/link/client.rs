//! One call at a time to the hub: signed, bounded, answered or an error.

mod problem;

use super::state::Identity;
use super::tls;
use crate::clock::Clock;
use bytes::Bytes;
use kulkul_model::Moment;
use kulkul_proof::{KeyRing, KeyTrouble, Signer, manifest, request};
use kulkul_wire::link::{
    Admit, BATCH_LIMIT, Beat, BeatAnswer, Digest, Enrol, Enrolled, Grant, HubKeys, JOURNAL_TYPE,
    JournalAnswer, LocalKey, SECTION_LIMIT, TimeAnswer, Version,
};
use reqwest::{Method, Response, StatusCode, Url};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::AsyncWriteExt as _;

/// The hub has answered within this time, or does not, milliseconds.
const PATIENCE_MS: i64 = 20_000;
/// How long somebody who wants to come in waits for the hub, milliseconds.
pub const ADMIT_MS: i64 = 2_000;
/// How much longer a long poll may take, milliseconds.
const POLL_MS: i64 = 35_000;

/// Why a call to the hub brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The settings cannot be used.
    #[error("the link's settings: {0}")]
    Setup(String),
    /// `hub` is plain HTTP to another machine.
    #[error("{0} is not https; set allow_plain = true only where the network is safe by itself")]
    Plain(String),
    /// No connection, or it broke.
    #[error("the hub cannot be reached: {0}")]
    Reach(String),
    /// No answer in time.
    #[error("the hub does not answer")]
    Silent,
    /// The hub said no.
    #[error("the hub answers {status} {code}: {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Stable code.
        code: String,
        /// For people.
        detail: String,
        /// The entry that the hub expects, after 409 and 422.
        expected: Option<u64>,
        /// The hub's time, after a request that it finds stale.
        now: Option<Moment>,
        /// What else it says by name: numbers and texts.
        about: BTreeMap<String, String>,
    },
    /// The answer has not the shape that it should have.
    #[error("the hub's answer cannot be read: {0}")]
    Answer(String),
    /// The answer is not signed by the hub.
    #[error("the hub's answer is not proven: {0}")]
    Proof(#[from] KeyTrouble),
    /// No randomness.
    #[error("the machine gives no random bytes")]
    Entropy,
}

impl LinkError {
    /// The stable code of a refusal; empty for all else.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            LinkError::Refused { code, .. } => code,
            _ => "",
        }
    }

    /// Whether trying again can never help.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self.code(), "gateway-revoked" | "gateway-unknown")
    }
}

/// Draws random bytes; none when the machine has none yet.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

/// Speaks to one hub; cheap to clone, connections are shared.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// For the time call: dates of certificates are not checked.
    dateless: reqwest::Client,
    base: String,
    clock: Clock,
    /// What is added to the box's clock when it signs, milliseconds.
    skew_ms: Arc<AtomicI64>,
}

impl Client {
    /// Prepares to speak to the hub at `base`.
    ///
    /// # Errors
    /// `LinkError::Plain` for `http://` to another machine; `Setup` for a bad address or CA.
    pub fn new(base: &str, ca: Option<&Path>, allow_plain: bool, clock: &Clock) -> Result<Self, LinkError> {
        let url = Url::parse(base).map_err(|e| LinkError::Setup(format!("hub = \"{base}\": {e}")))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|a| a.is_loopback());
        let secure = url.scheme() == "https";
        if !secure && !(url.scheme() == "http" && (loopback || allow_plain)) {
            return Err(LinkError::Plain(base.to_owned()));
        }
        let build = |dateless| {
            let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
            // A plain hub needs no CA; reqwest wants TLS settings all the same.
            let config = match (secure, ca) {
                (false, None) => tls::none()?,
                _ => tls::config(ca, clock, dateless)?,
            };
            builder.tls_backend_preconfigured(config).build().map_err(|e| LinkError::Setup(e.to_string()))
        };
        Ok(Client {
            http: build(false)?,
            dateless: build(true)?,
            base: base.trim_end_matches('/').to_owned(),
            clock: clock.clone(),
            skew_ms: Arc::default(),
        })
    }

    fn now(&self) -> Moment {
        self.clock.now().plus_ms(self.skew_ms.load(Ordering::Relaxed))
    }

    async fn send(
        &self,
        (signer, keyid): (&Signer, &str),
        (method, path, kind): (Method, &str, &'static str),
        body: Vec<u8>,
        patience_ms: i64,
    ) -> Result<Response, LinkError> {
        self.send_from((signer, keyid), (method, path, kind), body, patience_ms, 0).await
    }

    /// Sends, and asks for the answer's bytes from `from` on.
    async fn send_from(
        &self,
        (signer, keyid): (&Signer, &str),
        (method, path, kind): (Method, &str, &'static str),
        body: Vec<u8>,
        patience_ms: i64,
        from: u64,
    ) -> Result<Response, LinkError> {
        let target = format!("{}{path}", self.base);
        let nonce = hex::encode(random::<16>().ok_or(LinkError::Entropy)?);
        let signed = request::sign(signer, keyid, (method.as_str(), &target), &body, self.now(), &nonce);
        let mut request = self
            .http
            .request(method, &target)
            .header("content-digest", signed.content_digest)
            .header("signature-input", signed.signature_input)
            .header("signature", signed.signature)
            .header("accept-language", "en");
        if !body.is_empty() {
            request = request.header("content-type", kind);
        }
        if from > 0 {
            request = request.header("range", format!("bytes={from}-"));
        }
        let call = request.body(body).send();
        let answer = self.clock.at_most(patience_ms, call).await.ok_or(LinkError::Silent)?;
        let answer = answer.map_err(|e| LinkError::Reach(chain(&e)))?;
        if answer.status().is_success() || answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        Err(self.refused(answer).await)
    }

    async fn refused(&self, answer: Response) -> LinkError {
        let status = answer.status().as_u16();
        let body = self.body(answer, 64 * 1024).await.unwrap_or_default();
        problem::read(status, &body)
    }

    /// Reads a body of at most `limit` bytes.
    async fn body(&self, mut answer: Response, limit: usize) -> Result<Bytes, LinkError> {
        let read = async {
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(|e| LinkError::Reach(chain(&e)))? {
                if body.len() + chunk.len() > limit {
                    return Err(LinkError::Answer(format!("over {limit} bytes")));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Bytes::from(body))
        };
        self.clock.at_most(PATIENCE_MS, read).await.ok_or(LinkError::Silent)?
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, answer: Response) -> Result<T, LinkError> {
        let body = self.body(answer, 256 * 1024).await?;
        serde_json::from_slice(&body).map_err(|e| LinkError::Answer(e.to_string()))
    }

    /// Enrols with a claim; a retry by the same key gets the same answer.
    ///
    /// # Errors
    /// `LinkError`.
    pub async fn enrol(&self, signer: &Signer, ask: &Enrol) -> Result<Enrolled, LinkError> {
        let body = serde_json::to_vec(ask).map_err(|e| LinkError::Answer(e.to_string()))?;
        let keyid = signer.public().to_string();
        let call = (Method::POST, "/link/v1/enrol", "application/json");
        self.json(self.send((signer, &keyid), call, body, PATIENCE_MS).await?).await
    }

    /// Asks for the hub's signed time.
    ///
    /// # Errors
    /// `LinkError`; `Proof` when no time key of a pinned root signed it.
    pub async fn time(&self, ring: &KeyRing) -> Result<Moment, LinkError> {
        let nonce = hex::encode(random::<16>().ok_or(LinkError::Entropy)?);
        let call = self.dateless.get(format!("{}/link/v1/time?nonce={nonce}", self.base)).send();
        let answer = self.clock.at_most(PATIENCE_MS, call).await.ok_or(LinkError::Silent)?;
        let answer = answer.map_err(|e| LinkError::Reach(chain(&e)))?;
        if !answer.status().is_success() {
            return Err(self.refused(answer).await);
        }
        let answer: TimeAnswer = self.json(answer).await?;
        Ok(manifest::open_time(ring, &answer, &nonce)?)
    }

    /// Asks for the hub's keys; nothing of the answer counts before a pinned root vouches for it.
    ///
    /// # Errors
    /// `LinkError`.
    pub async fn keys(&self) -> Result<HubKeys, LinkError> {
        let call = self.http.get(format!("{}/link/v1/keys", self.base)).send();
        let answer = self.clock.at_most(PATIENCE_MS, call).await.ok_or(LinkError::Silent)?;
        let answer = answer.map_err(|e| LinkError::Reach(chain(&e)))?;
        if !answer.status().is_success() {
            return Err(self.refused(answer).await);
        }
        self.json(answer).await
    }

    /// Signs from now on as if it were `now`: the box's clock is wrong and not ours to set.
    pub fn adopt(&self, now: Moment) {
        self.skew_ms.store(now.since_ms(self.clock.now()), Ordering::Relaxed);
    }

    /// Asks for the key of the box's local settings.
    ///
    /// # Errors
    /// `LinkError`.
    pub async fn local_key(&self, who: &Identity) -> Result<LocalKey, LinkError> {
        let call = (Method::GET, "/link/v1/local-key", "");
        self.json(self.send(who.signs(), call, Vec::new(), PATIENCE_MS).await?).await
    }

    /// Sends a beat.
    ///
    /// # Errors
    /// `LinkError`.
    pub async fn beat(&self, who: &Identity, beat: &Beat) -> Result<BeatAnswer, LinkError> {
        let body = serde_json::to_vec(beat).map_err(|e| LinkError::Answer(e.to_string()))?;
        let call = (Method::POST, "/link/v1/beat", "application/json");
        self.json(self.send(who.signs(), call, body, PATIENCE_MS).await?).await
    }

    /// Asks whether a device may come in; somebody stands before the box and waits for it.
    ///
    /// # Errors
    /// `LinkError`; `Refused` says why not.
    pub async fn admit(&self, who: &Identity, ask: &Admit) -> Result<Grant, LinkError> {
        let body = serde_json::to_vec(ask).map_err(|e| LinkError::Answer(e.to_string()))?;
        let call = (Method::POST, "/link/v1/admit", "application/json");
        self.json(self.send(who.signs(), call, body, ADMIT_MS).await?).await
    }

    /// Waits up to 30 s for a desired state other than `have`; none when there is none.
    ///
    /// # Errors
    /// `LinkError`.
    pub async fn desired(&self, who: &Identity, have: Version) -> Result<Option<Bytes>, LinkError> {
        let path = format!("/link/v1/desired?have={have}&wait=30");
        let answer = self.send(who.signs(), (Method::GET, &path, ""), Vec::new(), POLL_MS).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        self.body(answer, 64 * 1024).await.map(Some)
    }

    /// Fetches a blob; its digest is checked.
    ///
    /// # Errors
    /// `LinkError`; `Answer` when the bytes are others.
    pub async fn blob(&self, who: &Identity, digest: Digest) -> Result<Bytes, LinkError> {
        let path = format!("/link/v1/blobs/{digest}");
        let answer = self.send(who.signs(), (Method::GET, &path, ""), Vec::new(), PATIENCE_MS).await?;
        let body = self.body(answer, SECTION_LIMIT).await?;
        if Digest::of(&body) == digest {
            Ok(body)
        } else {
            Err(LinkError::Answer("another digest".to_owned()))
        }
    }

    /// Fetches a large blob to a file, from where an earlier try ended; its digest is not checked.
    ///
    /// # Errors
    /// `LinkError`; `Answer` when there are more bytes than `bytes`, or fewer.
    pub async fn blob_to(
        &self,
        who: &Identity,
        digest: Digest,
        bytes: u64,
        path: &Path,
    ) -> Result<(), LinkError> {
        let disk = |e: std::io::Error| LinkError::Setup(format!("{}: {e}", path.display()));
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path).map_err(disk)?;
        let mut held = file.metadata().map_err(disk)?.len();
        if held > bytes {
            file.set_len(0).map_err(disk)?;
            held = 0;
        }
        if held == bytes {
            return Ok(());
        }
        let call = (Method::GET, format!("/link/v1/blobs/{digest}"));
        let call = (call.0, call.1.as_str(), "");
        let mut answer = self.send_from(who.signs(), call, Vec::new(), PATIENCE_MS, held).await?;
        if answer.status() != StatusCode::PARTIAL_CONTENT {
            file.set_len(0).map_err(disk)?;
            held = 0;
        }
        let mut file = tokio::fs::File::from_std(file);
        loop {
            let chunk = self.clock.at_most(PATIENCE_MS, answer.chunk()).await.ok_or(LinkError::Silent)?;
            let Some(chunk) = chunk.map_err(|e| LinkError::Reach(chain(&e)))? else { break };
            held += chunk.len() as u64;
            if held > bytes {
                file.set_len(0).await.map_err(disk)?;
                return Err(LinkError::Answer(format!("over {bytes} bytes")));
            }
            file.write_all(&chunk).await.map_err(disk)?;
        }
        file.flush().await.map_err(disk)?;
        if held == bytes { Ok(()) } else { Err(LinkError::Reach(format!("{held} of {bytes} bytes"))) }
    }

    /// Delivers entries in order.
    ///
    /// # Errors
    /// `LinkError`; 409 and 422 say which entry is expected.
    pub async fn journal(&self, who: &Identity, batch: Vec<u8>) -> Result<JournalAnswer, LinkError> {
        debug_assert!(batch.len() <= BATCH_LIMIT, "the uploader bounds its batches");
        let path = format!("/link/v1/journal?gateway={}", who.gateway);
        let call = (Method::POST, path.as_str(), JOURNAL_TYPE);
        self.json(self.send(who.signs(), call, batch, PATIENCE_MS).await?).await
    }
}

/// An error with its causes: reqwest's own words leave out what matters.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
