//! Vouchers: short codes on paper that let somebody in for a while.
//!
//! Crockford's base 32 without I, L, O and U. Twelve characters are 60 random bits, the
//! thirteenth is a check: it finds one wrong character and any two that changed places,
//! so that a typing mistake is told from a code that nobody knows.

use crate::{Moment, Refusal};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters that carry the code.
const DRAWN: usize = 12;
/// Characters of a code with its check.
pub const CHARACTERS: usize = DRAWN + 1;

/// The shortest time that a voucher may give: five minutes.
pub const SHORTEST_MS: u64 = 5 * 60_000;
/// The longest time that a voucher may give: a leap year.
pub const LONGEST_MS: u64 = 366 * 24 * 3_600_000;
/// The most devices that one voucher may let in at a time.
pub const MOST_DEVICES: u16 = 50;

/// A voucher's code as thirteen characters without hyphens.
#[derive(Clone, PartialEq, Eq)]
pub struct VoucherCode(String);

/// What a person typed is not a voucher's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAVoucherCode {
    /// Another number of characters.
    #[error("a voucher's code has 13 characters, not {0}")]
    Length(usize),
    /// A character that no code has.
    #[error("no voucher's code has the character \"{0}\"")]
    Character(char),
    /// One character is wrong, or two changed places.
    #[error("the check character does not fit: one character is wrong, or two changed places")]
    Check,
}

impl VoucherCode {
    /// Makes a code from 60 bits that the caller drew; higher bits are dropped.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        let values = (0..DRAWN).rev().map(|i| u8::try_from((bits >> (i * 5)) & 31).unwrap_or(0));
        let values: Vec<u8> = values.collect();
        VoucherCode(values.iter().copied().chain([check(&values)]).map(letter).collect())
    }

    /// Reads what a person typed: case, spaces and hyphens do not matter; I, L are 1, O is 0.
    ///
    /// # Errors
    /// `NotAVoucherCode` says whether the length, a character or the check is wrong.
    pub fn parse(text: &str) -> Result<Self, NotAVoucherCode> {
        let kept = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '_'));
        let folded = kept.map(|c| match c.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            c => c,
        });
        let mut values = Vec::with_capacity(CHARACTERS);
        let mut odd = None;
        let mut length = 0;
        for c in folded.take(1_000) {
            length += 1;
            match value(c) {
                Some(v) => values.push(v),
                None => odd = odd.or(Some(c)),
            }
        }
        if let Some(c) = odd {
            return Err(NotAVoucherCode::Character(c));
        }
        match values.split_last() {
            Some((last, drawn)) if length == CHARACTERS => {
                if *last == check(drawn) {
                    Ok(VoucherCode(values.into_iter().map(letter).collect()))
                } else {
                    Err(NotAVoucherCode::Check)
                }
            }
            _ => Err(NotAVoucherCode::Length(length)),
        }
    }

    /// The thirteen characters, for hashing.
    #[must_use]
    pub fn bare(&self) -> &str {
        &self.0
    }

    /// The code as people read it: `7KQ4-M2XP-9TRVC`.
    #[must_use]
    pub fn shown(&self) -> String {
        let (a, rest) = self.0.split_at(4);
        let (b, c) = rest.split_at(4);
        format!("{a}-{b}-{c}")
    }
}

/// Never shows the code: logs are read by many.
impl std::fmt::Debug for VoucherCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VoucherCode(..)")
    }
}

fn letter(value: u8) -> char {
    ALPHABET.get(usize::from(value)).map_or('0', |b| char::from(*b))
}

fn value(c: char) -> Option<u8> {
    let at = ALPHABET.iter().position(|b| char::from(*b) == c)?;
    u8::try_from(at).ok()
}

/// A weighted sum in the field of 32 elements (x^5 + x^2 + 1); no two weights are alike and none is one.
fn check(values: &[u8]) -> u8 {
    let mut weight = 1;
    values.iter().fold(0, |sum, v| {
        weight = times(weight, 2);
        sum ^ times(weight, *v)
    })
}

fn times(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b > 0 {
        if b & 1 == 1 {
            product ^= a;
        }
        b >>= 1;
        a <<= 1;
        if a & 32 == 32 {
            a ^= 0b10_0101;
        }
    }
    product
}

/// What a voucher gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long, counted from its first use, milliseconds.
    pub lasts_ms: u64,
    /// Until when it may be begun; begun before, it lasts its time.
    pub begin_before: Moment,
    /// How many devices may be online by it at a time.
    pub devices: u16,
    /// Rate to one device, kbit/s; none takes the place's.
    pub down_kbps: Option<u32>,
    /// Rate from one device, kbit/s; none takes the place's.
    pub up_kbps: Option<u32>,
}

impl Terms {
    /// Checks that somebody can use such a voucher.
    ///
    /// # Errors
    /// `voucher-lasts`, `voucher-devices-range`, `voucher-rate`.
    pub fn check(&self) -> Result<(), Refusal> {
        if !(SHORTEST_MS..=LONGEST_MS).contains(&self.lasts_ms) {
            return Err(Refusal::new(422, "voucher-lasts"));
        }
        if !(1..=MOST_DEVICES).contains(&self.devices) {
            return Err(Refusal::new(422, "voucher-devices-range").with("most", MOST_DEVICES));
        }
        if [self.down_kbps, self.up_kbps].into_iter().flatten().any(|kbps| kbps < 8) {
            return Err(Refusal::new(422, "voucher-rate"));
        }
        Ok(())
    }

    /// When a voucher that was begun then is used up.
    #[must_use]
    pub fn ends_at(&self, begun: Moment) -> Moment {
        begun.plus_ms(i64::try_from(self.lasts_ms).unwrap_or(i64::MAX))
    }
}

/// How far a voucher is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoucherState {
    /// Nobody has used it.
    Unused,
    /// It was begun and lasts until then.
    Running(Moment),
    /// Its time is used up.
    UsedUp,
    /// It was not begun in time.
    Expired,
    /// Staff took it back, or it was void with its box.
    Revoked,
}

impl VoucherState {
    /// How far a voucher is at `now`.
    #[must_use]
    pub fn of(terms: &Terms, begun: Option<Moment>, revoked: Option<Moment>, now: Moment) -> Self {
        match begun.map(|at| terms.ends_at(at)) {
            _ if revoked.is_some_and(|at| at <= now) => VoucherState::Revoked,
            Some(ends) if ends > now => VoucherState::Running(ends),
            Some(_) => VoucherState::UsedUp,
            None if now >= terms.begin_before => VoucherState::Expired,
            None => VoucherState::Unused,
        }
    }

    /// The name that the API uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            VoucherState::Unused => "unused",
            VoucherState::Running(_) => "running",
            VoucherState::UsedUp => "used_up",
            VoucherState::Expired => "expired",
            VoucherState::Revoked => "revoked",
        }
    }

    /// Why it lets nobody in, if so.
    #[must_use]
    pub const fn refusal(self) -> Option<Refusal> {
        match self {
            VoucherState::Unused | VoucherState::Running(_) => None,
            VoucherState::UsedUp => Some(Refusal::new(403, "voucher-used-up")),
            VoucherState::Expired => Some(Refusal::new(403, "voucher-expired")),
            VoucherState::Revoked => Some(Refusal::new(403, "voucher-revoked")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_may_type_it_loosely() {
        let code = VoucherCode::from_bits(0x0123_4567_89ab_cdef);
        assert_eq!(code.shown(), "28T5-CY4T-QKFFM");
        for typed in ["28t5cy4tqkffm", " 28T5 CY4T QKFFM ", "28t5.cy4t_qkffm"] {
            assert_eq!(VoucherCode::parse(typed), Ok(code.clone()), "{typed}");
        }
        let plain = VoucherCode::from_bits(1).bare().to_owned();
        let loose = plain.to_lowercase().replace('0', "o").replace('1', "l");
        assert_eq!(VoucherCode::parse(&loose), Ok(VoucherCode::from_bits(1)), "{loose}");
        assert_eq!(format!("{:?}", VoucherCode::from_bits(1)), "VoucherCode(..)");
    }

    #[test]
    fn a_mistake_says_what_it_is() {
        for (typed, fault) in [
            ("", NotAVoucherCode::Length(0)),
            ("28T5-CY4T-QKFF", NotAVoucherCode::Length(12)),
            ("28T5-CY4T-QKFFMM", NotAVoucherCode::Length(14)),
            ("28T5-CY4T-QKFF!", NotAVoucherCode::Character('!')),
            ("28T5-CY4T-QKFFU", NotAVoucherCode::Character('U')),
            ("28T5-CY4T-QKFFF", NotAVoucherCode::Check),
            ("82T5-CY4T-QKFFM", NotAVoucherCode::Check),
        ] {
            assert_eq!(VoucherCode::parse(typed), Err(fault), "{typed}");
        }
    }

    proptest! {
        #[test]
        fn every_code_reads_back(bits in any::<u64>()) {
            let code = VoucherCode::from_bits(bits);
            prop_assert_eq!(VoucherCode::parse(&code.shown()), Ok(code.clone()));
            prop_assert_eq!(VoucherCode::from_bits(bits & ((1 << 60) - 1)), code, "sixty bits count");
        }

        #[test]
        fn one_wrong_character_and_two_that_changed_places_are_found(
            bits in any::<u64>(), at in 0..CHARACTERS, other in 0..CHARACTERS, with in 0..32usize,
        ) {
            let code = VoucherCode::from_bits(bits);
            let mut wrong: Vec<u8> = code.bare().bytes().collect();
            wrong[at] = ALPHABET[with];
            if wrong != code.bare().as_bytes() {
                let typed = String::from_utf8(wrong).unwrap();
                prop_assert_eq!(VoucherCode::parse(&typed), Err(NotAVoucherCode::Check));
            }
            let mut swapped: Vec<u8> = code.bare().bytes().collect();
            swapped.swap(at, other);
            if swapped != code.bare().as_bytes() {
                let typed = String::from_utf8(swapped).unwrap();
                prop_assert_eq!(VoucherCode::parse(&typed), Err(NotAVoucherCode::Check));
            }
        }

        #[test]
        fn nothing_that_is_typed_makes_it_fail_otherwise(text in ".*") {
            if let Ok(code) = VoucherCode::parse(&text) {
                prop_assert_eq!(code.bare().len(), CHARACTERS);
            }
        }
    }

    #[test]
    fn a_voucher_counts_from_its_first_use() {
        let t = Moment::from_ms;
        let hour = 3_600_000;
        let terms = Terms {
            lasts_ms: 3_600_000,
            begin_before: t(10 * hour),
            devices: 1,
            down_kbps: None,
            up_kbps: None,
        };
        let state = |begun: Option<i64>, revoked: Option<i64>, now: i64| {
            VoucherState::of(&terms, begun.map(t), revoked.map(t), t(now))
        };
        assert_eq!(state(None, None, 0), VoucherState::Unused);
        assert_eq!(state(None, None, 10 * hour), VoucherState::Expired);
        assert_eq!(state(Some(0), None, hour - 1), VoucherState::Running(t(hour)));
        assert_eq!(state(Some(0), None, hour), VoucherState::UsedUp);
        assert_eq!(state(Some(10 * hour - 1), None, 10 * hour), VoucherState::Running(t(11 * hour - 1)));
        assert_eq!(state(Some(0), Some(5), 4), VoucherState::Running(t(hour)), "revoked later");
        assert_eq!(state(Some(0), Some(5), 5), VoucherState::Revoked);
        assert_eq!(state(None, None, 0).refusal(), None);
        assert_eq!(state(None, Some(0), 0).refusal().unwrap().code, "voucher-revoked");
    }

    #[test]
    fn terms_that_nobody_can_use_are_refused() {
        let good = Terms {
            lasts_ms: SHORTEST_MS,
            begin_before: Moment::EPOCH,
            devices: 1,
            down_kbps: Some(8),
            up_kbps: None,
        };
        let code = |t: Terms| t.check().err().map(|r| r.code);
        assert_eq!(code(good), None);
        assert_eq!(code(Terms { lasts_ms: SHORTEST_MS - 1, ..good }), Some("voucher-lasts"));
        assert_eq!(code(Terms { lasts_ms: LONGEST_MS + 1, ..good }), Some("voucher-lasts"));
        assert_eq!(code(Terms { devices: 0, ..good }), Some("voucher-devices-range"));
        assert_eq!(code(Terms { up_kbps: Some(7), ..good }), Some("voucher-rate"));
    }
}
