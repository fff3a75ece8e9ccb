//! Asking over TLS (RFC 7858): strictly under the server's name, on connections that stay open.

use super::server::Server;
use crate::clock::Clock;
use crate::link::tls_config;
use kulkul_wire::dns::{self, Answer};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Connections to one server that are kept for the next question.
const KEPT: usize = 4;
/// How long a connection is kept without a question, in milliseconds: servers close them too.
const IDLE_MS: i64 = 8_000;

/// Open connections, and what they are made with.
#[derive(Debug, Default)]
pub struct OverTls {
    idle: Mutex<BTreeMap<Server, Vec<Idle>>>,
    config: Mutex<Option<(Option<PathBuf>, Arc<ClientConfig>)>>,
}

#[derive(Debug)]
struct Idle {
    stream: TlsStream<TcpStream>,
    since_ms: i64,
}

impl OverTls {
    /// Asks a server whose certificate must be for `name`, signed by `ca` or by one of the system's.
    ///
    /// # Errors
    /// When the server cannot be reached, proves another name, or answers something else.
    pub async fn ask(
        &self,
        (server, name): (&Server, &str),
        ca: Option<&PathBuf>,
        (sent, question): (&dns::Sent, &[u8]),
        clock: &Clock,
    ) -> io::Result<Answer> {
        // A kept connection may have been closed meanwhile: then a new one is made, once.
        if let Some(mut stream) = self.take(server, clock.mono_ms())
            && let Ok(answer) = converse(&mut stream, sent, question).await
        {
            self.keep(server, stream, clock.mono_ms());
            return Ok(answer);
        }
        let config = self.config(ca, clock)?;
        let name = ServerName::try_from(name.to_owned()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let stream = TcpStream::connect(server.at).await?;
        stream.set_nodelay(true)?;
        let mut stream = TlsConnector::from(config).connect(name, stream).await?;
        let answer = converse(&mut stream, sent, question).await?;
        self.keep(server, stream, clock.mono_ms());
        Ok(answer)
    }

    fn take(&self, server: &Server, now_ms: i64) -> Option<TlsStream<TcpStream>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(server)?;
        kept.retain(|i| now_ms.saturating_sub(i.since_ms) < IDLE_MS);
        kept.pop().map(|i| i.stream)
    }

    fn keep(&self, server: &Server, stream: TlsStream<TcpStream>, since_ms: i64) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.entry(server.clone()).or_default();
        if kept.len() < KEPT {
            kept.push(Idle { stream, since_ms });
        }
    }

    fn config(&self, ca: Option<&PathBuf>, clock: &Clock) -> io::Result<Arc<ClientConfig>> {
        let mut held = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, config)) = held.as_ref()
            && of.as_ref() == ca
        {
            return Ok(config.clone());
        }
        let config = Arc::new(tls_config(ca.map(PathBuf::as_path), clock).map_err(io::Error::other)?);
        *held = Some((ca.cloned(), config.clone()));
        Ok(config)
    }
}

async fn converse(
    stream: &mut TlsStream<TcpStream>,
    sent: &dns::Sent,
    question: &[u8],
) -> io::Result<Answer> {
    let length = u16::try_from(question.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(question);
    stream.write_all(&framed).await?;
    stream.flush().await?;
    let mut whole = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut whole).await?;
    dns::read_answer(&whole, sent).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
