//! What the hub keeps of a box itself: what it can do.

use super::*;
use kulkul_wire::link::Started;

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
            let entry = b.seal(&Entry::Started(Started { capabilities: has.clone() }));
            assert_eq!(h.deliver(&id, &[&entry.bytes]).await.status, StatusCode::OK);
            assert_eq!(kept().await, has);
        }
    })
    .await;
}
