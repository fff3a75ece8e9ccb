//! Stories of watch, on a simulated clock and both databases.

use crate::watch::{self, intake};
use crate::{Clock, Config, Hub, clock};
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::category::{Category, CategoryKey};
use kulkul_model::gateway::GatewayId;
use kulkul_model::geometry::Point;
use kulkul_model::measurement::{Minute, Pings, ProbeResult, UsageMinute};
use kulkul_model::outage::{Cause, Outage};
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use kulkul_model::state::{Observed, Sign};
use kulkul_store::testing::{Temporary, on_both};
use kulkul_store::{Lane, Store, StoreError, area, category, outage, site};
use kulkul_wire::link::Entry;
use kulkul_wire::link::event::Event;
use kulkul_wire::minutes::{encode_service, encode_usage};
use std::time::Duration;
use tower::ServiceExt as _;

fn noon() -> Moment {
    Moment::parse("2026-11-24T12:00:00+08:00").unwrap()
}

fn at(minute: i64, second: i64) -> Moment {
    noon().plus_ms((minute * 60 + second) * 1000)
}

fn code(n: u32) -> SiteCode {
    SiteCode::parse(&format!("BJ-{n:03}")).unwrap()
}

fn box_of(n: u32) -> GatewayId {
    GatewayId::from_bits(u128::from(n))
}

fn minute(m: i64, works: bool) -> Minute {
    let lost = if works { 0 } else { 5 };
    let pings = Pings { sent: 5, lost, rtt_us: if works { 20_000 } else { 0 } };
    let probe = if works { ProbeResult::Good } else { ProbeResult::Silent };
    let us = if works { 9_000 } else { 0 };
    Minute {
        at: at(m, 0),
        hub: pings,
        anchor_a: pings,
        anchor_b: pings,
        dns: probe,
        dns_us: us,
        http: probe,
        http_us: us,
    }
}

fn hour_entry(works: impl Fn(i64) -> bool) -> Entry {
    let service: Vec<Minute> = (0..60).map(|m| minute(m, works(m))).collect();
    let usage: Vec<UsageMinute> =
        (0..60).map(|m| UsageMinute { at: at(m, 0), people: 7, ..UsageMinute::default() }).collect();
    Entry::Hour {
        service: encode_service(noon(), &service).unwrap(),
        usage: encode_usage(noon(), &usage).unwrap(),
    }
}

async fn register(store: &Store, sites: u32) {
    let village = AreaCode::parse("51.03.01.1002").unwrap();
    let key = CategoryKey::parse("banjar").unwrap();
    let centre = Point { lat: -8.7, lon: 115.1 };
    store
        .write(Lane::Job, move |tx| {
            Box::pin(async move {
                let place = Area {
                    code: village.clone(),
                    name: "Kuta".to_owned(),
                    kind: AreaKind::Village,
                    local_kind: "kelurahan".to_owned(),
                    parent: None,
                    bps_code: None,
                    centre,
                };
                area::put(tx, &place).await?;
                let banjar = Category {
                    key: key.clone(),
                    prefix: "BJ".to_owned(),
                    name_id: "Banjar".to_owned(),
                    name_en: "Hamlet".to_owned(),
                    rank: 1,
                    within: None,
                    down_kbps: None,
                    up_kbps: None,
                    hides_presence: false,
                };
                category::put(tx, &banjar).await?;
                for n in 1..=sites {
                    let place = Site {
                        code: code(n),
                        category: key.clone(),
                        name: format!("Banjar {n}"),
                        area: village.clone(),
                        position: centre,
                        position_quality: PositionQuality::Approximate,
                        position_basis: None,
                        name_quality: NameQuality::Placeholder,
                        source: "a test".to_owned(),
                        official_id: None,
                        address: None,
                        stage: Stage::InService,
                        down_kbps: None,
                        up_kbps: None,
                        upstream: None,
                        revision: 1,
                    };
                    site::put(tx, &place).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
}

/// A running hub whose time the story moves.
struct World {
    hub: Hub,
    hand: clock::Hand,
}

impl World {
    async fn begin(store: &Store, now: Moment) -> World {
        let (clock, hand) = Clock::simulated(now);
        let config = Config::defaults(std::path::Path::new("/nowhere")).unwrap();
        let hub = Hub::start(config, clock, store.clone()).unwrap();
        watch::start(&hub).await.unwrap();
        World { hub, hand }
    }

    async fn end(self) {
        self.hub.stop().cancel();
        self.hub.tasks().close();
        self.hub.tasks().wait().await;
    }

    fn beat(&self, n: u32, minutes: &[Minute]) {
        let now = self.hub.clock().now();
        self.hub.watch().live().beat(now, &code(n), 7, minutes);
    }

    /// Lets time pass in steps of five seconds; `each` acts after each.
    async fn pass(&self, to: Moment, mut each: impl FnMut(&World, Moment)) {
        while self.hub.clock().now() < to {
            let now = self.hub.clock().now();
            let now = now.plus_ms(5_000 - now.ms().rem_euclid(5_000)).min(to);
            self.hand.set(now);
            until(|| self.hub.watch().live().ticked() == Some(now)).await;
            each(self, now);
        }
    }

    /// A living gateway: beats at :10 and :40, the first with the minute before.
    async fn live(&self, n: u32, to: Moment) {
        self.pass(to, |w, now| {
            let second = now.since_ms(noon()) / 1000;
            if second % 60 == 10 {
                w.beat(n, &[minute(second / 60 - 1, true)]);
            } else if second % 60 == 40 {
                w.beat(n, &[]);
            }
        })
        .await;
    }

    async fn journal(&self, n: u32, entries: Vec<(Moment, Entry)>) {
        let now = self.hub.clock().now();
        self.hub
            .store()
            .write(Lane::Journal, move |tx| {
                Box::pin(async move {
                    for (at, entry) in &entries {
                        intake::entry(tx, (&code(n), &box_of(n)), now, Some(*at), entry).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .unwrap();
    }

    async fn outages(&self) -> Vec<Outage> {
        let mut tx = self.hub.store().reader().await.unwrap();
        outage::page(&mut tx, &outage::Filter::default(), None, 1000).await.unwrap()
    }

    /// Seconds pass until the outages on record are as the story wants them.
    async fn outages_are(&self, wanted: impl Fn(&[Outage]) -> bool) -> Vec<Outage> {
        for _ in 0..60 {
            for _ in 0..10 {
                let found = self.outages().await;
                if wanted(&found) {
                    return found;
                }
                let _ = clock::within(Duration::from_millis(10), std::future::pending::<()>()).await;
            }
            self.pass(self.hub.clock().now().plus_ms(1000), |_, _| {}).await;
        }
        let found = self.outages().await;
        panic!("{} outages on record, the newest {:?}", found.len(), found.first());
    }

    fn shown(&self, n: u32) -> (Observed, bool, Option<Moment>) {
        let shown = self.hub.watch().live().shown(&code(n));
        shown.map_or((Observed::Unknown, false, None), |s| (s.observed, s.silent, s.since))
    }

    /// Waits until the board says what the live state says.
    async fn board_has(&self, n: u32, observed: Observed, silent: bool) {
        let code = code(n);
        until(|| {
            let board = self.hub.board();
            board.sites.get(&code).is_some_and(|s| (s.observed, s.silent) == (observed, silent))
        })
        .await;
    }

    async fn get(&self, path: &str) -> serde_json::Value {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.hub.router().oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

async fn rest() {
    let _ = clock::within(Duration::from_millis(1), std::future::pending::<()>()).await;
}

async fn until(condition: impl Fn() -> bool) {
    for _ in 0..20_000 {
        if condition() {
            return;
        }
        rest().await;
    }
    panic!("it did not happen within twenty seconds");
}

#[tokio::test]
async fn a_cut_line_is_seen_and_the_journal_tells_from_when() {
    on_both(|store| async move {
        register(&store, 2).await;
        let w = World::begin(&store, noon()).await;
        assert_eq!(w.hub.board().sites.len(), 2, "the board is there before the first answer");
        assert_eq!(w.shown(1), (Observed::Unknown, false, None));
        w.live(1, at(5, 0)).await;
        assert_eq!((w.shown(1).0, w.shown(2).0), (Observed::Up, Observed::Unknown));

        // The last beat came at 4:40. Within two minutes there is no sign of life, within four it is down.
        w.pass(at(6, 12), |_, _| {}).await;
        assert_eq!((w.shown(1).0, w.shown(1).1), (Observed::Up, true));
        w.board_has(1, Observed::Up, true).await;
        w.pass(at(7, 59), |_, _| {}).await;
        assert_eq!(w.shown(1).0, Observed::Up);
        w.pass(at(8, 1), |_, _| {}).await;
        assert_eq!(w.shown(1), (Observed::Down, true, Some(at(5, 0))));
        w.board_has(1, Observed::Down, true).await;
        let known = w.outages_are(|o| o.len() == 1).await;
        assert_eq!((known[0].span.from, known[0].span.to), (at(5, 0), None));
        assert_eq!((known[0].cause, known[0].revision), (Cause::Unknown, 1));

        // The hub is restarted in the middle, and knows.
        let now = w.hub.clock().now();
        w.end().await;
        let w = World::begin(&store, now.plus_ms(5_000)).await;
        assert_eq!(w.shown(1), (Observed::Down, true, Some(at(5, 0))));
        w.pass(at(20, 0), |_, _| {}).await;
        assert_eq!(w.shown(1).0, Observed::Down);

        // It comes back at 20:10; the box measured that the line was away from 6:00 on.
        w.pass(at(20, 10), |_, _| {}).await;
        w.beat(1, &(15..20).map(|m| minute(m, false)).collect::<Vec<_>>());
        assert_eq!(w.shown(1).0, Observed::Down);
        w.live(1, at(22, 0)).await;
        assert_eq!((w.shown(1).0, w.shown(1).2), (Observed::Up, Some(at(20, 0))));
        w.board_has(1, Observed::Up, false).await;
        let known = w.outages_are(|o| o[0].span.to.is_some()).await;
        assert_eq!((known[0].span.from, known[0].span.to), (at(5, 0), Some(at(20, 0))));

        w.live(1, at(61, 0)).await;
        let story = vec![
            (at(6, 4), Entry::Event(Event::UplinkLost)),
            (at(20, 2), Entry::Event(Event::UplinkBack { lost_ms: 838_000 })),
            (at(60, 1), hour_entry(|m| !(6..20).contains(&m))),
        ];
        w.journal(1, story.clone()).await;
        let known = w.outages_are(|o| o[0].cause == Cause::Uplink).await;
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].number, 1, "the same outage, corrected");
        assert_eq!((known[0].span.from, known[0].span.to), (at(6, 0), Some(at(20, 0))));
        assert_eq!((known[0].span.seconds, known[0].span.silent_seconds), (840, 0));

        // Delivered once more, nothing changes.
        w.journal(1, story).await;
        w.live(1, at(66, 0)).await;
        assert_eq!(w.outages().await, known);

        let hour = w.get("/api/v1/sites/BJ-001/availability?from=2026-11-24T12:00:00%2B08:00&to=2026-11-24T13:00:00%2B08:00").await;
        let seconds = &hour["items"][0]["seconds"];
        assert_eq!(seconds["down"], 840);
        assert_eq!(seconds["up"], 2760);
        assert_eq!(hour["items"][0]["rtt_ms"]["p95"], 20.0);
        assert_eq!(hour["items"][0]["people"], 7);
        let list = w.get("/api/v1/outages?area=51.03&open=false").await;
        assert_eq!(list["items"][0]["cause"], "uplink");
        assert_eq!(list["items"][0]["from"], "2026-11-24T12:06:00+08:00");
        assert_eq!(list["items"][0]["seconds"], 840);
        let mut tx = store.reader().await.unwrap();
        let strip = watch::availability::strip(&w.hub, &mut tx, &code(1), w.hub.clock().now()).await.unwrap();
        drop(tx);
        assert_eq!((strip.today.len(), strip.week.len()), (24, 7));
        assert_eq!(strip.today[12].verdict(), Some(Observed::Down));
        assert_eq!(strip.today[11].verdict(), Some(Observed::Unknown), "nobody watched before noon");
        assert_eq!(strip.today[23].verdict(), None, "not yet");
        assert_eq!(strip.week[6].seconds.down, 840);
        w.end().await;
    })
    .await;
}

#[tokio::test]
async fn power_lost_and_only_the_way_to_the_hub_cut() {
    on_both(|store| async move {
        register(&store, 2).await;
        let w = World::begin(&store, noon()).await;
        w.pass(at(5, 0), |w, now| {
            if now.ms() % 30_000 == 10_000 {
                w.beat(1, &[]);
                w.beat(2, &[]);
            }
        })
        .await;
        w.pass(at(12, 0), |_, _| {}).await;
        let known = w.outages_are(|o| o.len() == 2).await;
        assert!(known.iter().all(|o| o.cause == Cause::Unknown && o.span.to.is_none()));
        w.pass(at(62, 0), |_, _| {}).await;
        w.journal(
            1,
            vec![
                (at(40, 30), Entry::Event(Event::PowerBack { last_alive: Some(at(5, 3)) })),
                (at(60, 1), hour_entry(|m| !(5..41).contains(&m))),
            ],
        )
        .await;
        w.journal(2, vec![(at(60, 1), hour_entry(|_| true))]).await;
        let known = w.outages_are(|o| o.len() == 1 || (o.len() == 2 && o[0].site == o[1].site)).await;
        let power = known.iter().find(|o| o.cause == Cause::Power).unwrap();
        assert_eq!(
            (power.site.clone(), power.span.from, power.span.to),
            (code(1), at(5, 0), Some(at(41, 0)))
        );
        let mut tx = store.reader().await.unwrap();
        let withdrawn = outage::find(&mut tx, 3 - power.number).await.unwrap().unwrap();
        assert!(withdrawn.withdrawn && withdrawn.site == code(2), "{withdrawn:?}");
        drop(tx);
        w.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_thousand_places_fall_at_once() {
    let temporary = Temporary::migrated().await;
    register(&temporary.store, 999).await;
    let w = World::begin(&temporary.store, noon()).await;
    let mut events = w.hub.events().subscribe();
    w.pass(at(2, 0), |w, now| {
        if now.ms() % 30_000 == 10_000 {
            (1..1000).for_each(|n| w.beat(n, &[]));
        }
    })
    .await;
    until(|| w.hub.board().tally.of(Sign::Up) == 999).await;
    let machine = Clock::machine();
    let before = machine.now();
    w.pass(at(5, 1), |_, _| {}).await;
    println!("the ticks of 181 s for 999 sites: {} ms", machine.now().since_ms(before));
    until(|| w.hub.board().tally.of(Sign::Down) == 999).await;
    let known = w.outages_are(|o| o.len() == 999).await;
    println!("999 outages on record after {} ms", machine.now().since_ms(before));
    assert!(known.iter().all(|o| o.span.from == at(2, 0)));
    // Only the way to the hub was cut: the beats that come back bring good minutes.
    let good: Vec<Minute> = (2..6).map(|m| minute(m, true)).collect();
    w.pass(at(6, 10), |_, _| {}).await;
    (1..1000).for_each(|n| w.beat(n, &good));
    w.pass(at(6, 13), |_, _| {}).await;
    until(|| w.hub.board().tally.of(Sign::Up) == 999).await;
    w.outages_are(<[Outage]>::is_empty).await;
    assert!(events.try_recv().is_ok());
    w.end().await;
}

#[tokio::test]
async fn a_blind_hub_calls_nothing_down() {
    let temporary = Temporary::migrated().await;
    register(&temporary.store, 1).await;
    let w = World::begin(&temporary.store, noon()).await;
    w.live(1, at(3, 0)).await;
    // Its canaries are gone, as `canaries::look` would say.
    w.pass(at(20, 0), |w, _| w.hub.watch().live().go_blind()).await;
    assert_eq!(w.shown(1).0, Observed::Unknown);
    assert!(w.outages().await.is_empty());
    w.end().await;
}

#[tokio::test]
async fn a_database_that_does_not_answer_takes_no_sight_away() {
    on_both(|store| async move {
        register(&store, 1).await;
        let w = World::begin(&store, noon()).await;
        w.live(1, at(3, 0)).await;
        w.board_has(1, Observed::Up, false).await;
        // Every connection that reads is busy for as long as the place falls silent.
        let mut busy = Vec::new();
        while let Some(Ok(tx)) = clock::within(Duration::from_millis(500), store.reader()).await {
            busy.push(tx);
        }
        assert!(busy.len() > 1, "{}", busy.len());
        w.pass(at(6, 1), |_, _| {}).await;
        assert_eq!(w.shown(1), (Observed::Down, true, Some(at(3, 0))));
        w.board_has(1, Observed::Down, true).await;
        drop(busy);
        w.outages_are(|o| o.len() == 1 && o[0].span.from == at(3, 0)).await;
        w.end().await;
    })
    .await;
}

#[tokio::test]
async fn open_pages_are_told() {
    let temporary = Temporary::migrated().await;
    register(&temporary.store, 1).await;
    let w = World::begin(&temporary.store, noon()).await;
    let request = Request::get("/api/v1/events").body(Body::empty()).unwrap();
    let response = w.hub.router().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert!(response.headers().get("set-cookie").is_none());
    let mut body = response.into_body();
    let mut next = async || {
        let frame = body.frame().await.unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    };
    assert_eq!(next().await, "retry: 5000\nevent: hello\ndata: {\"version\":1}\n\n");
    w.beat(1, &[]);
    w.pass(at(0, 1), |_, _| {}).await;
    assert_eq!(
        next().await,
        "event: site\ndata: {\"code\":\"BJ-001\",\"sign\":\"up\",\"observed\":\"up\",\"expected\":\"open\",\
         \"since\":\"2026-11-24T12:00:00+08:00\",\"seen_at\":\"2026-11-24T12:00:00+08:00\",\"silent\":false,\
         \"people\":7}\n\n\
         event: tally\ndata: {\"closed\":0,\"degraded\":0,\"down\":0,\"not_in_service\":0,\"total\":1,\
         \"unknown\":0,\"up\":1,\"version\":2}\n\n"
    );
    // Twenty seconds later, once the stream waits again.
    let later = async {
        rest().await;
        w.hand.set(at(0, 25));
    };
    assert_eq!(tokio::join!(next(), later).0, ":\n\n");
    w.end().await;
}

#[tokio::test]
async fn a_board_of_many_places_is_built_quickly() {
    let temporary = Temporary::migrated().await;
    register(&temporary.store, 2_000).await;
    let w = World::begin(&temporary.store, noon()).await;
    (1..=2_000).for_each(|n| w.beat(n, &[]));
    let mut tx = temporary.store.reader().await.unwrap();
    let roster = watch::assemble::Roster::load(&mut tx).await.unwrap();
    drop(tx);
    let machine = Clock::machine();
    let took = {
        let live = w.hub.watch().live();
        let before = machine.now();
        for _ in 0..20 {
            assert_eq!(roster.board(&live, 1, noon()).tally.of(Sign::Up), 2_000);
        }
        machine.now().since_ms(before)
    };
    println!("a board of 2,000 sites: {:.1} ms", took as f64 / 20.0);
    w.end().await;
}
