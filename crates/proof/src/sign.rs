//! Ed25519 signers and verifiers, and COSE_Sign1 by them.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use kulkul_wire::link::{KeyId, Malformed, PublicKey, sign1};
use std::fmt;

/// Why something signed is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// It cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It names another key.
    #[error("signed by key {0}, which is not the one expected")]
    OtherKey(KeyId),
    /// The signature does not fit.
    #[error("the signature does not fit")]
    BadSignature,
    /// These 32 bytes are no usable public key.
    #[error("not a usable Ed25519 public key")]
    BadKey,
}

/// Signs with one Ed25519 key; the secret is wiped when it goes.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    public: PublicKey,
    id: KeyId,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}

impl Signer {
    /// Makes a signer from 32 secret bytes that the caller drew.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let public = PublicKey(key.verifying_key().to_bytes());
        Signer { key, public, id: public.id() }
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// What signed things call this key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The 32 secret bytes, for a key file.
    #[must_use]
    pub fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.key.to_bytes())
    }

    /// Signs bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// Makes a COSE_Sign1 over `payload` for the use that `aad` names.
    #[must_use]
    pub fn cose(&self, aad: &[u8], payload: &[u8]) -> Vec<u8> {
        let signature = self.sign(&sign1::sig_structure(self.id, aad, payload));
        sign1::encode(self.id, payload, &signature)
    }
}

/// Checks signatures of one Ed25519 key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    key: VerifyingKey,
    id: KeyId,
}

impl Verifier {
    /// Takes a public key; points of small order are refused.
    ///
    /// # Errors
    /// `NotProven::BadKey`.
    pub fn new(public: &PublicKey) -> Result<Self, NotProven> {
        let key = VerifyingKey::from_bytes(&public.0).map_err(|_| NotProven::BadKey)?;
        if key.is_weak() {
            return Err(NotProven::BadKey);
        }
        Ok(Verifier { key, id: public.id() })
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.to_bytes())
    }

    /// What signed things call this key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Checks a signature strictly (no second signature passes for the same bytes).
    ///
    /// # Errors
    /// `NotProven::BadSignature`.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), NotProven> {
        self.key
            .verify_strict(message, &Signature::from_bytes(signature))
            .map_err(|_| NotProven::BadSignature)
    }

    /// Checks a COSE_Sign1 for the use that `aad` names and gives its payload.
    ///
    /// # Errors
    /// `NotProven` when it is malformed, of another key, or does not fit.
    pub fn open<'b>(&self, aad: &[u8], cose: &'b [u8]) -> Result<&'b [u8], NotProven> {
        let parts = sign1::decode(cose)?;
        if parts.kid != self.id {
            return Err(NotProven::OtherKey(parts.kid));
        }
        self.verify(&sign1::sig_structure(parts.kid, aad, parts.payload), &parts.signature)?;
        Ok(parts.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_bytes_its_use_and_its_key() {
        let signer = Signer::from_seed(&[1; 32]);
        let verifier = Verifier::new(&signer.public()).unwrap();
        let cose = signer.cose(b"use/1", b"payload");
        assert_eq!(verifier.open(b"use/1", &cose).unwrap(), b"payload");
        assert_eq!(verifier.open(b"use/2", &cose), Err(NotProven::BadSignature));
        let other = Verifier::new(&Signer::from_seed(&[2; 32]).public()).unwrap();
        assert_eq!(other.open(b"use/1", &cose), Err(NotProven::OtherKey(signer.id())));
        for i in 0..cose.len() {
            for bit in 0..8 {
                let mut bad = cose.clone();
                bad[i] ^= 1 << bit;
                assert!(verifier.open(b"use/1", &bad).is_err(), "byte {i} bit {bit}");
            }
        }
    }

    #[test]
    fn weak_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(Verifier::new(&PublicKey(identity)), Err(NotProven::BadKey));
    }
}
