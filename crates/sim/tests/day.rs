//! A day in the life of a place: its real box on a simulated clock, a real hub over TLS.
//!
//! The kernel is on paper: the test writes into it what the place's people carry. All
//! else is the real thing: the supervisor with its book, the journal on disk, the link,
//! orders given at the hub. In the evening the hub's books must say, session for
//! session, what was really carried.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]

mod house;

use house::{certificates, register, serve, serve_anywhere, settings, site, until};
use kulkul_gateway::clock::{BootId, Clock as BoxClock, Hand};
use kulkul_gateway::journal::Journal;
use kulkul_gateway::kernel::paper::Paper;
use kulkul_gateway::link::{self, Client, Identity, Link};
use kulkul_gateway::shaping::Leaves;
use kulkul_gateway::status::HubSeen;
use kulkul_gateway::supervisor::{self, Admission, Can, Parts, Supervisor};
use kulkul_hub::fleet::{claims, orders};
use kulkul_hub::staff::Actor;
use kulkul_hub::{Clock, Hub};
use kulkul_model::gateway::{Capabilities, GatewayId};
use kulkul_model::session::{Mac, SessionId, StopReason, WayIn};
use kulkul_model::{Moment, Zone};
use kulkul_store::testing::on_both;
use kulkul_store::{journal, session};
use kulkul_wire::link::desired::Desired;
use kulkul_wire::netlink::{Counter, Extra, Key, Set};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const MINUTE: i64 = 60_000;
/// The simulated clock goes in steps of this, milliseconds.
const STEP: i64 = 10_000;
/// One device's ration of the day.
const RATION: u64 = 300_000_000;
/// The one who watches films.
const GREEDY: u8 = 200;

fn device(n: u8) -> (Mac, IpAddr) {
    (Mac([2, 0, 0, 0, 0, n]), IpAddr::from([10, 77, 0, n]))
}

/// The box at the place, and what its people carry.
struct Place {
    config: kulkul_gateway::config::Config,
    paper: Paper,
    clock: BoxClock,
    hand: Hand,
    journal: Journal,
    supervisor: Supervisor,
    task: JoinHandle<()>,
    stop: CancellationToken,
    zone: Zone,
    day: Moment,
    dice: u64,
    /// Who is online as far as the test knows.
    online: BTreeMap<u8, SessionId>,
    /// Bytes up and down that the kernel let through, by session.
    carried: BTreeMap<SessionId, (u64, u64)>,
    /// Ids are never drawn twice, whatever is cut.
    ids: Arc<AtomicU64>,
}

fn start(
    config: &kulkul_gateway::config::Config,
    paper: &Paper,
    clock: &BoxClock,
    journal: &Journal,
    ids: &Arc<AtomicU64>,
) -> (Supervisor, JoinHandle<()>, CancellationToken) {
    let (stop, ids) = (CancellationToken::new(), ids.clone());
    let parts = Parts {
        config: config.clone(),
        clock: clock.clone(),
        kernel: Box::new(paper.clone()),
        listener: None,
        journal: journal.clone(),
        ids: Box::new(move || {
            let mut id = [0; 16];
            id[8..].copy_from_slice(&ids.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            SessionId(id)
        }),
        teller: kulkul_gateway::connections::Teller::to_nobody(),
        can: Can { htb: true, ifb: true, leaves: Leaves::default() },
    };
    let (supervisor, task) = supervisor::start(parts, stop.clone()).unwrap();
    (supervisor, task, stop)
}

impl Place {
    /// Opens the box before dawn of a day that is over.
    fn open(config: kulkul_gateway::config::Config, identity: &Identity, now: Moment) -> Self {
        let zone = Zone::named("Asia/Makassar").unwrap();
        let day = zone.day(now.plus_ms(-24 * 60 * MINUTE));
        let (clock, hand) = BoxClock::simulated(zone.clock_time(day, 5 * 60 + 30), BootId([1; 16]));
        let (paper, ids) = (Paper::default(), Arc::new(AtomicU64::new(1)));
        let journal = link::open_journal(&config.data, identity, &clock).unwrap();
        let (supervisor, task, stop) = start(&config, &paper, &clock, &journal, &ids);
        let (online, carried) = (BTreeMap::new(), BTreeMap::new());
        Place {
            config,
            paper,
            clock,
            hand,
            journal,
            supervisor,
            task,
            stop,
            zone,
            day,
            dice: 7,
            online,
            carried,
            ids,
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % below
    }

    async fn click(&mut self, n: u8) -> Result<SessionId, &'static str> {
        let (mac, ip) = device(n);
        self.paper.sheet().neighbours.insert(ip, mac);
        let language = "id".to_owned();
        let ask = Admission { ip, way_in: WayIn::ClickThrough, terms: Some(1), language, pass: None };
        let session = self.supervisor.admit(ask).await.map_err(|r| r.code)?;
        self.online.insert(n, session.id);
        self.carried.entry(session.id).or_default();
        Ok(session.id)
    }

    /// Who is online, after everything that was asked before is done.
    async fn people(&self) -> u32 {
        self.supervisor.who(device(250).1).await;
        self.supervisor.people()
    }

    /// Somebody sends and receives, as far as the kernel lets them.
    fn carry(&mut self, n: u8, up: u64, down: u64) {
        let (mac, ip) = device(n);
        let mut sheet = self.paper.sheet();
        let both = [(Set::Auth4, Key::Device(mac, ip), up), (Set::Down4, Key::Address(ip), down)];
        if !both.iter().all(|(set, key, _)| sheet.elements.contains_key(&(*set, *key))) {
            drop(sheet);
            self.online.remove(&n);
            return;
        }
        for (set, key, bytes) in both {
            let element = sheet.elements.get_mut(&(set, key)).unwrap();
            let Extra::Counter(c) = element.extra else { panic!("{element:?}") };
            element.extra = Extra::Counter(Counter { packets: c.packets + 1, bytes: c.bytes + bytes });
        }
        drop(sheet);
        let Some(id) = self.online.get(&n) else { return };
        let all = self.carried.get_mut(id).unwrap();
        *all = (all.0 + up, all.1 + down);
    }

    /// Lets the day go on until a clock time; `each` happens once a minute.
    async fn until(&mut self, hours: u16, minutes: u16, mut each: impl FnMut(&mut Place)) {
        let end = self.zone.clock_time(self.day, hours * 60 + minutes);
        let mut last = self.clock.now().minute();
        while self.clock.now() < end {
            self.hand.pass(STEP);
            // It answers after it has done what was due.
            self.supervisor.who(device(250).1).await;
            if self.clock.now().minute() > last {
                last = self.clock.now().minute();
                each(self);
            }
        }
    }

    /// The power goes: what the kernel counted since the last record is gone with it.
    async fn lose_power(&mut self, identity: &Identity, for_ms: i64) {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
        let back = self.clock.now().plus_ms(for_ms);
        let (clock, hand) = BoxClock::simulated(back, BootId([2; 16]));
        {
            let mut sheet = self.paper.sheet();
            sheet.text = None;
            sheet.elements.clear();
            sheet.classes.clear();
        }
        // The journal's file is let go of before it is opened again.
        self.journal = Journal::in_memory();
        let journal = link::open_journal(&self.config.data, identity, &clock).unwrap();
        (self.clock, self.hand, self.journal) = (clock, hand, journal);
        (self.supervisor, self.task, self.stop) =
            start(&self.config, &self.paper, &self.clock, &self.journal, &self.ids);
    }
}

/// The link of the box, on the machine's own clock.
struct Line {
    stop: CancellationToken,
    task: JoinHandle<()>,
    applied: watch::Receiver<u64>,
}

fn connect(place: &Place, client: &Client) -> Line {
    let supervisor = place.supervisor.clone();
    let (tell, applied) = watch::channel(0);
    let tell = Arc::new(tell);
    let apply: link::Apply = Arc::new(move |desired: Desired| {
        let (supervisor, tell) = (supervisor.clone(), tell.clone());
        Box::pin(async move {
            let version = desired.version.counter;
            supervisor.apply(desired).await?;
            tell.send_replace(version);
            Ok(())
        })
    });
    let link = Link {
        client: client.clone(),
        identity: Arc::new(link::identity(&place.config.data).unwrap().unwrap()),
        journal: place.journal.clone(),
        apply,
        people: Arc::new(|| 0),
        minutes: watch::channel(None).1,
        desired: Arc::new(watch::Sender::new(None)),
        seen: Arc::new(watch::Sender::new(HubSeen::default())),
        clock: BoxClock::machine(),
        data: place.config.data.clone(),
    };
    let stop = CancellationToken::new();
    Line { stop: stop.clone(), task: tokio::spawn(link.run(stop)), applied }
}

impl Line {
    async fn cut(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

async fn order(hub: &Hub, section: &str, fields: Value) {
    let scope = orders::Scope::parse("category:banjar").unwrap();
    let fields = fields.as_object().unwrap().clone();
    orders::set(hub, &Actor::command_line(), section, &scope, fields).await.unwrap();
}

/// What the hub's books say, by session: bytes and why it ended.
async fn books(hub: &Hub) -> BTreeMap<SessionId, ((u64, u64), Option<StopReason>)> {
    let mut tx = hub.store().reader().await.unwrap();
    let here = session::Filter { site: Some(site()), online_since: None };
    let all = session::list(&mut tx, &here, &session::newest(), 1_000).await.unwrap();
    all.into_iter().map(|s| (s.id, ((s.usage.up_bytes, s.usage.down_bytes), s.ended))).collect()
}

async fn delivered(hub: &Hub, gateway: &GatewayId, place: &Place) {
    let head = place.journal.head();
    until(&Clock::machine(), "the whole journal at the hub", async || {
        let mut tx = hub.store().reader().await.unwrap();
        let held = journal::head(&mut tx, gateway).await.unwrap().unwrap();
        (held.seq >= head).then_some(())
    })
    .await;
}

/// What people carry in a minute, each as they like.
fn chatter(place: &mut Place) {
    for n in place.online.keys().copied().collect::<Vec<_>>() {
        let (up, down) = (place.draw(200_000), place.draw(1_500_000));
        let many = if n == GREEDY { 12 } else { 1 };
        place.carry(n, up, down * many);
    }
}

fn quiet(_: &mut Place) {}

async fn a_day(store: kulkul_store::Store, dir: &Path, data: &Path) {
    certificates(dir);
    register(&store).await;
    let (house, port) = serve_anywhere(dir, &store).await;
    order(&house.hub, "hours", json!({"week": {"daily": "06:00-22:00"}})).await;
    order(&house.hub, "plan", json!({"day_bytes": RATION, "session_ms": 4 * 60 * MINUTE})).await;
    order(&house.hub, "line", json!({"down_kbps": 50_000, "up_kbps": 20_000})).await;
    let machine = BoxClock::machine();
    let url = format!("https://127.0.0.1:{port}");
    let client = Client::new(&url, Some(&dir.join("ca.pem")), false, &machine).unwrap();
    let issued = claims::issue(&house.hub, site(), "staff:test".to_owned(), None).await.unwrap();
    let config = settings(data, &issued.code.shown(), &issued.hub_root);
    let identity = link::enrol(&client, &config, &Capabilities::default(), "test", &machine).await.unwrap();
    let gateway = identity.gateway.clone();

    // Before dawn: the box has its orders, and the place is closed.
    let mut place = Place::open(config, &identity, Clock::machine().now());
    let mut line = connect(&place, &client);
    line.applied.wait_for(|v| *v > 0).await.unwrap();
    assert_eq!(place.click(1).await, Err("site-closed"));
    place.until(6, 0, quiet).await;

    // It opens by itself; people come, and at noon the place is full.
    for n in 1..=40 {
        place.click(n).await.unwrap();
    }
    place.until(9, 30, chatter).await;
    for n in 41..=GREEDY {
        place.click(n).await.unwrap();
    }
    assert_eq!(place.people().await, u32::from(GREEDY));
    let classes = place.paper.sheet().classes.keys().filter(|(_, minor)| *minor >= 16).count();
    assert_eq!(classes, 2 * usize::from(GREEDY), "a class for each, both ways");
    place.until(11, 0, chatter).await;
    assert_eq!(place.click(GREEDY).await, Err("quota-used"), "films all morning");
    assert!(!place.online.contains_key(&GREEDY));

    // The provider's line is cut for an hour: nothing passes, who is idle goes, who comes is let in.
    place.until(12, 0, quiet).await;
    assert!(place.people().await < u32::from(GREEDY) / 2, "idle for half an hour");
    for n in 1..=60 {
        place.click(n).await.unwrap();
    }
    place.until(14, 0, chatter).await;

    // The hub goes away; the place does not notice.
    line.cut().await;
    house.stop().await;
    for n in 61..=80 {
        place.click(n).await.unwrap();
    }
    place.until(16, 20, chatter).await;

    // The power goes for a quarter of an hour. What was carried since the last record is not known.
    let before: BTreeMap<u8, (SessionId, (u64, u64))> =
        place.online.iter().map(|(n, id)| (*n, (*id, place.carried[id]))).collect();
    place.lose_power(&identity, 15 * MINUTE).await;
    place.until(16, 40, quiet).await;
    for (n, (id, (up, down))) in before {
        let (_, ip) = device(n);
        let Some(session) = place.supervisor.who(ip).await.and_then(|w| w.session) else { continue };
        assert_eq!(session.id, id, "the same session goes on");
        let known = (session.usage.up_bytes, session.usage.down_bytes);
        let (lost_up, lost_down) = (up - known.0, down - known.1);
        // Ten minutes of the most that anybody carries in a minute, and the one that was running.
        assert!(lost_up <= 11 * 200_000 && lost_down <= 11 * 1_500_000, "{lost_up} {lost_down}");
        place.carried.insert(id, known);
    }
    place.until(18, 0, chatter).await;
    assert_eq!(place.click(GREEDY).await, Err("quota-used"), "the day's ration outlives the power");

    // The hub is back with what it held; the journal follows, and the evening goes on.
    let house = serve(dir, port, store.clone()).await.unwrap();
    let line = connect(&place, &client);
    place.until(20, 0, chatter).await;
    for n in 100..=150 {
        // Some of them are still here.
        let _ = place.click(n).await;
    }
    place.until(22, 1, chatter).await;
    assert_eq!(place.people().await, 0, "closed");
    assert_eq!(place.click(3).await, Err("site-closed"));
    place.until(22, 10, quiet).await;
    delivered(&house.hub, &gateway, &place).await;

    let books = books(&house.hub).await;
    assert_eq!(books.keys().collect::<BTreeSet<_>>(), place.carried.keys().collect::<BTreeSet<_>>());
    for (id, carried) in &place.carried {
        assert_eq!(books[id].0, *carried, "{id}: {:?}", books[id].1);
    }
    let reasons: BTreeSet<&str> =
        books.values().map(|b| b.1.expect("every session is over").as_str()).collect();
    assert_eq!(reasons, BTreeSet::from(["closed", "idle", "quota", "session_limit"]));
    let all: u64 = place.carried.values().map(|c| c.0 + c.1).sum();
    println!("{} sessions, {all} bytes, {} entries", books.len(), place.journal.head());
    line.cut().await;
    place.stop.cancel();
    place.task.await.unwrap();
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_evening_the_hubs_books_say_what_was_carried() {
    on_both(|store| async move {
        let (dir, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        a_day(store, dir.path(), data.path()).await;
    })
    .await;
}
