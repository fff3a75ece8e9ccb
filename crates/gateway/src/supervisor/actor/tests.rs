use super::*;
use crate::clock::{BUILT_AT, BootId, Hand};
use crate::kernel::paper::Paper;
use crate::supervisor::Admission;
use kulkul_model::session::{StopReason, WayIn};
use kulkul_wire::netlink::{Counter, Extra, Set};
use std::path::Path;

mod disconnects;
mod hours;
mod passes;
mod queues;
mod told;

const CONFIG: &str = r#"
hub = "https://hub.example.go.id"
data = "DATA"
[uplink]
interface = "wan0"
[[segment]]
name = "public"
kind = "public"
interface = "lan0"
address4 = "10.77.0.1/16"
address6 = "fd77::1/64"
"#;

struct House {
    dir: tempfile::TempDir,
    paper: Paper,
    journal: Journal,
    clock: Clock,
    hand: Hand,
    teller: Teller,
}

fn house() -> House {
    let (clock, hand) = Clock::simulated(BUILT_AT, BootId([5; 16]));
    House {
        dir: tempfile::tempdir().unwrap(),
        paper: Paper::default(),
        journal: Journal::in_memory(),
        clock,
        hand,
        teller: Teller::to_nobody(),
    }
}

impl House {
    fn open(&self, first: u8) -> (Supervisor, JoinHandle<()>, CancellationToken) {
        let stop = CancellationToken::new();
        let mut n = first;
        let parts = Parts {
            config: Config::parse(&CONFIG.replace("DATA", self.dir.path().to_str().unwrap()), []).unwrap(),
            clock: self.clock.clone(),
            kernel: Box::new(self.paper.clone()),
            listener: None,
            journal: self.journal.clone(),
            ids: Box::new(move || {
                n += 1;
                SessionId([n; 16])
            }),
            teller: self.teller.clone(),
            can: Can { htb: true, ifb: true, leaves: crate::shaping::Leaves::default() },
        };
        let (supervisor, task) = start(parts, stop.clone()).unwrap();
        (supervisor, task, stop)
    }

    fn neighbour(&self, n: u8) -> IpAddr {
        let ip = IpAddr::from([10, 77, 0, n]);
        self.paper.sheet().neighbours.insert(ip, Mac([2, 0, 0, 0, 0, n]));
        ip
    }

    fn count(&self, bytes: u64) {
        for e in self.paper.sheet().elements.values_mut() {
            if e.set == Set::Auth4 {
                e.extra = Extra::Counter(Counter { packets: 1, bytes });
            }
        }
    }

    fn elements(&self) -> usize {
        self.paper.sheet().elements.len()
    }
}

fn click(ip: IpAddr) -> Admission {
    Admission { ip, way_in: WayIn::ClickThrough, terms: Some(3), language: "id".to_owned(), pass: None }
}

/// Lets the supervisor do what is due; the paper kernel and the journal in memory answer at once.
async fn pass(house: &House, ms: i64) {
    for _ in 0..ms / 1_000 {
        house.hand.pass(1_000);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn someone_gets_in_uses_bytes_and_goes() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    let session = supervisor.admit(click(ip)).await.unwrap();
    assert_eq!(session.mac, Mac([2, 0, 0, 0, 0, 9]));
    assert_eq!(house.elements(), 3, "known, auth, down");
    assert_eq!(supervisor.people(), 1);
    assert_eq!(
        supervisor.admit(click(ip)).await.unwrap().id,
        session.id,
        "a second click is the same session"
    );
    house.count(700);
    pass(&house, 11_000).await;
    assert_eq!(supervisor.usage().borrow().usage.up_bytes, 700);
    supervisor.log_out(ip).await.unwrap();
    assert_eq!(house.elements(), 0);
    assert_eq!(supervisor.log_out(ip).await.unwrap_err().code, "not-online");
    assert_eq!(supervisor.usage().borrow().usage.up_bytes, 700, "what is over stays counted");
}

#[tokio::test]
async fn strangers_and_blocked_devices_are_refused() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    let nobody = IpAddr::from([10, 77, 0, 200]);
    assert_eq!(supervisor.admit(click(nobody)).await.unwrap_err().code, "device-unknown");
    let mut desired = desired();
    supervisor.admit(click(ip)).await.unwrap();
    desired.access.blocked.push(Mac([2, 0, 0, 0, 0, 9]));
    supervisor.apply(desired.clone()).await.unwrap();
    assert_eq!(supervisor.people(), 0, "put out at once");
    assert_eq!(supervisor.admit(click(ip)).await.unwrap_err().code, "device-blocked");
    desired.access.blocked.clear();
    supervisor.apply(desired).await.unwrap();
    tokio::task::yield_now().await;
    supervisor.admit(click(ip)).await.unwrap();
}

fn desired() -> kulkul_wire::link::Desired {
    let json = serde_json::json!({
        "version": {"epoch": 1, "counter": 1},
        "site": {"code": "BJ-001", "name": "Banjar"},
    });
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn a_desired_state_that_the_kernel_refuses_changes_nothing() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    supervisor.admit(click(ip)).await.unwrap();
    let mut wish = desired();
    wish.plan.down_kbps = Some(2_000);
    house.paper.sheet().refuse_next = true;
    assert_eq!(supervisor.apply(wish.clone()).await.unwrap_err().code, "desired-refused");
    assert_eq!((supervisor.people(), house.elements()), (1, 3));
    supervisor.apply(wish.clone()).await.unwrap();
    assert_eq!(house.elements(), 4, "a cap came, and nobody was dropped");
    wish.network.management.push("203.0.113.0/24".parse().unwrap());
    supervisor.apply(wish).await.unwrap();
    assert!(house.paper.sheet().text.as_ref().unwrap().contains("203.0.113.0/24"));
    assert_eq!((supervisor.people(), house.elements()), (1, 4));
}

#[tokio::test]
async fn everybody_stays_when_the_daemon_is_killed_and_counters_go_on() {
    let house = house();
    let ips: Vec<IpAddr> = (1..=100).map(|n| house.neighbour(n)).collect();
    let (supervisor, task, _) = house.open(0);
    for ip in &ips {
        supervisor.admit(click(*ip)).await.unwrap();
    }
    let generation = house.paper.sheet().generation;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    house.count(1_000);
    let (supervisor, ..) = house.open(100);
    assert_eq!(supervisor.people(), 100);
    assert_eq!(house.paper.sheet().generation, generation, "the kernel was not touched");
    pass(&house, 11_000).await;
    let who = supervisor.who(ips[4]).await.unwrap();
    assert_eq!(who.session.unwrap().usage.up_bytes, 1_000);
}

#[tokio::test]
async fn a_flushed_table_is_put_right_within_five_seconds() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    supervisor.admit(click(ip)).await.unwrap();
    house.count(500);
    pass(&house, 11_000).await;
    {
        let mut sheet = house.paper.sheet();
        sheet.text = None;
        sheet.elements.clear();
        sheet.generation += 1;
    }
    pass(&house, 5_000).await;
    assert_eq!(house.elements(), 3);
    assert!(house.paper.sheet().text.is_some());
    let usage = supervisor.who(ip).await.unwrap().session.unwrap().usage;
    assert_eq!(usage.up_bytes, 500, "the new elements go on where the old ones were");
}

#[tokio::test]
async fn sessions_end_by_idleness_and_by_their_limit_and_not_by_the_wall_clock() {
    let house = house();
    let (a, b) = (house.neighbour(1), house.neighbour(2));
    let (supervisor, ..) = house.open(0);
    let mut wish = desired();
    wish.plan.session_ms = 120_000;
    wish.plan.idle_ms = 30_000;
    supervisor.apply(wish).await.unwrap();
    supervisor.admit(click(a)).await.unwrap();
    supervisor.admit(click(b)).await.unwrap();
    house.hand.step(BUILT_AT.plus_ms(365 * 86_400_000));
    for second in 0..100 {
        pass(&house, 1_000).await;
        // Only the first device goes on sending.
        let key = kulkul_wire::netlink::Key::Device(Mac([2, 0, 0, 0, 0, 1]), a);
        if let Some(e) = house.paper.sheet().elements.get_mut(&(Set::Auth4, key)) {
            e.extra = Extra::Counter(Counter { packets: second, bytes: second * 60 });
        }
    }
    assert!(supervisor.who(a).await.unwrap().session.is_some(), "a year's jump ends nobody");
    assert!(supervisor.who(b).await.unwrap().session.is_none(), "idle");
    pass(&house, 30_000).await;
    assert!(supervisor.who(a).await.unwrap().session.is_none(), "the limit");
    assert_eq!(house.elements(), 0);
    let _ = StopReason::Idle;
}

#[tokio::test]
async fn a_devices_other_addresses_join_its_session() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    supervisor.admit(click(ip)).await.unwrap();
    for n in 0..20u16 {
        let six = IpAddr::from([0xfd77, 0, 0, 0, 0, 0, 0, 0x100 + n]);
        house.paper.sheet().neighbours.insert(six, Mac([2, 0, 0, 0, 0, 9]));
    }
    // Without a listener the table is read each minute.
    pass(&house, 61_000).await;
    let session = supervisor.who(ip).await.unwrap().session.unwrap();
    assert_eq!(session.addresses.len(), 17, "its IPv4 address and at most sixteen of IPv6");
    assert_eq!(house.elements(), 17 * 3);
    supervisor.log_out(ip).await.unwrap();
    assert_eq!(house.elements(), 0);
}

#[tokio::test]
async fn stopping_leaves_the_kernel_enforcing() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, task, stop) = house.open(0);
    supervisor.admit(click(ip)).await.unwrap();
    stop.cancel();
    task.await.unwrap();
    assert_eq!(house.elements(), 3);
    assert!(Path::new(house.dir.path()).join("sessions.book").exists());
}
