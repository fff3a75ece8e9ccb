//! Signed manifests of the desired state, and the hub's signed time.

use crate::hub_keys::{KeyRing, KeyTrouble};
use crate::sign::{NotProven, Signer};
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_wire::link::enrol::TimeStatement;
use kulkul_wire::link::{Blob, CertifiedKey, KeyUse, Manifest, TimeAnswer, Version, sign1};

/// Why a manifest is not taken; the last good desired state stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDesired {
    /// The signature or its key does not hold.
    #[error(transparent)]
    Key(#[from] KeyTrouble),
    /// It was made for another box.
    #[error("made for {0}")]
    OtherGateway(GatewayId),
    /// It is older than what is in force.
    #[error("version {offered} is lower than {held}")]
    Older {
        /// Of the manifest.
        offered: Version,
        /// In force.
        held: Version,
    },
}

/// Signs a manifest with the hub's desired key.
#[must_use]
pub fn sign(signer: &Signer, manifest: &Manifest) -> Vec<u8> {
    signer.cose(sign1::DESIRED_AAD, &manifest.encode())
}

/// Opens a manifest for `gateway`, not lower than `held`.
///
/// # Errors
/// `NotDesired` says what is wrong.
pub fn open(
    ring: &KeyRing,
    gateway: &GatewayId,
    held: Option<Version>,
    cose: &[u8],
    at: Option<Moment>,
) -> Result<Manifest, NotDesired> {
    let payload = ring.open(KeyUse::Desired, sign1::DESIRED_AAD, cose, at)?;
    let manifest = Manifest::decode(payload).map_err(|e| KeyTrouble::Certificate(NotProven::Malformed(e)))?;
    if manifest.gateway != *gateway {
        return Err(NotDesired::OtherGateway(manifest.gateway));
    }
    match held {
        Some(held) if manifest.version < held => Err(NotDesired::Older { offered: manifest.version, held }),
        _ => Ok(manifest),
    }
}

/// Signs the time for one nonce.
#[must_use]
pub fn sign_time(signer: &Signer, key: &CertifiedKey, now: Moment, nonce: &str) -> TimeAnswer {
    let statement = TimeStatement { now, nonce: nonce.to_owned() };
    TimeAnswer { statement: Blob(signer.cose(sign1::TIME_AAD, &statement.encode())), key: key.clone() }
}

/// Opens the hub's time for the nonce that was sent; dates of keys are left aside.
///
/// # Errors
/// `KeyTrouble` when no time key of a pinned root signed it for this nonce.
pub fn open_time(ring: &KeyRing, answer: &TimeAnswer, nonce: &str) -> Result<Moment, KeyTrouble> {
    let mut ring = ring.clone();
    ring.take(&answer.key)?;
    let payload = ring.open(KeyUse::Time, sign1::TIME_AAD, &answer.statement.0, None)?;
    let statement = TimeStatement::decode(payload).map_err(NotProven::from)?;
    if statement.nonce == nonce { Ok(statement.now) } else { Err(NotProven::BadSignature.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub_keys::certify;
    use kulkul_wire::link::HubKeys;
    use kulkul_wire::link::enrol::KeyClaim;

    fn setup() -> (KeyRing, Signer, CertifiedKey) {
        let (root, key) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]));
        let claim =
            |key_use| KeyClaim { key_use, key: key.public(), from: Moment::EPOCH, until: Moment::from_ms(9) };
        let keys = [KeyUse::Desired, KeyUse::Time].map(|u| certify(&root, &claim(u)));
        let hub = HubKeys { roots: vec![root.public()], keys: keys.to_vec(), ..HubKeys::default() };
        (KeyRing::trust(&hub, None).unwrap(), key, keys[1].clone())
    }

    #[test]
    fn a_manifest_is_for_one_box_and_never_older() {
        let (ring, key, _) = setup();
        let gateway = GatewayId::from_bits(1);
        let version = Version { epoch: 2, counter: 5 };
        let manifest =
            Manifest { gateway: gateway.clone(), version, issued_at: Moment::EPOCH, sections: Vec::new() };
        let signed = sign(&key, &manifest);
        let open = |g: &GatewayId, held| open(&ring, g, held, &signed, None);
        assert_eq!(open(&gateway, Some(version)).unwrap(), manifest);
        assert!(open(&gateway, Some(Version { epoch: 1, counter: 99 })).is_ok(), "a higher epoch wins");
        let newer = Version { epoch: 2, counter: 6 };
        assert_eq!(open(&gateway, Some(newer)), Err(NotDesired::Older { offered: version, held: newer }));
        assert!(matches!(open(&GatewayId::from_bits(2), None), Err(NotDesired::OtherGateway(_))));
        let mut bad = signed.clone();
        *bad.last_mut().unwrap() ^= 1;
        assert!(super::open(&ring, &gateway, None, &bad, None).is_err());
    }

    #[test]
    fn the_time_is_for_one_nonce() {
        let (ring, key, certificate) = setup();
        let answer = sign_time(&key, &certificate, Moment::from_ms(77), "0123456789abcdef");
        assert_eq!(open_time(&ring, &answer, "0123456789abcdef").unwrap(), Moment::from_ms(77));
        assert!(open_time(&ring, &answer, "fedcba9876543210").is_err());
    }
}
