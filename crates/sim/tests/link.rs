//! The link as it is used: a real box's client, a real hub, TLS of the link's own CA.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]

use kulkul_gateway::clock::Clock as BoxClock;
use kulkul_gateway::journal::Journal;
use kulkul_gateway::link::{self, Client, Identity, Link};
use kulkul_gateway::portal::desk::{Desk, Said};
use kulkul_gateway::portal::token::Device;
use kulkul_gateway::status::HubSeen;
use kulkul_hub::fleet::keys::{self, KeyUse};
use kulkul_hub::fleet::{claims, follower, sessions};
use kulkul_hub::serve::{ServeError, Server};
use kulkul_hub::{Clock, Config, Hub};
use kulkul_model::Refusal;
use kulkul_model::gateway::Capabilities;
use kulkul_model::report::ReportKind;
use kulkul_model::session::{Mac, SessionId, WayIn};
use kulkul_model::site::SiteCode;
use kulkul_store::testing::on_both;
use kulkul_store::{Lane, Store, StoreError, args, journal, report, setting};
use kulkul_wire::link::desired::Desired;
use kulkul_wire::link::{Consent, Entry, SessionStart};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const SITE: &str = "BJ-001";

fn site() -> SiteCode {
    SiteCode::parse(SITE).unwrap()
}

/// A hub that serves on loopback over TLS.
struct House {
    hub: Hub,
    served: JoinHandle<()>,
}

impl House {
    async fn stop(self) {
        self.hub.stop().cancel();
        self.served.await.unwrap();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn certificates(dir: &Path) {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let cert = cert.signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("ca.pem"), ca_pem).unwrap();
    std::fs::write(dir.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
}

/// A hub on a port that nobody else has, and the port.
async fn serve_anywhere(dir: &Path, store: &Store) -> (House, u16) {
    for _ in 0..20 {
        let port = free_port();
        if let Ok(house) = serve(dir, port, store.clone()).await {
            return (house, port);
        }
    }
    panic!("no port is free");
}

async fn serve(dir: &Path, port: u16, store: Store) -> Result<House, ServeError> {
    let mut config = Config::defaults(dir).unwrap();
    config.listen = ([127, 0, 0, 1], port).into();
    config.admin_listen = ([127, 0, 0, 1], 0).into();
    config.public_url = format!("https://127.0.0.1:{port}");
    config.data = dir.to_owned();
    config.tls = Some(kulkul_hub::config::Tls { cert: dir.join("cert.pem"), key: dir.join("key.pem") });
    let hub = Hub::start(config, Clock::machine(), store).unwrap();
    let server = Server::bind(&hub).await?;
    follower::start(&hub).await.unwrap();
    Ok(House { hub, served: tokio::spawn(server.run()) })
}

async fn register(store: &Store) {
    let rows = [
        "INSERT INTO area (code, name, kind, local_kind, parent, bps_code, lat, lon)
         VALUES ('51.03', 'Badung', 'regency', 'kabupaten', NULL, NULL, -8.5, 115.1)",
        "INSERT INTO category (key, prefix, name_id, name_en, rank, within, down_kbps, up_kbps, hides_presence)
         VALUES ('banjar', 'BJ', 'Banjar', 'Banjar', 1, NULL, NULL, NULL, FALSE)",
        "INSERT INTO site (code, category, name, area, lat, lon, position_quality, position_basis,
             name_quality, source, official_id, address, stage, down_kbps, up_kbps, upstream, revision, search)
         VALUES ('BJ-001', 'banjar', 'Banjar Gaji', '51.03', -8.5, 115.1, 'surveyed', NULL, 'sourced',
             'test', NULL, NULL, 'accepted', NULL, NULL, NULL, 1, 'x')",
    ];
    store
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                for row in rows {
                    tx.execute(row, args![]).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
}

fn settings(data: &Path, claim: &str, root: &str) -> kulkul_gateway::config::Config {
    let text = format!(
        "hub = \"https://127.0.0.1\"\nhub_root = \"{root}\"\nclaim = \"{claim}\"\ndata = \"{}\"\n\
         [uplink]\ninterface = \"wan0\"\n[[segment]]\nname = \"public\"\nkind = \"public\"\n\
         interface = \"lan0\"\naddress4 = \"10.77.0.1/16\"\n",
        data.display()
    );
    let path = data.join("gateway.toml");
    std::fs::write(&path, text).unwrap();
    kulkul_gateway::config::Config::load(&path).unwrap()
}

/// A box: its parts around the link, and what was put into force there.
struct Box_ {
    journal: Journal,
    applied: Arc<Mutex<Vec<Desired>>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn box_(data: PathBuf, client: Client, identity: Identity, clock: &BoxClock) -> Box_ {
    let journal = link::open_journal(&data, &identity, clock).unwrap();
    let applied: Arc<Mutex<Vec<Desired>>> = Arc::default();
    let apply: link::Apply = {
        let applied = Arc::clone(&applied);
        Arc::new(move |desired: Desired| {
            let applied = Arc::clone(&applied);
            Box::pin(async move {
                if desired.plan.name == "impossible" {
                    return Err(Refusal::new(422, "plan-impossible"));
                }
                applied.lock().unwrap().push(desired);
                Ok(())
            })
        })
    };
    let link = Link {
        client,
        identity: Arc::new(identity),
        journal: journal.clone(),
        apply,
        people: Arc::new(|| 7),
        minutes: watch::channel(None).1,
        desired: Arc::new(watch::Sender::new(None)),
        seen: Arc::new(watch::Sender::new(HubSeen::default())),
        clock: clock.clone(),
        data,
    };
    let stop = CancellationToken::new();
    let task = tokio::spawn(link.run(stop.clone()));
    Box_ { journal, applied, stop, task }
}

/// Waits until something holds, at most 30 s.
async fn until<T>(clock: &Clock, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(seen) = look().await {
            return seen;
        }
        clock.sleep_ms(50).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_enrols_follows_and_delivers_over_tls_and_outlives_its_hub() {
    on_both(|store| async move {
        let (dir, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        certificates(dir.path());
        register(&store).await;
        let (house, port) = serve_anywhere(dir.path(), &store).await;
        let (hub_clock, clock) = (Clock::machine(), BoxClock::machine());
        let url = format!("https://127.0.0.1:{port}");
        let client = Client::new(&url, Some(&dir.path().join("ca.pem")), false, &clock).unwrap();

        let issued = claims::issue(&house.hub, site(), "staff:test".to_owned(), None).await.unwrap();
        let config = settings(data.path(), &issued.code.shown(), &issued.hub_root);
        let identity = link::enrol(&client, &config, &Capabilities::default(), "test", &clock).await.unwrap();
        let gateway = identity.gateway.clone();
        assert_eq!(link::identity(data.path()).unwrap().unwrap().gateway, gateway, "kept over restarts");
        let b = box_(data.path().to_owned(), client.clone(), identity, &clock);

        // It follows.
        let first =
            until(&hub_clock, "the first desired state", async || b.applied.lock().unwrap().last().cloned())
                .await;
        assert_eq!(first.site.code, site());
        assert_eq!(first.portal.terms.len(), 5);
        // It beats.
        let last = until(&hub_clock, "a beat", async || house.hub.fleet().known(&gateway)?.last_beat()).await;
        assert_eq!(last.people, 7);
        // It delivers.
        let start = Entry::SessionStart(SessionStart {
            session: SessionId([9; 16]),
            mac: Mac([2; 6]),
            addresses: Vec::new(),
            way_in: WayIn::ClickThrough,
            terms: Some(1),
            language: "id".to_owned(),
            limit_ms: 1,
        });
        b.journal.append(start).await.unwrap();
        until(&hub_clock, "the session at the hub", async || {
            let (list, _) = sessions::list(&house.hub, Some(&site()), None, 10).await.unwrap();
            (list.len() == 1).then_some(())
        })
        .await;
        // A state that the box refuses is told, and the last good one stays.
        for (plan, good) in [("impossible", false), ("quick", true)] {
            let json = format!("{{\"name\": \"{plan}\"}}");
            let write = store.write(Lane::Page, move |tx| {
                Box::pin(async move {
                    setting::put(tx, "desired.plan", &json).await?;
                    setting::bump(tx, "desired_settings").await
                })
            });
            write.await.unwrap();
            if good {
                until(&hub_clock, "the new plan", async || {
                    (b.applied.lock().unwrap().last()?.plan.name == plan).then_some(())
                })
                .await;
            } else {
                until(&hub_clock, "a refusal in the journal", async || {
                    let read = b.journal.read(1, usize::MAX).await.unwrap();
                    read.iter().any(|(_, e)| format!("{e:?}").contains("plan-impossible")).then_some(())
                })
                .await;
            }
        }

        // The hub goes away; the journal grows, and is delivered when it is back.
        house.stop().await;
        for count in 0..50 {
            b.journal.append(Entry::Consent(Consent { terms: 1, count })).await.unwrap();
        }
        // Somebody reports it meanwhile, and reads a number at once.
        let desk = Desk::open(data.path(), b.journal.clone(), clock.clone());
        let said = Said {
            kind: ReportKind::NoInternet,
            text: "Mati <sejak> pagi".to_owned(),
            language: "id".to_owned(),
        };
        assert_eq!(desk.take(Device::Mac(Mac([2; 6])), said).await, Ok(1));
        let head = b.journal.head();
        let house = serve(dir.path(), port, store.clone()).await.unwrap();
        until(&hub_clock, "the rest of the journal", async || {
            let mut tx = house.hub.store().reader().await.unwrap();
            let held = journal::head(&mut tx, &gateway).await.unwrap().unwrap();
            (held.seq >= head).then_some(())
        })
        .await;
        let mut tx = house.hub.store().reader().await.unwrap();
        let told = report::list(&mut tx, &report::Filter::default(), &report::newest(), 10).await.unwrap();
        drop(tx);
        let [report] = told.try_into().unwrap();
        assert_eq!(
            (report.site, report.local_number, report.text.as_str()),
            (site(), 1, "Mati <sejak> pagi")
        );
        until(&hub_clock, "the box to know", async || (b.journal.held() >= head).then_some(())).await;

        // The box restarts without a hub: the last good state counts from the first second.
        b.stop.cancel();
        b.task.await.unwrap();
        house.stop().await;
        drop(b.journal);
        let identity = link::identity(data.path()).unwrap().unwrap();
        let b = box_(data.path().to_owned(), client, identity, &clock);
        let kept =
            until(&hub_clock, "the kept state", async || b.applied.lock().unwrap().last().cloned()).await;
        assert_eq!(kept.plan.name, "quick");
        b.stop.cancel();
        b.task.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_follows_a_hub_whose_signing_key_was_taken_back() {
    on_both(|store| async move {
        let (dir, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        certificates(dir.path());
        register(&store).await;
        let (house, port) = serve_anywhere(dir.path(), &store).await;
        let (hub_clock, clock) = (Clock::machine(), BoxClock::machine());
        let client = Client::new(
            &format!("https://127.0.0.1:{port}"),
            Some(&dir.path().join("ca.pem")),
            false,
            &clock,
        )
        .unwrap();
        let issued = claims::issue(&house.hub, site(), "staff:test".to_owned(), None).await.unwrap();
        let config = settings(data.path(), &issued.code.shown(), &issued.hub_root);
        let identity = link::enrol(&client, &config, &Capabilities::default(), "test", &clock).await.unwrap();
        let b = box_(data.path().to_owned(), client.clone(), identity, &clock);
        until(&hub_clock, "the first desired state", async || b.applied.lock().unwrap().last().cloned())
            .await;

        // The key is taken back and another certified; the plan changes while the hub is away.
        house.stop().await;
        let (lost, _) =
            keys::revoke(&dir.path().join("keys"), None, KeyUse::Desired, hub_clock.now()).unwrap();
        let write = store.write(Lane::Page, |tx| {
            Box::pin(async move {
                setting::put(tx, "desired.plan", "{\"name\": \"after\"}").await?;
                setting::bump(tx, "desired_settings").await
            })
        });
        write.await.unwrap();
        let house = serve(dir.path(), port, store.clone()).await.unwrap();
        until(&hub_clock, "a state by the new key", async || {
            (b.applied.lock().unwrap().last()?.plan.name == "after").then_some(())
        })
        .await;
        let told = b.journal.read(1, usize::MAX).await.unwrap();
        assert!(
            !told.iter().any(|(_, e)| format!("{e:?}").contains("DesiredRefused")),
            "the box asked for the key before it judged: {told:?}"
        );
        b.stop.cancel();
        b.task.await.unwrap();
        house.stop().await;
        drop(b.journal);

        // Without a hub the box starts on what the new key signed, and still knows the old one as taken back.
        let kept = std::fs::read_to_string(data.path().join("link.json")).unwrap();
        let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
        assert_eq!(kept["hub_keys"]["revoked"].as_array().unwrap().len(), 1, "{lost} is not kept as revoked");
        let identity = link::identity(data.path()).unwrap().unwrap();
        let b = box_(data.path().to_owned(), client, identity, &clock);
        let applied =
            until(&hub_clock, "the kept state", async || b.applied.lock().unwrap().last().cloned()).await;
        assert_eq!(applied.plan.name, "after");
        b.stop.cancel();
        b.task.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_hub_of_another_ca_or_another_root_is_not_believed() {
    on_both(|store| async move {
        let (dir, other, data) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        certificates(dir.path());
        certificates(other.path());
        register(&store).await;
        let (house, port) = serve_anywhere(dir.path(), &store).await;
        let clock = BoxClock::machine();
        let url = format!("https://127.0.0.1:{port}");
        let issued = claims::issue(&house.hub, site(), "staff:test".to_owned(), None).await.unwrap();

        let keys = house.hub.fleet().keys().unwrap();
        let ring = kulkul_proof::KeyRing::trust(keys.hub_keys(), None).unwrap();
        let wrong = Client::new(&url, Some(&other.path().join("ca.pem")), false, &clock).unwrap();
        assert!(wrong.time(&ring).await.unwrap_err().to_string().contains("cannot be reached"));

        let right = Client::new(&url, Some(&dir.path().join("ca.pem")), false, &clock).unwrap();
        let told = right.time(&ring).await.unwrap();
        assert!(told.since_ms(clock.now()).abs() < 60_000);
        let config = settings(data.path(), &issued.code.shown(), "0000-0000");
        let error = link::enrol(&right, &config, &Capabilities::default(), "test", &clock).await;
        assert!(error.err().unwrap().to_string().contains("fingerprint"));

        assert!(
            Client::new("http://10.0.0.1", None, false, &clock).is_err(),
            "plain HTTP to another machine"
        );
        assert!(Client::new("http://10.0.0.1", None, true, &clock).is_ok());
        assert!(Client::new("http://127.0.0.1:1", None, false, &clock).is_ok());
        house.stop().await;
    })
    .await;
}
