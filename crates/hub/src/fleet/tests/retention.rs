//! What the hub lets go of, when, and what it never loses before.

use super::{a_session, on_a_hub, site, start};
use crate::fleet::retention::{self, KEEP_MS, UNNAMED_MS};
use crate::fleet::{follower, lists, sessions};
use crate::watch::jobs::EVIDENCE_MS;
use http::{Method, StatusCode};
use kulkul_model::gateway::GatewayId;

use kulkul_store::{Lane, StoreError, desired, journal, setting};
use kulkul_wire::link::{Digest, Manifest, Sealed, sign1};

const DAY_MS: i64 = 24 * 3_600_000;

#[tokio::test]
async fn people_are_forgotten_and_the_chain_can_still_be_checked() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.clone();
        let sealed = a_session(&mut b);
        for s in &sealed {
            assert_eq!(h.deliver(&id, &[&s.bytes]).await.status, StatusCode::OK);
        }
        assert_eq!(retention::forget(&h.hub, h.now()).await.unwrap(), (0, 0));
        let later = start().plus_ms(KEEP_MS + 60_000);
        assert_eq!(retention::forget(&h.hub, later).await.unwrap(), (1, 3));
        assert_eq!(retention::forget(&h.hub, later).await.unwrap(), (0, 0));
        assert!(sessions::list(&h.hub, Some(&site("BJ-001")), None, 10).await.unwrap().0.is_empty());
        let mut tx = h.hub.store().reader().await.unwrap();
        let held = journal::list(&mut tx, &id, 1, 10).await.unwrap();
        assert_eq!(held.len(), 4);
        for ((_, _, kept), sent) in held.iter().zip(&sealed) {
            let (kept, sent) = (Sealed::decode(kept).unwrap(), Sealed::decode(&sent.bytes).unwrap());
            assert_eq!(kept.cose, sent.cose, "header and signature stay");
            assert_eq!(kept.parts.len(), sent.parts.len());
        }
        let left =
            held.iter().filter(|(_, _, s)| Sealed::decode(s).unwrap().parts.iter().any(Option::is_some));
        assert_eq!(left.count(), 1, "only the anchor keeps its payload");
    })
    .await;
}

#[tokio::test]
async fn a_chain_loses_its_beginning_after_thirteen_months_and_goes_on() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let mut other = h.enrolled(2, "BJ-002").await;
        let id = b.enrolled.gateway.clone();
        // More than one write takes away, and what does not fit beside it.
        let old = b.counts(1_100);
        let broken = b.counts(2).pop().unwrap();
        b.head = old.last().map(|s| s.head).unwrap();
        let bytes = |list: &[kulkul_proof::entry::SealedEntry]| {
            list.iter().map(|s| s.bytes.clone()).collect::<Vec<_>>()
        };
        for some in bytes(&old).chunks(500) {
            let some: Vec<&[u8]> = some.iter().map(Vec::as_slice).collect();
            assert_eq!(h.deliver(&id, &some).await.status, StatusCode::OK);
        }
        let mut wrong = broken.bytes.clone();
        let middle = wrong.len() / 2;
        wrong[middle] ^= 1;
        h.deliver(&id, &[&wrong]).await;
        let young = other.counts(3);
        h.hand.set(start().plus_ms(DAY_MS));
        let more = b.counts(5);
        for (id, list) in [(&id, &more), (&other.enrolled.gateway, &young)] {
            let list = bytes(list);
            let list: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
            assert_eq!(h.deliver(id, &list).await.status, StatusCode::OK);
        }

        // Not a day too early; then exactly what is over its time.
        h.hand.set(start().plus_ms(EVIDENCE_MS));
        assert_eq!(retention::retire(&h.hub, h.now()).await.unwrap(), 0);
        h.hand.set(start().plus_ms(EVIDENCE_MS + 1));
        assert_eq!(retention::retire(&h.hub, h.now()).await.unwrap(), 1_100);
        assert_eq!(retention::retire(&h.hub, h.now()).await.unwrap(), 0);
        let mut tx = h.hub.store().reader().await.unwrap();
        let held = journal::list(&mut tx, &id, 1, 2_000).await.unwrap();
        assert_eq!(held.iter().map(|e| e.0).collect::<Vec<_>>(), (1_101..=1_105).collect::<Vec<u64>>());
        assert_eq!(journal::list(&mut tx, &other.enrolled.gateway, 1, 10).await.unwrap().len(), 3);
        assert!(journal::aside(&mut tx, &id).await.unwrap().is_empty(), "what was kept aside is as old");
        drop(tx);

        // What is left is one run that the last entry that went still leads into.
        let key = kulkul_proof::Verifier::new(&b.signer.public()).unwrap();
        let mut chain = kulkul_proof::Chain::new(&id, key, old.last().unwrap().head);
        for (_, _, sealed) in &held {
            assert!(matches!(chain.take(sealed), kulkul_proof::Verdict::Accept(_)));
        }
        // A repeat of what went is harmless, and the chain goes on, also at a hub that starts now.
        let again = super::house(h.hub.store().clone(), h.hub.clock().clone(), h.hand.clone());
        let answer = again.deliver(&id, &[&old[7].bytes]).await;
        assert_eq!((answer.status, answer.json()["held_through"].as_u64()), (StatusCode::OK, Some(1_105)));
        let next = b.counts(1);
        assert_eq!(again.deliver(&id, &[&next[0].bytes]).await.json()["held_through"], 1_106);
        // Long after, all of it is gone and the head is still known.
        let end = start().plus_ms(3 * EVIDENCE_MS);
        assert_eq!(retention::retire(&h.hub, end).await.unwrap(), 9);
        let mut tx = h.hub.store().reader().await.unwrap();
        assert_eq!(journal::head(&mut tx, &id).await.unwrap().unwrap().seq, 1_106);
    })
    .await;
}

/// The sections that a gateway's desired state names.
async fn named(h: &super::House, id: &GatewayId) -> Vec<Digest> {
    let mut tx = h.hub.store().reader().await.unwrap();
    let kept = desired::find(&mut tx, id).await.unwrap().unwrap();
    let manifest = Manifest::decode(sign1::decode(&kept.manifest).unwrap().payload).unwrap();
    manifest.sections.iter().map(|s| s.sha256).collect()
}

async fn there(h: &super::House, digest: &Digest) -> bool {
    let mut tx = h.hub.store().reader().await.unwrap();
    desired::blob(&mut tx, digest).await.unwrap().is_some()
}

async fn plan(h: &super::House, text: &'static str) {
    h.hub
        .store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                setting::put(tx, "desired.plan", text).await?;
                setting::bump(tx, "desired_settings").await.map(drop)
            })
        })
        .await
        .map_err(|e: StoreError| e)
        .unwrap();
    follower::refresh_all(&h.hub).await.unwrap();
}

#[tokio::test]
async fn blobs_go_when_nothing_names_them_for_thirty_days() {
    on_a_hub(|h| async move {
        let b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.clone();
        let first = named(&h, &id).await;
        let sent = Digest::of(b"a photo");
        let answer = h.ask(&b, Method::PUT, &format!("/link/v1/blobs/{sent}"), b"a photo").await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);

        // Another plan: the first one's section is named no more.
        h.hand.set(start().plus_ms(DAY_MS));
        plan(&h, r#"{"session_ms": 3600000}"#).await;
        let second = named(&h, &id).await;
        let dropped: Vec<_> = first.iter().filter(|d| !second.contains(d)).collect();
        assert_eq!(dropped.len(), 1);

        h.hand.set(start().plus_ms(UNNAMED_MS));
        assert_eq!(retention::drop_unnamed(&h.hub, h.now()).await.unwrap(), 0, "not too early");
        h.hand.set(start().plus_ms(UNNAMED_MS + 1));
        assert_eq!(retention::drop_unnamed(&h.hub, h.now()).await.unwrap(), 2);
        assert!(!there(&h, dropped[0]).await && !there(&h, &sent).await);
        for digest in &second {
            assert!(there(&h, digest).await, "what is named stays, however old");
        }

        // The first plan again: its section is made anew, and young.
        plan(&h, "{}").await;
        assert_eq!(named(&h, &id).await, first);
        assert!(there(&h, dropped[0]).await);
        assert_eq!(retention::drop_unnamed(&h.hub, h.now()).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_blob_that_is_named_again_is_young_again() {
    on_a_hub(|h| async move {
        let (at, before) = (start(), start().plus_ms(UNNAMED_MS + 1).plus_ms(-UNNAMED_MS));
        let gone = h
            .hub
            .store()
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    let digest = desired::put_blob(tx, b"a list", at).await?;
                    assert_eq!(desired::blobs_before(tx, before, &Digest([0; 32]), 9).await?, [digest]);
                    desired::put_blob(tx, b"a list", at.plus_ms(UNNAMED_MS)).await?;
                    desired::drop_blob(tx, &digest, before).await
                })
            })
            .await
            .map_err(|e: StoreError| e)
            .unwrap();
        assert_eq!(gone, 0, "named between the look and the write");
    })
    .await;
}

#[tokio::test]
async fn a_list_is_handed_out_in_pieces_and_stays_while_it_is_named() {
    on_a_hub(|h| async move {
        let b = h.enrolled(1, "BJ-001").await;
        let data = h.hub.config().data.clone();
        let from = data.join("ads.txt");
        let text: String = (0..20_000).map(|i| format!("n{i}.example\n")).collect();
        std::fs::write(&from, &text).unwrap();
        let taken = lists::keep(&data, &from, lists::ListFormat::Plain).unwrap();
        assert_eq!(taken.report.names, 20_000);
        let path = format!("/link/v1/blobs/{}", taken.sha256);
        let whole = h.ask(&b, Method::GET, &path, b"").await;
        assert_eq!((whole.status, whole.body.len()), (StatusCode::OK, text.len()));
        assert_eq!(Digest::of(&whole.body), taken.sha256);
        let rest = h.ask_from(&b, &path, 100_000).await;
        assert_eq!(
            (rest.status, rest.body.as_slice()),
            (StatusCode::PARTIAL_CONTENT, &text.as_bytes()[100_000..])
        );
        let none = h.ask_from(&b, &path, text.len()).await;
        assert_eq!(none.status, StatusCode::RANGE_NOT_SATISFIABLE);

        let order = serde_json::json!({ "lists": [{
            "key": "ads", "name": { "id": "Iklan" }, "sha256": taken.sha256, "bytes": taken.bytes,
            "format": "plain", "dated": "2026-11-01T00:00:00+08:00",
        }] });
        let order = order.to_string();
        h.hub
            .store()
            .write(Lane::Page, move |tx| {
                Box::pin(async move {
                    setting::put(tx, "desired.filter", &order).await?;
                    setting::bump(tx, "desired_settings").await.map(drop)
                })
            })
            .await
            .map_err(|e: StoreError| e)
            .unwrap();
        follower::refresh_all(&h.hub).await.unwrap();
        // The files' own times are the machine's.
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1);
        let kept = data.join("lists").join(taken.sha256.to_string());
        std::fs::File::options().write(true).open(&kept).unwrap().set_modified(old).unwrap();
        retention::drop_unnamed(&h.hub, h.now()).await.unwrap();
        assert!(kept.exists(), "named, however old");
        h.hub
            .store()
            .write(Lane::Page, move |tx| {
                Box::pin(async move {
                    setting::put(tx, "desired.filter", "{}").await?;
                    setting::bump(tx, "desired_settings").await.map(drop)
                })
            })
            .await
            .map_err(|e: StoreError| e)
            .unwrap();
        follower::refresh_all(&h.hub).await.unwrap();
        retention::drop_unnamed(&h.hub, h.now()).await.unwrap();
        assert!(!kept.exists());
    })
    .await;
}
