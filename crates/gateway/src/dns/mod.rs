//! The resolver: a process of its own, so that names go on when anything else fails.
//!
//! Answers the place's devices only. Before admission a device gets A, AAAA and HTTPS
//! records, few and small, so that DNS is no tunnel; it is never lied to about other
//! names. Outside names never point into private networks (no DNS rebinding). It keeps
//! no record of who asked for what.

pub mod cache;
pub mod keeper;
pub mod local;
pub mod pace;
pub mod serve;
pub mod settings;
pub mod upstream;
pub mod who;

pub use settings::Settings;

use crate::clock::Clock;
use cache::Cache;
use kulkul_wire::dns::{self, Answer, Bad, RecordType, ResponseCode};
use pace::Pace;
use settings::is_of;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UnixDatagram;
use tokio::sync::watch;
use who::Online;

/// The name of the socket on which learned addresses of the walled garden are told.
pub const WALLED_SOCKET: &str = "walled.sock";

/// How a question came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// In one datagram.
    Udp,
    /// On a stream, where an answer may be long.
    Tcp,
}

/// Answers questions; cheap to clone.
#[derive(Clone, Debug)]
pub struct Resolver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: watch::Receiver<Arc<Settings>>,
    cache: Mutex<Cache>,
    pace: Mutex<Pace>,
    online: Online,
    clock: Clock,
}

/// Addresses of a name of the walled garden, told to the main process.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Learned {
    /// The name that was asked for.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// How long they hold, in seconds.
    pub ttl_s: u32,
}

impl Resolver {
    /// Makes a resolver that follows `settings`.
    #[must_use]
    pub fn new(settings: watch::Receiver<Arc<Settings>>, clock: Clock) -> Self {
        Resolver(Arc::new(Inner {
            settings,
            cache: Mutex::default(),
            pace: Mutex::default(),
            online: Online::new(clock.clone()),
            clock,
        }))
    }

    /// The answer to a message from `peer`, or nothing where none is due.
    pub async fn answer(&self, bytes: &[u8], peer: SocketAddr, over: Over) -> Option<Vec<u8>> {
        let settings = self.0.settings.borrow().clone();
        let ip = peer.ip().to_canonical();
        if !settings.is_neighbour(ip) {
            return None;
        }
        let ask = match dns::read_ask(bytes) {
            Ok(ask) => ask,
            Err(Bad::Silent) => return None,
            Err(Bad::Reply { id, code }) => return Some(dns::reply(id, code)),
        };
        let online = self.0.online.is_in(ip, &settings.socket).await;
        let rate = if online { pace::AFTER } else { pace::BEFORE };
        let now = self.0.clock.mono_ms();
        if !self.0.pace.lock().unwrap_or_else(PoisonError::into_inner).allows(ip, rate, now) {
            return None;
        }
        let limit = match (online, over) {
            (false, _) => dns::PLAIN_LIMIT,
            (true, Over::Udp) => ask.limit,
            (true, Over::Tcp) => usize::from(u16::MAX),
        };
        let plain = matches!(ask.kind, RecordType::A | RecordType::AAAA | RecordType::HTTPS);
        if let Some((code, records)) = local::answer(&ask, &settings, ip) {
            return Some(dns::answer(&ask, code, &records, &[], limit));
        }
        if !online && !plain {
            // "Nothing of this kind" ends the matter; a refusal would be asked again elsewhere.
            return Some(dns::answer(&ask, ResponseCode::NoError, &[], &[], limit));
        }
        let answer = self.look_up(&ask.name, ask.kind, &settings).await;
        Some(match answer {
            Some(a) => dns::answer(&ask, a.code, &a.records, &a.authority, limit),
            None => dns::answer(&ask, ResponseCode::ServFail, &[], &[], limit),
        })
    }

    /// What is kept, else what the upstream says, else what was kept before.
    async fn look_up(&self, name: &str, kind: RecordType, settings: &Settings) -> Option<Answer> {
        let now = self.0.clock.mono_ms();
        let kept = self.cache().find(name, kind, now);
        let answer = match kept {
            Some(answer) => answer,
            None => match upstream::ask(&settings.servers(), name, kind, &self.0.clock).await {
                Ok(mut answer) => {
                    let inside = |ip| dns::is_inside(ip) || settings.networks.iter().any(|n| n.contains(&ip));
                    if !is_of(name, &settings.private_names) && answer.without(inside) {
                        tracing::info!(name, "left out addresses that point into a private network");
                    }
                    // A server's own trouble is not worth keeping.
                    if matches!(answer.code, ResponseCode::NoError | ResponseCode::NXDomain)
                        && !answer.truncated
                    {
                        self.cache().keep(name, kind, &answer, self.0.clock.mono_ms());
                    }
                    answer
                }
                Err(error) => {
                    tracing::debug!(%error, "no upstream answer");
                    self.cache().find_stale(name, kind, now)?
                }
            },
        };
        if is_of(name, &settings.walled_garden) {
            tell_learned(settings, name, &answer).await;
        }
        Some(answer)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the main process before the device hears the address, so that its first packet passes.
async fn tell_learned(settings: &Settings, name: &str, answer: &Answer) {
    let addresses: Vec<IpAddr> = answer.addresses().collect();
    let Some(socket) = settings.socket.parent().map(|p| p.join(WALLED_SOCKET)) else { return };
    if addresses.is_empty() {
        return;
    }
    // Longer than the answer lives, for those who kept it; the next lookup renews it.
    let ttl_s = answer.keep_s(3_600, 60).max(300);
    let learned = Learned { name: name.to_owned(), addresses, ttl_s };
    let Ok(text) = serde_json::to_vec(&learned) else { return };
    let told = async {
        let sender = UnixDatagram::unbound()?;
        sender.send_to(&text, &socket).await
    };
    if let Err(error) = told.await {
        tracing::debug!(%error, "walled garden: the main process is away");
    }
}
