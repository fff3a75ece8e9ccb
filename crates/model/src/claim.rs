//! Claims: the short code that lets one new box enrol at one site, once.
//!
//! Crockford's base 32 without I, L, O and U; eight characters are 40 bits, so
//! guessing is stopped by the hub's limits per address and site, and by expiry.

use crate::Moment;

/// How long a claim lasts unless the operator says otherwise: 24 hours.
pub const DEFAULT_LIFE_MS: i64 = 24 * 3_600_000;
/// The longest life an operator may give a claim: 14 days.
pub const LONGEST_LIFE_MS: i64 = 14 * DEFAULT_LIFE_MS;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A claim code as eight characters without the hyphen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimCode(String);

/// The text is not a claim code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a claim code such as 7KQ4-M2XP")]
pub struct NotAClaimCode(pub String);

impl ClaimCode {
    /// Makes a code from 40 bits that the caller drew; higher bits are dropped.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        let text = (0..8)
            .rev()
            .filter_map(|i| ALPHABET.get((bits >> (i * 5)) as usize & 31))
            .map(|b| char::from(*b))
            .collect();
        ClaimCode(text)
    }

    /// Reads what a person typed: case, spaces and hyphens do not matter; I, L are 1, O is 0.
    ///
    /// # Errors
    /// `NotAClaimCode` unless eight characters of the alphabet remain.
    pub fn parse(text: &str) -> Result<Self, NotAClaimCode> {
        let folded: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| match c.to_ascii_uppercase() {
                'I' | 'L' => '1',
                'O' => '0',
                c => c,
            })
            .collect();
        if folded.len() == 8 && folded.bytes().all(|b| ALPHABET.contains(&b)) {
            Ok(ClaimCode(folded))
        } else {
            Err(NotAClaimCode(text.to_owned()))
        }
    }

    /// The eight characters, for hashing.
    #[must_use]
    pub fn bare(&self) -> &str {
        &self.0
    }

    /// The code as people read it: `7KQ4-M2XP`.
    #[must_use]
    pub fn shown(&self) -> String {
        let (a, b) = self.0.split_at(4);
        format!("{a}-{b}")
    }
}

/// Where a claim stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// May be used.
    Open,
    /// A box has used it.
    Used,
    /// Its time is over.
    Expired,
    /// An operator took it back.
    Withdrawn,
}

/// Where a claim with these dates stands at `now`.
#[must_use]
pub fn standing(
    expires_at: Moment,
    used_at: Option<Moment>,
    withdrawn_at: Option<Moment>,
    now: Moment,
) -> Standing {
    if used_at.is_some() {
        Standing::Used
    } else if withdrawn_at.is_some() {
        Standing::Withdrawn
    } else if now >= expires_at {
        Standing::Expired
    } else {
        Standing::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_may_type_it_loosely() {
        let code = ClaimCode::parse(" 7kq4 m2xp ").unwrap();
        assert_eq!(code.shown(), "7KQ4-M2XP");
        assert_eq!(ClaimCode::parse("o1Il-0000").unwrap().bare(), "01110000");
        for bad in ["", "7KQ4-M2X", "7KQ4-M2XPP", "7KQ4-M2XU"] {
            assert!(ClaimCode::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(ClaimCode::from_bits(u64::MAX).shown(), "ZZZZ-ZZZZ");
    }

    #[test]
    fn a_claim_is_used_once_and_ends() {
        let t = Moment::from_ms;
        assert_eq!(standing(t(10), None, None, t(9)), Standing::Open);
        assert_eq!(standing(t(10), None, None, t(10)), Standing::Expired);
        assert_eq!(standing(t(10), Some(t(3)), None, t(9)), Standing::Used);
        assert_eq!(standing(t(10), None, Some(t(3)), t(9)), Standing::Withdrawn);
    }
}
