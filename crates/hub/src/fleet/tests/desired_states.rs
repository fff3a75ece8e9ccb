//! Desired states: signed, waited for, made anew only when something changed.

use super::on_a_hub;
use crate::fleet::{desired, follower};
use http::{Method, StatusCode};
use kulkul_proof::{KeyRing, manifest};
use kulkul_store::Lane;
use kulkul_wire::link::{Digest, Version};

#[tokio::test]
async fn a_desired_state_is_signed_and_a_change_ends_the_wait() {
    on_a_hub(|h| async move {
        let b = h.enrolled(1, "BJ-001").await;
        let ring = KeyRing::trust(&b.enrolled.hub_keys, None).unwrap();
        let first = h.ask(&b, Method::GET, "/link/v1/desired?have=0.0&wait=0", b"").await;
        let opened = manifest::open(&ring, &b.enrolled.gateway, None, &first.body, Some(h.now())).unwrap();
        assert_eq!(opened.version, b.enrolled.desired);
        let section = opened.sections.iter().find(|s| s.name == "site").unwrap();
        let blob = h.ask(&b, Method::GET, &format!("/link/v1/blobs/{}", section.sha256), b"").await;
        assert_eq!(Digest::of(&blob.body), section.sha256);
        assert_eq!(blob.json()["area_path"][0], "Badung");
        let have = format!("/link/v1/desired?have={}&wait=0", opened.version);
        assert_eq!(h.ask(&b, Method::GET, &have, b"").await.status, StatusCode::NOT_MODIFIED);
        // Nothing changed: nothing is made anew.
        assert_eq!(follower::refresh_all(&h.hub).await.unwrap(), 0);
        let known = h.hub.fleet().known(&b.enrolled.gateway).unwrap();
        let waiting = tokio::spawn({
            let (hub, known, have) = (h.hub.clone(), known.clone(), known.newest());
            async move { desired::wait_newer(&hub, &known, have, 30_000).await }
        });
        tokio::task::yield_now().await;
        let plan = r#"{"session_ms": 3600000}"#;
        h.hub
            .store()
            .write(Lane::Page, move |tx| Box::pin(kulkul_store::setting::put(tx, "desired.plan", plan)))
            .await
            .unwrap();
        assert_eq!(follower::refresh_all(&h.hub).await.unwrap(), 1);
        waiting.await.unwrap();
        let Version { epoch, counter } = opened.version;
        assert_eq!(known.newest(), Some(Version { epoch, counter: counter + 1 }));
    })
    .await;
}
