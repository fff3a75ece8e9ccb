//! Boxes over time: what they can do, the hub's keys that they learn, and their successors.

use super::*;
use crate::fleet::{follower, keys, known, local_code, sessions};
use crate::staff::Actor;
use kulkul_proof::manifest::NotDesired;
use kulkul_proof::{KeyRing, KeyTrouble, manifest};
use kulkul_store::{audit, gateway, journal};
use kulkul_wire::link::{BeatAnswer, HubKeys, KeyUse, Started, Version};

#[tokio::test]
async fn a_boxs_challenge_is_answered_by_who_operates_the_place_and_audited() {
    on_a_hub(|h| async move {
        let b = h.enrolled(1, "BJ-001").await;
        let answer = h.ask(&b, Method::GET, "/link/v1/local-key", b"").await;
        assert_eq!(answer.status, StatusCode::OK);
        let mut key = [0; 32];
        hex::decode_to_slice(answer.json()["key"].as_str().unwrap(), &mut key).unwrap();
        let challenge = ClaimCode::parse("7KQ4-M2XP").unwrap();
        let by = Actor::command_line();
        let id = b.enrolled.gateway.to_string();
        let code = local_code::answer(&h.hub, &by, &id, " 7kq4 m2xp").await.unwrap();
        assert_eq!(code, kulkul_proof::local_code::answer(&key, &challenge).shown());
        let other = h.enrolled(2, "BJ-002").await.enrolled.gateway.to_string();
        assert_ne!(local_code::answer(&h.hub, &by, &other, "7KQ4-M2XP").await.unwrap(), code);
        for (id, challenge, wanted) in
            [(id.as_str(), "7KQ4", "challenge-unreadable"), ("gw-none", "7KQ4-M2XP", "gateway-unknown")]
        {
            let refused = local_code::answer(&h.hub, &by, id, challenge).await.unwrap_err();
            assert_eq!(refused.code(), wanted);
        }
        let mut tx = h.hub.store().reader().await.unwrap();
        let acts = audit::list(&mut tx, i64::MAX, 10).await.unwrap();
        let opened = acts.iter().filter(|(_, e)| e.act == "open" && e.noun == "gateway").count();
        assert_eq!(opened, 2, "each answer, and no refusal, is in the audit");
        assert!(!format!("{acts:?}").contains(&code), "the code itself is nowhere");
    })
    .await;
}

#[tokio::test]
async fn what_a_box_can_do_is_what_it_said_at_its_last_start() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let id = b.enrolled.gateway.clone();
        let kept = || async {
            let mut tx = h.hub.store().reader().await.unwrap();
            gateway::find(&mut tx, &id).await.unwrap().unwrap().capabilities
        };
        assert_eq!(kept().await, Capabilities::default());
        let found = |kernel: &str, cake| Capabilities {
            kernel: kernel.to_owned(),
            probed: true,
            nat: true,
            cake,
            ..Capabilities::default()
        };
        for has in [found("6.1.0", false), found("6.12.5", true)] {
            let entry = b.seal(&Entry::Started(Started { capabilities: has.clone(), program: None }));
            assert_eq!(h.deliver(&id, &[&entry.bytes]).await.status, StatusCode::OK);
            assert_eq!(kept().await, has);
        }
    })
    .await;
}

/// The same hub after a restart: same data, same database.
async fn restarted(h: &House) -> House {
    let mut config = Config::defaults(h.hub.config().data.as_path()).unwrap();
    config.public_url = URL.to_owned();
    config.data = h.hub.config().data.clone();
    let hub = Hub::start(config, h.hub.clock().clone(), h.hub.store().clone()).unwrap();
    known::load(&hub).await.unwrap();
    House { hub, hand: h.hand.clone(), nonce: AtomicU64::new(1_000), _data: tempfile::tempdir().unwrap() }
}

#[tokio::test]
async fn a_new_key_of_the_hub_reaches_boxes_that_enrolled_before() {
    on_a_hub(|h| async move {
        let b = h.enrolled(1, "BJ-001").await;
        let asked = |h: &House| {
            h.signed(&b.signer, b.enrolled.gateway.as_str(), &Method::POST, "/link/v1/beat", &beat())
        };
        let told = |answer: Answer| serde_json::from_slice::<BeatAnswer>(&answer.body).unwrap().keys;
        assert_eq!(told(h.send(asked(&h)).await), Some(b.enrolled.hub_keys.digest()));
        let manifest_of =
            async |h: &House| h.ask(&b, Method::GET, "/link/v1/desired?have=0.0&wait=0", b"").await.body;
        let before = manifest_of(&h).await;

        let directory = h.hub.config().data.join("keys");
        keys::revoke(&directory, None, KeyUse::Desired, h.now()).unwrap();
        let h = restarted(&h).await;
        assert_eq!(
            follower::refresh_all(&h.hub).await.unwrap(),
            1,
            "signed anew although nothing else changed"
        );
        let after = manifest_of(&h).await;

        // By the keys of the enrolment the new manifest is a stranger's.
        let open = |ring: &KeyRing, signed: &[u8]| {
            manifest::open(ring, &b.enrolled.gateway, None, signed, Some(h.now())).map(|m| m.version)
        };
        let mut ring = KeyRing::trust(&b.enrolled.hub_keys, None).unwrap();
        assert!(matches!(open(&ring, &after), Err(NotDesired::Key(KeyTrouble::Unknown(..)))));
        let answer = h.send(Request::get("/link/v1/keys").body(Body::empty()).unwrap()).await;
        let listed: HubKeys = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(told(h.send(asked(&h)).await), Some(listed.digest()), "beats say that there are others");
        for key in &listed.keys {
            ring.take(key).unwrap();
        }
        for revocation in &listed.revoked {
            ring.take_back(revocation).unwrap();
        }
        let Version { epoch, counter } = b.enrolled.desired;
        assert_eq!(open(&ring, &after), Ok(Version { epoch, counter: counter + 1 }));
        assert!(matches!(open(&ring, &before), Err(NotDesired::Key(KeyTrouble::Revoked(..)))));
    })
    .await;
}

#[tokio::test]
async fn a_successor_ends_the_earlier_box_and_the_history_is_of_both() {
    on_a_hub(|h| async move {
        let mut old = h.enrolled(1, "BJ-001").await;
        let session = |n: u8| {
            Entry::SessionStart(SessionStart {
                session: SessionId([n; 16]),
                mac: Mac([n; 6]),
                addresses: Vec::new(),
                way_in: WayIn::ClickThrough,
                terms: Some(1),
                language: "id".to_owned(),
                limit_ms: 1,
                basis: None,
            })
        };
        let (delivered, late) = (old.seal(&session(1)), old.seal(&session(2)));
        let old_id = old.enrolled.gateway.clone();
        assert_eq!(h.deliver(&old_id, &[&delivered.bytes]).await.status, StatusCode::OK);

        // A claim that nobody shows takes nothing from the box that stands there.
        let claim = h.claim("BJ-001").await;
        assert_eq!(h.ask(&old, Method::POST, "/link/v1/beat", &beat()).await.status, StatusCode::OK);
        let answer = h.enrol(2, &claim.shown()).await;
        let enrolled: Enrolled = serde_json::from_slice(&answer.body).unwrap();
        let mut new = Box_ { signer: Signer::from_seed(&[2; 32]), enrolled, head: Head::default() };

        // One step: whoever sees the new one sees the old one revoked, with the successor's name in the audit.
        let mut tx = h.hub.store().reader().await.unwrap();
        let boxes = gateway::of_site(&mut tx, &site("BJ-001")).await.unwrap();
        let now: Vec<_> = boxes.iter().map(|g| (&g.id, g.revoked_why.as_deref())).collect();
        assert_eq!(now.len(), 2);
        assert!(now.contains(&(&old_id, Some("replaced"))) && now.contains(&(&new.enrolled.gateway, None)));
        let acts = audit::list(&mut tx, i64::MAX, 50).await.unwrap();
        let revoked = acts.iter().find(|(_, e)| e.act == "revoke").unwrap();
        assert_eq!(revoked.1.who, format!("gateway:{}", new.enrolled.gateway));
        drop(tx);

        // What the old one still had is refused, tells why, and changes nothing.
        for answer in [
            h.deliver(&old_id, &[&late.bytes]).await,
            h.ask(&old, Method::POST, "/link/v1/beat", &beat()).await,
            h.ask(&old, Method::GET, "/link/v1/desired?have=0.0&wait=0", b"").await,
        ] {
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "gateway-revoked"));
        }
        // The old box cannot come back by the claim that its successor has used, nor by its own.
        assert_eq!(h.enrol(1, &claim.shown()).await.code(), "claim-used");

        let third = new.seal(&session(3));
        assert_eq!(h.deliver(&new.enrolled.gateway, &[&third.bytes]).await.status, StatusCode::OK);
        let (list, _) = sessions::list(&h.hub, Some(&site("BJ-001")), None, 10).await.unwrap();
        let mut of: Vec<_> = list.iter().map(|s| s.gateway.clone()).collect();
        of.sort();
        let mut both = vec![old_id.clone(), new.enrolled.gateway.clone()];
        both.sort();
        assert_eq!(of, both, "one session of each chain");
        // Each chain is whole by itself, and a hub that starts later sees it the same way.
        let h = restarted(&h).await;
        let mut tx = h.hub.store().reader().await.unwrap();
        for id in [&old_id, &new.enrolled.gateway] {
            assert_eq!(journal::head(&mut tx, id).await.unwrap().unwrap().seq, 1);
        }
        drop(tx);
        assert_eq!(h.deliver(&old_id, &[&late.bytes]).await.code(), "gateway-revoked");
    })
    .await;
}
