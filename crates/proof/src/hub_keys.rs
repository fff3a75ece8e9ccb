//! The hub's keys: roots that never are on a hub certify dated keys, one per use.

use crate::sign::{NotProven, Signer, Verifier};
use kulkul_model::Moment;
use kulkul_wire::link::enrol::{KeyClaim, RevokedKey};
use kulkul_wire::link::{Blob, CertifiedKey, HubKeys, KeyId, KeyUse, PublicKey, Revocation, sign1};

/// Why a key of the hub is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyTrouble {
    /// The certificate does not hold.
    #[error("certificate: {0}")]
    Certificate(#[from] NotProven),
    /// Signed by a root that is not pinned.
    #[error("certified by {0}, which is not a pinned root")]
    OtherRoot(KeyId),
    /// No certified key has this id and use.
    #[error("no certified {purpose} key has the id {1}", purpose = .0.as_str())]
    Unknown(KeyUse, KeyId),
    /// The key's dates do not hold this moment.
    #[error("the {purpose} key {1} is not valid at {2}", purpose = .0.as_str())]
    Dates(KeyUse, KeyId, Moment),
    /// A root has taken the key back.
    #[error("the {purpose} key {1} is revoked", purpose = .0.as_str())]
    Revoked(KeyUse, KeyId),
    /// No pinned root has this fingerprint.
    #[error("no root of the hub has the fingerprint {0}")]
    Fingerprint(String),
}

/// Certifies a key for one use between two moments.
#[must_use]
pub fn certify(root: &Signer, claim: &KeyClaim) -> CertifiedKey {
    CertifiedKey { certificate: Blob(root.cose(sign1::KEY_AAD, &claim.encode())) }
}

/// Takes a key back, for good.
#[must_use]
pub fn revoke(root: &Signer, key: PublicKey, at: Moment) -> Revocation {
    Revocation { statement: Blob(root.cose(sign1::REVOKED_AAD, &RevokedKey { key, at }.encode())) }
}

/// Pinned roots and the keys that they were seen to certify.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    roots: Vec<Verifier>,
    keys: Vec<(KeyClaim, Verifier)>,
    revoked: Vec<PublicKey>,
}

impl KeyRing {
    /// Pins one or two roots.
    ///
    /// # Errors
    /// `KeyTrouble::Certificate` when a root is no usable key.
    pub fn pin(roots: &[PublicKey]) -> Result<Self, KeyTrouble> {
        let roots = roots.iter().map(Verifier::new).collect::<Result<_, _>>()?;
        Ok(KeyRing { roots, ..KeyRing::default() })
    }

    /// Pins the roots of `keys` and takes all that they certify.
    ///
    /// With `fingerprint` (from the claim's QR code or `hub_root`) one root must have it.
    ///
    /// # Errors
    /// `KeyTrouble`: nothing is pinned.
    pub fn trust(keys: &HubKeys, fingerprint: Option<&str>) -> Result<Self, KeyTrouble> {
        if let Some(wanted) = fingerprint
            && !keys.roots.iter().any(|r| same_fingerprint(&r.fingerprint(), wanted))
        {
            return Err(KeyTrouble::Fingerprint(wanted.to_owned()));
        }
        let mut ring = KeyRing::pin(&keys.roots)?;
        for key in &keys.keys {
            ring.take(key)?;
        }
        for revocation in &keys.revoked {
            ring.take_back(revocation)?;
        }
        Ok(ring)
    }

    /// Takes a certificate of a pinned root and gives what it says.
    ///
    /// # Errors
    /// `KeyTrouble` when no pinned root signed it.
    pub fn take(&mut self, key: &CertifiedKey) -> Result<KeyClaim, KeyTrouble> {
        let payload = self.by_root(sign1::KEY_AAD, &key.certificate.0)?;
        let claim = KeyClaim::decode(payload).map_err(NotProven::from)?;
        let verifier = Verifier::new(&claim.key)?;
        if !self.keys.iter().any(|(c, _)| *c == claim) {
            self.keys.push((claim.clone(), verifier));
        }
        Ok(claim)
    }

    /// Takes a revocation of a pinned root; from now on nothing opens that this key has signed.
    ///
    /// # Errors
    /// `KeyTrouble` when no pinned root signed it.
    pub fn take_back(&mut self, revocation: &Revocation) -> Result<RevokedKey, KeyTrouble> {
        let payload = self.by_root(sign1::REVOKED_AAD, &revocation.statement.0)?;
        let revoked = RevokedKey::decode(payload).map_err(NotProven::from)?;
        if !self.is_revoked(&revoked.key) {
            self.revoked.push(revoked.key);
        }
        Ok(revoked)
    }

    /// Whether a root has taken this key back.
    #[must_use]
    pub fn is_revoked(&self, key: &PublicKey) -> bool {
        self.revoked.contains(key)
    }

    fn by_root<'b>(&self, aad: &[u8], cose: &'b [u8]) -> Result<&'b [u8], KeyTrouble> {
        let kid = sign1::decode(cose).map_err(NotProven::from)?.kid;
        let root = self.roots.iter().find(|r| r.id() == kid).ok_or(KeyTrouble::OtherRoot(kid))?;
        Ok(root.open(aad, cose)?)
    }

    /// Opens what a certified key of this use signed; `at` none leaves dates aside.
    ///
    /// # Errors
    /// `KeyTrouble` when the key is unknown, out of its dates, or the signature does not fit.
    pub fn open<'b>(
        &self,
        key_use: KeyUse,
        aad: &[u8],
        cose: &'b [u8],
        at: Option<Moment>,
    ) -> Result<&'b [u8], KeyTrouble> {
        let kid = sign1::decode(cose).map_err(NotProven::from)?.kid;
        let mut known = self.keys.iter().filter(|(c, v)| c.key_use == key_use && v.id() == kid).peekable();
        if known.peek().is_none() {
            return Err(KeyTrouble::Unknown(key_use, kid));
        }
        if known.peek().is_some_and(|(c, _)| self.is_revoked(&c.key)) {
            return Err(KeyTrouble::Revoked(key_use, kid));
        }
        let dated = |c: &KeyClaim| at.is_none_or(|at| c.from <= at && at < c.until);
        match (known.find(|(c, _)| dated(c)), at) {
            (Some((_, verifier)), _) => Ok(verifier.open(aad, cose)?),
            (None, at) => Err(KeyTrouble::Dates(key_use, kid, at.unwrap_or_default())),
        }
    }
}

/// Compares what people read off paper: case, hyphens, colons and spaces do not matter.
fn same_fingerprint(ours: &str, typed: &str) -> bool {
    let bare = |t: &str| {
        t.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect::<String>()
    };
    bare(ours) == bare(typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certified_keys_sign_and_only_for_their_use_and_dates() {
        let (root, key) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]));
        let claim = KeyClaim {
            key_use: KeyUse::Desired,
            key: key.public(),
            from: Moment::from_ms(10),
            until: Moment::from_ms(20),
        };
        let hub =
            HubKeys { roots: vec![root.public()], keys: vec![certify(&root, &claim)], ..HubKeys::default() };
        let shown = root.public().fingerprint().to_uppercase().replace('-', " ");
        let ring = KeyRing::trust(&hub, Some(&shown)).unwrap();
        let signed = key.cose(sign1::DESIRED_AAD, b"x");
        let open = |u, at| ring.open(u, sign1::DESIRED_AAD, &signed, at);
        assert_eq!(open(KeyUse::Desired, Some(Moment::from_ms(10))).unwrap(), b"x");
        assert_eq!(open(KeyUse::Desired, None).unwrap(), b"x");
        assert!(matches!(open(KeyUse::Desired, Some(Moment::from_ms(20))), Err(KeyTrouble::Dates(..))));
        assert!(matches!(open(KeyUse::Time, None), Err(KeyTrouble::Unknown(..))));
        let by_root = root.cose(sign1::DESIRED_AAD, b"x");
        assert!(
            ring.open(KeyUse::Desired, sign1::DESIRED_AAD, &by_root, None).is_err(),
            "a root signs keys only"
        );
        assert!(matches!(KeyRing::trust(&hub, Some("00")), Err(KeyTrouble::Fingerprint(_))));
        let stranger = Signer::from_seed(&[3; 32]);
        let mut ring = ring;
        assert!(matches!(ring.take(&certify(&stranger, &claim)), Err(KeyTrouble::OtherRoot(_))));
    }

    #[test]
    fn a_key_that_a_pinned_root_takes_back_opens_nothing() {
        let (root, key) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]));
        let claim = |key_use| KeyClaim {
            key_use,
            key: key.public(),
            from: Moment::EPOCH,
            until: Moment::from_ms(1 << 40),
        };
        let certified = KeyUse::ALL.map(|u| certify(&root, &claim(u)));
        let mut hub = HubKeys { roots: vec![root.public()], keys: certified.to_vec(), ..HubKeys::default() };
        let before = hub.digest();
        let signed = key.cose(sign1::DESIRED_AAD, b"x");
        let mut ring = KeyRing::trust(&hub, None).unwrap();
        // Only a root can take a key back, and only by a statement made for that.
        for forged in [
            revoke(&key, key.public(), Moment::EPOCH),
            Revocation { statement: certify(&root, &claim(KeyUse::Desired)).certificate },
        ] {
            assert!(ring.take_back(&forged).is_err());
            assert!(ring.open(KeyUse::Desired, sign1::DESIRED_AAD, &signed, None).is_ok());
        }
        hub.revoked.push(revoke(&root, key.public(), Moment::from_ms(5)));
        assert_ne!(hub.digest(), before);
        let mut ring = KeyRing::trust(&hub, None).unwrap();
        let open =
            |ring: &KeyRing| ring.open(KeyUse::Desired, sign1::DESIRED_AAD, &signed, None).unwrap_err();
        assert_eq!(open(&ring), KeyTrouble::Revoked(KeyUse::Desired, key.id()));
        // An older certificate of the same key, shown again, does not bring it back.
        ring.take(&certified[0]).unwrap();
        assert!(matches!(open(&ring), KeyTrouble::Revoked(..)));
        let gone = RevokedKey { key: key.public(), at: Moment::from_ms(5) };
        assert_eq!(RevokedKey::decode(&gone.encode()), Ok(gone));
    }
}
