//! A portal on loopback and a client that sends exactly the bytes it is given.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use kulkul_gateway::clock::Clock;
use kulkul_gateway::portal::crowd::Crowd;
use kulkul_gateway::portal::face::{Box as Here, Face};
use kulkul_gateway::portal::token::TokenKey;
use kulkul_gateway::portal::{Door, Portal, listen};
use kulkul_gateway::supervisor::{Admission, Who};
use kulkul_gateway::words::Words;
use kulkul_model::session::{Mac, Session, SessionId, Usage};
use kulkul_model::{Moment, Refusal};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A door that knows every device as one and lets it in unless told otherwise.
#[derive(Clone, Default)]
pub struct AnyDoor(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    session: Option<Session>,
    refusal: Option<&'static str>,
    asks: Vec<Admission>,
}

impl AnyDoor {
    /// From now on everybody is refused with this code.
    pub fn refuse(&self, code: &'static str) {
        self.0.lock().unwrap().refusal = Some(code);
    }

    /// Lets the device in without the portal.
    pub fn let_in(&self, now: Moment) {
        self.0.lock().unwrap().session = Some(session(now));
    }

    /// What was asked so far.
    pub fn asks(&self) -> Vec<Admission> {
        self.0.lock().unwrap().asks.clone()
    }

    /// Whether the device is in.
    pub fn is_in(&self) -> bool {
        self.0.lock().unwrap().session.is_some()
    }
}

fn session(now: Moment) -> Session {
    Session {
        id: SessionId([7; 16]),
        mac: Mac([2, 0, 0x5e, 0x10, 0, 1]),
        addresses: Vec::new(),
        way_in: kulkul_model::session::WayIn::ClickThrough,
        terms: Some(0),
        began_at: now,
        ends_at: now.plus_ms(12 * 3_600_000),
        last_seen_at: now,
        usage: Usage { up_bytes: 1_260_000, down_bytes: 48_730_000, up_packets: 9, down_packets: 9 },
    }
}

impl Door for AnyDoor {
    async fn who(&self, _: IpAddr) -> Option<Who> {
        Some(Who {
            mac: Mac([2, 0, 0x5e, 0x10, 0, 1]),
            session: self.0.lock().unwrap().session.clone(),
            today: None,
        })
    }

    async fn admit(&self, ask: Admission) -> Result<Session, Refusal> {
        let mut kept = self.0.lock().unwrap();
        kept.asks.push(ask);
        if let Some(code) = kept.refusal {
            return Err(Refusal::new(403, code));
        }
        let session = session(Clock::machine().now());
        kept.session = Some(session.clone());
        Ok(session)
    }

    async fn log_out(&self, _: IpAddr) -> Result<(), Refusal> {
        self.0.lock().unwrap().session = None;
        Ok(())
    }
}

/// A running portal; it stops when this is dropped.
pub struct House {
    pub at: SocketAddr,
    pub door: AnyDoor,
    pub crowd: Crowd,
    pub clock: Clock,
    _face: watch::Sender<Arc<Face>>,
    pub portal: Portal<AnyDoor>,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl House {
    pub async fn open() -> House {
        let words = Arc::new(Words::builtin());
        let listener = listen::bind(0).unwrap();
        let port = listener.local_addr().unwrap().port();
        let here = Here { host: Some("portal.test".to_owned()), lan4: None, port: 80 };
        let (face, seen) = watch::channel(Arc::new(Face::plain(&words, &here).unwrap()));
        let (clock, door) = (Clock::machine(), AnyDoor::default());
        let portal = Portal::new(door.clone(), seen, words, clock.clone(), TokenKey::new([1; 32]));
        let (crowd, stop) = (Crowd::new(listen::MOST, listen::MOST_EACH), CancellationToken::new());
        tokio::spawn(listen::serve(
            listener,
            portal.clone(),
            None,
            crowd.clone(),
            clock.clone(),
            stop.clone(),
        ));
        House { at: ([127, 0, 0, 1], port).into(), door, crowd, clock, _face: face, portal, stop }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.at).await.unwrap()
    }

    /// Sends bytes on a connection of their own and reads until the portal closes it.
    pub async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The portal may stop reading before all is sent; what it answered is what counts.
        let (mut reading, mut writing) = stream.split();
        let write = async {
            let _ = writing.write_all(bytes).await;
            let _ = writing.shutdown().await;
        };
        let read = async {
            let mut answer = Vec::new();
            let mut buffer = [0; 8192];
            while let Ok(n @ 1..) = reading.read(&mut buffer).await {
                answer.extend_from_slice(&buffer[..n]);
            }
            answer
        };
        let (_, answer) = self.clock.at_most(20_000, async { tokio::join!(write, read) }).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Fetches a page under the portal's own name.
    pub async fn get(&self, path: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n\r\n").as_bytes())
            .await
    }

    /// Posts a form under the portal's own name.
    pub async fn post(&self, path: &str, form: &str) -> String {
        let length = form.len();
        self.send(
            format!(
                "POST {path} HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
            )
            .as_bytes(),
        )
        .await
    }

    /// The token of the form on a page.
    pub async fn token(&self, path: &str) -> String {
        let page = self.get(path).await;
        let (_, rest) =
            page.split_once("name=\"token\" value=\"").unwrap_or_else(|| panic!("no form: {page}"));
        rest.split('"').next().unwrap().to_owned()
    }
}

pub fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

pub fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().take_while(|l| !l.is_empty()).find_map(|l| {
        let (key, value) = l.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

pub fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, b)| b)
}
