//! Vouchers and accounts as they are used: a real box's link, a real hub over TLS, and the hub gone.
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
use kulkul_gateway::access::{self, Access};
use kulkul_gateway::chance;
use kulkul_gateway::clock::Clock as BoxClock;
use kulkul_gateway::journal::Journal;
use kulkul_gateway::kernel::paper::Paper;
use kulkul_gateway::link::{self, Client, Link};
use kulkul_gateway::shaping::Leaves;
use kulkul_gateway::status::HubSeen;
use kulkul_gateway::supervisor::{self, Admission, Can, Parts, Pass, Supervisor};
use kulkul_hub::access::accounts::{self, NewAccount};
use kulkul_hub::access::vouchers::{self, Made, NewBatch};
use kulkul_hub::fleet::{claims, orders};
use kulkul_hub::staff::Actor;
use kulkul_hub::{Clock, Hub};
use kulkul_model::Refusal;
use kulkul_model::admission::Basis;
use kulkul_model::gateway::Capabilities;
use kulkul_model::session::{Mac, Session, WayIn};
use kulkul_model::voucher::Terms;
use kulkul_store::testing::on_both;
use kulkul_store::{Store, voucher};
use kulkul_wire::link::Desired;
use serde_json::json;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const SECRET: &str = "hujan123";
const HOUR_MS: u64 = 3_600_000;

/// A box on a kernel of paper, with its link.
struct Place {
    supervisor: Supervisor,
    access: Access,
    paper: Paper,
    journal: Journal,
    desired: watch::Receiver<Option<Arc<Desired>>>,
}

impl Place {
    fn open(config: &kulkul_gateway::config::Config, client: &Client, identity: link::Identity) -> Self {
        let (clock, stop, paper) = (BoxClock::machine(), CancellationToken::new(), Paper::default());
        let journal = link::open_journal(&config.data, &identity, &clock).unwrap();
        let parts = Parts {
            config: config.clone(),
            clock: clock.clone(),
            kernel: Box::new(paper.clone()),
            listener: None,
            journal: journal.clone(),
            ids: chance::session_ids(),
            can: Can { htb: true, ifb: true, leaves: Leaves::default() },
            teller: kulkul_gateway::connections::Teller::to_nobody(),
        };
        let (supervisor, _) = supervisor::start(parts, stop.clone()).unwrap();
        let (identity, (tell, desired)) = (Arc::new(identity), watch::channel(None));
        let access = Access::open(access::Parts {
            hub: Some(access::over(client.clone(), identity.clone())),
            desired: desired.clone(),
            clock: clock.clone(),
            data: config.data.clone(),
            salts: chance::bytes,
        });
        let apply: link::Apply = {
            let supervisor = supervisor.clone();
            Arc::new(move |desired: Desired| {
                let supervisor = supervisor.clone();
                Box::pin(async move { supervisor.apply(desired).await })
            })
        };
        let link = Link {
            client: client.clone(),
            identity,
            journal: journal.clone(),
            apply,
            people: Arc::new(|| 0),
            minutes: watch::channel(None).1,
            desired: Arc::new(tell),
            seen: Arc::new(watch::Sender::new(HubSeen::default())),
            clock,
            data: config.data.clone(),
        };
        tokio::spawn(link.run(stop));
        Place { supervisor, access: access.unwrap(), paper, journal, desired }
    }

    fn device(&self, n: u8) -> (Mac, IpAddr) {
        let (mac, ip) = (Mac([2, 0, 0, 0, 0, n]), IpAddr::from([10, 77, 0, n]));
        self.paper.sheet().neighbours.insert(ip, mac);
        (mac, ip)
    }

    async fn voucher(&self, n: u8, made: &Made, which: usize) -> Result<Pass, Refusal> {
        let typed = made.codes[which].shown().to_lowercase();
        self.access.voucher(self.device(n).0, &typed, Some(1)).await
    }

    async fn account(&self, n: u8, secret: &str) -> Result<Pass, Refusal> {
        self.access.account(self.device(n).0, "Wayan", secret.to_owned(), Some(1)).await
    }

    async fn comes_in(&self, n: u8, pass: Pass) -> Result<Session, Refusal> {
        let (_, ip) = self.device(n);
        let (way_in, language) = (pass.way_in, "id".to_owned());
        let ask = Admission { ip, way_in, terms: Some(1), language, pass: Some(pass) };
        self.supervisor.admit(ask).await
    }
}

async fn made(hub: &Hub) -> Made {
    let by = Actor::command_line();
    let ways = json!({ "ways_in": ["click_through", "voucher", "account"] });
    let scope = orders::Scope::parse("category:banjar").unwrap();
    orders::set(hub, &by, "access", &scope, ways.as_object().unwrap().clone()).await.unwrap();
    let new = NewAccount { name: "wayan".into(), secret: Some(SECRET.into()), ..NewAccount::default() };
    accounts::add(hub, &by, new).await.unwrap();
    let terms = Terms {
        lasts_ms: HOUR_MS,
        begin_before: hub.clock().now().plus_ms(24 * 3_600_000),
        devices: 1,
        down_kbps: Some(2_000),
        up_kbps: None,
    };
    let new = NewBatch { label: "Galungan".into(), site: Some(site()), count: 3, terms };
    vouchers::make(hub, &by, new).await.unwrap()
}

/// The vouchers of a batch that were begun, as the hub knows.
async fn begun(hub: &Hub, made: &Made) -> Vec<bool> {
    let mut tx = hub.store().reader().await.unwrap();
    let all = voucher::list(&mut tx, &made.batch.id, 0, 10).await.unwrap();
    all.iter().map(|v| v.begun.is_some()).collect()
}

async fn a_hub_and_a_box(store: Store, dir: &Path, data: &Path) {
    certificates(dir);
    register(&store).await;
    let (house, port) = serve_anywhere(dir, &store).await;
    let (machine, clock) = (Clock::machine(), BoxClock::machine());
    let url = format!("https://127.0.0.1:{port}");
    let client = Client::new(&url, Some(&dir.join("ca.pem")), false, &clock).unwrap();
    let issued = claims::issue(&house.hub, site(), "staff:test".to_owned(), None).await.unwrap();
    let config = settings(data, &issued.code.shown(), &issued.hub_root);
    let identity = link::enrol(&client, &config, &Capabilities::default(), "test", &clock).await.unwrap();
    let place = Place::open(&config, &client, identity);
    let made = made(&house.hub).await;
    until(&machine, "the vouchers at the box", async || {
        let known = place.desired.borrow().as_ref().map_or(0, |d| d.vouchers.count());
        (known == 3).then_some(())
    })
    .await;

    // The hub grants, counts devices, and hears of the start.
    let pass = place.voucher(1, &made, 0).await.unwrap();
    assert!(matches!(pass.basis, Basis::Grant(_)), "{pass:?}");
    let session = place.comes_in(1, pass).await.unwrap();
    assert_eq!(session.way_in, WayIn::Voucher);
    assert_eq!(place.voucher(2, &made, 0).await.unwrap_err().code, "voucher-devices");
    until(&machine, "the first voucher to be begun", async || {
        begun(&house.hub, &made).await[0].then_some(())
    })
    .await;
    assert_eq!(place.account(3, "salah-salah").await.unwrap_err().code, "account-wrong");
    let pass = place.account(3, SECRET).await.unwrap();
    assert!(matches!(pass.basis, Basis::Grant(_)), "{pass:?}");
    place.comes_in(3, pass).await.unwrap();
    place.supervisor.log_out(place.device(3).1).await.unwrap();

    // It goes away. What it gave holds, what nobody began begins, and one voucher is for one device.
    house.stop().await;
    let pass = place.voucher(4, &made, 1).await.unwrap();
    assert!(matches!(pass.basis, Basis::Voucher(_)), "{pass:?}");
    assert_eq!((pass.own.limit_ms, pass.own.down_kbps), (Some(HOUR_MS), Some(2_000)));
    place.comes_in(4, pass).await.unwrap();
    for (n, which) in [(5, 1), (5, 0)] {
        let pass = place.voucher(n, &made, which).await.unwrap();
        assert_eq!(place.comes_in(n, pass).await.unwrap_err().code, "voucher-devices");
    }
    let pass = place.account(6, SECRET).await.unwrap();
    assert!(matches!(pass.basis, Basis::Account(_)), "{pass:?}");
    place.comes_in(6, pass).await.unwrap();
    assert_eq!(place.account(7, "salah-salah").await.unwrap_err().code, "hub-silent");

    // It is back, and the journal tells it what was begun without it.
    let head = place.journal.head();
    let house = serve(dir, port, store.clone()).await.unwrap();
    until(&machine, "the journal at the hub", async || (place.journal.held() >= head).then_some(())).await;
    assert_eq!(begun(&house.hub, &made).await, [true, true, false]);
    let pass = place.voucher(4, &made, 1).await.unwrap();
    assert!(matches!(pass.basis, Basis::Grant(_)) && pass.own.limit_ms < Some(HOUR_MS), "{pass:?}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_come_in_by_vouchers_and_accounts_with_the_hub_and_without_it() {
    on_both(|store| async move {
        let (dir, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        a_hub_and_a_box(store, dir.path(), data.path()).await;
    })
    .await;
}
