//! Texts of names, set where the zone is: by a signed update, or by a program of the operator's.
//!
//! The key is read anew each time: who mends its file need not restart the hub.

use crate::clock::{Clock, within};
use crate::config::AcmeDns;
use crate::entropy::{NoEntropy, draw};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kulkul_wire::dns::update::{self, Algorithm, Change, NotDone, UpdateKey};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// A server may take this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// A program may take this long.
const HOOK_PATIENCE: Duration = Duration::from_secs(60);
/// So much of what a program says is kept, characters.
const SAID: usize = 300;

/// Why a text was not set.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// The server does not answer.
    #[error("the DNS server {server} does not answer: {cause}")]
    Silent {
        /// Host and port.
        server: String,
        /// What the system says.
        cause: io::Error,
    },
    /// The server answers that it did not do it.
    #[error("the DNS server {server} did not take the change: {cause}")]
    NotDone {
        /// Host and port.
        server: String,
        /// What it says.
        cause: NotDone,
    },
    /// The key's file cannot be used.
    #[error("cannot use {path}: {why}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The name or text is not one.
    #[error("{0} cannot be written into the zone")]
    Name(String),
    /// The program failed.
    #[error("{path} failed: {why}")]
    Hook {
        /// The program.
        path: PathBuf,
        /// How it ended and what it said.
        why: String,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// How texts of names are set.
#[derive(Clone, Debug)]
pub enum Texts {
    /// By updates to the zone's server.
    Updates(AcmeDns),
    /// By a program.
    Hook(PathBuf),
}

impl Texts {
    /// Makes `text` the only text of `name`; none takes all away.
    ///
    /// # Errors
    /// `DnsError` says what to mend.
    pub async fn set(&self, name: &str, text: Option<&str>) -> Result<(), DnsError> {
        match self {
            Texts::Updates(dns) => update(dns, name, text).await,
            Texts::Hook(path) => hook(path, name, text).await,
        }
    }
}

async fn update(dns: &AcmeDns, name: &str, text: Option<&str>) -> Result<(), DnsError> {
    let key = key(dns)?;
    let change = text.map_or(Change::Clear, Change::Set);
    // Servers keep the machine's time, also beside a simulated clock.
    let clock = Clock::machine();
    let at_s = || u64::try_from(clock.now().seconds()).unwrap_or(0);
    let id = u16::from_be_bytes(draw()?);
    let (sent, message) = update::write(&dns.zone, name, change, &key, (id, at_s()))
        .ok_or_else(|| DnsError::Name(name.to_owned()))?;
    let silent = |cause| DnsError::Silent { server: dns.server.clone(), cause };
    let answer = within(PATIENCE, exchange(&dns.server, &message)).await;
    let answer = answer.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())).map_err(silent)?;
    update::read(&answer, &sent, at_s())
        .map_err(|cause| DnsError::NotDone { server: dns.server.clone(), cause })
}

/// Sends a message over TCP, which no bound on size or forged answer troubles.
async fn exchange(server: &str, message: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_u16(u16::try_from(message.len()).map_err(io::Error::other)?).await?;
    stream.write_all(message).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// The key from its file: as `tsig-keygen` writes it, or base64 alone.
fn key(dns: &AcmeDns) -> Result<UpdateKey, DnsError> {
    let wrong = |why: &str| DnsError::Key { path: dns.key_file.clone(), why: why.to_owned() };
    let text = std::fs::read_to_string(&dns.key_file).map(Zeroizing::new);
    let text = text.map_err(|e| wrong(&e.to_string()))?;
    let named = |word: &str| {
        let (_, rest) = text.split_once(word)?;
        let value = rest.trim_start().split([';', '{']).next()?.trim();
        Some(value.trim_matches('"').trim())
    };
    let file = named("secret").map(|secret| (named("key").unwrap_or_default(), secret));
    let (name, secret) = file.unwrap_or(("", text.trim()));
    let name = if dns.key_name.is_empty() { name } else { &dns.key_name };
    if name.is_empty() {
        return Err(wrong("it has no name, and acme.dns.key_name gives none"));
    }
    let algorithm = match (dns.algorithm.as_str(), named("algorithm")) {
        ("", Some(said)) => said,
        ("", None) => "hmac-sha256",
        (set, _) => set,
    };
    let algorithm =
        Algorithm::named(algorithm).ok_or_else(|| wrong("its algorithm is not hmac-sha256, -384 or -512"))?;
    let secret = STANDARD.decode(secret).map_err(|_| wrong("the key is not base64"))?;
    Ok(UpdateKey { name: name.to_owned(), algorithm, secret: Zeroizing::new(secret) })
}

async fn hook(path: &Path, name: &str, text: Option<&str>) -> Result<(), DnsError> {
    let wrong = |why: String| DnsError::Hook { path: path.to_owned(), why };
    let mut command = tokio::process::Command::new(path);
    match text {
        Some(text) => command.args(["set", name, text]),
        None => command.args(["clear", name]),
    };
    command.stdin(Stdio::null()).kill_on_drop(true);
    let ended = within(HOOK_PATIENCE, command.output()).await;
    let ended = ended.ok_or_else(|| wrong(format!("not done within {} s", HOOK_PATIENCE.as_secs())))?;
    let ended = ended.map_err(|e| wrong(e.to_string()))?;
    if ended.status.success() {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(&ended.stderr).trim().chars().take(SAID).collect();
    Err(wrong(format!("{}: {said}", ended.status)))
}

#[cfg(test)]
mod tests;
