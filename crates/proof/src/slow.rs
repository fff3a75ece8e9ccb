//! Slow hashes that hub and box make alike: offline digests of vouchers, and what a box
//! remembers of an account's secret.
//!
//! Argon2id (RFC 9106) over 8 MiB in two passes: some 20 ms on a PC, well under a
//! second on a router with 128 MB, and far too dear to try 2^60 codes.

use argon2::{Algorithm, Argon2, Params, Version};
use kulkul_model::admission::Token16;
use kulkul_model::voucher::VoucherCode;

const MEMORY_KIB: u32 = 8 * 1024;
const PASSES: u32 = 2;

/// The machine has not the memory for a slow hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a slow hash cannot be made: {0}")]
pub struct NoSlowHash(String);

fn slow<const N: usize>(secret: &[u8], salt: &[u8]) -> Result<[u8; N], NoSlowHash> {
    let failed = |e: argon2::Error| NoSlowHash(e.to_string());
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(N)).map_err(failed)?;
    let mut out = [0; N];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(secret, salt, &mut out)
        .map_err(failed)?;
    Ok(out)
}

/// The digest by which a place's box finds a voucher while the hub does not answer.
///
/// # Errors
/// `NoSlowHash` without memory.
pub fn voucher(code: &VoucherCode, salt: Token16) -> Result<Token16, NoSlowHash> {
    slow(code.bare().as_bytes(), &salt.0).map(Token16)
}

/// What a box keeps of an account's secret, under a salt that the box drew.
///
/// # Errors
/// `NoSlowHash` without memory.
pub fn secret(name: &str, secret: &str, salt: [u8; 16]) -> Result<[u8; 32], NoSlowHash> {
    let text = [name.as_bytes(), &[0], secret.as_bytes()].concat();
    slow(&text, &salt)
}

/// Compares without telling by time where two differ.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_code_and_salt_and_never_changes() {
        let code = VoucherCode::from_bits(0x0123_4567_89ab_cdef);
        let digest = voucher(&code, Token16([1; 16])).unwrap();
        // Boxes in the field compare with digests of other versions: these bytes are for ever.
        assert_eq!(digest.to_string(), "b82ca37e52ca419326d2906896cc3dcc");
        assert_ne!(voucher(&code, Token16([2; 16])).unwrap(), digest);
        assert_ne!(voucher(&VoucherCode::from_bits(1), Token16([1; 16])).unwrap(), digest);
    }

    #[test]
    fn a_secret_is_that_of_its_name() {
        let salt = [3; 16];
        let kept = secret("wayan", "hujan123", salt).unwrap();
        assert!(same(&kept, &secret("wayan", "hujan123", salt).unwrap()));
        assert!(!same(&kept, &secret("wayanh", "ujan123", salt).unwrap()));
        assert!(!same(&kept, &secret("wayan", "hujan123", [4; 16]).unwrap()));
        assert!(!same(&kept, &kept[..31]));
    }
}
