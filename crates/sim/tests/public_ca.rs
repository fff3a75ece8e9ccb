//! Portals certified by a public authority: real ACME, real DNS updates, and all that goes wrong with both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]

mod house;
#[path = "public_ca/own.rs"]
mod own;

use house::{free_port, register, site};
use kulkul_hub::clock::Hand;
use kulkul_hub::fleet::certificates;
use kulkul_hub::{Clock, Config, Hub};
use kulkul_model::gateway::{Capabilities, GatewayId};
use kulkul_sim::public_ca::{self, Ports, PublicCa, ZONE};
use kulkul_sim::street::ground::skip;
use kulkul_store::certificate::{self, Certificate, Trouble};
use kulkul_store::gateway::{self, Gateway};
use kulkul_store::{Lane, Store, StoreError, acme_order, args};
use rcgen::{CertificateParams, KeyPair};
use std::fs;
use std::path::Path;
use std::process::Command;

const MINUTE_MS: i64 = 60_000;
const HOST: &str = "bj-001.wifi.example";

/// A hub with one box that may ask, and an authority.
struct Town {
    hub: Hub,
    hand: Hand,
    ca: PublicCa,
    store: Store,
    data: tempfile::TempDir,
}

fn box_id() -> GatewayId {
    GatewayId::parse("gw-00000000000000000000000001").unwrap()
}

fn authority(test: &str) -> Option<PublicCa> {
    let missing = public_ca::missing();
    if !missing.is_empty() {
        skip(test, &format!("not installed: {}", missing.join(", ")));
        return None;
    }
    let ports = Ports { acme: free_port(), manage: free_port(), dns: free_port(), proof: free_port() };
    let mut ca = PublicCa::new([127, 0, 0, 1].into(), ports, Box::new(|p| Command::new(p))).unwrap();
    ca.start().unwrap();
    Some(ca)
}

/// A hub over the same data, as the program makes one at each start.
fn hub(data: &Path, store: &Store, ca: &PublicCa, more: &str, clock: &Clock) -> Hub {
    let text = format!("data = \"{}\"\n[portal]\ndomain = \"{ZONE}\"\n{}", data.display(), ca.settings());
    let text = text.replace("[acme]\n", &format!("[acme]\n{more}"));
    Hub::start(Config::read(&text, "hub.toml", []).unwrap(), clock.clone(), store.clone()).unwrap()
}

async fn town(test: &str, more: &str) -> Option<Town> {
    let ca = authority(test)?;
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}", data.path().join("hub.db").display())).await.unwrap();
    store.migrate().await.unwrap();
    register(&store).await;
    let (clock, hand) = Clock::simulated(Clock::machine().now());
    let hub = hub(data.path(), &store, &ca, more, &clock);
    hub.fleet().keys().unwrap();
    let held = Gateway {
        id: box_id(),
        site: site(),
        public_key: [7; 32],
        hardware: "test".to_owned(),
        capabilities: Capabilities::default(),
        enrolled_at: clock.now(),
        revoked_at: None,
        revoked_why: None,
    };
    let inserted =
        store.write(Lane::Page, move |tx| Box::pin(async move { gateway::insert(tx, &held).await })).await;
    inserted.unwrap();
    Some(Town { hub, hand, ca, store, data })
}

impl Town {
    /// The box asks, as an entry of its journal has it.
    async fn ask(&self, key: &KeyPair) {
        let mut params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let (csr, now) = (params.serialize_request(key).unwrap().der().to_vec(), self.hub.clock().now());
        let asked = self.store.write(Lane::Page, move |tx| {
            Box::pin(async move { certificate::ask(tx, &box_id(), HOST, &csr, now).await })
        });
        assert!(asked.await.unwrap());
    }

    async fn round(&self) -> usize {
        certificates::round(&self.hub).await.unwrap()
    }

    async fn held(&self) -> Certificate {
        certificate::find(&mut self.store.reader().await.unwrap(), &box_id()).await.unwrap().unwrap()
    }

    async fn trouble(&self) -> Trouble {
        self.held().await.trouble.unwrap()
    }

    async fn orders(&self) -> i64 {
        let mut tx = self.store.reader().await.unwrap();
        tx.fetch_one("SELECT COUNT(*) AS n FROM acme_order", args![]).await.unwrap().get("n").unwrap()
    }

    fn later(&self, ms: i64) {
        self.hand.set(self.hub.clock().now().plus_ms(ms));
    }

    /// Checks a chain as a phone does that trusts the authority's root.
    fn validates(&self, chain: &str) {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (root, chain) = (file("root.pem", &self.ca.root().unwrap()), file("chain.pem", chain));
        let out = Command::new("openssl")
            .args(["verify", "-purpose", "sslserver", "-verify_hostname", HOST, "-CAfile"])
            .args([&root, Path::new("-untrusted"), &chain, &chain])
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
}

#[tokio::test]
async fn a_portal_is_certified_by_a_public_authority_and_renewed() {
    let test = "a_portal_is_certified_by_a_public_authority_and_renewed";
    let Some(town) = town(test, "").await else { return };
    let key = KeyPair::generate().unwrap();
    town.ask(&key).await;
    assert_eq!(town.round().await, 1, "{:?}\n{}", town.held().await.trouble, town.ca.log());
    let held = town.held().await;
    let chain = held.chain.clone().unwrap();
    town.validates(&chain);
    assert_eq!((held.tries, &held.trouble), (0, &None));
    assert_eq!(held.authority.as_deref(), Some(town.hub.acme().unwrap().authority()));
    // Without advice, which this authority does not give, at two thirds of the time.
    let (until, issued) = (held.until.unwrap(), held.issued_at.unwrap());
    let third = until.since_ms(issued) / 3;
    assert!((held.due_at.since_ms(issued) - 2 * third).abs() < MINUTE_MS, "{held:?}");
    assert_eq!(held.advice_at, None);
    // Nothing stays in the zone, and the account's key is the hub's alone.
    let text = format!("_acme-challenge.{HOST}");
    let dig = Command::new("kdig")
        .args(["+short", "@127.0.0.1", "-p"])
        .arg(dns_port(&town))
        .args(["TXT", &text])
        .output();
    if let Ok(out) = dig {
        assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), "");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(town.data.path().join("keys/acme.key")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o077, 0);

    assert_eq!(town.round().await, 0, "issued once");
    town.hand.set(held.due_at);
    assert_eq!(town.round().await, 1, "{:?}", town.held().await.trouble);
    let renewed = town.held().await.chain.unwrap();
    assert_ne!(renewed, chain);
    town.validates(&renewed);
    assert_eq!(town.orders().await, 2);
}

fn dns_port(town: &Town) -> String {
    town.hub.config().acme.dns.server.rsplit(':').next().unwrap().to_owned()
}

#[tokio::test]
async fn trouble_is_told_in_words_and_what_is_held_stays() {
    let test = "trouble_is_told_in_words_and_what_is_held_stays";
    let Some(mut town) = town(test, "").await else { return };
    town.ask(&KeyPair::generate().unwrap()).await;
    let key_file = town.ca.file("tsig.key");

    // The key has other bytes than the server's: told once, and nobody is asked for a minute.
    let other = public_ca::TSIG.replace("a3Vs", "AAAA");
    fs::write(&key_file, other).unwrap();
    assert_eq!(town.round().await, 0);
    let told = town.trouble().await;
    assert_eq!(told.kind, "dns-key", "{told:?}\n{}", town.ca.log());
    assert!(told.detail.contains("other bytes under the key's name"), "{told:?}");
    let since = told.since;
    // A key that the server does not know.
    town.later(MINUTE_MS);
    fs::write(&key_file, public_ca::TSIG.replace("kulkul", "nobody")).unwrap();
    assert_eq!(town.round().await, 0);
    let told = town.trouble().await;
    assert_eq!((told.kind.as_str(), told.since), ("dns-key", since), "{told:?}");
    assert!(told.detail.contains("does not know a key"), "{told:?}");
    // No DNS at all.
    town.later(2 * MINUTE_MS);
    fs::write(&key_file, public_ca::TSIG).unwrap();
    town.ca.stop_dns();
    assert_eq!(town.round().await, 0);
    assert_eq!(town.trouble().await.kind, "dns-silent");
    // While all wait, nothing is tried.
    let tries = town.held().await.tries;
    assert_eq!((town.round().await, town.held().await.tries), (0, tries));
    // All is mended: the first order is gone on with, and no other was made.
    town.ca.start_dns().unwrap();
    town.later(60 * MINUTE_MS);
    assert_eq!(town.round().await, 1, "{:?}\n{}", town.held().await.trouble, town.ca.log());
    assert_eq!((town.orders().await, town.held().await.trouble), (1, None));

    // The authority is away when it is time to renew: the place keeps what it has.
    let held = town.held().await;
    town.ca.stop_authority();
    town.hand.set(held.due_at);
    assert_eq!(town.round().await, 0);
    let now = town.held().await;
    assert_eq!((now.trouble.unwrap().kind.as_str(), &now.chain), ("silent", &held.chain));
    // It comes back without a memory: a new account by the same key, a new order.
    town.ca.start_authority().unwrap();
    for _ in 0..2 {
        town.later(60 * MINUTE_MS);
        town.round().await;
    }
    let now = town.held().await;
    assert_ne!(now.chain, held.chain, "{:?}\n{}", now.trouble, town.ca.log());
}

#[tokio::test]
async fn a_hub_that_was_killed_goes_on_with_its_order() {
    let test = "a_hub_that_was_killed_goes_on_with_its_order";
    let Some(mut town) = town(test, "").await else { return };
    town.ask(&KeyPair::generate().unwrap()).await;
    // Killed between order and proof: the DNS hangs while the hub ends.
    town.ca.stop_dns();
    let listener = std::net::TcpListener::bind(town.hub.config().acme.dns.server.as_str()).unwrap();
    let running = tokio::spawn({
        let hub = town.hub.clone();
        async move { certificates::round(&hub).await }
    });
    let clock = Clock::machine();
    house::until(&clock, "an order is kept", async || (town.orders().await == 1).then_some(())).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    drop(listener);
    town.ca.start_dns().unwrap();

    // Another start over the same data: who was killed still has it for three minutes.
    let clock = town.hub.clock().clone();
    town.hub = hub(town.data.path(), &town.store, &town.ca, "", &clock);
    assert_eq!(town.round().await, 0);
    town.later(3 * MINUTE_MS);
    assert_eq!(town.round().await, 1, "{:?}\n{}", town.held().await.trouble, town.ca.log());
    assert_eq!(town.orders().await, 1, "nothing was ordered twice");
    town.validates(&town.held().await.chain.unwrap());
}

#[tokio::test]
async fn orders_wait_within_limits_and_portals_move_to_a_new_authority() {
    let test = "orders_wait_within_limits_and_portals_move_to_a_new_authority";
    let Some(town) = town(test, "new_per_week = 1\n").await else { return };
    // What the hub's own authority had issued before is issued anew, once.
    let mut old = Config::defaults(town.data.path()).unwrap();
    old.portal.domain = Some(ZONE.to_owned());
    let before = Hub::start(old, town.hub.clock().clone(), town.store.clone()).unwrap();
    town.ask(&KeyPair::generate().unwrap()).await;
    assert_eq!(certificates::round(&before).await.unwrap(), 1);
    assert_eq!(town.held().await.authority, None);
    assert_eq!(town.round().await, 0, "it is not due");
    certificates::settle(&town.hub).await.unwrap();

    // Another name has used up this week's share.
    let now = town.hub.clock().now();
    let order = acme_order::AcmeOrder {
        url: "https://ca.example/1".to_owned(),
        authority: town.hub.acme().unwrap().authority().to_owned(),
        host: "bj-002.wifi.example".to_owned(),
        csr: "00".to_owned(),
        renewal: false,
        made_at: now.plus_ms(-MINUTE_MS),
    };
    let kept = town.store.write(Lane::Page, move |tx| {
        Box::pin(async move {
            acme_order::add(tx, &order).await?;
            Ok::<_, StoreError>(())
        })
    });
    kept.await.unwrap();
    assert_eq!(town.round().await, 0);
    let waits = town.held().await;
    assert_eq!(
        (waits.tries, &waits.trouble, waits.chain.is_some()),
        (0, &None, true),
        "waiting is no failure"
    );
    assert_eq!(waits.due_at, now.plus_ms(-MINUTE_MS + 7 * 1_440 * MINUTE_MS));
    town.hand.set(waits.due_at);
    assert_eq!(town.round().await, 1, "{:?}\n{}", town.held().await.trouble, town.ca.log());
    let held = town.held().await;
    assert_eq!(held.authority.as_deref(), Some(town.hub.acme().unwrap().authority()));
    town.validates(&held.chain.unwrap());
}
