//! Whose name a request carries: the portal's own, a vendor's probe, or anybody's.
//!
//! Only the portal's own names and addresses get the portal's pages (no DNS
//! rebinding); everything else is sent there, and never told that it succeeded.

use std::net::{IpAddr, Ipv6Addr};

/// The longest asked-for address that is offered again, in bytes.
const LONGEST_ASKED: usize = 400;

/// Hosts that devices ask in order to find out whether they are captive.
///
/// Only used so that such an address is not offered as "go on to ...".
const PROBES: [&str; 16] = [
    "captive.apple.com",
    "www.apple.com",
    "connectivitycheck.gstatic.com",
    "connectivitycheck.android.com",
    "www.gstatic.com",
    "clients3.google.com",
    "play.googleapis.com",
    "connect.rom.miui.com",
    "www.msftconnecttest.com",
    "ipv6.msftconnecttest.com",
    "www.msftncsi.com",
    "detectportal.firefox.com",
    "nmcheck.gnome.org",
    "connectivity-check.ubuntu.com",
    "network-test.debian.org",
    "fedoraproject.org",
];

/// A Host field split into name and port; the name is lower case without a last dot.
fn split(host: &str) -> (String, Option<u16>) {
    let host = host.trim();
    let (name, port) = if let Some(rest) = host.strip_prefix('[') {
        let (inside, after) = rest.split_once(']').unwrap_or((rest, ""));
        (inside, after.strip_prefix(':'))
    } else if host.matches(':').count() == 1 {
        host.split_once(':').map_or((host, None), |(n, p)| (n, Some(p)))
    } else {
        (host, None)
    };
    (name.trim_end_matches('.').to_ascii_lowercase(), port.and_then(|p| p.parse().ok()))
}

/// The address that a literal in a Host field means; a zone id is left out.
///
/// RFC 6874 writes it `%25lan0`, some clients `%lan0`: a zone only has a meaning on
/// the machine that wrote it.
fn literal(name: &str) -> Option<IpAddr> {
    let bare = name.split('%').next().unwrap_or(name);
    bare.parse().ok().map(|ip: IpAddr| ip.to_canonical())
}

/// Whether a Host field names the portal, seen from a connection that came in at `local`.
#[must_use]
pub fn is_own(host: &str, own_name: Option<&str>, local: IpAddr) -> bool {
    let (name, _) = split(host);
    if own_name.is_some_and(|own| own.trim_end_matches('.').eq_ignore_ascii_case(&name)) {
        return true;
    }
    let local = local.to_canonical();
    match literal(&name) {
        Some(ip) => ip == local,
        None => name == "localhost" && local.is_loopback(),
    }
}

/// Whether a Host field names the host of an address such as `https://hub.example`.
#[must_use]
pub fn is_at(host: &str, address: &str) -> bool {
    let (name, _) = split(host);
    !name.is_empty() && split(shown(address)).0 == name
}

/// The host part of the address at which a device finds the portal.
///
/// `local` is where the connection came in, `lan4` the place's own IPv4 address for
/// devices that came in at a link-local address, which a browser cannot be sent to.
#[must_use]
pub fn portal_host(own_name: Option<&str>, local: IpAddr, lan4: Option<IpAddr>, port: u16) -> String {
    let name = match (own_name, local.to_canonical()) {
        (Some(name), _) => name.to_owned(),
        (None, IpAddr::V6(ip)) if is_link_local(ip) => {
            lan4.map_or_else(|| format!("[{ip}]"), |ip| ip.to_string())
        }
        (None, IpAddr::V6(ip)) => format!("[{ip}]"),
        (None, IpAddr::V4(ip)) => ip.to_string(),
    };
    if port == 80 { name } else { format!("{name}:{port}") }
}

const fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

/// The address that somebody asked for, when it is worth offering again.
#[must_use]
pub fn asked(host: &str, path_and_query: &str) -> Option<String> {
    let (name, _) = split(host);
    if name.is_empty() || PROBES.contains(&name.as_str()) || literal(&name).is_some() {
        return None;
    }
    let favicon = path_and_query == "/favicon.ico";
    checked(&format!("http://{}{path_and_query}", host.trim())).filter(|_| !favicon)
}

/// An address that may be shown as a link: `http` or `https`, a plain host, no tricks.
#[must_use]
pub fn checked(address: &str) -> Option<String> {
    let rest = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:".contains(&b);
    let safe = |b: u8| b.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&b);
    let sound = address.len() <= LONGEST_ASKED
        && host.contains('.')
        && host.bytes().all(plain)
        && address.bytes().all(safe);
    sound.then(|| address.to_owned())
}

/// The host of a checked address, for the words of the link.
#[must_use]
pub fn shown(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, r)| r);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_portals_names_and_the_address_it_came_in_at_are_own() {
        let own = Some("bj-001.example.org");
        let v4: IpAddr = "10.77.0.1".parse().unwrap();
        let v6: IpAddr = "fe80::1".parse().unwrap();
        for (host, local, yes) in [
            ("bj-001.example.org", v4, true),
            ("BJ-001.EXAMPLE.ORG.:80", v4, true),
            ("10.77.0.1", v4, true),
            ("10.77.0.1:8080", "::ffff:10.77.0.1".parse().unwrap(), true),
            ("10.77.0.2", v4, false),
            ("[fe80::1%25lan0]", v6, true),
            ("[fe80::1%lan0]:80", v6, true),
            ("fe80::1", v6, true),
            ("[fe80::1", v6, true),
            ("[::ffff:10.77.0.1]", v4, true),
            ("bj-001.example.org.evil.test", v4, false),
            ("localhost", v4, false),
            ("localhost:8080", "127.0.0.1".parse().unwrap(), true),
            ("", v4, false),
            (":", v4, false),
            ("[]", v4, false),
            ("captive.apple.com", v4, false),
        ] {
            assert_eq!(is_own(host, own, local), yes, "{host}");
        }
    }

    #[test]
    fn the_hubs_host_is_known_whatever_its_port_and_spelling() {
        for (host, address, yes) in [
            ("hub.example.go.id", "https://hub.example.go.id", true),
            ("HUB.example.go.id.:80", "https://hub.example.go.id:8443", true),
            ("hub.example.go.id.evil.test", "https://hub.example.go.id", false),
            ("", "", false),
            ("example.com", "", false),
        ] {
            assert_eq!(is_at(host, address), yes, "{host}");
        }
    }

    #[test]
    fn a_device_is_sent_to_a_name_or_an_address_that_its_browser_can_open() {
        let lan4 = Some("10.77.0.1".parse().unwrap());
        let host = |name, local: &str, port| portal_host(name, local.parse().unwrap(), lan4, port);
        assert_eq!(host(Some("a.example.org"), "10.77.0.1", 80), "a.example.org");
        assert_eq!(host(None, "10.77.0.1", 80), "10.77.0.1");
        assert_eq!(host(None, "::ffff:10.77.0.1", 8080), "10.77.0.1:8080");
        assert_eq!(host(None, "fd77::1", 80), "[fd77::1]");
        assert_eq!(host(None, "fe80::1", 80), "10.77.0.1");
    }

    #[test]
    fn only_plain_addresses_are_offered_again() {
        assert_eq!(asked("example.com", "/a?b=1").as_deref(), Some("http://example.com/a?b=1"));
        for (host, path) in [
            ("captive.apple.com", "/hotspot-detect.html"),
            ("connectivitycheck.gstatic.com", "/generate_204"),
            ("10.0.0.1", "/"),
            ("example.com", "/favicon.ico"),
            ("user@example.com", "/"),
            ("example.com", "/\"><script>"),
            ("", "/"),
            ("intranet", "/"),
        ] {
            assert_eq!(asked(host, path), None, "{host}{path}");
        }
        for bad in ["javascript:alert(1)", "ftp://example.com/", "http://", "//example.com", "http://a b.c/"]
        {
            assert_eq!(checked(bad), None, "{bad}");
        }
        assert_eq!(shown("https://example.com/a"), "example.com");
    }
}
