//! The token that ties a form to the device that was shown it.
//!
//! Another site cannot read it, so it cannot press the button for somebody. It
//! needs no cookie and nothing stored: an HMAC (RFC 2104) over device and hour.

use kulkul_model::Moment;
use kulkul_model::session::Mac;
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;

const HOUR_MS: i64 = 3_600_000;
const BLOCK: usize = 64;

/// The key of one run of the portal; a form from an earlier run is shown again.
#[derive(Clone)]
pub struct TokenKey([u8; 32]);

/// The device that a form belongs to.
///
/// The hardware address where it is known, so that a browser may fetch over IPv6
/// and post over IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Seen on the network.
    Mac(Mac),
    /// Not in the neighbour table.
    Ip(IpAddr),
}

impl TokenKey {
    /// Makes a key from bytes that the caller drew.
    #[must_use]
    pub const fn new(random: [u8; 32]) -> Self {
        TokenKey(random)
    }

    /// The token for a device's form at `now`, 32 hexadecimal digits.
    #[must_use]
    pub fn issue(&self, device: Device, now: Moment) -> String {
        self.at_hour(device, now.ms().div_euclid(HOUR_MS))
    }

    /// Whether a token was issued to this device in this hour or the one before.
    #[must_use]
    pub fn holds(&self, token: &str, device: Device, now: Moment) -> bool {
        let hour = now.ms().div_euclid(HOUR_MS);
        // Both are compared, so that the time taken tells nothing about which one fits.
        let this = same(token, &self.at_hour(device, hour));
        let last = same(token, &self.at_hour(device, hour.saturating_sub(1)));
        this | last
    }

    fn at_hour(&self, device: Device, hour: i64) -> String {
        let mut message = Vec::with_capacity(32);
        match device {
            Device::Mac(mac) => {
                message.push(1);
                message.extend(mac.0);
            }
            Device::Ip(ip) => {
                message.push(2);
                message.extend(ip.to_string().bytes());
                message.push(0);
            }
        }
        message.extend(hour.to_be_bytes());
        let sum = self.hmac(&message);
        hex::encode(sum.get(..16).unwrap_or_default())
    }

    fn hmac(&self, message: &[u8]) -> [u8; 32] {
        let pad = |with: u8| {
            let mut block = [with; BLOCK];
            block.iter_mut().zip(self.0).for_each(|(b, k)| *b ^= k);
            block
        };
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
        Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
    }
}

/// Compares without telling by time where two texts differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_standards_hmac() {
        // RFC 4231, test case 1 padded: the key 20 times 0x0b, filled with zeros to 32 bytes.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        assert_eq!(
            hex::encode(TokenKey(key).hmac(b"Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn a_token_fits_one_device_for_one_to_two_hours() {
        let key = TokenKey::new([7; 32]);
        let (a, b) = (Device::Mac(Mac([2, 0, 0, 0, 0, 1])), Device::Ip("10.0.0.9".parse().unwrap()));
        let now = Moment::from_ms(10 * HOUR_MS + 5);
        let token = key.issue(a, now);
        assert_eq!(token.len(), 32);
        assert!(key.holds(&token, a, now.plus_ms(HOUR_MS)));
        assert!(!key.holds(&token, a, now.plus_ms(2 * HOUR_MS)));
        assert!(!key.holds(&token, b, now));
        assert!(!key.holds("", a, now));
        assert!(!TokenKey::new([8; 32]).holds(&token, a, now));
    }
}
