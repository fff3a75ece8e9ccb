//! A public authority in small: Debian's pebble, and knot as the DNS that it looks into.
//!
//! Real programs with settings of their own in a directory of their own, not as root;
//! nothing of the machine's is touched. Both end when dropped.

use crate::certificate::{Ca, NoCertificate};
use crate::street::ground::{Running, run, until};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The zone in which names are certified.
pub const ZONE: &str = "wifi.example";
/// The key that may change the zone, as `tsig-keygen` would write it.
pub const TSIG: &str = "key \"kulkul\" {\n\talgorithm hmac-sha256;\n\tsecret \"a3Vsa3VsIGt1bGt1bCBrdWxrdWwga3Vsa3VsIGt1bGs=\";\n};\n";
const SECRET: &str = "a3Vsa3VsIGt1bGt1bCBrdWxrdWwga3Vsa3VsIGt1bGs=";

/// The programs that run it, and the package of each.
const PROGRAMS: [&str; 2] = ["pebble", "knotd"];

/// How a program is started where the authority stands.
pub type Starter = Box<dyn Fn(&str) -> Command + Send + Sync>;

/// Where it listens.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// ACME.
    pub acme: u16,
    /// The authority's own roots, for tests.
    pub manage: u16,
    /// DNS.
    pub dns: u16,
    /// Where it looks for proofs over TLS.
    pub proof: u16,
}

/// An authority with its DNS.
pub struct PublicCa {
    at: IpAddr,
    /// Where it listens.
    pub ports: Ports,
    dir: tempfile::TempDir,
    start: Starter,
    knot: Option<Running>,
    pebble: Option<Running>,
}

/// The programs that are missing here; none: all are there.
#[must_use]
pub fn missing() -> Vec<&'static str> {
    let there = |p: &str| ["/usr/bin", "/usr/sbin"].iter().any(|d| PathBuf::from(d).join(p).exists());
    PROGRAMS.into_iter().filter(|p| !there(p)).collect()
}

impl PublicCa {
    /// Prepares one at an address; `start` makes the command of a program. Nothing runs yet.
    ///
    /// # Errors
    /// The disk's, or that of making a certificate.
    pub fn new(at: IpAddr, ports: Ports, start: Starter) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("kulkul-ca-").tempdir()?;
        let ca = Self { at, ports, dir, start, knot: None, pebble: None };
        let made = |e: NoCertificate| io::Error::other(e.to_string());
        let authority = Ca::new("pebble's own").map_err(made)?;
        let own = authority.issue(vec![at.to_string()], None).map_err(made)?;
        let path = ca.dir.path().display();
        let zone = format!(
            "$ORIGIN {ZONE}.\n@ 1 SOA ns.{ZONE}. hostmaster.{ZONE}. 1 60 60 60 1\n@ 1 NS ns.{ZONE}.\nns 1 A 203.0.113.53\nhub 1 A {at}\n"
        );
        let knot = format!(
            "server:\n  listen: {at}@{}\n  rundir: {path}\nlog:\n  - target: stderr\n    any: warning\n\
             database:\n  storage: {path}/db\nkey:\n  - id: kulkul\n    algorithm: hmac-sha256\n    secret: {SECRET}\n\
             acl:\n  - id: hub\n    key: kulkul\n    action: update\nzone:\n  - domain: {ZONE}\n    storage: {path}\n\
             \x20   file: zone\n    acl: hub\n",
            ports.dns
        );
        let pebble = format!(
            "{{\"pebble\": {{\"listenAddress\": \"{at}:{}\", \"managementListenAddress\": \"{at}:{}\",\n\
             \"certificate\": \"{path}/own.pem\", \"privateKey\": \"{path}/own-key.pem\",\n\
             \"httpPort\": 1, \"tlsPort\": {}, \"ocspResponderURL\": \"\", \"externalAccountBindingRequired\": false,\n\
             \"certificateValidityPeriod\": 7776000}}}}\n",
            ports.acme, ports.manage, ports.proof
        );
        fs::create_dir(ca.file("db"))?;
        for (name, text) in [
            ("ca.pem", authority.pem()),
            ("own.pem", &own.cert),
            ("own-key.pem", &own.key),
            ("zone", &zone),
            ("knot.conf", &knot),
            ("pebble.json", &pebble),
            ("tsig.key", TSIG),
        ] {
            fs::write(ca.file(name), text)?;
        }
        fs::set_permissions(ca.dir.path(), fs::Permissions::from_mode(0o755))?;
        if is_root() {
            run("chown", &["-R", "nobody", &path.to_string()])?;
        }
        Ok(ca)
    }

    /// Starts both and waits until they answer.
    ///
    /// # Errors
    /// That one does not start.
    pub fn start(&mut self) -> io::Result<()> {
        self.start_dns()?;
        self.start_authority()
    }

    /// Starts the DNS.
    ///
    /// # Errors
    /// That it does not start.
    pub fn start_dns(&mut self) -> io::Result<()> {
        let config = self.file("knot.conf");
        self.knot = Some(self.running("knotd", &["-c", &config.display().to_string()])?);
        self.answers(self.ports.dns);
        Ok(())
    }

    /// Starts the authority, which remembers nothing of before.
    ///
    /// # Errors
    /// That it does not start.
    pub fn start_authority(&mut self) -> io::Result<()> {
        let (config, dns) = (self.file("pebble.json"), format!("{}:{}", self.at, self.ports.dns));
        let config = config.display().to_string();
        self.pebble = Some(self.running("pebble", &["-config", &config, "-dnsserver", &dns])?);
        self.answers(self.ports.acme);
        Ok(())
    }

    /// Ends the DNS.
    pub fn stop_dns(&mut self) {
        self.knot = None;
    }

    /// Ends the authority.
    pub fn stop_authority(&mut self) {
        self.pebble = None;
    }

    /// What the authority and the DNS have said so far.
    #[must_use]
    pub fn log(&self) -> String {
        ["pebble", "knotd"]
            .map(|p| fs::read_to_string(self.file(&format!("{p}.log"))).unwrap_or_default())
            .concat()
    }

    /// The lines of hub.toml that lead to it and to the zone.
    #[must_use]
    pub fn settings(&self) -> String {
        let path = self.dir.path().display();
        format!(
            "{}[acme.dns]\nserver = \"{}:{}\"\nzone = \"{ZONE}\"\nkey_file = \"{path}/tsig.key\"\n",
            self.settings_without_dns(),
            self.at,
            self.ports.dns
        )
    }

    /// The lines of hub.toml that lead to the authority alone.
    #[must_use]
    pub fn settings_without_dns(&self) -> String {
        let path = self.dir.path().display();
        format!(
            "[acme]\ndirectory = \"https://{at}:{acme}/dir\"\ncontact = \"net@example.go.id\"\nca = \"{path}/ca.pem\"\n\
             settle_seconds = 0\n",
            at = self.at,
            acme = self.ports.acme
        )
    }

    /// A file of it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The root that phones would trust, PEM; another one after each start of the authority.
    ///
    /// # Errors
    /// That the authority does not answer.
    pub fn root(&self) -> io::Result<String> {
        let url = format!("https://{}:{}/roots/0", self.at, self.ports.manage);
        let mut curl = (self.start)("curl");
        let out = curl
            .args(["-s", "-S", "-f", "-m", "5", "--cacert"])
            .arg(self.file("ca.pem"))
            .arg(url)
            .output()?;
        if !out.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&out.stderr).into_owned()));
        }
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }

    fn running(&self, program: &str, args: &[&str]) -> io::Result<Running> {
        let log = fs::File::options().create(true).append(true).open(self.file(&format!("{program}.log")))?;
        let mut command = if is_root() {
            // It becomes the program, so that killing it ends the program.
            let mut command = (self.start)("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", program]);
            command
        } else {
            (self.start)(program)
        };
        command.args(args).stdin(Stdio::null()).stderr(log.try_clone()?).stdout(log);
        // It would wait up to 15 s before it looks, and refuses some good requests to try its callers.
        command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_AUTHZREUSE", "0");
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
        Running::start(&mut command)
    }

    /// Waits until a port takes connections.
    fn answers(&self, port: u16) {
        let script = format!("exec 3<>/dev/tcp/{}/{port}", self.at);
        let open = || {
            let tried = (self.start)("bash").args(["-c", &script]).stderr(Stdio::null()).status().ok()?;
            tried.success().then_some(())
        };
        until(&format!("port {port} answers"), 60, open);
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
