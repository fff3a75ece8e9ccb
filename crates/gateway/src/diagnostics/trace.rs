//! Which routers are on the way to an address: echoes that may go one hop further each time.

use super::{Told, ms};
use crate::clock::Clock;
use kulkul_model::diagnostic::DiagnosticOutcome;
use kulkul_wire::echo::{Echo, Heard};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use tokio::net::UdpSocket;

const MOST_HOPS: u16 = 20;
const PATIENCE_MS: i64 = 1_000;
/// So many silent hops in a row, and what is behind them will not answer either.
const MOST_SILENT: u16 = 5;

/// The way to an address, hop by hop.
pub(super) async fn trace(clock: &Clock, target: &str, ip: IpAddr) -> Told {
    match hops(clock, ip).await {
        Ok(lines) => (DiagnosticOutcome::Done, format!("{target} ({ip})\n{lines}")),
        Err(error) => (DiagnosticOutcome::Failed, format!("no socket for it: {error}")),
    }
}

async fn hops(clock: &Clock, ip: IpAddr) -> io::Result<String> {
    let socket = open(ip)?;
    let mut random = [0; 10];
    // Without randomness a stray reply is only told apart less surely.
    let _ = getrandom::fill(&mut random);
    let [i1, i2, mark @ ..] = random;
    let (id, mark) = (u16::from_be_bytes([i1, i2]), u64::from_be_bytes(mark));
    let (mut text, mut silent) = (String::new(), 0);
    for hop in 1..=MOST_HOPS {
        let echo = Echo { id, seq: hop, mark };
        let began = clock.mono_us();
        let heard = match step(&socket, ip, hop, echo).await {
            Ok(heard) => clock.at_most(PATIENCE_MS, Box::pin(heard)).await.flatten(),
            // No route counts as silence: that is what a cut line looks like.
            Err(_) => None,
        };
        let took = u64::try_from(clock.mono_us().saturating_sub(began)).unwrap_or(0);
        // Writing into a text does not fail.
        let _ = match heard {
            None => writeln!(text, "{hop}  no answer"),
            Some((from, Heard::Unreachable)) => writeln!(text, "{hop}  {from}  unreachable from there"),
            Some((from, _)) => writeln!(text, "{hop}  {from}  {}", ms(took)),
        };
        silent = if heard.is_none() { silent + 1 } else { 0 };
        if silent == MOST_SILENT || heard.is_some_and(|(_, heard)| heard != Heard::Passed) {
            break;
        }
    }
    Ok(text)
}

/// Sends one echo that may go `hops` far; what is given waits for who speaks of it.
async fn step(
    socket: &UdpSocket,
    ip: IpAddr,
    hops: u16,
    echo: Echo,
) -> io::Result<impl Future<Output = Option<(IpAddr, Heard)>>> {
    let v6 = ip.is_ipv6();
    let options = SockRef::from(socket);
    if v6 {
        options.set_unicast_hops_v6(u32::from(hops))?;
    } else {
        options.set_ttl_v4(u32::from(hops))?;
    }
    socket.send_to(&echo.request(v6), SocketAddr::new(ip, 0)).await?;
    Ok(async move {
        let mut buffer = [0; 512];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.ok()?;
            if let Some(heard) = echo.heard(buffer.get(..length).unwrap_or_default(), v6) {
                return Some((from.ip(), heard));
            }
        }
    })
}

/// A raw socket: it hears of routers on the way, as one for pings alone does not.
fn open(ip: IpAddr) -> io::Result<UdpSocket> {
    let (domain, protocol) =
        if ip.is_ipv6() { (Domain::IPV6, Protocol::ICMPV6) } else { (Domain::IPV4, Protocol::ICMPV4) };
    let socket = Socket::new(domain, Type::RAW, Some(protocol))?;
    socket.set_nonblocking(true)?;
    // The runtime's datagram socket only hands messages through, whatever they are.
    UdpSocket::from_std(OwnedFd::from(socket).into())
}
