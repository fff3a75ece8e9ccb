//! The code by which an operator far away opens a box's local settings, without a line to it.
//!
//! The box shows a challenge, somebody reads it out over the telephone, the operator's
//! console answers, and both sides have made the answer from a key that only they hold:
//! HMAC-SHA-256 (RFC 2104), cut to the forty bits that a person can type. No clock is
//! needed on either side; guesses are bounded by the box.

use hmac::{Hmac, KeyInit as _, Mac as _};
use kulkul_model::claim::ClaimCode;
use kulkul_model::gateway::GatewayId;
use sha2::Sha256;

/// The key of one box's local settings, from a secret of the hub.
#[must_use]
pub fn key(secret: &[u8; 32], gateway: &GatewayId) -> [u8; 32] {
    keyed(secret, &["kulkul/local-key/1 ", gateway.as_str()])
}

/// The answer to a challenge.
#[must_use]
pub fn answer(key: &[u8; 32], challenge: &ClaimCode) -> ClaimCode {
    let sum = keyed(key, &["kulkul/local-code/1 ", challenge.bare()]);
    let bits = sum.first_chunk::<8>().map_or(0, |first| u64::from_be_bytes(*first));
    ClaimCode::from_bits(bits)
}

fn keyed(key: &[u8; 32], parts: &[&str]) -> [u8; 32] {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part.as_bytes()));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_depends_on_the_hub_the_box_and_the_challenge() {
        let challenge = ClaimCode::parse("7KQ4-M2XP").unwrap();
        let of = |secret: u8, gateway: u128, challenge: &ClaimCode| {
            answer(&key(&[secret; 32], &GatewayId::from_bits(gateway)), challenge).shown()
        };
        let one = of(1, 1, &challenge);
        assert_eq!(one, of(1, 1, &ClaimCode::parse("7kq4 m2xp").unwrap()), "as it is typed");
        let others = [of(2, 1, &challenge), of(1, 2, &challenge), of(1, 1, &ClaimCode::from_bits(1))];
        assert!(!others.contains(&one), "{others:?}");
    }
}
