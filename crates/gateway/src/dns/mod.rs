//! The resolver: a process of its own, so that names go on when anything else fails.
//!
//! Answers the place's devices only. Before admission a device gets A, AAAA and HTTPS
//! records, few and small, so that DNS is no tunnel. Names that the place does not answer
//! lead to the portal, which says why; about all others nobody is lied to. Outside names
//! never point into private networks (no DNS rebinding). It keeps no record of who asked
//! for what: blocked names are counted by list, and nothing else is.

pub mod around;
pub mod cache;
pub mod counts;
pub mod filter;
pub mod keeper;
pub mod lists;
pub mod local;
pub mod orders;
pub mod pace;
mod quick;
pub mod serve;
pub mod server;
pub mod settings;
mod tls;
pub mod upstream;
pub mod who;

pub use orders::Orders;
pub use quick::Quick;
pub use server::{Server, Servers};
pub use settings::Settings;

use crate::clock::Clock;
use cache::Cache;
use counts::Counts;
use filter::Verdict;
use kulkul_wire::dns::{self, Answer, Ask, Bad, Glance, Key, RecordType, ResponseCode, Wants};
use pace::Pace;
use settings::is_of;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::UnixDatagram;
use tokio::sync::watch;
use upstream::{Question, Upstreams};
use who::Online;

/// The name of the socket on which the resolver tells the main process what it learns.
pub const TOLD_SOCKET: &str = "resolver.sock";
/// How long a device keeps the answer about a blocked name, in seconds.
const BLOCKED_TTL_S: u32 = 60;

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
    orders: watch::Receiver<Arc<Orders>>,
    cache: Mutex<Cache>,
    pace: Mutex<Pace>,
    online: Online,
    upstreams: Upstreams,
    counts: Counts,
    clock: Clock,
}

/// What the resolver tells the main process.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Addresses of a name of the walled garden.
    Learned {
        /// The name that was asked for.
        name: String,
        /// Its addresses.
        addresses: Vec<IpAddr>,
        /// How long they hold, in seconds.
        ttl_s: u32,
    },
    /// How many questions for names of each list were answered since this was last told.
    Blocked(counts::Blocked),
}

impl Resolver {
    /// Makes a resolver that works by `orders`.
    #[must_use]
    pub fn new(orders: watch::Receiver<Arc<Orders>>, clock: Clock) -> Self {
        Resolver(Arc::new(Inner {
            orders,
            cache: Mutex::default(),
            pace: Mutex::default(),
            online: Online::new(clock.clone()),
            upstreams: Upstreams::default(),
            counts: Counts::default(),
            clock,
        }))
    }

    /// What it works by now.
    #[must_use]
    pub fn orders(&self) -> Arc<Orders> {
        self.0.orders.borrow().clone()
    }

    /// The answer to a message from `peer`, or nothing where none is due.
    pub async fn answer(&self, bytes: &[u8], peer: SocketAddr, over: Over) -> Option<Vec<u8>> {
        let orders = self.orders();
        let settings = &orders.settings;
        let ip = peer.ip().to_canonical();
        if !settings.is_neighbour(ip) {
            return None;
        }
        let online = self.0.online.is_in(ip, &settings.socket).await;
        let now = self.0.clock.mono_ms();
        let mut out = Vec::new();
        match self.quick(&orders, bytes, ip, over, now, &mut out) {
            Quick::Answered => return Some(out),
            Quick::Silent => return None,
            Quick::Whole => {}
        }
        self.answer_whole(&orders, bytes, (ip, online), over).await
    }

    /// The answer to a message that `quick` left, from a device that may ask.
    pub async fn answer_whole(
        &self,
        orders: &Orders,
        bytes: &[u8],
        (ip, online): (IpAddr, bool),
        over: Over,
    ) -> Option<Vec<u8>> {
        let settings = &orders.settings;
        let mut ask = match dns::read_ask(bytes) {
            Ok(ask) => ask,
            Err(Bad::Silent) => return None,
            Err(Bad::Reply { id, code }) => return Some(dns::reply(id, code)),
        };
        let limit = limit(online, over, ask.limit);
        if let Some((code, records)) = local::answer(&ask, settings, ip) {
            return Some(dns::answer(&ask, code, &records, &[], limit));
        }
        if !online && !is_plain(ask.kind.into()) {
            // "Nothing of this kind" ends the matter; a refusal would be asked again elsewhere.
            return Some(dns::answer(&ask, ResponseCode::NoError, &[], &[], limit));
        }
        match orders.filter.verdict(&ask.name) {
            Verdict::Open => {}
            Verdict::NoName => return Some(dns::answer(&ask, ResponseCode::NXDomain, &[], &[], limit)),
            Verdict::Blocked(list) => {
                self.0.counts.count(list);
                return Some(blocked(
                    bytes,
                    &ask,
                    portal_address(settings, ip, ask.kind.into()),
                    list,
                    limit,
                ));
            }
        }
        if !online {
            ask.wants.dnssec = false;
        }
        let Some(answer) = self.resolve(&ask, orders).await else {
            return Some(dns::answer(&ask, ResponseCode::ServFail, &[], &[], limit));
        };
        if let Some(list) = orders.filter.behind(&ask.name, &answer) {
            self.0.counts.count(list);
            return Some(blocked(bytes, &ask, portal_address(settings, ip, ask.kind.into()), list, limit));
        }
        Some(dns::answer_with(&ask, &answer, limit))
    }

    /// The answer to an open question; search engines' names lead to their protected ones.
    async fn resolve(&self, ask: &Ask, orders: &Orders) -> Option<Answer> {
        let Some(protected) = orders.filter.instead(&ask.name) else {
            return self.look_up(&ask.name, ask.kind, ask.wants, orders).await;
        };
        if !matches!(ask.kind, RecordType::A | RecordType::AAAA) {
            return Some(Answer::default());
        }
        let mut answer = self.look_up(protected, ask.kind, Wants::default(), orders).await?;
        answer.records.insert(0, dns::alias_record(&ask.name, protected, BLOCKED_TTL_S)?);
        answer.authentic = false;
        Some(answer)
    }

    /// What is kept, else what the upstream says, else what was kept before.
    async fn look_up(&self, name: &str, kind: RecordType, wants: Wants, orders: &Orders) -> Option<Answer> {
        let settings = &orders.settings;
        let walled = is_of(name, &settings.walled_garden);
        let key = Key::of(name.trim_end_matches('.').split('.').map(str::as_bytes), kind.into(), wants);
        // The root has no labels; whatever else has no key is no name.
        let key = key.or_else(|| Key::of(std::iter::empty(), kind.into(), wants))?;
        let now = self.0.clock.mono_ms();
        // Only what hides nothing behind aliases is answered the quick way.
        let open_under = |answer: &Answer| {
            (!walled && orders.filter.behind(name, answer).is_none()).then_some(orders.number)
        };
        let kept = self.cache().find(&key, now).and_then(|kept| {
            let answer = Answer::kept(&kept.ready, &key, kept.count_down(now))?;
            kept.open_under = open_under(&answer);
            Some(answer)
        });
        let answer = match kept {
            Some(answer) => answer,
            None => {
                let question = Question { name, kind, wants: Wants { authentic: true, ..wants } };
                match self.0.upstreams.ask(&settings.servers(), question, &self.0.clock).await {
                    Ok(mut answer) => {
                        let inside =
                            |ip| dns::is_inside(ip) || settings.networks.iter().any(|n| n.contains(&ip));
                        if !is_of(name, &settings.private_names) && answer.without(inside) {
                            tracing::info!(name, "left out addresses that point into a private network");
                            answer.authentic = false;
                        }
                        self.keep(&key, name, kind, &answer, open_under(&answer));
                        answer
                    }
                    Err(error) => {
                        tracing::debug!(%error, "no upstream answer");
                        self.cache().find_stale(&key, now)?
                    }
                }
            }
        };
        if walled {
            tell_learned(settings, name, &answer).await;
        }
        Some(answer)
    }

    /// Keeps what an upstream answered; a server's own trouble is not worth keeping.
    fn keep(&self, key: &Key, name: &str, kind: RecordType, answer: &Answer, open_under: Option<u64>) {
        let sound = matches!(answer.code, ResponseCode::NoError | ResponseCode::NXDomain);
        if sound
            && !answer.truncated
            && let Some(ready) = answer.ready(name, kind)
        {
            self.cache().keep(key, answer, ready, open_under, self.0.clock.mono_ms());
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was blocked since this was last taken.
    #[must_use]
    pub fn take_counts(&self) -> counts::Blocked {
        self.0.counts.take()
    }
}

/// What is said instead of an answer that a list forbids: the box's address, and which list it was.
fn blocked(bytes: &[u8], ask: &Ask, address: Option<IpAddr>, list: &str, limit: usize) -> Vec<u8> {
    if let Some(glance) = Glance::of(bytes) {
        let mut out = Vec::new();
        glance.blocked(0, address, BLOCKED_TTL_S, list, &mut out);
        return out;
    }
    let record = address.and_then(|ip| dns::address_record(&ask.name, ip, BLOCKED_TTL_S));
    dns::answer(ask, ResponseCode::NoError, record.as_slice(), &[], limit)
}

/// Whether records of this kind are given before admission: A, AAAA, HTTPS.
const fn is_plain(kind: u16) -> bool {
    matches!(kind, 1 | 28 | 65)
}

/// The largest answer that is given.
fn limit(online: bool, over: Over, asked: usize) -> usize {
    match (online, over) {
        (false, _) => dns::PLAIN_LIMIT,
        (true, Over::Udp) => asked,
        (true, Over::Tcp) => usize::from(u16::MAX),
    }
}

/// The box's address as a neighbour at `ip` reaches it, of the kind that is asked for.
fn portal_address(settings: &Settings, ip: IpAddr, kind: u16) -> Option<IpAddr> {
    settings.own_addresses(ip).find(|own| kind == if own.is_ipv4() { 1 } else { 28 })
}

/// Tells the main process before the device hears the address, so that its first packet passes.
async fn tell_learned(settings: &Settings, name: &str, answer: &Answer) {
    let addresses: Vec<IpAddr> = answer.addresses().collect();
    let Some(socket) = settings.socket.parent().map(|p| p.join(TOLD_SOCKET)) else { return };
    if addresses.is_empty() {
        return;
    }
    // Longer than the answer lives, for those who kept it; the next lookup renews it.
    let ttl_s = answer.keep_s(3_600, 60).max(300);
    tell(&socket, &Told::Learned { name: name.to_owned(), addresses, ttl_s }).await;
}

/// Tells the main process something; while it is away nobody hears it.
pub async fn tell(socket: &Path, told: &Told) {
    let Ok(text) = serde_json::to_vec(told) else { return };
    let told = async {
        let sender = UnixDatagram::unbound()?;
        sender.send_to(&text, socket).await
    };
    if let Err(error) = told.await {
        tracing::debug!(%error, "the main process is away");
    }
}
