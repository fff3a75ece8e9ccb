//! Enrolment, the hub's keys with their revocations, and the hub's time.

use super::bytes::{Blob, Digest, KeyId, PublicKey};
use super::cbor::{Malformed, Put, Take};
use super::desired::Version;
use kulkul_model::Moment;
use kulkul_model::gateway::{Capabilities, GatewayId};
use kulkul_model::site::SiteCode;
use serde::{Deserialize, Serialize};

/// Body of `POST /link/v1/enrol`, signed by the key that it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrol {
    /// The claim code as somebody typed it.
    pub claim: String,
    /// The key that the box made.
    pub public_key: PublicKey,
    /// What the box can do.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// Maker, model and serial number, as far as known; at most 200 characters.
    #[serde(default)]
    pub hardware: String,
}

/// The hub's answer to an enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The id that the box has from now on.
    pub gateway: GatewayId,
    /// The site that the claim was made for.
    pub site: SiteCode,
    /// The hub's keys; the box pins the roots.
    pub hub_keys: HubKeys,
    /// The newest desired state.
    pub desired: Version,
}

/// What a key of the hub may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUse {
    /// Manifests of the desired state.
    Desired,
    /// Checkpoints of the evidence log.
    Log,
    /// The time.
    Time,
}

impl KeyUse {
    /// All uses.
    pub const ALL: [KeyUse; 3] = [KeyUse::Desired, KeyUse::Log, KeyUse::Time];

    /// The name that the link, files and the command line use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyUse::Desired => "desired",
            KeyUse::Log => "log",
            KeyUse::Time => "time",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|u| u.as_str() == text)
    }
}

/// A key of the hub with the dates and the use that a root certifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertifiedKey {
    /// The certificate: a COSE_Sign1 over `KeyClaim`.
    pub certificate: Blob,
}

/// The hub's roots and the keys that they certify.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HubKeys {
    /// Public keys of the roots: one or two.
    pub roots: Vec<PublicKey>,
    /// Keys in use, and former ones that are still needed.
    pub keys: Vec<CertifiedKey>,
    /// Keys that nothing may be signed by any more, whatever their dates.
    #[serde(default)]
    pub revoked: Vec<Revocation>,
}

/// A root's word that a key is not to be trusted any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// A COSE_Sign1 over `RevokedKey`.
    pub statement: Blob,
}

/// What a root says of a key that it takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedKey {
    /// The key, for all its uses.
    pub key: PublicKey,
    /// When it was taken back; it counts for what was signed earlier too.
    pub at: Moment,
}

impl RevokedKey {
    /// Writes deterministic CBOR: `[key, at_ms]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut p = Put::new();
        p.array(2).bytes(&self.key.0).i64(self.at.ms());
        p.done()
    }

    /// Reads what `encode` writes.
    ///
    /// # Errors
    /// `Malformed` for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut t = Take::new(bytes, "key revocation")?;
        let n = t.array(2)?;
        let revoked = RevokedKey { key: PublicKey(t.fixed()?), at: Moment::from_ms(t.i64()?) };
        t.skip(n - 2)?;
        t.end()?;
        Ok(revoked)
    }
}

impl HubKeys {
    /// Tells two lists apart, in beats; the order counts.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let roots = self.roots.iter().map(|r| r.0.as_slice());
        let keys = self.keys.iter().map(|k| k.certificate.0.as_slice());
        let revoked = self.revoked.iter().map(|r| r.statement.0.as_slice());
        let mut p = Put::new();
        p.array(3);
        for list in [roots.collect::<Vec<_>>(), keys.collect(), revoked.collect()] {
            p.array(list.len() as u64);
            for one in list {
                p.bytes(one);
            }
        }
        Digest::of(&p.done())
    }
}

/// What a root says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyClaim {
    /// What it may sign.
    pub key_use: KeyUse,
    /// The key.
    pub key: PublicKey,
    /// From when.
    pub from: Moment,
    /// Until when.
    pub until: Moment,
}

const WHAT: &str = "key certificate";

impl KeyClaim {
    /// Writes deterministic CBOR: `[use, key, from_ms, until_ms]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut p = Put::new();
        p.array(4).text(self.key_use.as_str()).bytes(&self.key.0);
        p.i64(self.from.ms()).i64(self.until.ms());
        p.done()
    }

    /// Reads what `encode` writes.
    ///
    /// # Errors
    /// `Malformed` for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut t = Take::new(bytes, WHAT)?;
        let n = t.array(4)?;
        let claim = KeyClaim {
            key_use: KeyUse::parse(t.text()?).ok_or(Malformed::Shape(WHAT))?,
            key: PublicKey(t.fixed()?),
            from: Moment::from_ms(t.i64()?),
            until: Moment::from_ms(t.i64()?),
        };
        t.skip(n - 4)?;
        t.end()?;
        Ok(claim)
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.key.id()
    }
}

/// The hub's answer to `GET /link/v1/time?nonce=`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeAnswer {
    /// A COSE_Sign1 over `[now_ms, nonce]` by the hub's time key.
    pub statement: Blob,
    /// The certificate of that key.
    pub key: CertifiedKey,
}

/// What the hub says of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeStatement {
    /// The hub's time.
    pub now: Moment,
    /// What the box sent, 16 to 64 characters.
    pub nonce: String,
}

impl TimeStatement {
    /// Writes deterministic CBOR: `[now_ms, nonce]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut p = Put::new();
        p.array(2).i64(self.now.ms()).text(&self.nonce);
        p.done()
    }

    /// Reads what `encode` writes.
    ///
    /// # Errors
    /// `Malformed` for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut t = Take::new(bytes, "time statement")?;
        let n = t.array(2)?;
        let statement = TimeStatement { now: Moment::from_ms(t.i64()?), nonce: t.text()?.to_owned() };
        t.skip(n - 2)?;
        t.end()?;
        Ok(statement)
    }
}

/// The key of a box's local settings, as `GET local-key` answers; 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalKey {
    /// The key.
    pub key: String,
}
