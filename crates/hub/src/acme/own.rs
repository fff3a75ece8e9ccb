//! The hub's own certificate, for `tls.acme`: asked for, shown, renewed.
//!
//! Key, request and chain lie with the hub's other keys, beside what is known of the last
//! tries, so that a hub that is started again and again asks no more often for it.

use super::{Acme, Handshake, Held, NotCertified, Proof, Wanted};
use crate::Hub;
use crate::config::Config;
use crate::fleet::certificates::request;
use crate::fleet::keys::{Directory, KeysError};
use kulkul_model::Moment;
use kulkul_store::certificate::Trouble;
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls_pki_types::CertificateSigningRequestDer;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

const KEY: &str = "tls.key";
const REQUEST: &str = "tls.csr";
const CHAIN: &str = "tls.pem";
const KEPT: &str = "tls.json";

/// How often it is looked at, milliseconds.
const EVERY_MS: i64 = 5_000;
/// The wait after the first failure, milliseconds; doubled after each.
const FIRST_WAIT_MS: i64 = 300_000;
/// The longest of these waits.
const LONGEST_WAIT_MS: i64 = 6 * 3_600_000;

/// What is known of the hub's own certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Who issued it: the address of an authority's directory; none while there is none.
    pub authority: Option<String>,
    /// The last moment at which it is valid.
    pub until: Option<Moment>,
    /// When it is asked for next; none: now.
    pub due_at: Option<Moment>,
    /// When the authority is asked next when to renew.
    pub advice_at: Option<Moment>,
    /// Failures since the last success.
    pub tries: u32,
    trouble: Option<(String, String, Moment)>,
}

impl Kept {
    /// Why the last try failed; none while all is well.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        let (kind, detail, since) = self.trouble.clone()?;
        Some(Trouble { kind, detail, since })
    }
}

/// The hub's own certificate.
pub struct Own {
    /// The name that people reach the hub by.
    pub host: String,
    handshake: Handshake,
    keys: PathBuf,
    kept: Mutex<Kept>,
}

impl Own {
    /// The certificate of the settings; none where `tls.acme` is not set.
    #[must_use]
    pub fn of(config: &Config) -> Option<Self> {
        if !config.tls.as_ref().is_some_and(|tls| tls.acme) {
            return None;
        }
        let keys = config.data.join("keys");
        let (host, kept) = (config.public_host().to_ascii_lowercase(), Mutex::default());
        Some(Own { host, handshake: Handshake::default(), keys, kept })
    }

    /// What its listener shows.
    #[must_use]
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// What is known of it.
    #[must_use]
    pub fn kept(&self) -> Kept {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for it now, whatever failed before.
    pub fn hurry(&self, now: Moment) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.trouble.is_some() {
            kept.due_at = Some(now);
        }
    }

    fn directory(&self) -> Directory {
        Directory::at(&self.keys)
    }

    /// Reads what is there, and shows it where it is for the name.
    fn open(&self, hub: &Hub) -> Result<(), NotCertified> {
        // The keys' directory is made with the keys.
        hub.fleet().keys().map_err(|e| here(&e))?;
        let dir = self.directory();
        let kept = dir.read(KEPT).map_err(|e| here(&e))?;
        let mut kept: Kept = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let (key, csr) = self.request()?;
        let chain = dir.read(CHAIN).map_err(|e| here(&e))?;
        let shown = chain.is_some_and(|chain| self.handshake.show(&chain, &key).is_ok());
        // Another name makes another request, and what was issued for the former is of no use.
        let other = kept.authority.as_deref() != hub.acme().map(Acme::authority);
        if kept.trouble.is_none() && (!shown || other || csr.1) {
            kept.due_at = None;
        }
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(())
    }

    /// The key and the request, made where they are missing or for another name; whether it is new.
    fn request(&self) -> Result<(KeyPair, (Vec<u8>, bool)), NotCertified> {
        let dir = self.directory();
        let keys = |e: KeysError| here(&e);
        let key = match dir.read(KEY).map_err(keys)? {
            Some(pem) => KeyPair::from_pem(&pem).map_err(|e| NotCertified::Here(format!("{KEY}: {e}")))?,
            None => {
                let key = KeyPair::generate().map_err(|e| here(&e))?;
                dir.write(KEY, &zeroize::Zeroizing::new(key.serialize_pem())).map_err(keys)?;
                key
            }
        };
        if let Some(pem) = dir.read(REQUEST).map_err(keys)?
            && let Ok(der) = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes())
            && request::read(&self.host, &der).is_ok()
        {
            return Ok((key, (der.to_vec(), false)));
        }
        let mut params = CertificateParams::new(vec![self.host.clone()]).map_err(|e| here(&e))?;
        params.distinguished_name = DistinguishedName::new();
        let made = params.serialize_request(&key).map_err(|e| here(&e))?;
        dir.write(REQUEST, &made.pem().map_err(|e| here(&e))?).map_err(keys)?;
        Ok((key, (made.der().to_vec(), true)))
    }

    fn keep(&self, kept: Kept) {
        let text = serde_json::to_string(&kept).unwrap_or_default();
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        if let Err(error) = self.directory().write(KEPT, &text) {
            tracing::error!(%error, "what is known of the hub's certificate is not kept");
        }
    }

    /// Gets a chain and shows it.
    async fn certify(&self, hub: &Hub, acme: &Acme) -> Result<Kept, NotCertified> {
        let (key, (csr, _)) = self.request()?;
        let held = self.directory().read(CHAIN).map_err(|e| here(&e))?;
        let authority = self.kept().authority;
        let held = held.as_ref().map(|chain| Held { chain, authority: authority.as_deref() });
        let proof = if acme.reaches(&self.host) { Proof::Dns } else { Proof::Handshake(&self.handshake) };
        let wanted = Wanted { host: &self.host, csr: &csr, held, proof };
        let issued = acme.certify(hub.store(), wanted).await?;
        self.directory().write(CHAIN, &issued.chain).map_err(|e| here(&e))?;
        self.handshake.show(&issued.chain, &key).map_err(NotCertified::Refused)?;
        tracing::info!(host = self.host, until = %issued.until, "the hub has a certificate");
        let (authority, due_at) = (issued.authority, Some(issued.renew_at));
        Ok(Kept {
            authority,
            until: Some(issued.until),
            due_at,
            advice_at: issued.advice_at,
            ..Kept::default()
        })
    }

    /// Does what is due; one that fails leaves what is held.
    pub async fn round(&self, hub: &Hub, acme: &Acme) {
        let (now, kept) = (hub.clock().now(), self.kept());
        if acme.paused(now).is_some() {
            return;
        }
        if kept.due_at.is_some_and(|due| due > now) {
            return self.advice(acme, kept, now).await;
        }
        let made = self.certify(hub, acme).await;
        let pause = acme.note(made.as_ref().err(), now);
        self.keep(match made {
            Ok(made) => made,
            Err(NotCertified::Turn(at)) => Kept { due_at: Some(at), ..kept },
            Err(error) => {
                tracing::error!(host = self.host, %error, "the hub gets no certificate");
                let wait = (FIRST_WAIT_MS << kept.tries.min(16)).min(LONGEST_WAIT_MS);
                let since = kept.trouble.as_ref().map_or(now, |(_, _, since)| *since);
                Kept {
                    due_at: Some(pause.unwrap_or_else(|| now.plus_ms(wait))),
                    tries: kept.tries + 1,
                    trouble: Some((error.kind().to_owned(), error.to_string(), since)),
                    ..kept
                }
            }
        });
    }

    async fn advice(&self, acme: &Acme, kept: Kept, now: Moment) {
        if kept.advice_at.is_none_or(|at| at > now) {
            return;
        }
        let chain = self.directory().read(CHAIN).ok().flatten().unwrap_or_default();
        let told = acme.advice(&chain, kept.due_at).await;
        let (due, again) = match told {
            Ok(Some((due, again))) => (Some(due), again),
            Ok(None) | Err(_) => (kept.due_at, acme.advice_later()),
        };
        self.keep(Kept { due_at: due, advice_at: Some(again), ..kept });
    }
}

/// Keeps the hub's own certificate until the hub stops; its listener must answer already.
pub async fn run(hub: &Hub) {
    let (Some(own), Some(acme)) = (hub.own_certificate(), hub.acme()) else { return };
    if let Err(error) = own.open(hub) {
        tracing::error!(%error, "the hub's certificate cannot be read");
    }
    loop {
        own.round(hub, acme).await;
        hub.clock().sleep_ms(EVERY_MS).await;
    }
}

fn here(error: &dyn std::fmt::Display) -> NotCertified {
    NotCertified::Here(error.to_string())
}
