//! A device that takes address after address, each under another hardware address (RFC 2131).
#![expect(clippy::disallowed_methods, reason = "roles measure and wait in real time")]
#![expect(clippy::print_stdout, reason = "a role's results are its output")]

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

/// Options begin after the fixed fields and the cookie.
const OPTIONS: usize = 240;
const DISCOVER: u8 = 1;
const REQUEST: u8 = 3;
const ACK: u8 = 5;

/// Takes addresses under `most` hardware addresses; prints how many it was given, and the last.
pub(super) fn exhaust(most: u16) -> io::Result<()> {
    let socket = UdpSocket::bind(("0.0.0.0", 68))?;
    socket.set_broadcast(true)?;
    let mut given = 0;
    for n in 0..most {
        let [hi, lo] = n.to_be_bytes();
        let mac = [2, 0xee, 0, 0, hi, lo];
        let Some((_, yours, server)) = ask(&socket, &message(DISCOVER, mac, None), mac)? else { continue };
        let wanted = message(REQUEST, mac, Some((yours, server)));
        if ask(&socket, &wanted, mac)?.is_some_and(|(kind, ..)| kind == ACK) {
            given += 1;
        }
    }
    println!("=> {given}");
    Ok(())
}

fn message(kind: u8, mac: [u8; 6], wanted: Option<(Ipv4Addr, Ipv4Addr)>) -> Vec<u8> {
    // A request over Ethernet, whose transaction is the hardware address; answers are wanted by broadcast.
    let mut m = vec![1, 1, 6, 0];
    m.extend(&mac[2..]);
    m.extend([0, 0, 0x80, 0]);
    m.resize(28, 0);
    m.extend(mac);
    m.resize(OPTIONS - 4, 0);
    m.extend([0x63, 0x82, 0x53, 0x63, 53, 1, kind]);
    if let Some((yours, server)) = wanted {
        m.extend([50, 4]);
        m.extend(yours.octets());
        m.extend([54, 4]);
        m.extend(server.octets());
    }
    m.push(255);
    m
}

/// Sends it and waits for what is answered to this device: kind, its address, the server's.
fn ask(socket: &UdpSocket, message: &[u8], mac: [u8; 6]) -> io::Result<Option<(u8, Ipv4Addr, Ipv4Addr)>> {
    socket.send_to(message, ("255.255.255.255", 67))?;
    let begin = Instant::now();
    let mut buffer = [0; 1500];
    // dnsmasq asks first whether somebody has the address already: some seconds for a new one.
    while begin.elapsed() < Duration::from_secs(4) {
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        let Ok(n) = socket.recv(&mut buffer) else { continue };
        let answer = buffer.get(..n).unwrap_or_default();
        let four = |at: usize| answer.get(at..at + 4).and_then(|b| <[u8; 4]>::try_from(b).ok());
        if answer.first() != Some(&2) || answer.get(28..34) != Some(&mac) {
            continue;
        }
        let kind = option(answer, 53).and_then(|v| v.first().copied());
        let server = option(answer, 54).and_then(|v| <[u8; 4]>::try_from(v).ok());
        if let (Some(kind), Some(yours), Some(server)) = (kind, four(16), server) {
            return Ok(Some((kind, yours.into(), server.into())));
        }
    }
    Ok(None)
}

fn option(answer: &[u8], code: u8) -> Option<&[u8]> {
    let mut rest = answer.get(OPTIONS..)?;
    loop {
        match *rest {
            [255, ..] | [] => return None,
            [0, ref more @ ..] => rest = more,
            [found, n, ref more @ ..] => {
                let value = more.get(..usize::from(n))?;
                if found == code {
                    return Some(value);
                }
                rest = more.get(usize::from(n)..)?;
            }
            _ => return None,
        }
    }
}
