//! Sealing: an entry becomes a header, its salted parts and a signature.

use crate::chain::Head;
use crate::sign::Signer;
use kulkul_model::gateway::GatewayId;
use kulkul_wire::link::{Digest, Entry, Header, Part, Sealed, Stamp, sign1};

/// A sealed entry with what the next one needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedEntry {
    /// What was signed.
    pub header: Header,
    /// `[cose_sign1, part...]`.
    pub bytes: Vec<u8>,
    /// The chain's head after it.
    pub head: Head,
}

/// Seals an entry as the one after `head`.
///
/// `salts` gives 16 fresh random bytes for each part.
pub fn seal(
    signer: &Signer,
    gateway: &GatewayId,
    head: Head,
    entry: &Entry,
    stamp: Stamp,
    salts: &mut dyn FnMut() -> [u8; 16],
) -> SealedEntry {
    seal_at(signer, gateway, (head.seq + 1, head.hash), entry, stamp, salts)
}

/// Seals an entry with this number and `prev`: a gap, that stands in for others.
pub fn seal_at(
    signer: &Signer,
    gateway: &GatewayId,
    (seq, prev): (u64, Digest),
    entry: &Entry,
    stamp: Stamp,
    salts: &mut dyn FnMut() -> [u8; 16],
) -> SealedEntry {
    let parts: Vec<([u8; 16], Vec<u8>)> = entry.encode().into_iter().map(|p| (salts(), p)).collect();
    let digests = parts.iter().map(|(salt, payload)| Digest::salted(salt, payload)).collect();
    let header = Header { seq, prev, kind: entry.kind(), stamp, parts: digests };
    let payload = header.encode();
    let aad = sign1::journal_aad(gateway);
    let signed = sign1::sig_structure(signer.id(), &aad, &payload);
    let cose = sign1::encode(signer.id(), &payload, &signer.sign(&signed));
    let parts = parts.iter().map(|(salt, payload)| Some(Part { salt, payload })).collect();
    let bytes = Sealed { cose: &cose, parts }.encode();
    SealedEntry { header, bytes, head: Head { seq, hash: Digest::of(&signed) } }
}
