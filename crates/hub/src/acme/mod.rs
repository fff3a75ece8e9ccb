//! A public certificate authority, asked by ACME (RFC 8555).
//!
//! The account's key lies with the hub's other keys. Every order is kept before anything
//! is done about it, so that a hub which was killed goes on with it and orders nothing
//! twice. Orders wait within the authority's limits. That a name is the hub's is shown in
//! the DNS, or for its own name in a handshake; keys of portals are never seen here.

mod dns;
mod handshake;
mod order;
pub mod own;
pub mod renewal;
mod trouble;

pub use dns::{DnsError, Texts};
pub use handshake::{Handshake, PROOF_PROTOCOL};
pub use order::{Held, Proof, Wanted};
pub use own::Own;
pub use trouble::NotCertified;

use crate::clock::Clock;
use crate::config::Config;
use crate::fleet::keys::Directory;
use crate::outbound::Outbound;
use instant_acme::{Account, Key};
use kulkul_model::Moment;
use rcgen::KeyPair;
use rustls_pki_types::PrivatePkcs8KeyDer;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The account's key.
const KEY: &str = "acme.key";
/// The wait after the first failure that is everybody's, milliseconds; doubled after each.
const FIRST_PAUSE_MS: i64 = 60_000;
/// The longest of these waits.
const LONGEST_PAUSE_MS: i64 = 3_600_000;

/// A public authority and the hub's account there.
pub struct Acme {
    settings: crate::config::Acme,
    texts: Option<Texts>,
    keys: PathBuf,
    clock: Clock,
    account: tokio::sync::Mutex<Option<Account>>,
    pause: Mutex<Pause>,
}

/// After a failure that every name would meet, nobody is asked for a while.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    until: Option<Moment>,
    failures: u32,
}

impl Acme {
    /// The authority of the settings; none where nothing is to be certified by one.
    #[must_use]
    pub fn of(config: &Config, clock: &Clock) -> Option<Self> {
        let settings = config.acme.clone();
        let texts = match &settings.hook {
            Some(hook) => Some(Texts::Hook(hook.clone())),
            None if settings.has_dns() => Some(Texts::Updates(settings.dns.clone())),
            None if config.tls.as_ref().is_some_and(|tls| tls.acme) => None,
            None => return None,
        };
        let keys = config.data.join("keys");
        let (account, pause) = (tokio::sync::Mutex::default(), Mutex::default());
        Some(Acme { settings, texts, keys, clock: clock.clone(), account, pause })
    }

    /// The authority as far as it certifies portals: none where the hub cannot write into the DNS.
    #[must_use]
    pub fn for_portals(&self) -> Option<&Self> {
        self.texts.is_some().then_some(self)
    }

    /// Whether the hub can show in the DNS that a name is its own.
    fn reaches(&self, host: &str) -> bool {
        match &self.texts {
            None => false,
            Some(Texts::Hook(_)) => true,
            Some(Texts::Updates(dns)) => host.ends_with(&format!(".{}", dns.zone)) || host == dns.zone,
        }
    }

    /// The address of the authority's directory: what certificates of it are known by.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.settings.directory
    }

    /// Until when nobody is asked; none: now.
    #[must_use]
    pub fn paused(&self, now: Moment) -> Option<Moment> {
        self.pause().until.filter(|until| *until > now)
    }

    /// Notes how an order went, and gives until when all others wait.
    pub fn note(&self, failed: Option<&NotCertified>, now: Moment) -> Option<Moment> {
        let mut pause = self.pause();
        if failed.is_some_and(NotCertified::is_everybodys) {
            let wait = (FIRST_PAUSE_MS << pause.failures.min(10)).min(LONGEST_PAUSE_MS);
            *pause = Pause { until: Some(now.plus_ms(wait)), failures: pause.failures + 1 };
        } else {
            *pause = Pause::default();
        }
        pause.until
    }

    /// Asks again at once, whatever failed before.
    pub fn hurry(&self) {
        *self.pause() = Pause::default();
    }

    fn pause(&self) -> std::sync::MutexGuard<'_, Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account; opened at the authority where it is not, which finds it by its key.
    async fn account(&self) -> Result<Account, NotCertified> {
        let mut held = self.account.lock().await;
        if let Some(account) = held.as_ref() {
            return Ok(account.clone());
        }
        let here = |e: &dyn std::fmt::Display| NotCertified::Here(e.to_string());
        let client = Outbound::new(self.settings.ca.as_deref()).map_err(|e| here(&e))?;
        let key = self.key()?;
        let (account, _) = Account::builder_with_http(Box::new(client))
            .create_from_key(key, self.settings.directory.clone())
            .await?;
        if !self.settings.contact.is_empty() {
            let contact = format!("mailto:{}", self.settings.contact.trim_start_matches("mailto:"));
            account.update_contacts(&[&contact]).await?;
        }
        tracing::info!(
            authority = self.settings.directory,
            account = account.id(),
            "certificates are ordered here"
        );
        Ok(held.insert(account).clone())
    }

    async fn forget_account(&self) {
        *self.account.lock().await = None;
    }

    /// The account's key, made at the first call.
    fn key(&self) -> Result<(Key, rustls_pki_types::PrivateKeyDer<'static>), NotCertified> {
        let wrong = |e: &dyn std::fmt::Display| NotCertified::Here(format!("{KEY}: {e}"));
        let dir = Directory::at(&self.keys);
        let pair = match dir.read(KEY).map_err(|e| wrong(&e))? {
            Some(pem) => KeyPair::from_pem(&pem).map_err(|e| wrong(&e))?,
            None => {
                let pair = KeyPair::generate().map_err(|e| wrong(&e))?;
                let pem = zeroize::Zeroizing::new(pair.serialize_pem());
                dir.write(KEY, &pem).map_err(|e| wrong(&e))?;
                pair
            }
        };
        let der = PrivatePkcs8KeyDer::from(pair.serialize_der());
        let key = Key::from_pkcs8_der(der.clone_key()).map_err(|e| wrong(&e))?;
        Ok((key, der.into()))
    }
}
