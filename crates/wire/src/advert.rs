//! Router advertisements and solicitations (RFC 4861, RFC 8106, RFC 8910), as bytes and back.
//!
//! The ICMPv6 checksum is the kernel's: it stays zero here.

use ipnet::Ipv6Net;
use std::net::Ipv6Addr;

/// ICMPv6 type of a router solicitation.
pub const SOLICITATION: u8 = 133;
/// ICMPv6 type of a router advertisement.
pub const ADVERTISEMENT: u8 = 134;
/// Lifetime of what never ends.
pub const INFINITE_S: u32 = u32::MAX;

const SOURCE_LINK_LAYER: u8 = 1;
const PREFIX: u8 = 3;
const MTU: u8 = 5;
const DNS_SERVERS: u8 = 25;
const CAPTIVE_PORTAL: u8 = 37;

/// What a router says of itself and its link.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Advert {
    /// How long it is a default router, in seconds; 0 when it is none.
    pub router_s: u16,
    /// Whether DHCPv6 has more to say (the O flag).
    pub other: bool,
    /// Prefixes from which devices make addresses.
    pub prefixes: Vec<Prefix>,
    /// Resolvers.
    pub dns: Vec<Ipv6Addr>,
    /// How long the resolvers hold, in seconds.
    pub dns_s: u32,
    /// The link's MTU.
    pub mtu: Option<u32>,
    /// Hardware address of the router.
    pub mac: Option<[u8; 6]>,
    /// URI of the captive portal API (option 37), at most 240 bytes.
    pub captive: Option<String>,
}

/// A prefix that is on the link and from which devices make addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The network.
    pub net: Ipv6Net,
    /// How long addresses are good, in seconds.
    pub valid_s: u32,
    /// How long they are used for new connections, in seconds.
    pub preferred_s: u32,
}

impl Advert {
    /// The message with checksum zero.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![ADVERTISEMENT, 0, 0, 0, 64, if self.other { 0x40 } else { 0 }];
        out.extend(self.router_s.to_be_bytes());
        out.extend([0; 8]); // reachable and retransmission times: unspecified
        if let Some(mac) = self.mac {
            out.extend([SOURCE_LINK_LAYER, 1]);
            out.extend(mac);
        }
        if let Some(mtu) = self.mtu {
            out.extend([MTU, 1, 0, 0]);
            out.extend(mtu.to_be_bytes());
        }
        for p in &self.prefixes {
            out.extend([PREFIX, 4, p.net.prefix_len(), 0xc0]);
            out.extend(p.valid_s.to_be_bytes());
            out.extend(p.preferred_s.to_be_bytes());
            out.extend([0; 4]);
            out.extend(p.net.network().octets());
        }
        if !self.dns.is_empty() {
            let units = self.dns.len().min(16) * 2 + 1;
            out.extend([DNS_SERVERS, u8::try_from(units).unwrap_or(u8::MAX), 0, 0]);
            out.extend(self.dns_s.to_be_bytes());
            self.dns.iter().take(16).for_each(|ip| out.extend(ip.octets()));
        }
        if let Some(uri) = self.captive.as_deref().filter(|u| u.len() <= 240) {
            let units = (uri.len() + 2).div_ceil(8);
            out.extend([CAPTIVE_PORTAL, u8::try_from(units).unwrap_or(u8::MAX)]);
            out.extend(uri.bytes());
            out.resize(out.len() + units * 8 - uri.len() - 2, 0);
        }
        out
    }

    /// Reads an advertisement; unknown options are passed over, as RFC 4861 asks.
    ///
    /// Nothing for other messages and for options of length 0 or beyond the end.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(16)?;
        let &[ADVERTISEMENT, 0, _, _, _, flags, s1, s2, ..] = head else { return None };
        let mut advert =
            Advert { router_s: u16::from_be_bytes([s1, s2]), other: flags & 0x40 != 0, ..Advert::default() };
        while !rest.is_empty() {
            let &[kind, units, ..] = rest else { return None };
            let (option, after) =
                rest.split_at_checked(usize::from(units) * 8).filter(|(o, _)| !o.is_empty())?;
            advert.take(kind, option);
            rest = after;
        }
        Some(advert)
    }

    fn take(&mut self, kind: u8, option: &[u8]) {
        let u32_at =
            |at: usize| option.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes);
        let ip_at = |at: usize| {
            let bytes: [u8; 16] = option.get(at..at + 16)?.try_into().ok()?;
            Some(Ipv6Addr::from(bytes))
        };
        match kind {
            SOURCE_LINK_LAYER => self.mac = option.get(2..8).and_then(|m| m.try_into().ok()),
            MTU => self.mtu = Some(u32_at(4)),
            PREFIX => {
                let net =
                    ip_at(16).zip(option.get(2)).and_then(|(ip, length)| Ipv6Net::new(ip, *length).ok());
                if let Some(net) = net {
                    self.prefixes.push(Prefix { net, valid_s: u32_at(4), preferred_s: u32_at(8) });
                }
            }
            DNS_SERVERS => {
                self.dns_s = u32_at(4);
                self.dns.extend((8..option.len()).step_by(16).filter_map(ip_at));
            }
            CAPTIVE_PORTAL => {
                let text = option.get(2..).and_then(|b| std::str::from_utf8(b).ok());
                self.captive = text.map(|t| t.trim_end_matches('\0').to_owned());
            }
            _ => {}
        }
    }
}

/// Whether a message is a sound router solicitation (RFC 4861, section 6.1.1).
///
/// `unspecified` tells that its source was `::`, in which case it must not give a
/// hardware address.
#[must_use]
pub fn is_solicitation(bytes: &[u8], unspecified: bool) -> bool {
    let Some((&[SOLICITATION, 0, ..], mut rest)) = bytes.split_at_checked(8) else { return false };
    while let [kind, units, ..] = rest {
        let length = usize::from(*units) * 8;
        if length == 0 || (unspecified && *kind == SOURCE_LINK_LAYER) {
            return false;
        }
        match rest.split_at_checked(length) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn advert() -> Advert {
        Advert {
            router_s: 1_800,
            other: true,
            prefixes: vec![Prefix { net: "fd77::/64".parse().unwrap(), valid_s: 7_200, preferred_s: 3_600 }],
            dns: vec!["fd77::1".parse().unwrap()],
            dns_s: 1_800,
            mtu: Some(1_492),
            mac: Some([2, 0, 0, 0, 0, 1]),
            captive: Some("https://bj-001.example.org/captive/api".to_owned()),
        }
    }

    #[test]
    fn an_advertisement_has_the_standards_bytes_and_reads_back() {
        let bytes = advert().encode();
        assert_eq!(&bytes[..8], [134, 0, 0, 0, 64, 0x40, 0x07, 0x08]);
        assert_eq!(bytes.len() % 8, 0);
        let at = bytes.windows(2).position(|w| w == [37, 5]).unwrap();
        assert!(bytes[at + 2..].starts_with(b"https://bj-001.example.org/captive/api"));
        assert_eq!(Advert::decode(&bytes).unwrap(), advert());
        let goodbye = Advert { router_s: 0, dns_s: 0, ..advert() };
        assert_eq!(Advert::decode(&goodbye.encode()).unwrap().router_s, 0);
    }

    #[test]
    fn solicitations_are_told_from_other_messages() {
        let plain = [SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
        assert!(is_solicitation(&plain, true));
        let mut with_mac = plain.to_vec();
        with_mac.extend([1, 1, 2, 0, 0, 0, 0, 1]);
        assert!(is_solicitation(&with_mac, false));
        assert!(!is_solicitation(&with_mac, true), "a nameless sender gives no hardware address");
        assert!(!is_solicitation(&with_mac[..12], false));
        assert!(!is_solicitation(&plain[..7], false));
        let mut empty_option = plain.to_vec();
        empty_option.extend([1, 0]);
        assert!(!is_solicitation(&empty_option, false));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = vec![ADVERTISEMENT, 0];
            framed.extend(&bytes);
            let _ = Advert::decode(&framed);
            let _ = is_solicitation(&bytes, true);
        }
    }
}
