//! Names as lists and sets know them: lower case, without the last dot, in ASCII.

/// The longest name in letters and dots (RFC 1035, section 3.1).
const LONGEST: usize = 253;
/// The longest label.
const LONGEST_LABEL: usize = 63;
/// The most labels that a name can have.
const MOST_LABELS: usize = 127;

/// An odd number with as many ones as zeros: the digits of pi after the point.
const PI: u64 = 0x243f_6a88_85a3_08d3;
/// Likewise, the next digits.
const PI_NEXT: u64 = 0x1319_8a2e_0370_7345;

/// Not a name that a list can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a name")]
pub struct NotAName;

/// A name as sets know it; other scripts become `xn--`.
///
/// # Errors
/// `NotAName` for addresses, the root, and what DNS cannot carry.
pub fn tidy(name: &str) -> Result<String, NotAName> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let name = if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(name).map_err(|_| NotAName)?
    };
    if is_sound(&name) { Ok(name) } else { Err(NotAName) }
}

fn is_sound(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    let label = |l: &str| (1..=LONGEST_LABEL).contains(&l.len()) && l.bytes().all(letter);
    // A last label of digits alone is an address.
    let address = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    name.len() <= LONGEST && !address && name.split('.').all(label)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

/// The digest of `label` below what `parent` is the digest of.
fn below(parent: u64, label: &[u8]) -> u64 {
    let mut digest = parent ^ (label.len() as u64).wrapping_mul(PI_NEXT);
    for chunk in label.chunks(8) {
        let mut word = [0; 8];
        for (to, from) in word.iter_mut().zip(chunk) {
            *to = *from;
        }
        digest = fold(digest ^ u64::from_le_bytes(word), PI);
    }
    fold(digest ^ PI_NEXT, PI)
}

/// The digests of a name and all that it is below of, made in one walk from the right.
#[derive(Clone, Debug)]
pub struct Trail {
    digests: [u64; MOST_LABELS],
    length: usize,
}

impl Trail {
    /// Of a name in lower case; one last dot is left aside.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let name = name.strip_suffix('.').unwrap_or(name);
        let mut trail = Trail { digests: [0; MOST_LABELS], length: 0 };
        let mut digest = PI;
        for (place, label) in trail.digests.iter_mut().zip(name.as_bytes().rsplit(|b| *b == b'.')) {
            digest = below(digest, label);
            *place = digest;
            trail.length += 1;
        }
        trail
    }

    /// The digest of the name itself.
    #[must_use]
    pub fn itself(&self) -> u64 {
        self.all().last().copied().unwrap_or(PI)
    }

    /// From the name's top-level domain down to itself.
    #[must_use]
    pub fn all(&self) -> &[u64] {
        self.digests.get(..self.length).unwrap_or(&self.digests)
    }
}
