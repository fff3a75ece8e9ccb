//! What happened at one place, and what the journal makes of it.

use super::{World, at, code, hour_entry, minute, noon, register};
use crate::watch;
use kulkul_model::measurement::{Minute, Radios};
use kulkul_model::outage::Cause;
use kulkul_model::session::Mac;
use kulkul_model::state::Observed;
use kulkul_store::outage;
use kulkul_store::testing::on_both;
use kulkul_wire::link::Entry;
use kulkul_wire::link::event::Event;

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
async fn a_place_without_access_points_is_down_and_the_cause_is_theirs() {
    on_both(|store| async move {
        register(&store, 1).await;
        let w = World::begin(&store, noon()).await;
        w.live(1, at(4, 0)).await;
        let without = |m: i64| Minute { radios: Radios { known: 2, seen: 0 }, ..minute(m, true) };
        w.pass(at(9, 0), |w, now| {
            if now.ms() % 60_000 == 10_000 {
                w.beat(1, &[without(now.since_ms(noon()) / 60_000 - 1)]);
            }
        })
        .await;
        assert_eq!(w.shown(1).0, Observed::Down);
        let mac = Mac([2; 6]);
        let lost = |mac, left| Entry::Event(Event::AccessPointLost { mac, left });
        // The box tells of each in its second minute in vain.
        w.journal(1, vec![(at(4, 5), lost(mac, 1)), (at(4, 6), lost(Mac([4; 6]), 0))]).await;
        w.outages_are(|o| o.len() == 1 && o[0].cause == Cause::AccessPoint).await;
        w.end().await;
    })
    .await;
}
