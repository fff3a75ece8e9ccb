//! Getting a way out its address: udhcpc or pppd, kept running beside the box.
//!
//! udhcpc tells what it was offered to this very program under another name, which only
//! writes it down; the supervisor sets addresses and routes. No shell runs.

use super::Lease;
use crate::again::Again;
use crate::clock::Clock;
use crate::config::{Uplink, UplinkKind};
use crate::kept::{self, Change, Program};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;
use tokio::sync::mpsc;

/// The name under which udhcpc calls this program.
pub const TELLER: &str = "kulkul-lease";
/// Where it writes to.
const FILE: &str = "KULKUL_LEASE";
/// How often what was written is looked at, in milliseconds.
const LOOK_MS: i64 = 500;

/// What was heard last of a way's address.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Heard {
    /// What was given; none where there is nothing.
    pub lease: Option<Lease>,
    /// What went wrong, in English.
    pub trouble: Option<String>,
}

/// A way that gets its address by asking.
pub struct Dial {
    /// Its number.
    pub line: usize,
    /// Its settings.
    pub uplink: Uplink,
    /// The box's directory.
    pub data: PathBuf,
    /// This program.
    pub exe: PathBuf,
    /// Told the way's number and what was heard of it.
    pub tell: mpsc::Sender<(usize, Heard)>,
    /// The clock.
    pub clock: Clock,
    /// Told when the program ended by itself.
    pub failed: mpsc::Sender<&'static str>,
}

impl Dial {
    /// Keeps the way's program running until the run ends; returns at once where it needs none.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub async fn run(self, end: Again) -> io::Result<()> {
        let file = self.data.join(format!("lease-{}.json", self.line));
        // What an earlier run heard may not be true any more.
        let _ = std::fs::remove_file(&file);
        match self.uplink.kind {
            UplinkKind::System | UplinkKind::Static => return Ok(()),
            UplinkKind::Dhcp => link_to(&self.exe, &self.data.join(TELLER))?,
            UplinkKind::Pppoe => self.write_options()?,
        }
        let (again, changes) = mpsc::channel(1);
        let make = || Ok(self.command(&file));
        let keeping = kept::keep(self.program(), make, changes, self.clock.clone(), self.failed.clone(), end);
        tokio::select! {
            biased;
            () = keeping => {}
            () = self.listen(&file, &again) => {}
        }
        Ok(())
    }

    fn is_dhcp(&self) -> bool {
        self.uplink.kind == UplinkKind::Dhcp
    }

    fn options(&self) -> PathBuf {
        self.data.join(format!("ppp-{}.options", self.line))
    }

    fn program(&self) -> Program {
        let (name, mark) = if self.is_dhcp() {
            ("udhcpc", format!("\0-i\0{}\0", self.uplink.interface))
        } else {
            ("pppd", format!("\0file\0{}", self.options().display()))
        };
        let pid_file = self.data.join(format!("{name}-{}.pid", self.line));
        Program { name, pid_file, mark, overlap: false }
    }

    fn command(&self, file: &Path) -> Command {
        let mut command = if self.is_dhcp() {
            let mut command = Command::new("udhcpc");
            command.args(["-f", "-t", "4", "-T", "2", "-A", "5", "-i", &self.uplink.interface, "-s"]);
            command.arg(self.data.join(TELLER)).env(FILE, file).stderr(Stdio::null());
            command
        } else {
            let mut command = Command::new("pppd");
            command.arg("file").arg(self.options()).stderr(Stdio::inherit());
            command
        };
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Tells the supervisor whatever is new.
    async fn listen(&self, file: &Path, again: &mpsc::Sender<Change>) {
        let mut last = None;
        let mut plugged = self.plugged();
        loop {
            let now = if self.is_dhcp() {
                std::fs::read(file).ok().and_then(|text| serde_json::from_slice::<Heard>(&text).ok())
            } else {
                Some(self.dialled())
            };
            if let Some(heard) = now.filter(|now| last.as_ref() != Some(now)) {
                last = Some(heard.clone());
                // Nobody listens only while stopping.
                let _ = self.tell.send((self.line, heard)).await;
            }
            let now = self.plugged();
            if self.is_dhcp() && plugged.is_some() && now.is_some() && now != plugged {
                // Behind a modem that began anew may be another network; the old lease may have hours left.
                let _ = again.try_send(Change::Restart);
            }
            plugged = now.or(plugged);
            self.clock.sleep_ms(LOOK_MS).await;
        }
    }

    /// How often the link has had its cable put in.
    fn plugged(&self) -> Option<u64> {
        let file = format!("/sys/class/net/{}/carrier_up_count", self.uplink.wire());
        std::fs::read_to_string(file).ok()?.trim().parse().ok()
    }

    /// What pppd has made so far; address and peer are the kernel's to tell.
    fn dialled(&self) -> Heard {
        if Path::new("/sys/class/net").join(&self.uplink.interface).exists() {
            let text = std::fs::read_to_string("/etc/ppp/resolv.conf").unwrap_or_default();
            let dns =
                text.lines().filter_map(|l| l.strip_prefix("nameserver ")?.trim().parse().ok()).collect();
            return Heard { lease: Some(Lease { dns, ..Lease::default() }), trouble: None };
        }
        let known = Path::new("/sys/class/misc/ppp").exists();
        let why = if known { "PPPoE is not up" } else { "this kernel has no PPP (module pppoe)" };
        Heard { lease: None, trouble: Some(why.to_owned()) }
    }

    fn write_options(&self) -> io::Result<()> {
        let secret = match &self.uplink.password_file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?,
            None => String::new(),
        };
        let file = self.options();
        let _ = std::fs::remove_file(&file);
        let mut out = std::fs::File::options().write(true).create_new(true).mode(0o600).open(file)?;
        out.write_all(options(&self.uplink, self.line, secret.lines().next().unwrap_or_default()).as_bytes())
    }
}

/// pppd's options; it neither sets routes nor stays when the line is gone.
#[must_use]
pub fn options(uplink: &Uplink, unit: usize, password: &str) -> String {
    let link = uplink.below.as_deref().unwrap_or(&uplink.interface);
    let user = uplink.user.as_deref().unwrap_or_default();
    let password = password.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "plugin rp-pppoe.so\nnic-{link}\nunit {unit}\nuser \"{user}\"\npassword \"{password}\"\n\
         nodetach\nnoauth\nhide-password\nnodefaultroute\nusepeerdns\n+ipv6\nmtu 1492\nmru 1492\n\
         lcp-echo-interval 5\nlcp-echo-failure 4\nmaxfail 1\n"
    )
}

fn link_to(exe: &Path, at: &Path) -> io::Result<()> {
    let _ = std::fs::remove_file(at);
    std::os::unix::fs::symlink(exe, at)
}

/// Writes down what udhcpc says; none where this program was not called by it.
pub fn tell(called: &OsStr, event: &str, said: impl Fn(&str) -> Option<String>) -> Option<io::Result<()>> {
    if Path::new(called).file_name() != Some(OsStr::new(TELLER)) {
        return None;
    }
    let (file, heard) = (said(FILE).map(PathBuf::from), heard(event, said));
    let (Some(file), Some(heard)) = (file, heard) else { return Some(Ok(())) };
    let write = || {
        let fresh = file.with_extension("new");
        std::fs::write(&fresh, serde_json::to_vec(&heard)?)?;
        std::fs::rename(fresh, &file)
    };
    Some(write())
}

/// What an event of udhcpc means; none where it changes nothing.
fn heard(event: &str, said: impl Fn(&str) -> Option<String>) -> Option<Heard> {
    let trouble = |why: &str| Some(Heard { lease: None, trouble: Some(why.to_owned()) });
    match event {
        "bound" | "renew" => {
            let net = format!("{}/{}", said("ip")?, said("mask")?).parse().ok()?;
            let all = |name| -> Vec<_> {
                said(name).unwrap_or_default().split_whitespace().filter_map(|ip| ip.parse().ok()).collect()
            };
            let routers = all("router").into_iter().take(1).collect();
            Some(Heard {
                lease: Some(Lease { addresses: vec![net], routers, dns: all("dns") }),
                trouble: None,
            })
        }
        "leasefail" => trouble("no answer to DHCP"),
        "nak" => trouble("the provider took the address back"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_udhcpc_says_becomes_a_lease() {
        let said = |name: &str| match name {
            "ip" => Some("100.64.9.7".to_owned()),
            "mask" => Some("24".to_owned()),
            "router" => Some("100.64.9.1 100.64.9.2".to_owned()),
            "dns" => Some("9.9.9.9 1.1.1.1".to_owned()),
            _ => None,
        };
        let lease = heard("bound", said).unwrap().lease.unwrap();
        assert_eq!(lease.addresses, ["100.64.9.7/24".parse().unwrap()]);
        assert_eq!((lease.routers.len(), lease.dns.len()), (1, 2));
        assert_eq!(heard("leasefail", said).unwrap().trouble.unwrap(), "no answer to DHCP");
        // An address stays until there is another one, or no answer for a while.
        assert_eq!((heard("bound", |_| None), heard("deconfig", said)), (None, None));
        assert!(tell(OsStr::new("/usr/bin/kulkul"), "bound", said).is_none());
    }

    #[test]
    fn pppd_is_told_the_link_and_the_secret_and_sets_no_route() {
        let toml =
            "interface = \"wan0\"\nkind = \"pppoe\"\nvlan = 20\nuser = \"a@isp\"\npassword_file = \"/p\"";
        let text = format!(
            "hub = \"https://hub.example.go.id\"\ndata = \"/d\"\n[uplink]\n{toml}\n[[segment]]\nname = \"p\"\n\
             kind = \"public\"\ninterface = \"lan0\"\naddress4 = \"10.77.0.1/16\"\n"
        );
        let config = crate::config::Config::parse(&text, std::iter::empty()).unwrap();
        let text = options(&config.uplink, 0, "se\"cret\\");
        for line in
            ["nic-wan0.20", "unit 0", "user \"a@isp\"", "password \"se\\\"cret\\\\\"", "nodefaultroute"]
        {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }
}
