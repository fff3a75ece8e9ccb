//! The chain of a gateway's journal: which entry may follow which.
//!
//! `prev` of an entry is SHA-256 of the Sig_structure of the one before. A gap, signed
//! like any entry, stands in for lost ones. This only judges; what to keep is the
//! caller's matter.

use crate::sign::{NotProven, Verifier};
use kulkul_model::gateway::GatewayId;
use kulkul_wire::link::{Digest, Entry, Header, Sealed, sign1};

/// The end of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Head {
    /// Number of the last entry; 0 for none.
    pub seq: u64,
    /// What the next entry must name as its `prev`; zeros for none.
    pub hash: Digest,
}

/// What an entry is to a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The next one.
    Accept(Box<Opened>),
    /// One that the chain holds already, by its number.
    Duplicate {
        /// Its number.
        seq: u64,
    },
    /// Entries before it are missing.
    Gap {
        /// The number that is due.
        expected: u64,
    },
    /// Signed by the box, and does not follow from the entry before.
    Broken {
        /// Its number.
        seq: u64,
        /// What does not fit.
        why: &'static str,
    },
    /// Not signed by the box, or not an entry.
    NotProven {
        /// Why.
        why: NotProven,
    },
}

/// An entry that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What was signed.
    pub header: Header,
    /// The chain's head after it.
    pub head: Head,
    /// What it says; none when a payload was dropped on the way or is of no shape we know.
    pub entry: Option<Entry>,
}

/// Judges the entries of one gateway, in order.
#[derive(Clone, Debug)]
pub struct Chain {
    aad: Vec<u8>,
    key: Verifier,
    head: Head,
}

impl Chain {
    /// A chain that stands at `head` and is signed by `key` from there on.
    #[must_use]
    pub fn new(gateway: &GatewayId, key: Verifier, head: Head) -> Self {
        Chain { aad: sign1::journal_aad(gateway), key, head }
    }

    /// Where it stands.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The key that signs the next entry.
    #[must_use]
    pub fn key(&self) -> &Verifier {
        &self.key
    }

    /// Judges the next bytes and, when they are accepted, moves on.
    pub fn take(&mut self, sealed: &[u8]) -> Verdict {
        let verdict = self.judge(sealed).unwrap_or_else(|why| Verdict::NotProven { why });
        if let Verdict::Accept(opened) = &verdict {
            self.head = opened.head;
            if let Some(Entry::KeyRotated(next)) = &opened.entry
                && let Ok(next) = Verifier::new(next)
            {
                self.key = next;
            }
        }
        verdict
    }

    fn judge(&self, bytes: &[u8]) -> Result<Verdict, NotProven> {
        let sealed = Sealed::decode(bytes)?;
        let parts = sign1::decode(sealed.cose)?;
        let header = Header::decode(parts.payload)?;
        // What is held already was verified when it came; an earlier key may have signed it.
        if header.seq <= self.head.seq {
            return Ok(Verdict::Duplicate { seq: header.seq });
        }
        if parts.kid != self.key.id() {
            return Err(NotProven::OtherKey(parts.kid));
        }
        let signed = sign1::sig_structure(parts.kid, &self.aad, parts.payload);
        self.key.verify(&signed, &parts.signature)?;
        let seq = header.seq;
        if !sealed.fits(&header) {
            return Ok(Verdict::Broken { seq, why: "a payload is not the one that was signed" });
        }
        // A payload that cannot be read is the box's own fault: it keeps its place in the chain.
        let entry = sealed.entry(&header).ok().flatten();
        let hash = Digest::of(&signed);
        let expected = self.head.seq + 1;
        if let Some(Entry::Gap(gap)) = &entry {
            if gap.to != seq {
                return Ok(Verdict::Broken { seq, why: "a gap has not the number of its last entry" });
            }
            if gap.from > expected {
                return Ok(Verdict::Gap { expected });
            }
            // The first lost entry may be held here: then prev is not that of our head.
            let follows = header.prev == self.head.hash || header.prev == Digest::default();
            if gap.from == expected && !follows {
                return Ok(Verdict::Broken { seq, why: "prev is not the entry before" });
            }
            let head = Head { seq, hash: gap.resume.unwrap_or(hash) };
            return Ok(Verdict::Accept(Box::new(Opened { header, head, entry })));
        }
        if seq > expected {
            return Ok(Verdict::Gap { expected });
        }
        if header.prev != self.head.hash {
            return Ok(Verdict::Broken { seq, why: "prev is not the entry before" });
        }
        Ok(Verdict::Accept(Box::new(Opened { header, head: Head { seq, hash }, entry })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{SealedEntry, seal, seal_at};
    use crate::sign::Signer;
    use kulkul_wire::link::{Consent, Gap, GapReason, Stamp};

    fn gateway() -> GatewayId {
        GatewayId::from_bits(7)
    }

    fn entries(n: u64) -> Vec<SealedEntry> {
        let signer = Signer::from_seed(&[1; 32]);
        let mut head = Head::default();
        (1..=n)
            .map(|i| {
                let entry = Entry::Consent(Consent { terms: 1, count: i });
                let sealed = seal(&signer, &gateway(), head, &entry, Stamp::default(), &mut || [i as u8; 16]);
                head = sealed.head;
                sealed
            })
            .collect()
    }

    fn chain(head: Head) -> Chain {
        Chain::new(&gateway(), Verifier::new(&Signer::from_seed(&[1; 32]).public()).unwrap(), head)
    }

    fn gap(from: u64, to: u64, prev: Digest, resume: Option<Digest>) -> SealedEntry {
        let entry = Entry::Gap(Gap { from, to, reason: GapReason::Corrupt, resume });
        let signer = Signer::from_seed(&[1; 32]);
        seal_at(&signer, &gateway(), (to, prev), &entry, Stamp::default(), &mut || [0; 16])
    }

    #[test]
    fn entries_follow_each_other() {
        let all = entries(3);
        let mut chain = chain(Head::default());
        for e in &all {
            assert!(matches!(chain.take(&e.bytes), Verdict::Accept(_)));
        }
        assert_eq!(chain.head(), all[2].head);
        assert_eq!(chain.take(&all[1].bytes), Verdict::Duplicate { seq: 2 });
    }

    #[test]
    fn a_skipped_one_is_asked_for() {
        let all = entries(3);
        assert_eq!(chain(Head::default()).take(&all[1].bytes), Verdict::Gap { expected: 1 });
    }

    #[test]
    fn a_changed_byte_anywhere_is_found() {
        let sealed = &entries(1)[0].bytes;
        for i in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[i] ^= 1;
            let verdict = chain(Head::default()).take(&bad);
            assert!(
                matches!(verdict, Verdict::NotProven { .. } | Verdict::Broken { .. }),
                "byte {i}: {verdict:?}"
            );
        }
    }

    #[test]
    fn another_box_or_another_past_does_not_fit() {
        let all = entries(2);
        let other = GatewayId::from_bits(8);
        let key = Verifier::new(&Signer::from_seed(&[1; 32]).public()).unwrap();
        let verdict = Chain::new(&other, key, Head::default()).take(&all[0].bytes);
        assert_eq!(verdict, Verdict::NotProven { why: NotProven::BadSignature });
        let mut forked = chain(Head { seq: 1, hash: Digest([9; 32]) });
        assert!(matches!(forked.take(&all[1].bytes), Verdict::Broken { seq: 2, .. }));
    }

    #[test]
    fn a_gap_stands_in_for_lost_entries() {
        let all = entries(5);
        let mut chain = chain(Head::default());
        chain.take(&all[0].bytes);
        assert_eq!(chain.take(&gap(3, 4, all[0].head.hash, None).bytes), Verdict::Gap { expected: 2 });
        let wrong = gap(2, 4, Digest([3; 32]), None);
        assert!(matches!(chain.take(&wrong.bytes), Verdict::Broken { .. }));
        let right = gap(2, 4, all[0].head.hash, Some(all[3].head.hash));
        assert!(matches!(chain.take(&right.bytes), Verdict::Accept(_)));
        assert!(matches!(chain.take(&all[4].bytes), Verdict::Accept(_)), "what follows goes on");
    }

    #[test]
    fn a_dropped_payload_leaves_the_chain_whole() {
        let all = entries(2);
        let sealed = Sealed::decode(&all[0].bytes).unwrap();
        let bare = Sealed { cose: sealed.cose, parts: vec![None] }.encode();
        let mut chain = chain(Head::default());
        let Verdict::Accept(opened) = chain.take(&bare) else { panic!() };
        assert_eq!(opened.entry, None);
        assert!(matches!(chain.take(&all[1].bytes), Verdict::Accept(_)));
    }

    #[test]
    fn a_key_hands_over_to_the_next() {
        let (old, new) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]));
        let rotate = Entry::KeyRotated(new.public());
        let first = seal(&old, &gateway(), Head::default(), &rotate, Stamp::default(), &mut || [1; 16]);
        let consent = Entry::Consent(Consent { terms: 1, count: 1 });
        let by_old = seal(&old, &gateway(), first.head, &consent, Stamp::default(), &mut || [1; 16]);
        let by_new = seal(&new, &gateway(), first.head, &consent, Stamp::default(), &mut || [1; 16]);
        let mut chain = chain(Head::default());
        assert!(matches!(chain.take(&first.bytes), Verdict::Accept(_)));
        assert!(matches!(chain.take(&by_old.bytes), Verdict::NotProven { .. }));
        assert!(matches!(chain.take(&by_new.bytes), Verdict::Accept(_)));
    }
}
