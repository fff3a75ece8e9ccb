//! Dice: numbers that look random and follow from a seed and a place in the world alone.
//!
//! No state: the same question always has the same answer, in whatever order
//! questions are asked. Mixing is splitmix64's; never use it for secrets.

/// A seed from which every throw follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dice(u64);

/// One throw: 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throw(u64);

const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Dice {
    /// Dice for a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Dice(mix(seed))
    }

    /// Dice of their own for a name, such as a site's code.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Dice(name.bytes().fold(self.0, |z, b| mix(z ^ u64::from(b))))
    }

    /// The throw for a purpose and a number (a minute, a day).
    #[must_use]
    pub const fn throw(self, purpose: u64, number: i64) -> Throw {
        Throw(mix(mix(self.0 ^ purpose.wrapping_mul(0xa24b_aed4_963e_e407)) ^ number.cast_unsigned()))
    }
}

impl Throw {
    /// A number from 0 to `n - 1`; 0 when `n` is 0.
    #[must_use]
    pub const fn below(self, n: u64) -> u64 {
        // The high bits of a product spread evenly enough for a simulation.
        ((self.0 as u128 * n as u128) >> 64) as u64
    }

    /// True in `n` of a million throws.
    #[must_use]
    pub const fn per_million(self, n: u64) -> bool {
        self.below(1_000_000) < n
    }

    /// A further throw from this one.
    #[must_use]
    pub const fn again(self) -> Throw {
        Throw(mix(self.0))
    }

    /// All 64 bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_repeat_and_spread() {
        let dice = Dice::new(7).named("BJ-001");
        assert_eq!(dice.throw(1, 5), dice.throw(1, 5));
        assert_ne!(dice.throw(1, 5), dice.throw(1, 6));
        assert_ne!(dice.throw(1, 5), dice.throw(2, 5));
        assert_ne!(dice.throw(1, 5), Dice::new(7).named("BJ-002").throw(1, 5));
        let hits = (0..100_000).filter(|i| dice.throw(3, *i).per_million(50_000)).count();
        assert!((4_700..5_300).contains(&hits), "{hits}");
        assert_eq!(dice.throw(1, 1).below(0), 0);
    }
}
