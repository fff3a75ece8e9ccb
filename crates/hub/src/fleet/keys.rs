//! The hub's keys on disk: one file each, mode 0600, made where they are missing.
//!
//! `root.key` certifies the others and belongs off the hub once it has done so; a hub
//! without it runs on until the certificates end, and then changes stop, never
//! service. `backup` leaves this directory out.

mod change;

pub use change::{certify, revoke};
pub use kulkul_wire::link::KeyUse;

use crate::entropy::{NoEntropy, draw};
use hmac::{Hmac, KeyInit as _, Mac as _};
use kulkul_model::Moment;
use kulkul_model::claim::ClaimCode;
use kulkul_model::gateway::GatewayId;
use kulkul_model::session;
use kulkul_model::voucher::VoucherCode;
use kulkul_proof::{KeyRing, KeyTrouble, Signer, hub_keys, key_file, local_code};
use kulkul_wire::link::enrol::KeyClaim;
use kulkul_wire::link::{Blob, CertifiedKey, Digest, HubKeys, PublicKey, Revocation};
use sha2::Sha256;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A certified key lasts this long.
const LIFE_MS: i64 = 400 * 86_400_000;
/// A key is certified anew when less than this is left and the root is at hand.
const RENEW_MS: i64 = 60 * 86_400_000;
/// Certificates begin a little earlier, for boxes whose clock is behind.
const SLACK_MS: i64 = 3_600_000;

/// The hub's keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {why}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A certificate does not hold.
    #[error("{path}: {cause}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: KeyTrouble,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// A key is missing and the root that would certify one is not here.
    #[error("the hub has no {} key, and {root} is not here to certify one", .0.as_str(), root = .1.display())]
    NoRoot(KeyUse, PathBuf),
    /// The key in use is one that a root has taken back.
    #[error("the hub's {use_} key is revoked; make another: kulkul keys certify {use_}", use_ = .0.as_str())]
    Revoked(KeyUse),
    /// They were there a moment ago.
    #[error("the hub's keys are gone")]
    Gone,
}

/// The hub's keys.
pub struct Keys {
    public: HubKeys,
    digest: Digest,
    desired: Signer,
    time: Signer,
    time_certificate: CertifiedKey,
    claims: Zeroizing<[u8; 32]>,
    devices: Zeroizing<[u8; 32]>,
    local: Zeroizing<[u8; 32]>,
    vouchers: Zeroizing<[u8; 32]>,
}

impl Keys {
    /// Opens the keys in `directory`, making what is missing.
    ///
    /// # Errors
    /// `KeysError` names the file.
    pub fn open(directory: &Path, now: Moment) -> Result<Self, KeysError> {
        let dir = Directory(directory.to_owned());
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|cause| KeysError::File { path: directory.to_owned(), cause })?;
        let (roots, root) = dir.roots()?;
        let mut public = HubKeys { roots, ..HubKeys::default() };
        let mut ring = KeyRing::pin(&public.roots)
            .map_err(|cause| KeysError::Certificate { path: dir.path("roots"), cause })?;
        public.revoked = dir.revoked(&mut ring)?;
        let mut certified = |key_use| {
            let (signer, certificate) = dir.certified(key_use, root.as_ref(), &mut ring, now)?;
            public.keys.push(certificate.clone());
            Ok::<_, KeysError>((signer, certificate))
        };
        let (desired, _) = certified(KeyUse::Desired)?;
        certified(KeyUse::Log)?;
        let (time, time_certificate) = certified(KeyUse::Time)?;
        let (claims, devices, local) = (dir.secret("claims")?, dir.secret("devices")?, dir.secret("local")?);
        let (vouchers, digest) = (dir.secret("vouchers")?, public.digest());
        Ok(Keys { public, digest, desired, time, time_certificate, claims, devices, local, vouchers })
    }

    /// What boxes are told of them.
    #[must_use]
    pub fn hub_keys(&self) -> &HubKeys {
        &self.public
    }

    /// Digest of `hub_keys`, by which boxes notice that they changed.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Signs manifests.
    #[must_use]
    pub fn desired(&self) -> &Signer {
        &self.desired
    }

    /// Signs the time, with its certificate.
    #[must_use]
    pub fn time(&self) -> (&Signer, &CertifiedKey) {
        (&self.time, &self.time_certificate)
    }

    /// What the database holds in place of a claim code.
    #[must_use]
    pub fn claim_hash(&self, code: &ClaimCode) -> [u8; 32] {
        keyed(&self.claims, code.bare().as_bytes())
    }

    /// The key by which a box and this hub agree on codes for its local settings.
    #[must_use]
    pub fn local_key(&self, gateway: &GatewayId) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(local_code::key(&self.local, gateway))
    }

    /// What the database holds in place of a voucher's code.
    #[must_use]
    pub fn voucher_hash(&self, code: &VoucherCode) -> [u8; 32] {
        keyed(&self.vouchers, code.bare().as_bytes())
    }

    /// What the database and staff see in place of a device's address: 16 hexadecimal digits.
    #[must_use]
    pub fn device(&self, mac: session::Mac) -> String {
        let mut text = hex::encode(keyed(&self.devices, &mac.0));
        text.truncate(16);
        text
    }
}

fn keyed(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of every length.
    Hmac::<Sha256>::new_from_slice(key)
        .map_or([0; 32], |mac| mac.chain_update(message).finalize().into_bytes().into())
}

/// The file of revocations.
const REVOKED: &str = "revoked";

/// Signed bytes as a line of a file.
fn line(blob: &Blob) -> String {
    serde_json::to_value(blob).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The directory of the hub's keys.
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// The directory at a path, which exists.
    pub(crate) fn at(path: &Path) -> Self {
        Directory(path.to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Reads a file; none where there is none.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, KeysError> {
        match fs::read_to_string(self.path(name)) {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(KeysError::File { path: self.path(name), cause }),
        }
    }

    /// Writes a file whole or not at all, readable by its owner only.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), KeysError> {
        let path = self.path(name);
        let half = self.path(&format!("{name}.new"));
        let write = || {
            let mut file =
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&half, &path)?;
            fs::File::open(&self.0)?.sync_all()
        };
        write().map_err(|cause| KeysError::File { path: path.clone(), cause })
    }

    fn signer(&self, what: &str) -> Result<Option<Signer>, KeysError> {
        let name = format!("{what}.key");
        let Some(text) = self.read(&name)? else { return Ok(None) };
        let wrong =
            |e: key_file::NotAKeyFile| KeysError::Content { path: self.path(&name), why: e.to_string() };
        key_file::read(what, &text).map(Some).map_err(wrong)
    }

    fn make(&self, what: &str) -> Result<Signer, KeysError> {
        let signer = Signer::from_seed(&Zeroizing::new(draw()?));
        self.write(&format!("{what}.key"), &key_file::write(what, &signer))?;
        Ok(signer)
    }

    /// The roots that boxes pin, and the one that is here.
    fn roots(&self) -> Result<(Vec<PublicKey>, Option<Signer>), KeysError> {
        let mut root = self.signer("root")?;
        if let Some(text) = self.read("roots")? {
            let bad = || KeysError::Content {
                path: self.path("roots"),
                why: "not one public key a line, one or two lines".to_owned(),
            };
            let roots: Option<Vec<_>> = text.lines().map(PublicKey::parse).collect();
            let roots = roots.filter(|r| (1..=2).contains(&r.len())).ok_or_else(bad)?;
            return Ok((roots, root.filter(|s| text.contains(&s.public().to_string()))));
        }
        let made = match root.take() {
            Some(signer) => signer,
            None => self.make("root")?,
        };
        self.write("roots", &format!("{}\n", made.public()))?;
        Ok((vec![made.public()], Some(made)))
    }

    fn certified(
        &self,
        key_use: KeyUse,
        root: Option<&Signer>,
        ring: &mut KeyRing,
        now: Moment,
    ) -> Result<(Signer, CertifiedKey), KeysError> {
        let what = key_use.as_str();
        let name = format!("{what}.cert");
        let signer = self.signer(what)?;
        let held = self.read(&name)?.map(|text| {
            let quoted = serde_json::Value::String(text.trim().to_owned());
            serde_json::from_value(quoted).map(|certificate| CertifiedKey { certificate })
        });
        let held = held
            .transpose()
            .map_err(|e| KeysError::Content { path: self.path(&name), why: e.to_string() })?;
        if let (Some(signer), Some(certificate)) = (&signer, held) {
            let claim = ring
                .take(&certificate)
                .map_err(|cause| KeysError::Certificate { path: self.path(&name), cause })?;
            if claim.key != signer.public() || claim.key_use != key_use {
                let why = format!("certifies another key than {what}.key");
                return Err(KeysError::Content { path: self.path(&name), why });
            }
            if ring.is_revoked(&claim.key) {
                return Err(KeysError::Revoked(key_use));
            }
            if root.is_none() || claim.until.since_ms(now) > RENEW_MS {
                return Ok((signer.clone(), certificate));
            }
        }
        let root = root.ok_or_else(|| KeysError::NoRoot(key_use, self.path("root.key")))?;
        let signer = match signer {
            Some(signer) => signer,
            None => self.make(what)?,
        };
        let certificate = self.certify(root, key_use, signer.public(), now)?;
        Ok((signer, certificate))
    }

    /// Certifies a key from now on and keeps the certificate.
    fn certify(
        &self,
        root: &Signer,
        key_use: KeyUse,
        key: PublicKey,
        now: Moment,
    ) -> Result<CertifiedKey, KeysError> {
        let claim = KeyClaim { key_use, key, from: now.plus_ms(-SLACK_MS), until: now.plus_ms(LIFE_MS) };
        let certificate = hub_keys::certify(root, &claim);
        self.write(&format!("{}.cert", key_use.as_str()), &format!("{}\n", line(&certificate.certificate)))?;
        Ok(certificate)
    }

    /// The revocations that a root has signed, one a line.
    fn revoked(&self, ring: &mut KeyRing) -> Result<Vec<Revocation>, KeysError> {
        let text = self.read(REVOKED)?.unwrap_or_default();
        let read = |line: &str| {
            let quoted = serde_json::Value::String(line.to_owned());
            let statement = serde_json::from_value(quoted)
                .map_err(|e| KeysError::Content { path: self.path(REVOKED), why: e.to_string() })?;
            let revocation = Revocation { statement };
            ring.take_back(&revocation)
                .map_err(|cause| KeysError::Certificate { path: self.path(REVOKED), cause })?;
            Ok(revocation)
        };
        text.lines().map(read).collect()
    }

    /// 32 secret bytes that are no signing key.
    fn secret(&self, what: &str) -> Result<Zeroizing<[u8; 32]>, KeysError> {
        let name = format!("{what}.secret");
        let mut secret = Zeroizing::new([0; 32]);
        if let Some(text) = self.read(&name)? {
            let wrong =
                |e: hex::FromHexError| KeysError::Content { path: self.path(&name), why: e.to_string() };
            hex::decode_to_slice(text.trim(), &mut *secret).map_err(wrong)?;
        } else {
            *secret = draw()?;
            self.write(&name, &Zeroizing::new(format!("{}\n", hex::encode(*secret))))?;
        }
        Ok(secret)
    }
}

#[cfg(test)]
mod tests;
