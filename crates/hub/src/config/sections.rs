//! The sections of the settings.

use ipnet::IpNet;
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
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, PEM.
    #[serde(default)]
    pub cert: PathBuf,
    /// The private key, PEM.
    #[serde(default)]
    pub key: PathBuf,
}

/// The names of portals, and who certifies them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Portal {
    /// The domain under which each place's portal has a name; none: no names, no certificates.
    pub domain: Option<String>,
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
