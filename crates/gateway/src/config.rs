//! gateway.toml: read once, strictly.
//!
//! An unknown key is an error that names the nearest known one. Every key outside
//! `[[segment]]` can also be set as `KULKUL_KEY` or `KULKUL_SECTION__KEY` in the
//! environment, which wins. This file knows no default that depends on the machine.

mod keys;
pub mod local;
mod segment;
mod uplink;

pub use segment::{Kind, Segment};
pub use uplink::{Backup, Line, Uplink, UplinkKind};

use crate::dns::Server;
use crate::portal::tls::Files;
use kulkul_wire::link::PublicKey;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Why a configuration cannot be used; each names the key and the mend.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not TOML or a value has the wrong kind.
    #[error("gateway.toml: {0}")]
    Toml(String),
    /// A key is not known.
    #[error("gateway.toml: unknown key \"{key}\"{}", hint(.nearest.as_deref()))]
    UnknownKey {
        /// The key with its section.
        key: String,
        /// The known key that was most likely meant.
        nearest: Option<String>,
    },
    /// A value breaks a rule.
    #[error("gateway.toml: {key}: {why}")]
    Value {
        /// The key with its section.
        key: String,
        /// What is wrong and what would be right.
        why: String,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default()
}

/// The box's own settings; what the hub decides comes as desired state.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// The hub's address, `https://...`.
    pub hub: String,
    /// Certificate of a CA of your own that signed the hub's certificate (PEM).
    pub hub_ca: Option<PathBuf>,
    /// Fingerprint of the hub's root key; the claim's QR code carries it too.
    pub hub_root: Option<String>,
    /// Lets `hub` be plain `http://` beyond this box; for a network that is safe by itself.
    #[serde(default)]
    pub allow_plain: bool,
    /// The claim code; needed at the first start only.
    pub claim: Option<String>,
    /// Serves a place without a hub, for trying things out: no first boot, nothing is delivered.
    #[serde(default)]
    pub alone: bool,
    /// Keys that sign programs for this box, two at most; without one it takes no update.
    #[serde(default)]
    pub update_keys: Vec<PublicKey>,
    /// The directory that holds keys, journal and sessions.
    pub data: PathBuf,
    /// The way out.
    pub uplink: Uplink,
    /// A second way out that belongs to the community.
    pub backup: Option<Backup>,
    /// The networks of the place, at least one.
    #[serde(rename = "segment")]
    pub segments: Vec<Segment>,
    /// The captive portal.
    #[serde(default)]
    pub portal: Portal,
    /// The resolver.
    #[serde(default)]
    pub dns: Dns,
    /// What the box measures before the hub has told it.
    #[serde(default)]
    pub probe: Probe,
    /// The text of gateway.toml that this was read from.
    #[serde(skip)]
    pub text: String,
}

/// Where the portal listens and what it is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Portal {
    /// The public name that resolves to the box; needs `cert` and `key` for HTTPS.
    pub host: Option<String>,
    /// Certificate chain (PEM); without it the portal is plain HTTP.
    pub cert: Option<PathBuf>,
    /// Private key (PEM).
    pub key: Option<PathBuf>,
    /// Port that captured HTTP is sent to.
    pub http_port: u16,
    /// Port that HTTPS to the box is sent to.
    pub https_port: u16,
}

impl Default for Portal {
    fn default() -> Self {
        Portal { host: None, cert: None, key: None, http_port: 8080, https_port: 8443 }
    }
}

impl Portal {
    /// The certificate's files with the name that they are for; none where the portal is plain HTTP.
    #[must_use]
    pub fn files(&self) -> Option<Files> {
        let (cert, key, host) = (self.cert.clone()?, self.key.clone()?, self.host.clone()?);
        Some(Files { cert, key, host })
    }
}

/// Where the resolver listens and whom it asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Dns {
    /// Port that captured DNS is sent to.
    pub port: u16,
    /// Servers to ask, `address:port` or `tls://address#name`; empty means the system's own.
    pub upstreams: Vec<Server>,
    /// Certificate of a CA of your own that signed those of servers asked over TLS (PEM).
    pub ca: Option<PathBuf>,
}

impl Default for Dns {
    fn default() -> Self {
        Dns { port: 5300, upstreams: Vec::new(), ca: None }
    }
}

/// Outside anchors for the minute's measurement, until the desired state names others.
#[derive(Clone, Debug, Deserialize, Default)]
#[serde(default)]
pub struct Probe {
    /// Two addresses that answer ping.
    pub anchors: Vec<IpAddr>,
    /// A name to look up.
    pub name: Option<String>,
    /// A page to fetch over plain HTTP.
    pub url: Option<String>,
    /// The body that the page begins with.
    pub body: Option<String>,
}

impl Config {
    /// Reads a file and the environment's `KULKUL_` variables.
    ///
    /// # Errors
    /// `ConfigError` that names the key and the mend.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let config = Self::parse(&text, std::env::vars())?;
        let Ok(local) = std::fs::read_to_string(config.data.join(local::FILE)) else { return Ok(config) };
        match Self::parse_with(&text, Some(&local), std::env::vars()) {
            Ok(config) => Ok(config),
            Err(error) => {
                // The box must not be stranded by what somebody set at the place.
                tracing::error!(%error, "local.toml is left aside");
                Ok(config)
            }
        }
    }

    /// Reads TOML text; `environment` holds name and value pairs that win over it.
    ///
    /// # Errors
    /// `ConfigError` that names the key and the mend.
    pub fn parse(
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        Self::parse_with(text, None, environment)
    }

    fn parse_with(
        text: &str,
        local: Option<&str>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| toml_error(&e))?;
        if let Some(local) = local {
            local::overlay(&mut table, local)?;
        }
        keys::overlay(&mut table, environment)?;
        keys::check(&table)?;
        let mut config: Config = table.try_into().map_err(|e: toml::de::Error| toml_error(&e))?;
        config.uplink.settle("uplink", 0)?;
        if let Some(backup) = &mut config.backup {
            backup.uplink.settle("backup", 1)?;
        }
        config.segments.iter_mut().try_for_each(Segment::settle)?;
        text.clone_into(&mut config.text);
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let bad = |key: &str, why: String| Err(ConfigError::Value { key: key.to_owned(), why });
        if self.update_keys.len() > 2 {
            return bad("update_keys", "at most two: the one in use and its successor".to_owned());
        }
        if !self.hub.starts_with("https://") && !self.hub.starts_with("http://") {
            return bad(
                "hub",
                format!("\"{}\" is not an address such as https://hub.example.go.id", self.hub),
            );
        }
        if let Some(backup) = &self.backup {
            backup.check()?;
            if backup.uplink.interface == self.uplink.interface {
                return bad("backup.interface", format!("\"{}\" is the uplink", self.uplink.interface));
            }
        }
        if self.portal.cert.is_some() != self.portal.key.is_some() {
            return bad("portal.cert", "cert and key go together: give both or neither".to_owned());
        }
        if self.portal.cert.is_some() && self.portal.host.is_none() {
            return bad("portal.host", "a certificate needs the name that it is for".to_owned());
        }
        let uplinks: Vec<&str> = self.lines().map(|l| l.uplink.interface.as_str()).collect();
        segment::check(&self.segments, &uplinks)?;
        for line in self.lines() {
            let written: Vec<_> = line.uplink.networks().collect();
            segment::check_uplink(&self.segments, &line.uplink.interface, &written)?;
        }
        Ok(())
    }

    /// Refuses a place's network that overlaps an address of an uplink.
    ///
    /// `have` are the addresses of `interface` with their prefixes.
    ///
    /// # Errors
    /// `ConfigError::Value` that names the segment and both networks.
    pub fn check_uplink(&self, interface: &str, have: &[ipnet::IpNet]) -> Result<(), ConfigError> {
        segment::check_uplink(&self.segments, interface, have)
    }
}

/// Whether the kernel would take `name` for an interface, and nft without quoting trouble.
pub(crate) fn is_interface(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name != "."
        && name != ".."
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'@'))
}

fn toml_error(e: &toml::de::Error) -> ConfigError {
    ConfigError::Toml(e.to_string().trim_end().to_owned())
}

#[cfg(test)]
mod tests;
