//! What the resolver is told: one small file that the main process writes.
//!
//! The resolver reads it at start and on SIGHUP. It holds nothing secret.

use super::server::{Server, Servers};
use crate::config::{Config, Segment};
use ipnet::IpNet;
use kulkul_wire::link::desired::Desired;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// The file's name in the data directory.
pub const FILE: &str = "resolver.json";

/// The resolver's settings.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Port for UDP and TCP.
    pub port: u16,
    /// The box's own addresses with their networks; only their neighbours are answered.
    pub networks: Vec<IpNet>,
    /// Names that mean the box.
    pub own_names: Vec<String>,
    /// Servers to ask; empty means those of `resolv_conf`.
    pub upstreams: Vec<Server>,
    /// Certificates of the CA of servers that are asked over TLS; none for the system's.
    pub ca: Option<PathBuf>,
    /// Where the system writes its own servers.
    pub resolv_conf: PathBuf,
    /// Names (with all below them) that may point into private networks.
    pub private_names: Vec<String>,
    /// Names (with all below them) that everybody may reach.
    pub walled_garden: Vec<String>,
    /// The main process's socket, which knows who is online.
    pub socket: PathBuf,
    /// Which names are not answered.
    pub filter: FilterSettings,
}

/// Which names are not answered.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterSettings {
    /// Lists that lie ready on the disk.
    pub lists: Vec<ListSettings>,
    /// Names that are answered whatever a list says; `*.` takes in all below too.
    pub allow: Vec<String>,
    /// Names that are not answered beside those of the lists.
    pub block: Vec<String>,
    /// Names of known ways around this resolver are not answered either.
    pub strict: bool,
    /// Search engines' names are answered with their protected ones.
    pub safe_search: bool,
}

/// A list that lies ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSettings {
    /// What it is called in counts.
    pub key: String,
    /// The file of its set.
    pub path: PathBuf,
}

impl FilterSettings {
    /// Whether anything is filtered at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.lists.is_empty() || !self.block.is_empty() || self.strict || self.safe_search
    }
}

impl Settings {
    /// What configuration and desired state ask for; the configuration's upstreams win.
    #[must_use]
    pub fn of(config: &Config, desired: Option<&Desired>, filter: FilterSettings) -> Self {
        let mut own_names: Vec<String> = config.portal.host.iter().cloned().collect();
        let mut upstreams = config.dns.upstreams.clone();
        let mut walled_garden = Vec::new();
        if let Some(desired) = desired {
            own_names.push(desired.site.portal_host.clone());
            walled_garden.clone_from(&desired.access.walled_garden);
            if upstreams.is_empty() {
                upstreams = asked_of(desired);
            }
        }
        Settings {
            port: config.dns.port,
            networks: config.segments.iter().flat_map(Segment::networks).collect(),
            own_names: own_names.iter().filter(|n| !n.is_empty()).map(|n| dotted(n)).collect(),
            upstreams,
            resolv_conf: config.resolv_conf(),
            private_names: Vec::new(),
            walled_garden: walled_garden.iter().map(|n| dotted(n.trim_start_matches("*."))).collect(),
            socket: config.data.join(crate::status::SOCKET),
            ca: config.dns.ca.clone(),
            filter,
        }
    }

    /// Writes the file anew; a reader sees the old one or the new one, whole.
    ///
    /// # Errors
    /// What the disk says.
    pub fn write(&self, data: &Path) -> std::io::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        let fresh = data.join("resolver.json.new");
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(&text)?;
        std::fs::rename(fresh, data.join(FILE))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// What the disk says, or what is wrong with the JSON.
    pub fn read(data: &Path) -> std::io::Result<Self> {
        Ok(serde_json::from_slice(&std::fs::read(data.join(FILE))?)?)
    }

    /// The servers to ask now, at most four.
    #[must_use]
    pub fn servers(&self) -> Servers {
        let mut all = self.upstreams.clone();
        if all.is_empty() {
            all = system_servers(&std::fs::read_to_string(&self.resolv_conf).unwrap_or_default());
        }
        all.truncate(4);
        Servers { all, ca: self.ca.clone() }
    }

    /// The box's addresses as a neighbour at `ip` sees them.
    pub fn own_addresses(&self, ip: IpAddr) -> impl Iterator<Item = IpAddr> + '_ {
        let near = self.networks.iter().position(|n| n.contains(&ip));
        // Both families of one segment stand together; a link-local device sees the first segment's.
        let networks = match near {
            Some(i) => {
                let from =
                    if i > 0 && matches!(self.networks.get(i), Some(IpNet::V6(_))) { i - 1 } else { i };
                self.networks.get(from..).unwrap_or_default()
            }
            None => self.networks.as_slice(),
        };
        let v4 = networks.iter().find(|n| matches!(n, IpNet::V4(_)));
        let v6 = networks.iter().find(|n| matches!(n, IpNet::V6(_)));
        v4.into_iter().chain(v6).map(|n| n.addr())
    }

    /// Whether a device at `ip` is of the place, or the box itself.
    #[must_use]
    pub fn is_neighbour(&self, ip: IpAddr) -> bool {
        let link_local = match ip {
            IpAddr::V4(_) => false,
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        ip.is_loopback() || link_local || self.networks.iter().any(|n| n.contains(&ip))
    }
}

/// The servers that the desired state names; those over TLS alone where there are any.
fn asked_of(desired: &Desired) -> Vec<Server> {
    let network = &desired.network;
    let over_tls = network.dns_over_tls.iter().map(|s| Server::over_tls(s.address, &s.name));
    let plain = network.dns_upstreams.iter().map(|ip| Server::plain(SocketAddr::new(*ip, 53)));
    let safe: Vec<Server> = over_tls.collect();
    if safe.is_empty() { plain.collect() } else { safe }
}

/// A name in lower case with a last dot.
fn dotted(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_ascii_lowercase())
}

/// Whether `name` is one of `zones` or below one; `.` holds every name.
#[must_use]
pub fn is_of(name: &str, zones: &[String]) -> bool {
    zones.iter().any(|zone| {
        zone == "."
            || name.strip_suffix(zone.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// The `nameserver` lines of a resolv.conf, in order.
fn system_servers(text: &str) -> Vec<Server> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver"))
        .filter_map(|rest| rest.split('%').next()?.trim().parse().ok())
        .map(|ip| Server::plain(SocketAddr::new(ip, 53)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_back_and_unknown_keys_do_no_harm() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            port: 5300,
            networks: vec!["10.77.0.1/16".parse().unwrap(), "fd77::1/64".parse().unwrap()],
            own_names: vec!["portal.test.".to_owned()],
            ..Settings::default()
        };
        settings.write(data.path()).unwrap();
        assert_eq!(Settings::read(data.path()).unwrap(), settings);
        std::fs::write(data.path().join(FILE), r#"{"port": 53, "newer": true}"#).unwrap();
        assert_eq!(Settings::read(data.path()).unwrap().port, 53);
        std::fs::write(data.path().join(FILE), "{").unwrap();
        assert!(Settings::read(data.path()).is_err());
    }

    #[test]
    fn each_segment_sees_the_box_at_its_own_addresses() {
        let settings = Settings {
            networks: ["10.77.0.1/16", "fd77::1/64", "10.78.0.1/24", "fd78::1/64"]
                .map(|n| n.parse().unwrap())
                .into(),
            ..Settings::default()
        };
        let seen =
            |ip: &str| settings.own_addresses(ip.parse().unwrap()).map(|i| i.to_string()).collect::<Vec<_>>();
        assert_eq!(seen("10.77.3.4"), ["10.77.0.1", "fd77::1"]);
        assert_eq!(seen("10.78.0.9"), ["10.78.0.1", "fd78::1"]);
        assert_eq!(seen("fd78::9"), ["10.78.0.1", "fd78::1"]);
        assert_eq!(seen("fe80::9"), ["10.77.0.1", "fd77::1"]);
        assert!(settings.is_neighbour("fe80::9".parse().unwrap()));
        assert!(!settings.is_neighbour("203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn zones_hold_what_is_below_them_only() {
        let zones = vec!["example.org.".to_owned()];
        assert!(is_of("example.org.", &zones) && is_of("a.b.example.org.", &zones));
        assert!(!is_of("badexample.org.", &zones) && !is_of("org.", &zones));
        assert!(is_of("anything.", &[".".to_owned()]));
        let conf = "# x\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver nonsense\nsearch a\n";
        assert_eq!(system_servers(conf).len(), 2);
    }
}
