//! Five pings to one target, from a socket of their own.
//!
//! Unprivileged sockets where the kernel allows them, raw ones otherwise.

use super::NOT_SENT;
use crate::clock::Clock;
use kulkul_model::measurement::Pings;
use kulkul_wire::echo::Echo;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use tokio::net::UdpSocket;

const COUNT: u16 = 5;
/// Between two packets, in milliseconds.
const APART_MS: i64 = 200;
/// How long a reply may take, in milliseconds.
const PATIENCE_MS: i64 = 1_500;

/// Sends five echoes; nothing is sent to a target that is not known.
///
/// `over` is the interface that they must leave by, whatever the routes say.
/// A target that cannot be reached (no route) counts as five lost: that is what a cut
/// line looks like.
pub async fn five(target: Option<IpAddr>, over: Option<&str>, clock: &Clock) -> Pings {
    let Some(target) = target else { return NOT_SENT };
    let (mut lost, mut sum_us) = (0u8, 0u64);
    for seq in 1..=COUNT {
        match one(target, over, seq, PATIENCE_MS, clock).await {
            Some(us) => sum_us = sum_us.saturating_add(us),
            None => lost = lost.saturating_add(1),
        }
        if seq < COUNT {
            clock.sleep_ms(APART_MS).await;
        }
    }
    let came = u64::from(COUNT) - u64::from(lost);
    let rtt_us = sum_us.checked_div(came).map_or(0, |us| u32::try_from(us).unwrap_or(u32::MAX));
    Pings { sent: 5, lost, rtt_us }
}

/// The round trip of one echo in microseconds, or nothing when no reply came.
pub(crate) async fn one(
    target: IpAddr,
    over: Option<&str>,
    seq: u16,
    patience_ms: i64,
    clock: &Clock,
) -> Option<u64> {
    let mut random = [0; 10];
    // Without randomness a stray reply is only told apart less surely.
    let _ = getrandom::fill(&mut random);
    let [i1, i2, mark @ ..] = random;
    let echo = Echo { id: u16::from_be_bytes([i1, i2]), seq, mark: u64::from_be_bytes(mark) };
    let (socket, raw) = open(target, over)
        .inspect_err(|error| tracing::debug!(%target, %error, "no socket for pings"))
        .ok()?;
    let v6 = target.is_ipv6();
    let began = clock.mono_us();
    socket.send(&echo.request(v6)).await.ok()?;
    let reply = async {
        let mut buffer = [0; 256];
        loop {
            // "Unreachable" is reported as an error of the socket.
            let length = socket.recv(&mut buffer).await.ok()?;
            let packet = buffer.get(..length).unwrap_or_default();
            if echo.is_answered_by(packet, v6, raw && !v6, raw) {
                return Some(());
            }
        }
    };
    clock.at_most(patience_ms, Box::pin(reply)).await.flatten()?;
    u64::try_from(clock.mono_us().saturating_sub(began)).ok()
}

/// A socket connected to the target, and whether it is raw.
fn open(target: IpAddr, over: Option<&str>) -> io::Result<(UdpSocket, bool)> {
    let at = SocketAddr::new(target, 0);
    let (domain, protocol) =
        if target.is_ipv6() { (Domain::IPV6, Protocol::ICMPV6) } else { (Domain::IPV4, Protocol::ICMPV4) };
    let (socket, raw) = match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Ok(socket) => (socket, false),
        Err(_) => (Socket::new(domain, Type::RAW, Some(protocol))?, true),
    };
    socket.set_nonblocking(true)?;
    if let Some(interface) = over {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    socket.connect(&at.into())?;
    // The runtime's datagram socket only hands messages through, whatever they are.
    Ok((UdpSocket::from_std(OwnedFd::from(socket).into())?, raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn loopback_answers_and_documentation_addresses_do_not() {
        let clock = Clock::machine();
        for here in ["127.0.0.1", "::1"] {
            let target: IpAddr = here.parse().unwrap();
            if let Err(error) = open(target, None) {
                eprintln!("skipped {here}: {error}");
                continue;
            }
            let pings = five(Some(target), None, &clock).await;
            assert_eq!((pings.sent, pings.lost), (5, 0), "{here}");
            assert!(pings.rtt_us > 0 && pings.rtt_us < 500_000);
        }
        assert_eq!(five(None, None, &clock).await, NOT_SENT);
    }
}
