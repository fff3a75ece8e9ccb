//! Secrets that are shown once: how they are made, written and recognised.
//!
//! A secret has 256 random bits, so a plain SHA-256 is enough to store; what people
//! type themselves goes through `password` instead.

use crate::entropy::{self, NoEntropy};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A fresh secret of 43 letters, digits, `-` and `_`.
///
/// # Errors
/// `NoEntropy` when the machine gives none.
pub fn fresh() -> Result<String, NoEntropy> {
    Ok(URL_SAFE_NO_PAD.encode(entropy::draw::<32>()?))
}

/// What is stored of a secret.
#[must_use]
pub fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether two texts are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// A one-time password that can be read out on the telephone: three groups of four.
///
/// Sixty bits; it is stored slow-hashed and must be replaced at the first sign-in.
///
/// # Errors
/// `NoEntropy` when the machine gives none.
pub fn one_time_password() -> Result<String, NoEntropy> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
    let bits = u64::from_be_bytes(entropy::draw()?);
    let mut text = String::with_capacity(14);
    for i in 0..12 {
        if i % 4 == 0 && i > 0 {
            text.push('-');
        }
        let five = (bits >> (i * 5)) as usize & 31;
        text.push(LETTERS.get(five).map_or('a', |b| char::from(*b)));
    }
    Ok(text)
}
