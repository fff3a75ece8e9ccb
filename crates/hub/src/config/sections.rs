//! The sections of the settings.

use ipnet::IpNet;
use kulkul_wire::dns::update::Algorithm;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the service is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// In Bahasa Indonesia.
    pub id: String,
    /// In English.
    pub en: String,
    /// The office that runs it.
    pub agency: String,
}

/// Certificate and key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, PEM.
    #[serde(default)]
    pub cert: PathBuf,
    /// The private key, PEM.
    #[serde(default)]
    pub key: PathBuf,
    /// Whether a public authority is asked instead.
    #[serde(default)]
    pub acme: bool,
}

/// The names of portals, and who certifies them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Portal {
    /// The domain under which each place's portal has a name; none: no names, no certificates.
    pub domain: Option<String>,
}

/// A public authority that certifies, and how it is shown that a name is the hub's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// The address of the authority's directory.
    pub directory: String,
    /// A mail address that it may write to.
    #[serde(default)]
    pub contact: String,
    /// Roots to believe the authority's own server by; none: the system's.
    pub ca: Option<PathBuf>,
    /// A program that sets and clears a text of a name.
    pub hook: Option<PathBuf>,
    /// Orders in an hour at most.
    pub per_hour: u32,
    /// Orders in a week at most for names that had no certificate.
    pub new_per_week: u32,
    /// How long the zone's servers need to hear of a change.
    pub settle_seconds: u32,
    /// The zone's server.
    #[serde(default)]
    pub dns: AcmeDns,
}

/// The zone's primary server, and the key that it lets change names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AcmeDns {
    /// Host and port; empty: no updates are sent.
    pub server: String,
    /// The zone; empty: the portals' domain.
    pub zone: String,
    /// The file of the key.
    pub key_file: PathBuf,
    /// The key's name; empty: as the file says.
    pub key_name: String,
    /// How it signs; empty: as the file says, else `hmac-sha256`.
    pub algorithm: String,
}

impl Acme {
    /// Whether the hub can show by DNS that a name is its own.
    #[must_use]
    pub fn has_dns(&self) -> bool {
        !self.dns.server.is_empty() || self.hook.is_some()
    }

    /// What is wrong with it, for portals under `domain`.
    pub(super) fn fault(&self, domain: Option<&str>) -> Option<String> {
        if !self.has_dns() {
            return None;
        }
        if !self.directory.starts_with("https://") {
            return Some("acme.directory begins with https://".to_owned());
        }
        if self.dns.server.is_empty() {
            return None;
        }
        if self.hook.is_some() {
            return Some("acme.dns.server and acme.hook are two ways to the same; set one".to_owned());
        }
        if self.dns.key_file.as_os_str().is_empty() {
            return Some("acme.dns.server needs acme.dns.key_file".to_owned());
        }
        if self.dns.server.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            return Some("acme.dns.server is host and port, such as ns1.example.go.id:53".to_owned());
        }
        if !self.dns.algorithm.is_empty() && Algorithm::named(&self.dns.algorithm).is_none() {
            return Some("acme.dns.algorithm is hmac-sha256, hmac-sha384 or hmac-sha512".to_owned());
        }
        let domain = domain?;
        let within = domain == self.dns.zone || domain.ends_with(&format!(".{}", self.dns.zone));
        (!within).then(|| format!("portal.domain {domain} is not in acme.dns.zone {}", self.dns.zone))
    }
}

/// A listener of their own for gateways, with a certificate of the link's own CA.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Link {
    /// Where it is served; none serves the link on `listen` alone.
    pub listen: Option<SocketAddr>,
    /// What gateways call it, without a slash at the end; empty means `listen`.
    pub url: String,
    /// The certificate chain, PEM.
    pub cert: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// The map's background.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Map {
    /// A tile server's address with `{z}`, `{x}`, `{y}`; empty draws the regency alone.
    pub tiles: String,
    /// What the tile server's owner wants to be named.
    pub attribution: String,
}

/// Bounds on requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The largest body of a request, bytes; the link has its own.
    pub body_bytes: usize,
    /// The largest head of a request, bytes.
    pub head_bytes: usize,
    /// How long the head of a request may take, seconds.
    pub head_seconds: u64,
    /// How long an answer may take to begin, seconds.
    pub request_seconds: u64,
    /// Connections at once.
    pub connections: usize,
    /// Bytes of finished pages kept in memory.
    pub page_cache_bytes: usize,
}

/// How long staff stay signed in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Hours without a request after which a session ends.
    pub idle_hours: u32,
    /// Days after which a session ends in any case.
    pub absolute_days: u32,
}

/// Whose word about addresses is believed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted: Vec<IpNet>,
}

/// How the hub watches places.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// Addresses that always take a TCP connection; when none does, the hub is blind.
    pub canaries: Vec<String>,
}

/// Where access points authenticate.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Radius {
    /// Authentication, UDP.
    pub auth: Option<SocketAddr>,
    /// Accounting, UDP.
    pub acct: Option<SocketAddr>,
}
