//! The ground that streets stand on: namespaces, wires, commands in them, waiting.
//!
//! Uses only the standard library and the `ip` program, so that other crates' tests
//! can include this file.
#![expect(clippy::disallowed_methods, reason = "tests on the real kernel wait in real time")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(dead_code, reason = "each test uses its own part")]

use std::io;
use std::net::IpAddr;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PREFIX: &str = "kk-";

/// Whether namespaces and nft work here; says why not.
///
/// # Errors
/// The reason, for people.
pub fn permitted() -> Result<(), String> {
    sweep();
    let probe = format!("{PREFIX}{}-probe", std::process::id());
    let works = ip(&["netns", "add", &probe])
        .and_then(|()| run("ip", &["netns", "exec", &probe, "nft", "list", "tables"]));
    let _ = ip(&["netns", "del", &probe]);
    works.map(|_| ()).map_err(|e| format!("namespaces or nft are not permitted here: {e}"))
}

/// Says that a test is skipped and why; fails it where everything must run.
///
/// # Panics
/// When `KULKUL_REQUIRE_KERNEL` is set.
pub fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED: {test}, {why}");
    assert!(std::env::var_os("KULKUL_REQUIRE_KERNEL").is_none(), "{test} must run here: {why}");
}

/// Deletes namespaces whose maker is gone, and ends what still runs in them.
pub fn sweep() {
    for name in std::fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = name.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix(PREFIX).and_then(|n| n.split('-').next()) else { continue };
        if pid.parse::<u32>().is_ok() && !std::path::Path::new(&format!("/proc/{pid}")).exists() {
            clear(&name);
        }
    }
}

fn clear(name: &str) {
    if let Ok(out) = Command::new("ip").args(["netns", "pids", name]).output() {
        let own = std::process::id().to_string();
        for pid in String::from_utf8_lossy(&out.stdout).split_whitespace().filter(|p| *p != own) {
            let _ = Command::new("kill").args(["-9", pid]).output();
        }
    }
    let _ = ip(&["netns", "del", name]);
}

/// Runs a program and gives its output; an error carries what it said.
///
/// # Errors
/// That it could not be started or did not succeed.
pub fn run(program: &str, args: &[&str]) -> io::Result<String> {
    let out = Command::new(program).args(args).stdin(Stdio::null()).output()?;
    told(program, args, &out)
}

fn told(program: &str, args: &[&str], out: &Output) -> io::Result<String> {
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&out.stderr);
    Err(io::Error::other(format!("{program} {}: {}", args.join(" "), words.trim())))
}

fn ip(args: &[&str]) -> io::Result<()> {
    run("ip", args).map(|_| ())
}

/// A namespace; deleted with everything in it when dropped.
#[derive(Debug)]
pub struct Place {
    /// Its name.
    pub name: String,
}

impl Place {
    /// Makes a namespace with its loopback up.
    ///
    /// # Errors
    /// The system's.
    pub fn new(what: &str) -> io::Result<Self> {
        let place = Place { name: format!("{PREFIX}{}-{what}", std::process::id()) };
        ip(&["netns", "add", &place.name])?;
        place.ip("link set lo up")?;
        // Looking for duplicate addresses takes seconds, and on these wires there are none.
        place.sysctl("net.ipv6.conf.default.accept_dad", "0")?;
        place.sysctl("net.ipv6.conf.all.accept_dad", "0")?;
        Ok(place)
    }

    /// Runs `ip` in it; words are separated by spaces.
    ///
    /// # Errors
    /// What `ip` said.
    pub fn ip(&self, words: &str) -> io::Result<()> {
        let mut args = vec!["-n", &self.name];
        args.extend(words.split_whitespace());
        ip(&args)
    }

    /// A command that will run in it.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).stdin(Stdio::null());
        command
    }

    /// Runs a program in it; words are separated by spaces.
    ///
    /// # Errors
    /// That it did not succeed, with what it said.
    pub fn run(&self, words: &str) -> io::Result<String> {
        let mut words = words.split_whitespace();
        let program = words.next().unwrap_or_default();
        let args: Vec<&str> = words.collect();
        let out = self.command(program).args(&args).output()?;
        told(program, &args, &out)
    }

    /// Sets a value under /proc/sys in it.
    ///
    /// # Errors
    /// That there is no such setting.
    pub fn sysctl(&self, name: &str, value: &str) -> io::Result<()> {
        self.run(&format!("sysctl -qw {name}={value}")).map(|_| ())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        clear(&self.name);
    }
}

/// Lays a wire between two places: an interface at each end, up.
///
/// # Errors
/// The system's.
pub fn wire(a: &Place, a_name: &str, b: &Place, b_name: &str) -> io::Result<()> {
    ip(&["link", "add", a_name, "netns", &a.name, "type", "veth", "peer", "name", b_name, "netns", &b.name])?;
    a.ip(&format!("link set {a_name} up"))?;
    b.ip(&format!("link set {b_name} up"))
}

/// A process that is killed when dropped.
#[derive(Debug)]
pub struct Running(pub Child);

impl Running {
    /// Starts a command.
    ///
    /// # Errors
    /// The system's.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Running)
    }

    /// Kills it as power loss of a process would: SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until `look` gives something; panics with `what` when `for_s` seconds are over.
///
/// # Panics
/// When the time is over.
pub fn until<T>(what: &str, for_s: u64, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < Duration::from_secs(for_s), "after {for_s} s still not: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The `n`th client's address in 10.77.0.0/16, from 1.
#[must_use]
pub fn client(n: u16) -> IpAddr {
    let [hi, lo] = n.to_be_bytes();
    IpAddr::from([10, 77, hi + 1, lo])
}
