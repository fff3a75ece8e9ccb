//! The section that leads segments of a place into the regency's data centre.

use super::check::NotOrders;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// Ranges that a tunnel may lead to; more would be nobody's data centre.
pub const MOST_PREFIXES: usize = 64;

/// The tunnel (WireGuard) by which devices of a place reach the data centre.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TunnelSection {
    /// Where the data centre's end answers, `name:port` or `address:port`; empty for no tunnel.
    pub endpoint: String,
    /// The public key of the data centre's end, as `wg` writes it.
    pub key: String,
    /// Ranges that are reached through the tunnel, and from which its packets come.
    pub prefixes: Vec<IpNet>,
    /// The box's own addresses in the tunnel, at most one of each family.
    pub addresses: Vec<IpAddr>,
    /// Kinds of segments that may use it: `staff`, `service`; never `public`.
    pub segments: Vec<String>,
    /// How often a sign of life is sent, seconds.
    pub keepalive_s: u16,
    /// The largest packet inside; none for what the uplink leaves of its own.
    pub mtu: Option<u16>,
}

impl Default for TunnelSection {
    fn default() -> Self {
        TunnelSection {
            endpoint: String::new(),
            key: String::new(),
            prefixes: Vec::new(),
            addresses: Vec::new(),
            segments: vec!["staff".to_owned(), "service".to_owned()],
            keepalive_s: 25,
            mtu: None,
        }
    }
}

/// Reads a key as `wg` writes it: 32 bytes, base64.
#[must_use]
pub fn key_from(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

/// Writes a key as `wg` does.
#[must_use]
pub fn key_text(key: &[u8; 32]) -> String {
    STANDARD.encode(key)
}

impl TunnelSection {
    /// Whether a tunnel is ordered.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.endpoint.is_empty()
    }

    /// Checks each value by itself; what is not there yet is no fault.
    ///
    /// # Errors
    /// `NotOrders::Tunnel` names the first value that cannot be followed.
    pub fn check_values(&self) -> Result<(), NotOrders> {
        let bad = |why: String| Err(NotOrders::Tunnel(why));
        if self.is_on() && !is_endpoint(&self.endpoint) {
            return bad(format!("endpoint \"{}\" is not such as wg.example.go.id:51820", self.endpoint));
        }
        if !self.key.is_empty() && key_from(&self.key).is_none_or(|k| k == [0; 32]) {
            return bad("key is not a public key as wg pubkey writes it (32 bytes, base64)".to_owned());
        }
        if self.prefixes.len() > MOST_PREFIXES {
            return bad(format!("prefixes are {}; the most is {MOST_PREFIXES}", self.prefixes.len()));
        }
        for net in &self.prefixes {
            let least = if net.addr().is_ipv4() { 8 } else { 16 };
            if net.prefix_len() < least {
                return bad(format!(
                    "prefix {net} is wider than /{least}: what people do outside would go there"
                ));
            }
            if is_odd(net.network()) {
                return bad(format!("prefix {net} is not a range that can be routed"));
            }
        }
        for address in &self.addresses {
            if is_odd(*address) {
                return bad(format!("address {address} cannot be one of the box"));
            }
        }
        if [false, true].iter().any(|six| self.addresses.iter().filter(|a| a.is_ipv6() == *six).count() > 1) {
            return bad("addresses hold more than one of a family".to_owned());
        }
        if let Some(odd) = self.segments.iter().find(|s| !["staff", "service"].contains(&s.as_str())) {
            return bad(format!("segments name \"{odd}\"; only staff and service may use the tunnel"));
        }
        for (field, value, least, most) in [
            ("tunnel.keepalive_s", u64::from(self.keepalive_s), 5, 600),
            ("tunnel.mtu", self.mtu.map_or(1_420, u64::from), 1_280, 9_000),
        ] {
            if value < least {
                return Err(NotOrders::TooLittle { field, value, least });
            }
            if value > most {
                return Err(NotOrders::TooMuch { field, value, most });
            }
        }
        Ok(())
    }

    /// Checks that a tunnel can be made of it, or that none is ordered.
    ///
    /// # Errors
    /// `NotOrders` names the first value that is wrong or missing.
    pub fn check(&self) -> Result<(), NotOrders> {
        self.check_values()?;
        self.missing()
            .filter(|_| self.is_on())
            .map_or(Ok(()), |what| Err(NotOrders::Tunnel(format!("{what} is missing"))))
    }

    /// What is missing to make a tunnel: `endpoint`, `key`, `prefixes` or `addresses`.
    #[must_use]
    pub fn missing(&self) -> Option<&'static str> {
        let has = |six: bool| self.addresses.iter().any(|a| a.is_ipv6() == six);
        // Packets of a family need an address of it to come from.
        let homeless = self.prefixes.iter().any(|p| !has(p.addr().is_ipv6()));
        [
            (self.endpoint.is_empty(), "endpoint"),
            (self.key.is_empty(), "key"),
            (self.prefixes.is_empty(), "prefixes"),
            (homeless, "addresses"),
        ]
        .into_iter()
        .find(|(is_missing, _)| *is_missing)
        .map(|(_, what)| what)
    }
}

/// `address:port`, `[address]:port` or `name:port`.
fn is_endpoint(text: &str) -> bool {
    if let Ok(at) = text.parse::<SocketAddr>() {
        return at.port() != 0 && !at.ip().is_unspecified();
    }
    let Some((name, port)) = text.rsplit_once(':') else { return false };
    let is_label = |l: &str| {
        (1..=63).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // A name of numbers alone would be an address that was written wrongly.
    let is_name =
        name.len() <= 253 && name.split('.').all(is_label) && name.bytes().any(|b| b.is_ascii_alphabetic());
    is_name && port.parse::<u16>().is_ok_and(|p| p != 0)
}

/// Loopback, multicast, link-local and the like.
fn is_odd(ip: IpAddr) -> bool {
    let local = match ip {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast() || v4.octets().first() == Some(&0),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    local || ip.is_loopback() || ip.is_multicast() || ip.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> TunnelSection {
        TunnelSection {
            endpoint: "wg.example.go.id:51820".to_owned(),
            key: key_text(&[7; 32]),
            prefixes: vec!["10.200.0.0/16".parse().unwrap(), "fd20::/48".parse().unwrap()],
            addresses: vec!["10.201.0.7".parse().unwrap(), "fd21::7".parse().unwrap()],
            ..TunnelSection::default()
        }
    }

    #[test]
    fn no_tunnel_is_the_default_and_a_whole_one_can_be_followed() {
        let none: TunnelSection = serde_json::from_str("{}").unwrap();
        assert!(!none.is_on() && none.check().is_ok());
        assert_eq!((whole().check(), whole().missing()), (Ok(()), None));
        for endpoint in ["203.0.113.7:51820", "[2001:db8::7]:51820", "dc-1.badungkab.go.id:443"] {
            let at = TunnelSection { endpoint: endpoint.to_owned(), ..whole() };
            assert_eq!(at.check(), Ok(()), "{endpoint}");
        }
    }

    #[test]
    fn what_cannot_be_followed_says_why() {
        type Spoil = fn(&mut TunnelSection);
        let cases: [(Spoil, &str); 13] = [
            (|t| t.endpoint = "wg.example.go.id".to_owned(), "endpoint \"wg.example.go.id\" is not"),
            (|t| t.endpoint = "10.1.2:51820".to_owned(), "endpoint"),
            (|t| t.key = "c2hvcnQ=".to_owned(), "key is not a public key"),
            (|t| t.key = key_text(&[0; 32]), "key is not a public key"),
            (|t| t.key = String::new(), "key is missing"),
            (|t| t.prefixes = vec!["0.0.0.0/0".parse().unwrap()], "prefix 0.0.0.0/0 is wider than /8"),
            (|t| t.prefixes = vec!["128.0.0.0/1".parse().unwrap()], "is wider than /8"),
            (|t| t.prefixes = vec!["::/0".parse().unwrap()], "prefix ::/0 is wider than /16"),
            (|t| t.prefixes = vec!["127.0.0.0/8".parse().unwrap()], "is not a range"),
            (|t| t.prefixes.clear(), "prefixes is missing"),
            (|t| t.addresses.truncate(1), "addresses is missing"),
            (|t| t.segments.push("public".to_owned()), "segments name \"public\""),
            (|t| t.mtu = Some(576), "tunnel.mtu is 576; the least"),
        ];
        for (spoil, wanted) in cases {
            let mut section = whole();
            spoil(&mut section);
            let error = section.check().unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn keys_are_written_as_wg_writes_them() {
        let text = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
        assert_eq!(key_text(&key_from(text).unwrap()), text);
        assert_eq!((key_from("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8D"), key_from("")), (None, None));
    }
}
