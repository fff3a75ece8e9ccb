//! Signed releases: the update key's word for one program file.

use crate::sign::{NotProven, Signer, Verifier};
use kulkul_wire::link::{PublicKey, Release, sign1};

/// Signs a release.
#[must_use]
pub fn sign(signer: &Signer, release: &Release) -> Vec<u8> {
    signer.cose(sign1::UPDATE_AAD, &release.encode())
}

/// Opens a release that one of `keys` signed.
///
/// # Errors
/// `NotProven` when none of them did, or it cannot be read.
pub fn open(keys: &[PublicKey], cose: &[u8]) -> Result<Release, NotProven> {
    let kid = sign1::decode(cose)?.kid;
    let key = keys.iter().find(|k| k.id() == kid).ok_or(NotProven::OtherKey(kid))?;
    let payload = Verifier::new(key)?.open(sign1::UPDATE_AAD, cose)?;
    Ok(Release::decode(payload)?)
}

/// Reads a release without asking who signed it: for a hub, which only carries it.
///
/// # Errors
/// `NotProven::Malformed`.
pub fn read(cose: &[u8]) -> Result<Release, NotProven> {
    Ok(Release::decode(sign1::decode(cose)?.payload)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::Moment;
    use kulkul_wire::link::Digest;

    #[test]
    fn only_a_pinned_key_releases() {
        let release = Release {
            version: "0.2.0".to_owned(),
            target: "x86_64-linux-gnu".to_owned(),
            sha256: Digest([7; 32]),
            bytes: 9,
            signed_at: Moment::from_ms(5),
        };
        let (ours, spare, other) =
            (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]), Signer::from_seed(&[3; 32]));
        let keys = [ours.public(), spare.public()];
        for signer in [&ours, &spare] {
            assert_eq!(open(&keys, &sign(signer, &release)), Ok(release.clone()));
        }
        let forged = sign(&other, &release);
        assert_eq!(open(&keys, &forged), Err(NotProven::OtherKey(other.id())));
        assert_eq!(open(&[], &sign(&ours, &release)), Err(NotProven::OtherKey(ours.id())));
        assert_eq!(read(&forged), Ok(release.clone()), "what it says can be read all the same");
        let as_desired = ours.cose(sign1::DESIRED_AAD, &release.encode());
        assert_eq!(open(&keys, &as_desired), Err(NotProven::BadSignature), "signed for another use");
    }
}
