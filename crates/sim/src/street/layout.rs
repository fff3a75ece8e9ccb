//! The street's plan: who stands where, with which addresses.
//!
//! ```text
//! phone (and a crowd)  --  gateway  --  world  --  hub
//! 10.77.0.9, 10.77.1.n    lan0 wan0   203.0.113.1  198.51.100.130
//! ```

use super::ground::{Place, Running, client, wire};
use super::roles;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// The phone's hardware address.
pub const PHONE: &str = "02:00:00:00:00:09";
/// The phone's IPv4 address.
pub const PHONE4: &str = "10.77.0.9";
/// The phone's IPv6 address.
pub const PHONE6: &str = "2001:db8:77::9";
/// A web server of the outside world.
pub const WORLD4: &str = "203.0.113.1";
/// The same over IPv6.
pub const WORLD6: &str = "2001:db8:2::1";
/// The hub's address.
pub const HUB4: &str = "198.51.100.130";

/// A street with all its places.
#[derive(Debug)]
pub struct Street {
    /// Devices of people.
    pub phone: Place,
    /// The box.
    pub gateway: Place,
    /// The provider and the internet.
    pub world: Place,
    /// The regency's server.
    pub hub: Place,
    /// Files of this street.
    pub dir: tempfile::TempDir,
    world_runs: Option<Running>,
}

impl Street {
    /// Builds a street; `what` is short and its own in the test program.
    ///
    /// # Errors
    /// The system's.
    pub fn build(what: &str) -> io::Result<Self> {
        let place = |n: &str| Place::new(&format!("{what}-{n}"));
        let street = Street {
            phone: place("phone")?,
            gateway: place("gw")?,
            world: place("world")?,
            hub: place("hub")?,
            dir: tempfile::tempdir()?,
            world_runs: None,
        };
        wire(&street.phone, "eth0", &street.gateway, "lan0")?;
        wire(&street.gateway, "wan0", &street.world, "gw0")?;
        wire(&street.world, "hub0", &street.hub, "eth0")?;
        let lay = [
            (&street.phone, format!("link set eth0 address {PHONE}")),
            (&street.phone, format!("addr add {PHONE4}/16 dev eth0")),
            (&street.phone, format!("addr add {PHONE6}/64 dev eth0 nodad")),
            (&street.phone, "route add default via 10.77.0.1".into()),
            (&street.phone, "-6 route add default via 2001:db8:77::1".into()),
            (&street.gateway, "addr add 198.51.100.2/25 dev wan0".into()),
            (&street.gateway, "addr add 2001:db8:1::2/64 dev wan0 nodad".into()),
            (&street.gateway, "route add default via 198.51.100.1".into()),
            (&street.gateway, "-6 route add default via 2001:db8:1::1".into()),
            (&street.world, "addr add 198.51.100.1/25 dev gw0".into()),
            (&street.world, "addr add 198.51.100.129/25 dev hub0".into()),
            (&street.world, "addr add 2001:db8:1::1/64 dev gw0 nodad".into()),
            (&street.world, format!("addr add {WORLD4}/32 dev lo")),
            (&street.world, "addr add 203.0.113.2/32 dev lo".into()),
            (&street.world, format!("addr add {WORLD6}/128 dev lo nodad")),
            (&street.world, "-6 route add 2001:db8:77::/64 via 2001:db8:1::2".into()),
            (&street.hub, format!("addr add {HUB4}/25 dev eth0")),
            (&street.hub, "route add default via 198.51.100.129".into()),
        ];
        for (place, words) in &lay {
            place.ip(words)?;
        }
        street.world.sysctl("net.ipv4.ip_forward", "1")?;
        street.world.sysctl("net.ipv6.conf.all.forwarding", "1")?;
        // Resolving must ask the box, whatever the machine under the street uses.
        for place in [&street.phone, &street.gateway] {
            let dir = Path::new("/etc/netns").join(&place.name);
            std::fs::create_dir_all(&dir)?;
            let server = if std::ptr::eq(place, &street.phone) { "10.77.0.1" } else { WORLD4 };
            std::fs::write(dir.join("resolv.conf"), format!("nameserver {server}\n"))?;
        }
        Ok(street)
    }

    /// Starts the outside world: DNS that knows every name, and a web server.
    ///
    /// # Errors
    /// The system's.
    pub fn start_world(&mut self) -> io::Result<()> {
        self.world_runs = Some(Running::start(&mut roles::command(&self.world, "world", ""))?);
        Ok(())
    }

    /// Cuts or mends the provider's line.
    ///
    /// # Errors
    /// The system's.
    pub fn line(&self, up: bool) -> io::Result<()> {
        self.world.ip(if up { "link set gw0 up" } else { "link set gw0 down" })
    }

    /// Writes gateway.toml; `more` follows the top keys.
    ///
    /// # Errors
    /// The disk's.
    pub fn gateway_toml(&self, top: &str, sections: &str) -> io::Result<PathBuf> {
        let data = self.dir.path().join("gateway");
        let file = self.dir.path().join("gateway.toml");
        let text = format!(
            "{top}\ndata = \"{}\"\n[uplink]\ninterface = \"wan0\"\n[[segment]]\nname = \"public\"\nkind = \"public\"\n\
             interface = \"lan0\"\naddress4 = \"10.77.0.1/16\"\naddress6 = \"2001:db8:77::1/64\"\ndhcp = true\n\
             [dns]\nupstreams = [\"{WORLD4}:53\"]\n[probe]\nanchors = [\"{WORLD4}\", \"203.0.113.2\"]\n\
             name = \"anchor.example\"\nurl = \"http://{WORLD4}/\"\nbody = \"hello\"\n{sections}",
            data.display()
        );
        std::fs::write(&file, text)?;
        Ok(file)
    }

    /// Gives the phone's place `n` more devices, each with its own hardware and IPv4 address.
    ///
    /// # Errors
    /// The system's.
    pub fn crowd(&self, n: u16) -> io::Result<()> {
        for (name, value) in [
            ("all.arp_ignore", "1"),
            ("all.arp_announce", "2"),
            ("all.rp_filter", "0"),
            ("default.rp_filter", "0"),
        ] {
            self.phone.sysctl(&format!("net.ipv4.conf.{name}"), value)?;
        }
        // Each interface's IPv6 greetings would be copied to all others: a million copies for a thousand.
        self.phone.sysctl("net.ipv6.conf.default.disable_ipv6", "1")?;
        // One table of neighbours for all namespaces, 1,024 by default: the box would raise it on its own machine.
        for (name, least) in [("gc_thresh3", 16_384), ("gc_thresh2", 8_192), ("gc_thresh1", 4_096)] {
            let file = format!("/proc/sys/net/ipv4/neigh/default/{name}");
            let now = std::fs::read_to_string(&file).ok().and_then(|t| t.trim().parse::<u32>().ok());
            if n > 200 && now.is_some_and(|now| now < least) {
                std::fs::write(&file, least.to_string())?;
            }
        }
        let mut batch = String::new();
        for i in 1..=n {
            let (ip, [hi, lo]) = (client(i), i.to_be_bytes());
            let table = 1_000 + u32::from(i);
            let _ = write!(
                batch,
                "link add link eth0 name p{i} address 02:00:00:01:{hi:02x}:{lo:02x} type macvlan mode private\n\
                 addr add {ip}/32 dev p{i}\nlink set p{i} up\n\
                 route add 10.77.0.1/32 dev p{i} src {ip} table {table}\n\
                 route add default via 10.77.0.1 dev p{i} onlink src {ip} table {table}\nrule add from {ip} table {table}\n"
            );
        }
        let file = self.dir.path().join("crowd.batch");
        std::fs::write(&file, batch)?;
        self.phone.run(&format!("ip -batch {}", file.display())).map(|_| ())
    }
}

impl Drop for Street {
    fn drop(&mut self) {
        for place in [&self.phone, &self.gateway] {
            let _ = std::fs::remove_dir_all(Path::new("/etc/netns").join(&place.name));
        }
    }
}
