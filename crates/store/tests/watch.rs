//! What watch keeps, on both databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports by printing"
)]

use kulkul_model::Moment;
use kulkul_model::availability::Seconds;
use kulkul_model::facts::{Facts, HourFacts};
use kulkul_model::gateway::GatewayId;
use kulkul_model::measurement::UsageMinute;
use kulkul_model::outage::{Cause, Clue, Outage, Span};
use kulkul_model::rollup::{ServiceSum, UsageSum};
use kulkul_model::site::SiteCode;
use kulkul_store::hot::HotMinute;
use kulkul_store::outage::Filter;
use kulkul_store::roll_hour::RollHour;
use kulkul_store::testing::on_both;
use kulkul_store::{Lane, StoreError};
use kulkul_store::{clue, hot, outage, pack, roll_hour, unsettled, watching};
use kulkul_wire::minutes::{Kind, encode_usage, head};

const HOUR: Moment = Moment::from_ms(1_795_500_000_000);

fn site(n: u32) -> SiteCode {
    SiteCode::parse(&format!("BJ-{n:03}")).unwrap()
}

#[tokio::test]
async fn hot_minutes_page_in_order_of_time_and_retire() {
    on_both(|store| async move {
        let minute = |m: i64, n: u32| HotMinute {
            at: HOUR.plus_ms(m * 60_000),
            site: site(n),
            facts: Facts::HEARD,
            seen_at: HOUR,
            people: n,
            rtt_us: (n == 2).then_some(9_000),
            sent: 10,
            lost: 1,
        };
        let left = store
            .write(Lane::Journal, move |tx| {
                Box::pin(async move {
                    for (m, n) in [(1, 1), (0, 2), (0, 1), (0, 2), (0, 3)] {
                        hot::put(tx, &minute(m, n)).await?;
                    }
                    let first = hot::page(tx, (Moment::EPOCH, ""), 3).await?;
                    assert_eq!(first, [minute(0, 1), minute(0, 2), minute(0, 3)]);
                    let rest = hot::page(tx, (HOUR, "BJ-003"), 3).await?;
                    assert_eq!(rest, [minute(1, 1)]);
                    assert_eq!(hot::retire(tx, HOUR.plus_ms(60_000), 2).await?, 2);
                    assert_eq!(hot::retire(tx, HOUR.plus_ms(60_000), 2).await?, 1);
                    assert_eq!(hot::retire(tx, HOUR.plus_ms(60_000), 2).await?, 0);
                    hot::page(tx, (Moment::EPOCH, ""), 9).await
                })
            })
            .await
            .unwrap();
        assert_eq!(left, [minute(1, 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_block_is_kept_once_for_each_box() {
    on_both(|store| async move {
        store
            .write(Lane::Journal, |tx| {
                Box::pin(async move {
                    let minutes = [UsageMinute { at: HOUR, people: 5, ..UsageMinute::default() }];
                    let block = encode_usage(HOUR, &minutes).unwrap();
                    let h = head(&block).unwrap();
                    let (old, new) = (GatewayId::from_bits(1), GatewayId::from_bits(2));
                    assert!(pack::put(tx, &site(1), &old, &h, &block).await?);
                    assert!(!pack::put(tx, &site(1), &old, &h, &block).await?);
                    assert!(pack::put(tx, &site(1), &new, &h, &block).await?);
                    let kept = pack::of_hour(tx, &site(1), HOUR, Kind::Usage).await?;
                    assert_eq!(kept, [block.clone(), block]);
                    assert!(pack::of_hour(tx, &site(1), HOUR, Kind::Service).await?.is_empty());
                    assert_eq!(pack::retire(tx, HOUR, 500).await?, 0);
                    assert_eq!(pack::retire(tx, HOUR.plus_ms(1), 500).await?, 2);
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn hours_read_back() {
    on_both(|store| async move {
        store
            .write(Lane::Job, |tx| {
                Box::pin(async move {
                    let mut facts = HourFacts::default();
                    facts.add(59, Facts::HEARD);
                    let hour = |h: i64| RollHour {
                        hour: HOUR.plus_ms(h * 3_600_000),
                        facts,
                        seconds: Seconds { up: 3600 - h, down: h, ..Seconds::default() },
                        service: ServiceSum { minutes: 60, rtt_sum_us: 1 << 40, ..ServiceSum::default() },
                        usage: UsageSum { down_bytes: 1 << 50, ..UsageSum::default() },
                    };
                    for h in [2, 0, 1] {
                        roll_hour::put(tx, &site(1), &hour(h)).await?;
                    }
                    roll_hour::put(tx, &site(2), &hour(0)).await?;
                    let read = roll_hour::range(tx, &site(1), HOUR, HOUR.plus_ms(7_200_000)).await?;
                    assert_eq!(read, [hour(0), hour(1)]);
                    let seconds = Seconds { unknown: 3600, ..Seconds::default() };
                    roll_hour::set_seconds(tx, &site(1), HOUR, &seconds).await?;
                    let read = roll_hour::range(tx, &site(1), HOUR, HOUR.plus_ms(1)).await?;
                    assert_eq!(read, [RollHour { seconds, ..hour(0) }]);
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_outage_keeps_every_state_it_was_in() {
    on_both(|store| async move {
        store
            .write(Lane::Job, |tx| {
                Box::pin(async move {
                    let span = Span { from: HOUR, to: None, seconds: 180, silent_seconds: 180 };
                    let at = |m: i64| HOUR.plus_ms(m * 60_000);
                    assert_eq!(outage::open(tx, &site(1), span, Cause::Unknown, at(3)).await?, 1);
                    assert_eq!(outage::open(tx, &site(2), span, Cause::Unknown, at(3)).await?, 2);
                    assert_eq!(outage::going_on(tx).await?.len(), 2);
                    let first = outage::find(tx, 1).await?.unwrap();
                    let ended = Span { to: Some(at(9)), seconds: 540, ..span };
                    let changed = Outage { span: ended, cause: Cause::Uplink, ..first };
                    outage::revise(tx, &changed, at(10)).await?;
                    let now = outage::find(tx, 1).await?.unwrap();
                    assert_eq!((now.revision, now.span, now.cause), (2, ended, Cause::Uplink));
                    let story = outage::revisions(tx, 1).await?;
                    assert_eq!(
                        story.iter().map(|r| (r.revision, r.span)).collect::<Vec<_>>(),
                        [(1, span), (2, ended)]
                    );
                    assert_eq!(
                        outage::touching(tx, &site(1), at(9), at(20)).await?,
                        std::slice::from_ref(&now)
                    );
                    assert!(outage::touching(tx, &site(1), at(10), at(20)).await?.is_empty());
                    outage::revise(tx, &Outage { withdrawn: true, ..now }, at(11)).await?;
                    assert!(outage::touching(tx, &site(1), at(0), at(20)).await?.is_empty());
                    let all = outage::page(tx, &Filter::default(), None, 10).await?;
                    assert!(all.is_empty(), "these sites are not in the register");
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn small_tables_do_what_they_say() {
    on_both(|store| async move {
        store
            .write(Lane::Job, |tx| {
                Box::pin(async move {
                    let at = |m: i64| HOUR.plus_ms(m * 60_000);
                    let power = Clue { cause: Cause::Power, from: at(1), to: Some(at(5)) };
                    let line = Clue { cause: Cause::Uplink, from: at(9), to: None };
                    for c in [&line, &power, &power] {
                        clue::put(tx, &site(1), c).await?;
                    }
                    let found = clue::touching(tx, &site(1), at(5), at(9)).await?;
                    assert_eq!(found, [power, Clue { to: Some(at(9)), ..line }]);
                    watching::put(tx, at(0), at(1)).await?;
                    watching::put(tx, at(0), at(2)).await?;
                    watching::put(tx, at(5), at(6)).await?;
                    assert_eq!(watching::touching(tx, at(1), at(4)).await?, [(at(0), at(2))]);
                    unsettled::put(tx, &site(2), at(5), at(6)).await?;
                    unsettled::put(tx, &site(1), at(5), at(6)).await?;
                    unsettled::put(tx, &site(1), at(3), at(4)).await?;
                    assert_eq!(unsettled::after(tx, "", 9).await?, [site(1), site(2)]);
                    assert_eq!(unsettled::take(tx, &site(1)).await?, Some((at(3), at(6))));
                    assert_eq!(unsettled::take(tx, &site(1)).await?, None);
                    assert_eq!(unsettled::after(tx, "", 9).await?, [site(2)]);
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .unwrap();
    })
    .await;
}
