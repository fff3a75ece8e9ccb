//! The hub's settings: one strict TOML file, and the environment on top of it.
//!
//! Every key is listed in `KEYS` with its default and its meaning; a key that is
//! not listed is an error that names the nearest one. `KULKUL_SECTION__KEY`
//! (`KULKUL_LISTEN`, `KULKUL_TLS__CERT`) overrides the file. Secrets come from
//! files or the environment and are never printed.

use ipnet::IpNet;
use kulkul_model::Zone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
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

/// One key: its name with its section, its default as TOML, what it means.
struct Key(&'static str, Option<&'static str>, &'static str);

const KEYS: &[Key] = &[
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
    Key("link.listen", None, "A second address, for gateways: pages and link by the certificate below."),
    Key(
        "link.url",
        None,
        "What gateways call it, such as https://10.0.0.1:8443; empty: as link.listen says.",
    ),
    Key("link.cert", None, "Its certificate chain, PEM, from a CA that the gateways have as hub_ca."),
    Key("link.key", None, "The private key that belongs to it, PEM."),
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
        if let Some(tls) = &self.tls
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
        if let Some(listen) = self.link.listen {
            if self.link.cert.as_os_str().is_empty() || self.link.key.as_os_str().is_empty() {
                return Err(wrong("link.listen needs both link.cert and link.key".to_owned()));
            }
            if self.link.url.is_empty() {
                self.link.url = format!("https://{listen}");
            }
            self.link.url.truncate(self.link.url.trim_end_matches('/').len());
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

    /// Whether people reach this hub by https, here or at a proxy before it.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

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

fn known(key: &str, place: &str) -> Result<(), ConfigError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        Config::read(text, "hub.toml", []).map_err(|e| e.to_string())
    }

    #[test]
    fn the_printed_file_is_the_defaults() {
        let printed = print_config();
        insta::assert_snapshot!(printed);
        let config = read(&printed).unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", read("").unwrap()));
    }

    #[test]
    fn the_smallest_file_of_the_manual_is_read() {
        let config = read(
            "listen = \"0.0.0.0:8443\"\npublic_url = \"https://hub.example.go.id/\"\ndata = \"/var/lib/kulkul\"\n\
             database = \"sqlite\"\n[tls]\ncert = \"hub.pem\"\nkey = \"hub-key.pem\"\n[radius]\n\
             auth = \"0.0.0.0:1812\"\nacct = \"0.0.0.0:1813\"\n",
        )
        .unwrap();
        assert_eq!(config.public_url, "https://hub.example.go.id");
        assert!(config.is_https());
        assert_eq!(config.database_url(), "sqlite:///var/lib/kulkul/kulkul.db");
    }

    #[test]
    fn mistakes_name_the_key_and_the_mend() {
        let table = [
            ("lisen = \"x\"", "unknown key \"lisen\" in hub.toml; did you mean \"listen\"?"),
            (
                "[tls]\ncertificate = \"x\"",
                "unknown key \"tls.certificate\" in hub.toml; did you mean \"tls.cert\"?",
            ),
            ("[tls]\ncert = \"x\"", "hub.toml: tls needs both cert and key"),
            (
                "zone = \"Asia/Atlantis\"",
                "hub.toml: \"Asia/Atlantis\" is not a time zone such as Asia/Makassar",
            ),
            ("database = \"mysql://x\"", "hub.toml: database is sqlite or postgres://..."),
        ];
        for (text, want) in table {
            assert_eq!(read(text).unwrap_err(), want);
        }
        assert!(read("listen = 8080").unwrap_err().contains("listen"));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let env = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            Config::read("listen = \"0.0.0.0:1\"", "hub.toml", pairs)
        };
        let config = env(&[
            ("KULKUL_LISTEN", "127.0.0.1:9999"),
            ("KULKUL_SIGN_IN__IDLE_HOURS", "3"),
            ("KULKUL_PROXY__TRUSTED", "[\"10.0.0.0/8\"]"),
            ("PATH", "/bin"),
        ])
        .unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:9999");
        assert_eq!(config.sign_in.idle_hours, 3);
        assert_eq!(config.proxy.trusted.len(), 1);
        let wrong = env(&[("KULKUL_LISTN", "x")]).unwrap_err().to_string();
        assert_eq!(wrong, "unknown key \"listn\" in the environment; did you mean \"listen\"?");
    }
}
