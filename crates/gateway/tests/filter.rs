//! Names that a place does not answer: what the resolver says to them, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use kulkul_gateway::clock::Clock;
use kulkul_gateway::dns::serve::Sockets;
use kulkul_gateway::dns::settings::{FilterSettings, ListSettings};
use kulkul_gateway::dns::{Orders, Over, Resolver, Server, Settings, serve};
use kulkul_wire::blocklist::{Builder, Reach};
use kulkul_wire::dns::{self, RecordType, ResponseCode, address_record, alias_record};
use std::fs::OpenOptions;
use std::io::Cursor;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const PHONE: &str = "10.77.0.9:4000";
const BOX: &str = "127.0.0.1:4000";

/// An upstream that has one address for every name, under `cloak.` behind an alias; counts what it is asked.
async fn upstream() -> (SocketAddr, Arc<AtomicU32>) {
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (at, asked) = (udp.local_addr().unwrap(), Arc::new(AtomicU32::new(0)));
    let count = asked.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        loop {
            let (length, peer) = udp.recv_from(&mut buffer).await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let ask = dns::read_ask(&buffer[..length]).unwrap();
            let hidden = ask.name.starts_with("cloak.").then_some("Deep.Track.example.");
            let owner = hidden.unwrap_or(&ask.name);
            let record = address_record(owner, "203.0.113.7".parse().unwrap(), 300).unwrap();
            let alias = hidden.and_then(|to| alias_record(&ask.name, to, 300));
            let records = if ask.kind == RecordType::A {
                alias.into_iter().chain([record]).collect()
            } else {
                Vec::new()
            };
            udp.send_to(&dns::answer(&ask, ResponseCode::NoError, &records, &[], 1232), peer).await.unwrap();
        }
    });
    (at, asked)
}

fn make(path: &Path, names: &[&str]) {
    let mut builder = Builder::new(Cursor::new(Vec::new()));
    for name in names {
        match name.strip_prefix("*.") {
            Some(name) => builder.add(name, Reach::Both).unwrap(),
            None => builder.add(name, Reach::Itself).unwrap(),
        }
    }
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(path).unwrap();
    builder.finish(file, [0; 32]).unwrap();
}

fn settings(upstream: SocketAddr, filter: FilterSettings) -> Settings {
    Settings {
        networks: ["10.77.0.1/16", "fd77::1/64"].map(|n| n.parse().unwrap()).into(),
        upstreams: vec![Server::plain(upstream)],
        filter,
        ..Settings::default()
    }
}

fn list(key: &str, path: &Path) -> ListSettings {
    ListSettings { key: key.to_owned(), path: path.to_owned() }
}

struct Place {
    resolver: Resolver,
    told: watch::Sender<Arc<Orders>>,
}

impl Place {
    fn new(settings: Settings) -> Place {
        let (told, seen) = watch::channel(Arc::new(Orders::open(settings, None)));
        Place { resolver: Resolver::new(seen, Clock::machine()), told }
    }

    fn order(&self, settings: Settings) {
        let next = Orders::open(settings, Some(&self.told.borrow()));
        self.told.send_replace(Arc::new(next));
    }

    async fn said(&self, peer: &str, name: &str, kind: RecordType) -> String {
        let (sent, question) = dns::ask(name, kind, 0xfeed_beef).unwrap();
        let bytes = self.resolver.answer(&question, peer.parse().unwrap(), Over::Udp).await.unwrap();
        let answer = dns::read_answer(&bytes, &sent).unwrap();
        let all: Vec<_> = answer.addresses().map(|ip| ip.to_string()).collect();
        format!("{} {}", answer.code, all.join(" ")).trim().to_owned()
    }
}

const GOOD: &str = "No Error";

#[tokio::test]
async fn a_blocked_name_leads_to_the_portal_and_others_are_answered() {
    let dir = tempfile::tempdir().unwrap();
    let (at, asked) = upstream().await;
    let set = dir.path().join("ads.set");
    make(&set, &["ads.example", "*.track.example", "fine.track.example", "portal.test"]);
    let filter = FilterSettings {
        lists: vec![list("ads", &set)],
        allow: vec!["fine.track.example".to_owned()],
        block: vec!["*.mine.example".to_owned()],
        ..FilterSettings::default()
    };
    let mut settings = settings(at, filter);
    settings.own_names = vec!["portal.test.".to_owned()];
    let place = Place::new(settings);
    for peer in [PHONE, BOX] {
        for name in ["ads.example.", "ADS.example.", "x.track.example.", "track.example.", "a.mine.example."]
        {
            assert_eq!(place.said(peer, name, RecordType::A).await, format!("{GOOD} 10.77.0.1"), "{name}");
        }
    }
    assert_eq!(place.said(PHONE, "ads.example.", RecordType::AAAA).await, format!("{GOOD} fd77::1"));
    assert_eq!(place.said(PHONE, "ads.example.", RecordType::HTTPS).await, GOOD);
    assert_eq!(place.said(BOX, "ads.example.", RecordType::TXT).await, GOOD);
    for name in ["use-application-dns.net.", "mask.icloud.com.", "mask-h2.icloud.com."] {
        assert_eq!(place.said(BOX, name, RecordType::A).await, "Non-Existent Domain", "{name}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nobody outside is asked about any of these");
    for name in ["fine.track.example.", "x.ads.example.", "example."] {
        assert_eq!(place.said(BOX, name, RecordType::A).await, format!("{GOOD} 203.0.113.7"), "{name}");
    }
    assert_eq!(place.said(BOX, "portal.test.", RecordType::A).await, format!("{GOOD} 10.77.0.1"));
    let counts = place.resolver.take_counts();
    assert_eq!((counts["ads"], counts["own"]), (11, 2), "{counts:?}");
}

#[tokio::test]
async fn where_nothing_is_filtered_nothing_is_said_about_it() {
    let (at, _) = upstream().await;
    let place = Place::new(settings(at, FilterSettings::default()));
    for name in ["use-application-dns.net.", "dns.google.", "www.google.com."] {
        assert_eq!(place.said(BOX, name, RecordType::A).await, format!("{GOOD} 203.0.113.7"));
    }
}

#[tokio::test]
async fn strict_places_do_not_answer_ways_around_and_search_is_protected() {
    let (at, _) = upstream().await;
    let filter = FilterSettings { strict: true, safe_search: true, ..FilterSettings::default() };
    let place = Place::new(settings(at, filter));
    assert_eq!(place.said(BOX, "x.cloudflare-dns.com.", RecordType::A).await, format!("{GOOD} 10.77.0.1"));
    let (sent, question) = dns::ask("www.google.co.id.", RecordType::A, 0xfeed_beef).unwrap();
    let bytes = place.resolver.answer(&question, BOX.parse().unwrap(), Over::Udp).await.unwrap();
    let answer = dns::read_answer(&bytes, &sent).unwrap();
    assert!(answer.records[0].to_string().contains("forcesafesearch.google.com."), "{:?}", answer.records);
    assert_eq!(answer.addresses().next(), Some("203.0.113.7".parse().unwrap()));
    assert_eq!(place.said(BOX, "www.google.co.id.", RecordType::HTTPS).await, GOOD, "no way past the alias");
}

#[tokio::test]
async fn a_blocked_name_behind_an_alias_is_blocked_too_unless_the_name_itself_is_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let (at, asked) = upstream().await;
    let (set, none) = (dir.path().join("ads.set"), dir.path().join("none.set"));
    make(&set, &["*.track.example"]);
    make(&none, &["other.example"]);
    let with = |path: &Path| FilterSettings {
        lists: vec![list("ads", path)],
        allow: vec!["cloak.fine.example".to_owned()],
        ..FilterSettings::default()
    };
    let place = Place::new(settings(at, with(&set)));
    for peer in [PHONE, BOX, BOX] {
        let said = place.said(peer, "cloak.shop.example.", RecordType::A).await;
        assert_eq!(said, format!("{GOOD} 10.77.0.1"), "{peer}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "what was kept is not asked for again, nor given out");
    assert_eq!(place.resolver.take_counts()["ads"], 3);
    let fine = place.said(BOX, "cloak.fine.example.", RecordType::A).await;
    assert_eq!(fine, format!("{GOOD} 203.0.113.7"), "who allows a name allows what it leads to");
    // Another list, and the same answer is open; and back.
    place.order(settings(at, with(&none)));
    for _ in 0..2 {
        let open = place.said(BOX, "cloak.shop.example.", RecordType::A).await;
        assert_eq!(open, format!("{GOOD} 203.0.113.7"));
    }
    place.order(settings(at, with(&set)));
    let again = place.said(BOX, "cloak.shop.example.", RecordType::A).await;
    assert_eq!(again, format!("{GOOD} 10.77.0.1"));
}

#[tokio::test]
async fn what_was_kept_is_judged_anew_when_the_list_changes() {
    let dir = tempfile::tempdir().unwrap();
    let (at, asked) = upstream().await;
    let (first, second) = (dir.path().join("first.set"), dir.path().join("second.set"));
    make(&first, &["ads.example"]);
    make(&second, &["news.example"]);
    let with = |path: &Path| FilterSettings { lists: vec![list("ads", path)], ..FilterSettings::default() };
    let place = Place::new(settings(at, with(&first)));
    for _ in 0..2 {
        assert_eq!(place.said(BOX, "news.example.", RecordType::A).await, format!("{GOOD} 203.0.113.7"));
    }
    place.order(settings(at, with(&second)));
    assert_eq!(place.said(BOX, "news.example.", RecordType::A).await, format!("{GOOD} 10.77.0.1"));
    assert_eq!(place.said(BOX, "ads.example.", RecordType::A).await, format!("{GOOD} 203.0.113.7"));
    place.order(settings(at, with(&first)));
    assert_eq!(place.said(BOX, "news.example.", RecordType::A).await, format!("{GOOD} 203.0.113.7"));
    assert_eq!(asked.load(Ordering::SeqCst), 2, "what was kept is still good");
    // A list that cannot be read does not take the names away.
    place.order(settings(at, with(&dir.path().join("none.set"))));
    assert_eq!(place.said(BOX, "ads.example.", RecordType::A).await, format!("{GOOD} 203.0.113.7"));
}

#[tokio::test]
async fn questions_are_answered_while_the_lists_are_swapped() {
    let dir = tempfile::tempdir().unwrap();
    let (at, _) = upstream().await;
    let sets = ["a.set", "b.set"].map(|n| dir.path().join(n));
    make(&sets[0], &["ads.example", "always.example"]);
    make(&sets[1], &["always.example"]);
    let with = |path: &Path| FilterSettings { lists: vec![list("ads", path)], ..FilterSettings::default() };
    let place = Place::new(settings(at, with(&sets[0])));
    let sockets = Sockets::open(0).unwrap();
    let port = sockets.udp.local_addr().unwrap().as_socket().unwrap().port();
    let (clock, stop) = (Clock::machine(), CancellationToken::new());
    let serving = tokio::spawn(serve::serve(sockets, place.resolver.clone(), clock.clone(), stop.clone()));
    let device = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    device.connect(("127.0.0.1", port)).await.unwrap();
    let mut buffer = [0; 2048];
    for n in 0..300_usize {
        place.order(settings(at, with(&sets[n % 2])));
        for name in ["always.example.", "open.example."] {
            let (sent, question) = dns::ask(name, RecordType::A, n as u128 * 77 + 1).unwrap();
            device.send(&question).await.unwrap();
            let got = clock.at_most(5_000, Box::pin(device.recv(&mut buffer))).await.unwrap().unwrap();
            let answer = dns::read_answer(&buffer[..got], &sent).unwrap();
            let wanted = if name.starts_with('a') { "10.77.0.1" } else { "203.0.113.7" };
            assert_eq!(answer.addresses().next(), Some(wanted.parse().unwrap()), "{n} {name}");
        }
    }
    stop.cancel();
    serving.await.unwrap().unwrap();
}
