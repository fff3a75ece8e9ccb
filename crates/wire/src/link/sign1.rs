//! COSE_Sign1 (RFC 9052 section 4.2) in the one form that the link takes.
//!
//! Untagged; protected header `{1: -8, 4: kid}` (EdDSA and the key's id), empty
//! unprotected header, payload inside, Ed25519 signature. What the signature covers
//! also names the purpose and the box (`external_aad`), so that nothing signed for
//! one use passes for another.

use super::bytes::KeyId;
use super::cbor::{Malformed, Put, Take};
use kulkul_model::gateway::GatewayId;

/// A COSE_Sign1 taken apart; nothing is verified yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign1<'b> {
    /// Which key signed, says the protected header.
    pub kid: KeyId,
    /// What is signed.
    pub payload: &'b [u8],
    /// Ed25519.
    pub signature: [u8; 64],
}

/// `external_aad` of a gateway's journal entries.
#[must_use]
pub fn journal_aad(gateway: &GatewayId) -> Vec<u8> {
    format!("kulkul/journal/1{gateway}").into_bytes()
}

/// `external_aad` of the hub's manifests.
pub const DESIRED_AAD: &[u8] = b"kulkul/desired/1";
/// `external_aad` of a root's certificates.
pub const KEY_AAD: &[u8] = b"kulkul/key/1";
/// `external_aad` of a root's revocations.
pub const REVOKED_AAD: &[u8] = b"kulkul/key-revoked/1";
/// `external_aad` of releases, by an update key that is never on a hub.
pub const UPDATE_AAD: &[u8] = b"kulkul/update/1";
/// `external_aad` of the hub's time.
pub const TIME_AAD: &[u8] = b"kulkul/time/1";

const WHAT: &str = "COSE_Sign1";
const ALG: u64 = 1;
const KID: u64 = 4;
const EDDSA: i64 = -8;

fn protected(kid: KeyId) -> Vec<u8> {
    let mut p = Put::new();
    p.map(2).u64(ALG).i64(EDDSA).u64(KID).bytes(&kid.0);
    p.done()
}

/// The bytes that are signed: `["Signature1", protected, external_aad, payload]`.
#[must_use]
pub fn sig_structure(kid: KeyId, aad: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut p = Put::new();
    p.array(4).text("Signature1").bytes(&protected(kid)).bytes(aad).bytes(payload);
    p.done()
}

/// Writes a COSE_Sign1.
#[must_use]
pub fn encode(kid: KeyId, payload: &[u8], signature: &[u8; 64]) -> Vec<u8> {
    let mut p = Put::new();
    p.array(4).bytes(&protected(kid)).map(0).bytes(payload).bytes(signature);
    p.done()
}

/// Reads a COSE_Sign1 of exactly the form that `encode` writes.
///
/// # Errors
/// `Malformed` for another algorithm, more headers, a detached payload or a tag.
pub fn decode(bytes: &[u8]) -> Result<Sign1<'_>, Malformed> {
    let mut t = Take::new(bytes, WHAT)?;
    if t.array(4)? != 4 {
        return Err(t.bad());
    }
    let protected = t.bytes()?;
    if t.map()? != 0 {
        return Err(t.bad());
    }
    let payload = t.bytes()?;
    let signature = t.fixed()?;
    t.end()?;
    let mut h = Take::new(protected, WHAT)?;
    if h.map()? != 2 || h.u64()? != ALG || h.i64()? != EDDSA || h.u64()? != KID {
        return Err(h.bad());
    }
    let kid = KeyId(h.fixed()?);
    h.end()?;
    Ok(Sign1 { kid, payload, signature })
}

#[cfg(test)]
mod tests {
    use super::*;
    use coset::{CborSerializable as _, CoseSign1, CoseSign1Builder, HeaderBuilder, iana};

    const KEY: KeyId = KeyId([9; 8]);

    fn peer(payload: &[u8]) -> CoseSign1 {
        let protected = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(KEY.0.to_vec()).build();
        CoseSign1Builder::new().protected(protected).payload(payload.to_vec()).build()
    }

    #[test]
    fn another_implementation_writes_and_signs_the_same_bytes() {
        let mut theirs = peer(b"hello");
        theirs.signature = vec![7; 64];
        assert_eq!(theirs.tbs_data(b"kulkul/key/1"), sig_structure(KEY, KEY_AAD, b"hello"));
        let bytes = theirs.to_vec().unwrap();
        assert_eq!(bytes, encode(KEY, b"hello", &[7; 64]));
        let ours = decode(&bytes).unwrap();
        assert_eq!((ours.kid, ours.payload, ours.signature), (KEY, &b"hello"[..], [7; 64]));
    }

    #[test]
    fn only_the_one_form_passes() {
        let good = encode(KEY, b"x", &[0; 64]);
        let mut more = peer(b"x");
        more.unprotected.key_id = vec![1];
        more.signature = vec![0; 64];
        assert_eq!(decode(&more.clone().to_vec().unwrap()), Err(Malformed::Shape(WHAT)), "unprotected");
        more.unprotected = coset::Header::default();
        more.payload = None;
        assert!(decode(&more.to_vec().unwrap()).is_err(), "detached");
        let mut other = CoseSign1Builder::new()
            .protected(HeaderBuilder::new().algorithm(iana::Algorithm::ES256).key_id(vec![9; 8]).build())
            .payload(vec![1])
            .build();
        other.signature = vec![0; 64];
        assert!(decode(&other.to_vec().unwrap()).is_err(), "another algorithm");
        assert!(decode(&[&[0xd2][..], &good[..]].concat()).is_err(), "tagged");
        assert_eq!(decode(&[&good[..], &[0][..]].concat()), Err(Malformed::Trailing));
        for cut in 0..good.len() {
            assert!(decode(&good[..cut]).is_err());
        }
    }
}
