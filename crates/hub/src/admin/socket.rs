//! `admin.sock`: one JSON command a line, one JSON answer a line.

use super::command::{Answer, Command, run};
use crate::Hub;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// The longest line that is read, bytes: an import of 50 MB in base64 fits.
const LONGEST_LINE: u64 = 72 << 20;

/// The socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// It cannot be made, opened, written to or read from.
    #[error("cannot use {}: {cause}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The other side speaks another language: a hub of another version.
    #[error("the running hub answers in a form that this program does not know: {0}")]
    Form(String),
}

/// Where the socket of a hub lies, by its data directory.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    data.join("admin.sock")
}

fn wrong(path: &Path) -> impl FnOnce(std::io::Error) -> AdminError {
    let path = path.to_owned();
    move |cause| AdminError::Socket { path, cause }
}

/// A bound socket; the file goes away with it.
pub struct Socket {
    path: PathBuf,
    listener: UnixListener,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Leaving it behind harms nobody: the next hub replaces it.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Socket {
    /// Binds the socket of this hub, in place of one that was left behind.
    ///
    /// The store's lock has made sure that no other hub runs on this directory.
    ///
    /// # Errors
    /// `AdminError` names the path.
    pub fn bind(data: &Path) -> Result<Self, AdminError> {
        let path = path(data);
        match std::fs::remove_file(&path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                return Err(AdminError::Socket { path, cause });
            }
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(wrong(&path))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(wrong(&path))?;
        Ok(Socket { path, listener })
    }

    /// Answers commands until the hub is told to stop, one connection at a time.
    pub async fn serve(self, hub: Hub) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = hub.stop().cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let hub_here = hub.clone();
                    hub.tasks().spawn(async move {
                        let stop = hub_here.stop().clone();
                        tokio::select! {
                            biased;
                            () = stop.cancelled() => {}
                            result = talk(&hub_here, stream) => {
                                if let Err(error) = result {
                                    tracing::debug!(%error, "admin connection ended");
                                }
                            }
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "admin.sock does not accept any more");
                    return;
                }
            }
        }
    }
}

async fn talk(hub: &Hub, stream: UnixStream) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    loop {
        let mut line = Vec::new();
        let n = (&mut reading).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        if n == 0 {
            return Ok(());
        }
        let answer = match serde_json::from_slice::<Command>(&line) {
            Ok(command) => run(hub, command).await,
            Err(e) => Answer::Failed { said: format!("the hub does not know this command: {e}") },
        };
        let mut line = serde_json::to_vec(&answer).unwrap_or_default();
        line.push(b'\n');
        writing.write_all(&line).await?;
    }
}

/// A connection to a running hub.
pub struct Client {
    path: PathBuf,
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Connects to the hub that runs on this data directory; none when none does.
    ///
    /// # Errors
    /// `AdminError` when a hub is there and this user may not talk to it.
    pub async fn connect(data: &Path) -> Result<Option<Self>, AdminError> {
        let path = path(data);
        match UnixStream::connect(&path).await {
            Ok(stream) => Ok(Some(Client { path, stream: BufReader::new(stream) })),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(None),
            Err(cause) => Err(AdminError::Socket { path, cause }),
        }
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// `AdminError` when the connection breaks; the command may have been done then.
    pub async fn ask(&mut self, command: &Command) -> Result<Answer, AdminError> {
        let mut line = serde_json::to_vec(command).map_err(|e| AdminError::Form(e.to_string()))?;
        line.push(b'\n');
        self.stream.write_all(&line).await.map_err(wrong(&self.path))?;
        let mut answer = Vec::new();
        self.stream.read_until(b'\n', &mut answer).await.map_err(wrong(&self.path))?;
        serde_json::from_slice(&answer).map_err(|e| AdminError::Form(e.to_string()))
    }
}
