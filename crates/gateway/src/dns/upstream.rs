//! Asking the upstream resolvers: a new port, id and spelling for every question.

use crate::clock::Clock;
use kulkul_wire::dns::{self, Answer, RecordType, ResponseCode};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// How long one server may take for one try, in milliseconds.
const TRY_MS: i64 = 1_500;
/// How often the list of servers is gone through.
const ROUNDS: usize = 2;
/// Answers that do not fit the question before a try is given up.
const WRONG_ANSWERS: usize = 16;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No server is known.
    #[error("no DNS server is known")]
    NoServer,
    /// Nobody answered in time.
    #[error("no DNS server answered")]
    Silent,
    /// The name cannot be asked for.
    #[error("\"{0}\" is not a name")]
    NotAName(String),
}

/// Asks the servers in order, twice, until one gives a usable answer.
///
/// An answer that was cut is fetched again by TCP. SERVFAIL and REFUSED make the
/// next server be asked; the last such answer is given when nobody does better.
///
/// # Errors
/// `AskError` when no server answered.
pub async fn ask(
    servers: &[SocketAddr],
    name: &str,
    kind: RecordType,
    clock: &Clock,
) -> Result<Answer, AskError> {
    if servers.is_empty() {
        return Err(AskError::NoServer);
    }
    let mut poor = None;
    for server in servers.iter().cycle().take(servers.len() * ROUNDS) {
        let Some((sent, question)) = dns::ask(name, kind, random()) else {
            return Err(AskError::NotAName(name.to_owned()));
        };
        let Some(Ok(answer)) = clock.at_most(TRY_MS, by_udp(*server, &sent, &question)).await else {
            continue;
        };
        let answer = if answer.truncated {
            match clock.at_most(TRY_MS, by_tcp(*server, &sent, &question)).await {
                Some(Ok(whole)) => whole,
                _ => answer,
            }
        } else {
            answer
        };
        match answer.code {
            ResponseCode::NoError | ResponseCode::NXDomain => return Ok(answer),
            _ => poor = Some(answer),
        }
    }
    poor.ok_or(AskError::Silent)
}

fn random() -> u128 {
    let mut bytes = [0; 16];
    // The kernel's generator only fails where it does not exist; zeros then only make guessing easier.
    let _ = getrandom::fill(&mut bytes);
    u128::from_ne_bytes(bytes)
}

async fn by_udp(server: SocketAddr, sent: &dns::Sent, question: &[u8]) -> std::io::Result<Answer> {
    let any = match server {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    // Port 0 lets the kernel draw one; connected, only that server is heard.
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut buffer = [0; 4096];
    for _ in 0..WRONG_ANSWERS {
        let length = socket.recv(&mut buffer).await?;
        if let Some(answer) = dns::read_answer(buffer.get(..length).unwrap_or_default(), sent) {
            return Ok(answer);
        }
    }
    Err(std::io::ErrorKind::InvalidData.into())
}

async fn by_tcp(server: SocketAddr, sent: &dns::Sent, question: &[u8]) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(|_| std::io::ErrorKind::InvalidInput)?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(question);
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut whole = vec![0; usize::from(length)];
    stream.read_exact(&mut whole).await?;
    dns::read_answer(&whole, sent).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}
