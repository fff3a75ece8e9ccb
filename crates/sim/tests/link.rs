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

mod house;

use house::{certificates, register, serve, serve_anywhere, settings, site, until};
use kulkul_gateway::clock::Clock as BoxClock;
use kulkul_gateway::journal::Journal;
use kulkul_gateway::link::{self, Client, Identity, Link};
use kulkul_gateway::portal::desk::{Desk, Said};
use kulkul_gateway::portal::token::Device;
use kulkul_gateway::status::HubSeen;
use kulkul_hub::Clock;
use kulkul_hub::fleet::keys::{self, KeyUse};
use kulkul_hub::fleet::{claims, sessions};
use kulkul_model::Refusal;
use kulkul_model::gateway::Capabilities;
use kulkul_model::report::ReportKind;
use kulkul_model::session::{Mac, SessionId, WayIn};
use kulkul_store::testing::on_both;
use kulkul_store::{Lane, journal, report, setting};
use kulkul_wire::link::desired::Desired;
use kulkul_wire::link::{Consent, Entry, SessionStart};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

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
            basis: None,
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
