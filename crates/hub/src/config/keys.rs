//! Every key with its default and its meaning: the one list that the reader, the errors and
//! the printed file go by.

use super::ConfigError;
use std::fmt::Write as _;

/// One key: its name with its section, its default as TOML, what it means.
pub(super) struct Key(pub(super) &'static str, pub(super) Option<&'static str>, pub(super) &'static str);

pub(super) const KEYS: &[Key] = &[
    Key("listen", Some("\"127.0.0.1:8080\""), "Where the public pages, the API and the link are served."),
    Key(
        "public_url",
        None,
        "How others reach this hub, such as https://hub.example.go.id; empty: as listen says.",
    ),
    Key("data", Some("\"/var/lib/kulkul\""), "The directory that holds everything the hub keeps."),
    Key("database", Some("\"sqlite\""), "sqlite (the file kulkul.db in data) or postgres://user@host/name."),
    Key("database_file", None, "A file that holds the database's address; wins over database."),
    Key("admin_listen", Some("\"127.0.0.1:9090\""), "Where /metrics, /healthz and /readyz are served."),
    Key("zone", Some("\"Asia/Makassar\""), "The regency's time zone: service hours and months are in it."),
    Key(
        "log",
        Some("\"info\""),
        "What is logged: error, warn, info, debug, or a filter such as info,kulkul_hub=debug.",
    ),
    Key("name.id", Some("\"Internet publik Badung\""), "What the service is called, in Bahasa Indonesia."),
    Key("name.en", Some("\"Badung public internet\""), "What the service is called, in English."),
    Key("name.agency", Some("\"Dinas Kominfo\""), "The office that runs it."),
    Key("tls.cert", None, "The certificate chain, PEM; without it plain HTTP is served."),
    Key("tls.key", None, "The private key that belongs to it, PEM."),
    Key(
        "tls.acme",
        Some("false"),
        "true: the public authority below certifies the host of public_url, whose port 443 must lead to listen; instead of cert and key.",
    ),
    Key("link.listen", None, "A second address, for gateways: pages and link by the certificate below."),
    Key(
        "link.url",
        None,
        "What gateways call it, such as https://10.0.0.1:8443; empty: as link.listen says.",
    ),
    Key("link.cert", None, "Its certificate chain, PEM, from a CA that the gateways have as hub_ca."),
    Key("link.key", None, "The private key that belongs to it, PEM."),
    Key(
        "portal.domain",
        None,
        "The domain of portals' names, such as wifi.example.go.id: each place's portal gets a name under it and a certificate.",
    ),
    Key(
        "acme.directory",
        Some("\"https://acme-v02.api.letsencrypt.org/directory\""),
        "The public authority (ACME) that certifies the hub by tls.acme, and portals once acme.dns.server or acme.hook is set; setting one agrees to its terms.",
    ),
    Key("acme.contact", None, "A mail address that the authority may write to."),
    Key("acme.ca", None, "Roots to believe the authority's own server by, PEM; empty: the system's."),
    Key(
        "acme.hook",
        None,
        "A program that is called as: set NAME TEXT, and: clear NAME, for a DNS provider without RFC 2136.",
    ),
    Key("acme.per_hour", Some("60"), "Orders in an hour at most."),
    Key(
        "acme.new_per_week",
        Some("45"),
        "Orders in a week at most for names that had no certificate; renewals are apart.",
    ),
    Key(
        "acme.settle_seconds",
        Some("10"),
        "How long all servers of the zone need to hear of a change, seconds.",
    ),
    Key(
        "acme.dns.server",
        None,
        "The zone's primary server, such as ns1.example.go.id:53: it takes updates (RFC 2136).",
    ),
    Key("acme.dns.zone", None, "The zone that is updated; empty: portal.domain."),
    Key(
        "acme.dns.key_file",
        None,
        "The key (TSIG) that signs updates: a file as tsig-keygen writes it, or the key in base64 alone.",
    ),
    Key("acme.dns.key_name", None, "The key's name; empty: as the file says."),
    Key(
        "acme.dns.algorithm",
        None,
        "hmac-sha256, hmac-sha384 or hmac-sha512; empty: as the file says, else hmac-sha256.",
    ),
    Key("map.tiles", None, "A tile server's address with {z}, {x}, {y}; empty: the regency is drawn alone."),
    Key("map.attribution", None, "What the tile server's owner wants to be named."),
    Key(
        "limits.body_bytes",
        Some("1048576"),
        "The largest body of a request, bytes; the link has its own bound.",
    ),
    Key("limits.head_bytes", Some("32768"), "The largest head of a request, bytes."),
    Key("limits.head_seconds", Some("10"), "How long the head of a request may take, seconds."),
    Key("limits.request_seconds", Some("60"), "How long an answer may take to begin, seconds."),
    Key("limits.connections", Some("16000"), "Connections at once; more wait."),
    Key("limits.page_cache_bytes", Some("33554432"), "Bytes of finished pages kept in memory."),
    Key("sign_in.idle_hours", Some("12"), "Hours without a request after which a staff session ends."),
    Key("sign_in.absolute_days", Some("7"), "Days after which a staff session ends in any case."),
    Key("proxy.trusted", Some("[]"), "Networks whose X-Forwarded-For is believed, such as [\"10.0.0.0/8\"]."),
    Key(
        "watch.canaries",
        Some("[]"),
        "Addresses that always take a TCP connection, such as [\"9.9.9.9:443\"]: when none does, the hub is blind.",
    ),
    Key("radius.auth", None, "Where access points authenticate, UDP; read, not served by this version."),
    Key("radius.acct", None, "Where access points account, UDP; read, not served by this version."),
];

/// A configuration file with every key, its meaning and its default.
#[must_use]
pub fn print_config() -> String {
    let mut out = String::from(
        "# Settings of kulkul hub. Every key may also be given as KULKUL_SECTION__KEY,\n\
         # for example KULKUL_LISTEN or KULKUL_TLS__CERT. A line that begins with # is not set.\n",
    );
    let mut section = "";
    for Key(name, default, meaning) in KEYS {
        let (at, key) = name.split_once('.').unwrap_or(("", name));
        if at != section {
            section = at;
            // A section whose keys all have defaults is written out; others stay commented.
            let live = KEYS.iter().any(|k| k.0.starts_with(&format!("{at}.")) && k.1.is_some());
            let _ = write!(out, "\n{}[{at}]\n", if live { "" } else { "# " });
        }
        let _ = writeln!(out, "# {meaning}");
        let _ = match default {
            Some(value) => writeln!(out, "{key} = {value}"),
            None => writeln!(out, "# {key} = \"\""),
        };
    }
    out
}

/// Whether a key is in the table.
///
/// # Errors
/// `UnknownKey` names the nearest one.
pub(super) fn known(key: &str, place: &str) -> Result<(), ConfigError> {
    if KEYS.iter().any(|k| k.0 == key) {
        return Ok(());
    }
    let nearest = KEYS
        .iter()
        .map(|k| k.0)
        .max_by(|a, b| strsim::jaro_winkler(key, a).total_cmp(&strsim::jaro_winkler(key, b)))
        .unwrap_or("");
    Err(ConfigError::UnknownKey { key: key.to_owned(), place: place.to_owned(), nearest: nearest.to_owned() })
}
