//! The box's local socket: one JSON line each way, for root alone.

use super::Source;
use crate::connections;
use kulkul_model::Moment;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

/// The socket's name in the data directory.
pub const SOCKET: &str = "status.sock";
/// The longest question, in bytes.
const LONGEST: u64 = 2_048;
/// How long a connection may be idle, in milliseconds.
const IDLE_MS: i64 = 5_000;

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Question {
    /// Everything in `Status`.
    Status,
    /// Whether the device at an address is online.
    Who {
        /// The address.
        ip: IpAddr,
    },
    /// Who was online at a moment, by the connection log; noted in the journal first.
    Connections {
        /// The moment.
        at: Moment,
        /// How far clocks may differ, seconds.
        within_s: u32,
        /// The source port that the outside saw; none asks for everybody.
        port: Option<u16>,
        /// Why somebody asks.
        reason: String,
    },
}

impl Source {
    async fn answer(&self, question: Question) -> serde_json::Result<String> {
        match question {
            Question::Status => serde_json::to_string(&self.status()),
            Question::Who { ip } => {
                let online = self.supervisor.who(ip).await.is_some_and(|w| w.session.is_some());
                serde_json::to_string(&serde_json::json!({ "online": online }))
            }
            Question::Connections { at, within_s, port, reason } => {
                let query = connections::Query { at, within_s, port };
                match connections::ask(self.data.clone(), &self.journal, query, reason).await {
                    Ok(found) => serde_json::to_string(&found),
                    Err(error) => serde_json::to_string(&serde_json::json!({ "error": error.to_string() })),
                }
            }
        }
    }
}

/// Answers on the socket in `data` until `stop`.
///
/// # Errors
/// When the socket cannot be made.
pub async fn serve(data: &Path, source: Source, stop: CancellationToken) -> io::Result<()> {
    let path = data.join(SOCKET);
    // One that an earlier run left behind is in the way.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    loop {
        let stream = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            got = listener.accept() => match got {
                Ok((stream, _)) => stream,
                Err(_) => {
                    source.clock.sleep_ms(50).await;
                    continue;
                }
            },
        };
        let source = source.clone();
        tokio::spawn(async move {
            if let Err(error) = converse(stream, &source).await {
                tracing::debug!(%error, "status: conversation ended");
            }
        });
    }
    // A stale name would make askers wait.
    let _ = std::fs::remove_file(&path);
    Ok(())
}

async fn converse(mut stream: UnixStream, source: &Source) -> io::Result<()> {
    let (reading, mut writing) = stream.split();
    let mut reading = BufReader::new(reading);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut reading).take(LONGEST);
        let read = limited.read_until(b'\n', &mut line);
        match source.clock.at_most(IDLE_MS, Box::pin(read)).await {
            Some(Ok(1..)) => {}
            _ => return Ok(()),
        }
        let mut answer = match serde_json::from_slice::<Question>(&line) {
            Ok(question) => source.answer(question).await?,
            Err(error) => serde_json::json!({ "error": error.to_string() }).to_string(),
        };
        answer.push('\n');
        writing.write_all(answer.as_bytes()).await?;
    }
}

/// Asks a running gateway one question and reads the answer as JSON.
///
/// # Errors
/// When no gateway runs there or its answer is not JSON.
pub async fn ask(socket: &Path, question: Question) -> io::Result<serde_json::Value> {
    let mut stream = UnixStream::connect(socket).await?;
    let mut line = serde_json::to_vec(&question)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(serde_json::from_str(&answer)?)
}

/// Whether the device at `ip` is online; nothing when the gateway does not answer.
pub async fn is_online(socket: &Path, ip: IpAddr) -> Option<bool> {
    ask(socket, Question::Who { ip }).await.ok()?.get("online")?.as_bool()
}
