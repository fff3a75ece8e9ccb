//! Journals: held once, in order, and what follows from them.

use super::{Answer, MAC, a_session, house, on_a_hub, site, start, usage};
use crate::fleet::sessions;
use http::StatusCode;
use kulkul_model::gateway::GatewayId;
use kulkul_model::session::StopReason;
use kulkul_store::journal;

#[tokio::test]
async fn a_journal_is_held_once_whatever_repeats_or_is_skipped() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.clone();
        let all = b.counts(5);
        let e: Vec<&[u8]> = all.iter().map(|s| s.bytes.as_slice()).collect();
        let held = |a: &Answer| a.json()["held_through"].as_u64();
        assert_eq!(held(&h.deliver(&id, &e[..2]).await), Some(2));
        let skipped = h.deliver(&id, &e[3..]).await;
        assert_eq!((skipped.status, skipped.json()["expected"].as_u64()), (StatusCode::CONFLICT, Some(3)));
        assert_eq!(held(&h.deliver(&id, &e[..4]).await), Some(4), "repeats are taken and change nothing");
        assert_eq!(held(&h.deliver(&id, &e[..1]).await), Some(4));
        // A hub that was killed after the commit and before its answer: another one goes on.
        let again = house(h.hub.store().clone(), h.hub.clock().clone(), h.hand.clone());
        assert_eq!(held(&again.deliver(&id, &e).await), Some(5));
        let mut tx = h.hub.store().reader().await.unwrap();
        let kept = journal::list(&mut tx, &id, 1, 100).await.unwrap();
        assert_eq!(kept.iter().map(|k| k.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert!(kept.iter().zip(&e).all(|(k, e)| k.2 == *e), "kept as they came");
    })
    .await;
}

#[tokio::test]
async fn a_changed_byte_is_kept_aside_and_loses_nothing() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.clone();
        let all = b.counts(3);
        let mut bad = all[1].bytes.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        let answer = h.deliver(&id, &[&all[0].bytes, &bad, &all[2].bytes]).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "journal-broken")
        );
        assert_eq!(answer.json()["held_through"], 1, "what came before it is held");
        h.deliver(&id, &[&bad]).await;
        let mut tx = h.hub.store().reader().await.unwrap();
        let aside = journal::aside(&mut tx, &id).await.unwrap();
        assert_eq!(aside.len(), 1, "the same thing is kept aside once");
        assert_eq!(aside[0].2, bad);
        drop(tx);
        let good = h.deliver(&id, &[&all[1].bytes, &all[2].bytes]).await;
        assert_eq!(good.json()["held_through"], 3);
        let garbage = h.deliver(&id, &[b"\xff\xff"]).await;
        assert_eq!(garbage.status, StatusCode::UNPROCESSABLE_ENTITY);
        let nobody = h.deliver(&GatewayId::from_bits(5), &[&all[0].bytes]).await;
        assert_eq!(nobody.code(), "gateway-unknown");
    })
    .await;
}

#[tokio::test]
async fn sessions_are_merged_in_any_order_and_dated_by_the_anchor() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.clone();
        let sealed = a_session(&mut b);
        for s in &sealed {
            assert_eq!(h.deliver(&id, &[&s.bytes]).await.status, StatusCode::OK);
        }
        let (list, next) = sessions::list(&h.hub, Some(&site("BJ-001")), None, 10).await.unwrap();
        assert_eq!((list.len(), next), (1, None));
        assert_eq!(list[0].began_at, Some(start().plus_ms(-70_000)));
        assert_eq!((list[0].lasted_ms, list[0].ended), (90_000, Some(StopReason::LoggedOut)));
        assert_eq!(list[0].usage, usage(900));
        let device = list[0].device.clone().unwrap();
        assert_eq!(device, h.hub.fleet().keys().unwrap().device(MAC));
        assert!(!device.contains(&hex::encode(MAC.0)), "the address itself is not shown");
        assert!(sessions::list(&h.hub, Some(&site("BJ-002")), None, 10).await.unwrap().0.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_backlog_of_ten_thousand_is_taken_in_bounded_batches() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.clone();
        let all = b.counts(10_000);
        let too_much: Vec<&[u8]> = all.iter().map(|s| s.bytes.as_slice()).collect();
        assert_eq!(h.deliver(&id, &too_much).await.status, StatusCode::PAYLOAD_TOO_LARGE);
        for batch in all.chunks(1_000) {
            let batch: Vec<&[u8]> = batch.iter().map(|s| s.bytes.as_slice()).collect();
            assert_eq!(h.deliver(&id, &batch).await.status, StatusCode::OK);
        }
        let mut tx = h.hub.store().reader().await.unwrap();
        assert_eq!(journal::head(&mut tx, &id).await.unwrap().unwrap().seq, 10_000);
    })
    .await;
}
