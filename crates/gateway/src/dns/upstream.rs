//! Asking the upstream resolvers: a new port, id and spelling for every question.

use super::server::Servers;
use super::tls::OverTls;
use crate::clock::Clock;
use kulkul_wire::dns::{self, Answer, RecordType, ResponseCode, Wants};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// How long one server may take for one try, in milliseconds.
const TRY_MS: i64 = 1_500;
/// How long one may take over TLS, where a handshake of two rounds may come first.
const TLS_TRY_MS: i64 = 4_000;
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

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// The name.
    pub name: &'q str,
    /// The kind of record.
    pub kind: RecordType,
    /// What is wanted of DNSSEC.
    pub wants: Wants,
}

/// Asks servers; keeps connections to those that are asked over TLS.
#[derive(Debug, Default)]
pub struct Upstreams {
    over_tls: OverTls,
}

impl Upstreams {
    /// Asks the servers in order, twice, until one gives a usable answer.
    ///
    /// An answer that was cut is fetched again by TCP. SERVFAIL and REFUSED make the
    /// next server be asked; the last such answer is given when nobody does better.
    ///
    /// # Errors
    /// `AskError` when no server answered.
    pub async fn ask(
        &self,
        servers: &Servers,
        question: Question<'_>,
        clock: &Clock,
    ) -> Result<Answer, AskError> {
        let (all, ca) = (&servers.all, servers.ca.as_ref());
        if all.is_empty() {
            return Err(AskError::NoServer);
        }
        let mut poor = None;
        for server in all.iter().cycle().take(all.len() * ROUNDS) {
            let Question { name, kind, wants } = question;
            let Some((sent, question)) = dns::ask_for(name, kind, wants, random()) else {
                return Err(AskError::NotAName(name.to_owned()));
            };
            let answer = match &server.tls {
                None => in_the_clear(server.at, &sent, &question, clock).await,
                Some(name) => {
                    let asked = self.over_tls.ask((server, name), ca, (&sent, &question), clock);
                    match clock.at_most(TLS_TRY_MS, Box::pin(asked)).await {
                        Some(Ok(answer)) => Some(answer),
                        Some(Err(error)) => {
                            tracing::debug!(%server, %error, "no answer over TLS");
                            None
                        }
                        None => None,
                    }
                }
            };
            let Some(answer) = answer else { continue };
            match answer.code {
                ResponseCode::NoError | ResponseCode::NXDomain => return Ok(answer),
                _ => poor = Some(answer),
            }
        }
        poor.ok_or(AskError::Silent)
    }
}

/// Asks servers as `Upstreams` does, once, for a program's own need.
///
/// # Errors
/// `AskError` when no server answered.
pub async fn ask(servers: &Servers, name: &str, kind: RecordType, clock: &Clock) -> Result<Answer, AskError> {
    let question = Question { name, kind, wants: Wants::default() };
    Upstreams::default().ask(servers, question, clock).await
}

async fn in_the_clear(
    server: SocketAddr,
    sent: &dns::Sent,
    question: &[u8],
    clock: &Clock,
) -> Option<Answer> {
    let answer = clock.at_most(TRY_MS, by_udp(server, sent, question)).await?.ok()?;
    if !answer.truncated {
        return Some(answer);
    }
    match clock.at_most(TRY_MS, by_tcp(server, sent, question)).await {
        Some(Ok(whole)) => Some(whole),
        _ => Some(answer),
    }
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
