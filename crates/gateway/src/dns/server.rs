//! A server that is asked: in the clear, or over TLS under the name that it must prove.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// The port of DNS over TLS (RFC 7858, section 3.1).
const TLS_PORT: u16 = 853;

/// A server that is asked; written `address:port` or `tls://address:port#name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Server {
    /// Where it is.
    pub at: SocketAddr,
    /// The name that its certificate must be for; none where it is asked in the clear.
    pub tls: Option<String>,
}

impl Server {
    /// One that is asked in the clear, by UDP and TCP.
    #[must_use]
    pub const fn plain(at: SocketAddr) -> Self {
        Server { at, tls: None }
    }

    /// One that is asked over TLS on its own port.
    #[must_use]
    pub fn over_tls(address: IpAddr, name: &str) -> Self {
        Server { at: SocketAddr::new(address, TLS_PORT), tls: Some(name.to_owned()) }
    }
}

/// Servers to ask in order, and whom those over TLS are proven by.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Servers {
    /// The servers.
    pub all: Vec<Server>,
    /// Certificates of their CA; none for the system's.
    pub ca: Option<PathBuf>,
}

impl From<Vec<SocketAddr>> for Servers {
    fn from(all: Vec<SocketAddr>) -> Self {
        Servers { all: all.into_iter().map(Server::plain).collect(), ca: None }
    }
}

impl From<SocketAddr> for Server {
    fn from(at: SocketAddr) -> Self {
        Server::plain(at)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tls {
            None => write!(f, "{}", self.at),
            Some(name) => write!(f, "tls://{}#{name}", self.at),
        }
    }
}

impl From<Server> for String {
    fn from(server: Server) -> Self {
        server.to_string()
    }
}

/// Not a server that can be asked.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is neither address:port nor tls://address#name")]
pub struct NotAServer(String);

impl TryFrom<String> for Server {
    type Error = NotAServer;

    fn try_from(text: String) -> Result<Self, NotAServer> {
        let wrong = || NotAServer(text.clone());
        let Some(rest) = text.strip_prefix("tls://") else {
            return text.parse().map(Server::plain).map_err(|_| wrong());
        };
        let (at, name) = rest.split_once('#').filter(|(_, name)| !name.is_empty()).ok_or_else(wrong)?;
        let bare = || at.trim_matches(['[', ']']).parse().map(|ip: IpAddr| SocketAddr::new(ip, TLS_PORT));
        let at = at.parse().or_else(|_| bare()).map_err(|_| wrong())?;
        Ok(Server { at, tls: Some(name.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_written_as_they_are_read() {
        for text in ["192.0.2.1:53", "[2001:db8::1]:5353", "tls://192.0.2.1:853#dns.example"] {
            assert_eq!(Server::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        let short = |text: &str| Server::try_from(text.to_owned()).map(|s| s.to_string()).ok();
        assert_eq!(short("tls://192.0.2.1#a.example").as_deref(), Some("tls://192.0.2.1:853#a.example"));
        assert_eq!(
            short("tls://2001:db8::1#a.example").as_deref(),
            Some("tls://[2001:db8::1]:853#a.example")
        );
        for text in ["192.0.2.1", "tls://192.0.2.1", "tls://192.0.2.1#", "dns.example:53"] {
            assert_eq!(short(text), None, "{text}");
        }
    }
}
