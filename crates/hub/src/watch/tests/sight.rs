//! Many places at once, a hub that cannot see, a database that does not answer, open pages.

use super::{World, at, minute, noon, register, rest, until};
use crate::clock;
use crate::watch::jobs;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use kulkul_model::measurement::Minute;
use kulkul_model::outage::Outage;
use kulkul_model::state::{Observed, Sign};
use kulkul_store::testing::on_both;
use kulkul_store::{Lane, import, setting};
use std::time::Duration;
use tower::ServiceExt as _;

#[tokio::test]
async fn a_thousand_places_fall_at_once() {
    on_both(|store| async move {
        register(&store, 999).await;
        let w = World::begin(&store, noon()).await;
        let mut events = w.hub.events().subscribe();
        w.pass(at(2, 0), |w, now| {
            if now.ms() % 30_000 == 10_000 {
                (1..1000).for_each(|n| w.beat(n, &[]));
            }
        })
        .await;
        until(|| w.hub.board().tally.of(Sign::Up) == 999).await;
        w.pass(at(5, 1), |_, _| {}).await;
        until(|| w.hub.board().tally.of(Sign::Down) == 999).await;
        let known = w.outages_are(|o| o.len() == 999).await;
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
    })
    .await;
}

#[tokio::test]
async fn a_blind_hub_calls_nothing_down() {
    on_both(|store| async move {
        register(&store, 1).await;
        let w = World::begin(&store, noon()).await;
        w.live(1, at(3, 0)).await;
        // Its canaries are gone, as `canaries::look` would say.
        w.pass(at(20, 0), |w, _| w.hub.watch().live().go_blind()).await;
        assert_eq!(w.shown(1).0, Observed::Unknown);
        assert!(w.outages().await.is_empty());
        w.end().await;
    })
    .await;
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
    on_both(|store| async move {
        register(&store, 1).await;
        let w = World::begin(&store, noon()).await;
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
    })
    .await;
}

#[tokio::test]
async fn the_board_shows_an_import_whole_or_not_at_all() {
    on_both(|store| async move {
        register(&store, 1).await;
        let w = World::begin(&store, noon()).await;
        assert_eq!(w.hub.board().sites.len(), 1);
        let run = import::Run {
            id: "1".to_owned(),
            at: noon(),
            who: "a test".to_owned(),
            file_name: "sites.csv".to_owned(),
            applying: false,
            summary: "{}".to_owned(),
        };
        store
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    import::add(tx, &run).await?;
                    import::mark(tx, "1").await
                })
            })
            .await
            .unwrap();
        // Half of it is applied when a box enrols elsewhere, which changes the register too.
        register(&store, 2).await;
        store.write(Lane::Job, |tx| Box::pin(setting::bump(tx, "register_version"))).await.unwrap();
        let known = w.hub.board().register_version;
        assert!(jobs::read_register(&w.hub, known).await.unwrap().is_none());
        store.write(Lane::Job, |tx| Box::pin(import::drop_run(tx, "1"))).await.unwrap();
        assert!(jobs::read_register(&w.hub, known).await.unwrap().is_some());
        for _ in 0..120 {
            w.pass(w.hub.clock().now().plus_ms(1_000), |_, _| {}).await;
            if w.hub.board().sites.len() == 2 {
                break;
            }
            rest().await;
        }
        until(|| w.hub.board().sites.len() == 2).await;
        w.end().await;
    })
    .await;
}
