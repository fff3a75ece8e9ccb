//! What runs inside a namespace: the outside world, a crowd that clicks, a crowd that looks.
//!
//! A test program has one test that calls `play`; `command` starts that test again in a
//! namespace with a role. Results go to stdout as JSON lines.
#![expect(clippy::disallowed_methods, reason = "roles measure and wait in real time")]
#![expect(clippy::print_stdout, reason = "a role's results are its output")]

use super::exhaust::exhaust;
use super::ground::{Place, client};
use super::person;
use kulkul_gateway::firewall::{Caps, Person};
use kulkul_gateway::kernel::Kernel as _;
use kulkul_gateway::kernel::linux::Linux;
use kulkul_model::session::Mac;
use kulkul_wire::advert::{self, Advert};
use kulkul_wire::netlink::{Change, Counter};
use kulkul_wire::ruleset::{self, Audience, Policy, Segment, Uplink};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::Command;
use std::time::{Duration, Instant};

const ROLE: &str = "KULKUL_STREET_ROLE";
const WITH: &str = "KULKUL_STREET_WITH";

/// The name that the one test must have.
pub const TEST: &str = "a_role_in_a_namespace";

/// A command that plays `role` in `place`; `with` are its words.
#[must_use]
pub fn command(place: &Place, role: &str, with: &str) -> Command {
    let exe = std::env::current_exe().unwrap_or_default();
    let mut command = place.command(&exe.to_string_lossy());
    command.args(["--exact", TEST, "--nocapture", "-q"]).env(ROLE, role).env(WITH, with);
    command
}

/// Runs a role to its end and gives the numbers that it printed.
///
/// # Errors
/// That it failed, with what it said.
pub fn numbers(place: &Place, role: &str, with: &str) -> io::Result<Vec<i64>> {
    Ok(lines(place, role, with)?.iter().filter_map(|n| n.parse().ok()).collect())
}

/// Runs a role to its end and gives the lines that it printed.
///
/// # Errors
/// That it failed, with what it said.
pub fn lines(place: &Place, role: &str, with: &str) -> io::Result<Vec<String>> {
    let out = command(place, role, with).output()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    if !out.status.success() {
        return Err(io::Error::other(format!(
            "{role} {with}: {text}{}",
            String::from_utf8_lossy(&out.stderr)
        )));
    }
    // The test runner prints its own lines; ours begin with a mark.
    Ok(text.lines().filter_map(|l| l.split_once("=> ")).map(|(_, n)| n.trim().to_owned()).collect())
}

/// Plays the role that the environment names; nothing when it names none.
///
/// # Errors
/// The role's.
pub fn play() -> io::Result<()> {
    let Ok(role) = std::env::var(ROLE) else { return Ok(()) };
    let with = std::env::var(WITH).unwrap_or_default();
    let words: Vec<&str> = with.split_whitespace().collect();
    match (role.as_str(), words.as_slice()) {
        ("world", _) => world(),
        ("page", [at, name]) => page(at, name),
        ("click", [first, last]) => click(parse(first)?, parse(last)?),
        ("storm", [first, last, seconds]) => storm(parse(first)?, parse(last)?, parse(seconds)?),
        ("look", [first, last, url]) => look(parse(first)?, parse(last)?, url),
        ("pour", [from, to, seconds]) => pour(from, to, parse(seconds)?),
        ("drain", [at, seconds]) => drain(at, parse(seconds)?),
        ("fill", [people]) => fill(Some(parse(people)?), false),
        ("fill-capped", [people]) => fill(Some(parse(people)?), true),
        ("plain", []) => fill(None, false),
        ("batch", []) => batch(),
        ("solicit", []) => solicit(),
        ("exhaust", [most]) => exhaust(parse(most)?),
        _ => Err(io::Error::other(format!("no role {role} {with}"))),
    }
}

fn parse<T: std::str::FromStr>(text: &str) -> io::Result<T> {
    text.parse().map_err(|_| io::Error::other(format!("not a number: {text}")))
}

/// The portal as a captured device reaches it.
fn portal() -> SocketAddr {
    SocketAddr::from(([10, 77, 0, 1], 80))
}

/// Devices `first` to `last` accept the terms; prints for each the microseconds from click to packets passing.
fn click(first: u16, last: u16) -> io::Result<()> {
    let world: SocketAddr = SocketAddr::from(([203, 0, 113, 1], 9));
    for n in first..=last {
        let from = client(n);
        let form = person::form(from, portal())?;
        let probe = UdpSocket::bind((from, 0))?;
        probe.connect(world)?;
        probe.set_read_timeout(Some(Duration::from_millis(2)))?;
        let begin = Instant::now();
        person::accept(from, portal(), &form)?;
        loop {
            probe.send(b"?").ok();
            if probe.recv(&mut [0; 8]).is_ok() {
                break;
            }
            if begin.elapsed() > Duration::from_secs(5) {
                return Err(io::Error::other(format!("{from}: let in, and no packet passes")));
            }
        }
        println!("=> {}", begin.elapsed().as_micros());
    }
    Ok(())
}

/// Devices `first` to `last` come one after another within some seconds, each without waiting for
/// the one before; prints for each the microseconds from its first request to packets passing.
fn storm(first: u16, last: u16, seconds: u64) -> io::Result<()> {
    let world: SocketAddr = SocketAddr::from(([203, 0, 113, 1], 9));
    let count = u64::from(last.saturating_sub(first)) + 1;
    let begin = Instant::now();
    let comes = |n: u16| Duration::from_millis(u64::from(n - first) * seconds * 1_000 / count);
    let one = move |n: u16| -> io::Result<u128> {
        let from = client(n);
        let begin = Instant::now();
        let form = person::form(from, portal())?;
        person::accept(from, portal(), &form)?;
        let probe = UdpSocket::bind((from, 0))?;
        probe.connect(world)?;
        probe.set_read_timeout(Some(Duration::from_millis(5)))?;
        while begin.elapsed() < Duration::from_secs(20) {
            probe.send(b"?").ok();
            if probe.recv(&mut [0; 8]).is_ok() {
                return Ok(begin.elapsed().as_micros());
            }
        }
        Err(io::Error::other(format!("{from}: let in, and no packet passes")))
    };
    let mut coming = Vec::new();
    for n in first..=last {
        std::thread::sleep(comes(n).saturating_sub(begin.elapsed()));
        coming.push(std::thread::Builder::new().stack_size(128 * 1024).spawn(move || one(n))?);
    }
    for device in coming {
        let took = device.join().map_err(|_| io::Error::other("a device of the storm broke off"))??;
        println!("=> {took}");
    }
    Ok(())
}

/// Devices `first` to `last` fetch a page of the outside; prints how many got it.
fn look(first: u16, last: u16, url: &str) -> io::Result<()> {
    let to: SocketAddr = url.parse().map_err(io::Error::other)?;
    let mut passed = 0;
    for n in first..=last {
        let got = person::ask(client(n), to, "GET", "outside.example", "/", "");
        passed += i64::from(got.is_ok_and(|a| a.status == 200 && a.body.starts_with("hello")));
    }
    println!("=> {passed}");
    Ok(())
}

/// Sends small packets as fast as it can for some seconds; prints how many were sent.
fn pour(from: &str, to: &str, seconds: u64) -> io::Result<()> {
    let from: IpAddr = from.parse().map_err(io::Error::other)?;
    let socket = UdpSocket::bind((from, 0))?;
    socket.connect(to)?;
    let (begin, mut sent) = (Instant::now(), 0i64);
    while begin.elapsed() < Duration::from_secs(seconds) {
        for _ in 0..64 {
            sent += i64::from(socket.send(&[0; 64]).is_ok());
        }
    }
    println!("=> {sent}");
    Ok(())
}

/// Counts packets that arrive at a port in some seconds; prints how many.
fn drain(at: &str, seconds: u64) -> io::Result<()> {
    let socket = UdpSocket::bind(at)?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let (begin, mut got, mut buffer) = (Instant::now(), 0i64, [0; 128]);
    while begin.elapsed() < Duration::from_secs(seconds) {
        got += i64::from(socket.recv(&mut buffer).is_ok());
    }
    println!("=> {got}");
    Ok(())
}

/// Loads the table with so many people beside the phone; with none, the same path without rules per person.
fn fill(people: Option<u16>, caps: bool) -> io::Result<()> {
    let policy = Policy {
        uplinks: vec![Uplink::plain("wan0")],
        segments: vec![Segment { interface: "lan0".to_owned(), audience: Audience::Public }],
        dns_port: 5300,
        http_port: 8080,
        https_port: 8443,
        caps,
        quotas: false,
        strict_names: false,
        fair: false,
        mgmt: ruleset::private_ranges(),
        reach: Vec::new(),
        radios: Vec::new(),
        controllers: Vec::new(),
        tunnel: None,
    };
    let mut kernel = Linux::open().map_err(io::Error::other)?;
    let phone = Mac::parse(super::layout::PHONE).map_err(io::Error::other)?;
    let rate = caps.then_some(1 << 30);
    let caps = Caps { up: rate, down: rate, class: None };
    let all = (1..=people.unwrap_or(0)).map(|n| {
        let [hi, lo] = n.to_be_bytes();
        Person { mac: Mac([2, 0, 0, 1, hi, lo]), ip: client(n), caps }
    });
    let own = Person { mac: phone, ip: IpAddr::from([10, 77, 0, 9]), caps };
    let elements: Vec<_> = all
        .chain([own])
        .flat_map(|p| p.elements(3_600_000, Counter::default(), Counter::default()))
        .collect();
    let text = policy.text(&elements);
    let text = if people.is_some() {
        text
    } else {
        text.replace("ether saddr . ip saddr @auth4 goto online_up4", "ip saddr 10.77.0.0/16 accept")
            .replace("ip daddr @down4 accept", "ip daddr 10.77.0.0/16 accept")
    };
    kernel.load(&text).map_err(io::Error::other)
}

/// Times batches of two elements beside those that are there; prints nanoseconds for each.
fn batch() -> io::Result<()> {
    let mut kernel = Linux::open().map_err(io::Error::other)?;
    let none = Counter::default();
    for n in 0..2_000u16 {
        let [hi, lo] = n.to_be_bytes();
        let (mac, ip) = (Mac([2, 0, 0, 9, hi, lo]), IpAddr::from([10, 78, hi, lo]));
        let person = Person { mac, ip, caps: Caps::default() };
        let two: Vec<Change> =
            person.elements(60_000, none, none).into_iter().skip(1).map(Change::Add).collect();
        let begin = Instant::now();
        kernel.change(&two).map_err(io::Error::other)?;
        println!("=> {}", begin.elapsed().as_nanos());
    }
    Ok(())
}

/// Asks for a router (RFC 4861, section 6.3.7); prints the portal API's URI of its option 37, or nothing.
fn solicit() -> io::Result<()> {
    const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
    let index = std::fs::read_to_string("/sys/class/net/eth0/ifindex")?;
    let index: u32 = parse(index.trim())?;
    let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
    socket.bind_device(Some(b"eth0"))?;
    socket.set_multicast_if_v6(index)?;
    socket.set_multicast_hops_v6(255)?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let socket = UdpSocket::from(OwnedFd::from(socket));
    let mut buffer = [0; 1500];
    for _ in 0..60 {
        socket.send_to(&[advert::SOLICITATION, 0, 0, 0, 0, 0, 0, 0], (ALL_ROUTERS, 0))?;
        while let Ok((n, _)) = socket.recv_from(&mut buffer) {
            if let Some(advert) = Advert::decode(buffer.get(..n).unwrap_or_default()) {
                println!("=> {}", advert.captive.unwrap_or_default());
                return Ok(());
            }
        }
    }
    Err(io::Error::other("no router advertises itself"))
}

/// The outside world: names, pages and an echo, until it is killed.
///
/// Each socket has one address: an answer to UDP must come from where the question went.
fn world() -> io::Result<()> {
    for ip in ["203.0.113.1", "[2001:db8:2::1]"] {
        let names = UdpSocket::bind(format!("{ip}:53"))?;
        let echo = UdpSocket::bind(format!("{ip}:9"))?;
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((n, peer)) = echo.recv_from(&mut buffer) {
                let _ = echo.send_to(buffer.get(..n).unwrap_or_default(), peer);
            }
        });
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((n, peer)) = names.recv_from(&mut buffer) {
                if let Some(answer) = resolve(buffer.get(..n).unwrap_or_default()) {
                    let _ = names.send_to(&answer, peer);
                }
            }
        });
    }
    for stream in TcpListener::bind("[::]:80")?.incoming().flatten() {
        std::thread::spawn(move || serve(stream, "the outside world"));
    }
    Ok(())
}

/// One page at one address, until it is killed.
fn page(at: &str, name: &str) -> io::Result<()> {
    for stream in TcpListener::bind(at)?.incoming().flatten() {
        let name = name.to_owned();
        std::thread::spawn(move || serve(stream, &name));
    }
    Ok(())
}

fn serve(mut stream: std::net::TcpStream, name: &str) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while lines.next().transpose()?.is_some_and(|l| !l.is_empty()) {}
    let body = format!("hello from {name}\n");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length:";
    stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes())
}

/// Answers A and AAAA of every name with the outside world's addresses (RFC 1035).
fn resolve(query: &[u8]) -> Option<Vec<u8>> {
    let question = query.get(12..)?;
    let name_end = question.iter().position(|b| *b == 0)?;
    let asked = question.get(..name_end + 5)?;
    let kind = u16::from_be_bytes([*question.get(name_end + 1)?, *question.get(name_end + 2)?]);
    let data: Vec<u8> = match kind {
        1 => vec![203, 0, 113, 1],
        28 => vec![0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        _ => Vec::new(),
    };
    let mut answer = query.get(..2)?.to_vec();
    answer.extend_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(!data.is_empty()), 0, 0, 0, 0]);
    answer.extend_from_slice(asked);
    if !data.is_empty() {
        answer.extend_from_slice(&[0xc0, 12]);
        answer.extend_from_slice(&kind.to_be_bytes());
        answer.extend_from_slice(&[0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).ok()?]);
        answer.extend_from_slice(&data);
    }
    Some(answer)
}
