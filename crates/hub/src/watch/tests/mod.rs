//! Stories of watch, on a simulated clock and both databases.

mod outages;
mod sight;

use crate::watch::{self, intake};
use crate::{Clock, Config, Hub, clock};
use axum::body::Body;
use http::Request;
use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::category::{Category, CategoryKey};
use kulkul_model::gateway::GatewayId;
use kulkul_model::geometry::Point;
use kulkul_model::measurement::{Minute, Pings, ProbeResult, Radios, UsageMinute};
use kulkul_model::outage::Outage;
use kulkul_model::site::{NameQuality, PositionQuality, Site, SiteCode, Stage};
use kulkul_model::state::Observed;
use kulkul_store::{Lane, Store, StoreError, area, category, outage, site};
use kulkul_wire::link::Entry;
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
        radios: Radios::default(),
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
    for _ in 0..120_000 {
        if condition() {
            return;
        }
        rest().await;
    }
    panic!("it did not happen within two minutes");
}
