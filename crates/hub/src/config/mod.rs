//! The hub's settings: one strict TOML file, and the environment on top of it.
//!
//! Every key is listed in `KEYS` with its default and its meaning; a key that is
//! not listed is an error that names the nearest one. `KULKUL_SECTION__KEY`
//! (`KULKUL_LISTEN`, `KULKUL_TLS__CERT`) overrides the file. Secrets come from
//! files or the environment and are never printed.

mod keys;
mod sections;
#[cfg(test)]
mod tests;

pub use keys::print_config;
pub use sections::{Acme, AcmeDns, Limits, Link, Map, Name, Portal, Proxy, Radius, SignIn, Tls, Watch};

use keys::{KEYS, Key, known};
use kulkul_model::Zone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// All settings of a hub.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the public pages, the API and the link are served.
    pub listen: SocketAddr,
    /// How others reach this hub, without a slash at the end; empty means `listen`.
    #[serde(default)]
    pub public_url: String,
    /// The directory that holds everything the hub keeps.
    pub data: PathBuf,
    /// `sqlite` (a file in `data`) or a `postgres://` address.
    pub database: String,
    /// A file that holds the database's address; wins over `database`.
    pub database_file: Option<PathBuf>,
    /// Where `/metrics`, `/healthz` and `/readyz` are served.
    pub admin_listen: SocketAddr,
    /// The regency's time zone.
    pub zone: String,
    /// What is logged.
    pub log: String,
    /// What the service is called.
    pub name: Name,
    /// Certificate and key; none serves plain HTTP.
    pub tls: Option<Tls>,
    /// A listener of their own for gateways.
    #[serde(default)]
    pub link: Link,
    /// The names of portals.
    #[serde(default)]
    pub portal: Portal,
    /// The public authority that certifies portals.
    pub acme: Acme,
    /// The map's background.
    #[serde(default)]
    pub map: Map,
    /// Bounds on requests.
    pub limits: Limits,
    /// How long staff stay signed in.
    pub sign_in: SignIn,
    /// Whose word about addresses is believed.
    pub proxy: Proxy,
    /// How the hub watches places.
    #[serde(default)]
    pub watch: Watch,
    /// Where access points authenticate; read, not served yet.
    #[serde(default)]
    pub radius: Radius,
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path} is not TOML: {cause}")]
    NotToml {
        /// The file.
        path: String,
        /// What the reader says, with line and column.
        cause: toml::de::Error,
    },
    /// A key that nobody reads.
    #[error("unknown key \"{key}\" in {place}; did you mean \"{nearest}\"?")]
    UnknownKey {
        /// The key with its section.
        key: String,
        /// The file, or the environment.
        place: String,
        /// The known key that looks most like it.
        nearest: String,
    },
    /// A value of the wrong kind.
    #[error("{place}: {detail}")]
    Value {
        /// The file.
        place: String,
        /// What is wrong with which value.
        detail: String,
    },
}

impl Config {
    /// Reads `file` (none: defaults alone) with `environment` on top of it.
    ///
    /// `environment` is every variable of the process; only `KULKUL_...` are looked at.
    ///
    /// # Errors
    /// `ConfigError` names the file or variable, the key and the mend.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let (text, place) = match file {
            None => (String::new(), "the defaults".to_owned()),
            Some(path) => (
                std::fs::read_to_string(path)
                    .map_err(|cause| ConfigError::Read { path: path.to_owned(), cause })?,
                path.display().to_string(),
            ),
        };
        Self::read(&text, &place, environment)
    }

    /// Reads settings from TOML text; `place` is what errors call it.
    ///
    /// # Errors
    /// `ConfigError` as for `load`.
    pub fn read(
        text: &str,
        place: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let given: Table =
            toml::from_str(text).map_err(|cause| ConfigError::NotToml { path: place.to_owned(), cause })?;
        let mut flat = BTreeMap::new();
        flatten("", given, &mut flat);
        for key in flat.keys() {
            known(key, place)?;
        }
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix("KULKUL_") else { continue };
            let key = rest.to_ascii_lowercase().replace("__", ".");
            known(&key, "the environment")?;
            flat.insert(key, from_environment(value));
        }
        for Key(name, default, _) in KEYS {
            if let Some(default) = default
                && !flat.contains_key(*name)
                && let Ok(value) = default.parse::<Value>()
            {
                flat.insert((*name).to_owned(), value);
            }
        }
        let mut table = Table::new();
        for (key, value) in flat {
            insert(&mut table, &key, value);
        }
        let mut config: Config = Value::Table(table).try_into().map_err(|e: toml::de::Error| {
            ConfigError::Value { place: place.to_owned(), detail: e.to_string().trim().replace('\n', " ") }
        })?;
        config.settle(place)?;
        Ok(config)
    }

    /// Settings for a test or a demo: all defaults, data in `data`.
    ///
    /// # Errors
    /// `ConfigError` never happens while the table of keys is sound; a test holds it so.
    pub fn defaults(data: &Path) -> Result<Self, ConfigError> {
        let mut config = Self::read("", "the defaults", [])?;
        data.clone_into(&mut config.data);
        Ok(config)
    }

    fn settle(&mut self, place: &str) -> Result<(), ConfigError> {
        let wrong = |detail: String| ConfigError::Value { place: place.to_owned(), detail };
        if let Some(file) = &self.database_file {
            let text = std::fs::read_to_string(file)
                .map_err(|cause| ConfigError::Read { path: file.clone(), cause })?;
            text.trim().clone_into(&mut self.database);
        }
        self.tls = self.tls.take().filter(|tls| *tls != Tls::default());
        if let Some(tls) = &self.tls
            && !tls.acme
            && (tls.cert.as_os_str().is_empty() || tls.key.as_os_str().is_empty())
        {
            return Err(wrong("tls needs both cert and key".to_owned()));
        }
        if self.public_url.is_empty() {
            let scheme = if self.tls.is_some() { "https" } else { "http" };
            self.public_url = format!("{scheme}://{}", self.listen);
        }
        if !self.public_url.starts_with("http://") && !self.public_url.starts_with("https://") {
            return Err(wrong("public_url begins with http:// or https://".to_owned()));
        }
        self.public_url.truncate(self.public_url.trim_end_matches('/').len());
        if let Some(tls) = self.tls.as_ref().filter(|tls| tls.acme) {
            if !tls.cert.as_os_str().is_empty() || !tls.key.as_os_str().is_empty() {
                return Err(wrong("tls.acme and tls.cert are two ways to the same; set one".to_owned()));
            }
            let host = self.public_host();
            if !self.is_https() || !is_domain(host) || host.parse::<IpAddr>().is_ok() {
                return Err(wrong(
                    "tls.acme needs public_url with a name, such as https://hub.example.go.id".to_owned(),
                ));
            }
        }
        if let Some(listen) = self.link.listen {
            if self.link.cert.as_os_str().is_empty() || self.link.key.as_os_str().is_empty() {
                return Err(wrong("link.listen needs both link.cert and link.key".to_owned()));
            }
            if self.link.url.is_empty() {
                self.link.url = format!("https://{listen}");
            }
            self.link.url.truncate(self.link.url.trim_end_matches('/').len());
        }
        if let Some(domain) = &mut self.portal.domain {
            domain.make_ascii_lowercase();
            if !is_domain(domain) {
                return Err(wrong(format!(
                    "portal.domain: \"{domain}\" is not a domain such as wifi.example.go.id"
                )));
            }
        }
        self.acme.dns.zone.make_ascii_lowercase();
        if let Some(domain) = self.portal.domain.as_ref().filter(|_| self.acme.dns.zone.is_empty()) {
            self.acme.dns.zone.clone_from(domain);
        }
        if let Some(fault) = self.acme.fault(self.portal.domain.as_deref()) {
            return Err(wrong(fault));
        }
        Zone::named(&self.zone).map_err(|e| wrong(e.to_string()))?;
        if self.database != "sqlite"
            && !self.database.starts_with("postgres")
            && !self.database.starts_with("sqlite:")
        {
            return Err(wrong("database is sqlite or postgres://...".to_owned()));
        }
        Ok(())
    }

    /// The address that the store opens.
    #[must_use]
    pub fn database_url(&self) -> String {
        if self.database == "sqlite" {
            format!("sqlite://{}", self.data.join("kulkul.db").display())
        } else {
            self.database.clone()
        }
    }

    /// The host that people reach this hub by.
    #[must_use]
    pub fn public_host(&self) -> &str {
        let rest = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or_default();
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        }
    }

    /// Whether people reach this hub by https, here or at a proxy before it.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// Whether a text is a name of at least two labels, short enough for a site's code before it.
fn is_domain(text: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.len() <= 200 && text.contains('.') && text.split('.').all(label)
}

fn flatten(prefix: &str, table: Table, into: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) => flatten(&path, inner, into),
            other => {
                into.insert(path, other);
            }
        }
    }
}

fn insert(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            if let Value::Table(inner) =
                table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()))
            {
                insert(inner, rest, value);
            }
        }
    }
}

fn from_environment(value: String) -> Value {
    // Numbers, booleans and lists are written as in TOML; all else is text.
    let first = value.chars().next();
    let plain = first.is_some_and(|c| c.is_ascii_digit() || c == '[') || value == "true" || value == "false";
    match value.parse::<Value>() {
        Ok(v @ (Value::Integer(_) | Value::Boolean(_) | Value::Array(_))) if plain => v,
        _ => Value::String(value),
    }
}
