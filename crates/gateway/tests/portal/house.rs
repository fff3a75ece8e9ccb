//! A portal on loopback and a client that sends exactly the bytes it is given.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use super::names;
use kulkul_gateway::access::{Access, AskHub, Parts};
use kulkul_gateway::clock::{Clock, Hand};
use kulkul_gateway::journal::Journal;
use kulkul_gateway::link::LinkError;
use kulkul_gateway::portal::crowd::Crowd;
use kulkul_gateway::portal::desk::Desk;
use kulkul_gateway::portal::face::{Box as Here, Face};
use kulkul_gateway::portal::token::TokenKey;
use kulkul_gateway::portal::{Door, Extras, Portal, listen};
use kulkul_gateway::supervisor::{Admission, DayUse, Who};
use kulkul_gateway::words::Words;
use kulkul_model::measurement::{Minute, UsageMinute};
use kulkul_model::session::{Mac, Session, SessionId, Usage, WayIn};
use kulkul_model::{Moment, Refusal};
use kulkul_wire::link::{Admit, BootId, Desired, Entry, Proof, Report};
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
    today: Option<DayUse>,
    refusal: Option<Refusal>,
    now: Option<Moment>,
    asks: Vec<Admission>,
}

impl AnyDoor {
    /// From now on everybody is refused with this code.
    pub fn refuse(&self, code: &'static str) {
        self.refuse_with(Refusal::new(403, code));
    }

    /// From now on everybody is refused so.
    pub fn refuse_with(&self, refusal: Refusal) {
        self.0.lock().unwrap().refusal = Some(refusal);
    }

    /// The device has used this much of its day.
    pub fn used(&self, bytes: u64, ms: u64) {
        self.0.lock().unwrap().today = Some(DayUse { bytes, ms });
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
        let kept = self.0.lock().unwrap();
        Some(Who { mac: Mac([2, 0, 0x5e, 0x10, 0, 1]), session: kept.session.clone(), today: kept.today })
    }

    async fn admit(&self, ask: Admission) -> Result<Session, Refusal> {
        let mut kept = self.0.lock().unwrap();
        kept.asks.push(ask);
        if let Some(refusal) = kept.refusal.clone() {
            return Err(refusal);
        }
        let session = session(kept.now.unwrap_or_else(|| Clock::machine().now()));
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
    pub journal: Journal,
    /// Moves the clock, where it does not go by itself.
    pub hand: Option<Hand>,
    pub minutes: watch::Sender<Option<(Minute, UsageMinute)>>,
    _data: tempfile::TempDir,
    _face: watch::Sender<Arc<Face>>,
    pub portal: Portal<AnyDoor>,
    stop: CancellationToken,
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A code that the fake hub grants for an hour.
pub const GOOD: &str = "28T5-CY4T-QKFFM";

/// What the portal asks about vouchers and accounts, with a fake hub: a function that grants one code
/// and has somebody online elsewhere where the place says so.
fn access(desired: &serde_json::Value, clock: &Clock, data: &std::path::Path) -> Access {
    let wish: Desired = serde_json::from_value(desired.clone()).unwrap();
    let roams = wish.site.name == "Bale Banjar Roaming";
    let hub: AskHub = Arc::new(move |ask: Admit| {
        Box::pin(async move {
            let (way_in, code) = match ask.proof {
                Proof::Voucher { code } if code == GOOD => (WayIn::Voucher, ""),
                Proof::Voucher { .. } => (WayIn::Voucher, "voucher-unknown"),
                Proof::Account { .. } => (WayIn::Account, "account-wrong"),
                Proof::Roam if roams => (WayIn::ClickThrough, ""),
                Proof::Roam => (WayIn::ClickThrough, "roam-none"),
            };
            if !code.is_empty() {
                let (code, detail) = (code.to_owned(), String::new());
                let about = std::collections::BTreeMap::new();
                return Err(LinkError::Refused {
                    status: 403,
                    code,
                    detail,
                    expected: None,
                    now: None,
                    about,
                });
            }
            let grant = serde_json::json!({
                "id": "000102030405060708090a0b0c0d0e0f", "way_in": way_in, "left_ms": 3_600_000, "terms": 3,
            });
            Ok(serde_json::from_value(grant).unwrap())
        })
    });
    let (_, desired) = watch::channel(Some(Arc::new(wish)));
    let (clock, data) = (clock.clone(), data.to_owned());
    Access::open(Parts { hub: Some(hub), desired, clock, data, salts: || Ok([7; 16]) }).unwrap()
}

impl House {
    /// A place that the hub has said nothing about yet, on a box that has no hub.
    pub async fn open() -> House {
        Self::build(Clock::machine(), None, None)
    }

    /// The place of a desired state, at a local time such as `2026-11-24T21:52`.
    pub async fn at(time: &str, sections: serde_json::Value) -> House {
        let start = Moment::parse(&format!("{time}:00+08:00")).unwrap();
        let (clock, hand) = Clock::simulated(start, BootId([1; 16]));
        let mut desired = serde_json::json!({
            "version": {"epoch": 1, "counter": 2},
            "site": {
                "code": "BJ-001", "name": "Bale Banjar Bindu", "area_path": ["Badung", "Abiansemal", "Mekar Bhuwana"],
                "portal_host": "portal.test", "public_url": "https://hub.example.go.id/sites/BJ-001",
            },
        });
        desired.as_object_mut().unwrap().append(&mut sections.as_object().unwrap().clone());
        let house = Self::build(clock, Some(hand), Some(desired));
        house.door.0.lock().unwrap().now = Some(start);
        house
    }

    fn build(clock: Clock, hand: Option<Hand>, desired: Option<serde_json::Value>) -> House {
        let words = Arc::new(Words::builtin());
        let listener = listen::bind(0).unwrap();
        let port = listener.local_addr().unwrap().port();
        let here = Here { host: Some("portal.test".to_owned()), lan4: None, port: 80 };
        let shown = match &desired {
            None => Face::plain(&words, &here),
            Some(desired) => Face::of(&serde_json::from_value(desired.clone()).unwrap(), &words, &here),
        };
        let (face, seen) = watch::channel(Arc::new(shown.unwrap()));
        let (journal, data) = (Journal::in_memory(), tempfile::tempdir().unwrap());
        let (minutes, measured) = watch::channel(None);
        let desk = Arc::new(Desk::open(data.path(), journal.clone(), clock.clone()));
        let filtered = Some(Arc::new(names::filtered(data.path())));
        let extras = Extras {
            access: desired.as_ref().map(|d| access(d, &clock, data.path())),
            desk: desired.is_some().then_some(desk),
            minutes: Some(measured),
            filtered,
            first_boot: None,
        };
        let door = AnyDoor::default();
        let key = TokenKey::new([1; 32]);
        let portal = Portal::new(door.clone(), seen, words, clock.clone(), key, extras);
        let (crowd, stop) = (Crowd::new(listen::MOST, listen::MOST_EACH), CancellationToken::new());
        tokio::spawn(listen::serve(
            listener,
            portal.clone(),
            None,
            crowd.clone(),
            clock.clone(),
            stop.clone(),
        ));
        House {
            at: ([127, 0, 0, 1], port).into(),
            door,
            crowd,
            clock,
            journal,
            hand,
            minutes,
            _data: data,
            _face: face,
            portal,
            stop,
        }
    }

    /// Lets time pass and what the door knows of it.
    pub fn pass(&self, ms: i64) {
        self.hand.as_ref().unwrap().pass(ms);
        self.door.0.lock().unwrap().now = Some(self.clock.now());
    }

    /// The reports that the journal holds.
    pub async fn reports(&self) -> Vec<Report> {
        let entries = self.journal.read(1, 1 << 20).await.unwrap();
        let report = |entry| match entry {
            Entry::Report(report) => Some(report),
            _ => None,
        };
        entries.into_iter().filter_map(|(_, entry)| report(entry)).collect()
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
        let (_, answer) =
            Clock::machine().at_most(20_000, async { tokio::join!(write, read) }).await.unwrap();
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
