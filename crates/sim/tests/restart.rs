//! Fifty gateways against a hub that is stopped and started again: nothing is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]

use kulkul_hub::clock::Clock;
use kulkul_hub::config::Config;
use kulkul_hub::fleet::{claims, diagnostics};
use kulkul_hub::serve::Server;
use kulkul_hub::sites::{builtin, import};
use kulkul_hub::staff::Actor;
use kulkul_hub::{Hub, entropy};
use kulkul_model::Moment;
use kulkul_model::diagnostic::DiagnosticOutcome;
use kulkul_sim::caller::Line;
use kulkul_sim::fleet::{self, Counts, Pace, Tally};
use kulkul_sim::light::{HARDWARE, LightGateway};
use kulkul_sim::world::{Place, World};
use kulkul_store::testing::on_both_addresses;
use kulkul_store::{Store, diagnostic, gateway, journal, site};
use std::net::TcpListener;
use std::path::Path;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const GATEWAYS: u32 = 50;
const DEADLINE_MS: i64 = 60_000;

struct Running {
    hub: Hub,
    serving: JoinHandle<()>,
}

impl Running {
    async fn start(data: &Path, database: &str, port: u16) -> Self {
        let mut config = Config::defaults(data).unwrap();
        config.listen = ([127, 0, 0, 1], port).into();
        config.public_url = format!("http://127.0.0.1:{port}");
        config.admin_listen = ([127, 0, 0, 1], 0).into();
        let store = Store::open(database).await.unwrap();
        store.migrate().await.unwrap();
        let hub = Hub::start(config, Clock::machine(), store).unwrap();
        hub.begin().await.unwrap();
        let server = Server::bind(&hub).await.unwrap();
        Running { hub, serving: tokio::spawn(server.run()) }
    }

    async fn stop(self) {
        self.hub.stop().cancel();
        self.serving.await.unwrap();
        self.hub.store().stop().await;
    }
}

async fn wait_for(clock: &Clock, tally: &Tally, what: &str, reached: impl Fn(&Counts) -> bool) {
    let until = clock.now().plus_ms(DEADLINE_MS);
    while !reached(&tally.now()) {
        let last = tally.now().last_failure;
        assert!(clock.now() < until, "{what} was not reached in time; last failure: {last:?}");
        clock.sleep_ms(20).await;
    }
}

/// What staff ask of a simulated box it answers with what it is.
async fn is_answered(hub: &Hub, clock: &Clock) {
    let one = gateway::list(&mut hub.store().reader().await.unwrap(), "", 1).await.unwrap().remove(0).id;
    diagnostics::ask(hub, &Actor::command_line(), one.as_str(), ("doctor", "")).await.unwrap();
    let (until, newest) = (clock.now().plus_ms(30_000), (Moment::from_ms(i64::MAX), ""));
    let answer = loop {
        let mut tx = hub.store().reader().await.unwrap();
        let asked = diagnostic::list(&mut tx, &one, newest, 1).await.unwrap().remove(0);
        drop(tx);
        if let Some(answer) = asked.answer {
            break answer;
        }
        assert!(clock.now() < until, "no answer in time");
        clock.sleep_ms(20).await;
    };
    assert_eq!((answer.outcome, answer.text.as_str()), (DiagnosticOutcome::Refused, HARDWARE));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_hub_restarts() {
    on_both_addresses(|url| async move {
        let data = tempfile::tempdir().unwrap();
        let clock = Clock::machine();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let running = Running::start(data.path(), &url, port).await;
        let who = import::ImportOptions { dry_run: false, who: "test".to_owned() };
        for file in builtin::badung() {
            let bytes = file.bytes.to_vec();
            import::run(running.hub.store(), file.kind, bytes, file.name, &who, clock.now()).await.unwrap();
        }

        let line = Line::to(&format!("http://127.0.0.1:{port}"), None).unwrap();
        let sites =
            site::after(&mut running.hub.store().reader().await.unwrap(), "", GATEWAYS).await.unwrap();
        let mut claimed = Vec::new();
        for one in sites {
            let issued =
                claims::issue(&running.hub, one.code.clone(), "test".to_owned(), None).await.unwrap();
            let place = Place { code: one.code, category: one.category, village: one.area };
            claimed
                .push((LightGateway::new(place, &entropy::draw().unwrap(), clock.now(), true), issued.code));
        }
        let (tally, stop) = (Tally::default(), CancellationToken::new());
        let gateways = fleet::enrol(claimed, &line, &clock, &tally, &stop).await;
        assert_eq!(gateways.len(), GATEWAYS as usize, "{:?}", tally.now().last_failure);

        let life = tokio::spawn({
            let (line, clock, tally, stop) = (line.clone(), clock.clone(), tally.clone(), stop.clone());
            let world = World::new(7, clock.now());
            async move { fleet::run(gateways, &line, world, &clock, Pace::every(300), &tally, &stop).await }
        });
        wait_for(&clock, &tally, "a hundred deliveries", |c| c.delivered >= 100).await;
        running.stop().await;
        wait_for(&clock, &tally, "a failed call", |c| c.failed >= 5).await;
        let before = tally.now().beats;
        let running = Running::start(data.path(), &url, port).await;
        wait_for(&clock, &tally, "beats after the restart", |c| c.beats >= before + 100).await;
        is_answered(&running.hub, &clock).await;
        stop.cancel();
        let gateways = life.await.unwrap();

        let summary = fleet::sum_up(&gateways, &tally.now());
        assert_eq!(summary.entries_lost, 0, "{summary:?}");
        assert!(summary.entries_sent >= 2 * u64::from(GATEWAYS), "{summary:?}");
        assert_eq!(summary.revoked, 0);
        let mut tx = running.hub.store().reader().await.unwrap();
        for gateway in &gateways {
            let id = gateway.id().unwrap();
            let held = journal::head(&mut tx, id).await.unwrap().unwrap();
            assert_eq!(held.seq, gateway.written(), "{}", gateway.place().code);
        }
        drop(tx);
        running.stop().await;
    })
    .await;
}
