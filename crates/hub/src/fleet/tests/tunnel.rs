//! The tunnel at the hub: addresses of a pool for good, sections for boxes, settings for the other end.

use super::{Box_, House, on_a_hub};
use crate::fleet::{follower, tunnel};
use http::StatusCode;
use kulkul_wire::link::desired::{TunnelSection, key_text};
use kulkul_wire::link::{Entry, Event, TunnelEnd};
use serde_json::json;

impl House {
    async fn tunnel(&self, place: &str) -> TunnelSection {
        serde_json::from_value(self.section(place, "tunnel").await).unwrap()
    }

    async fn tunnel_told(&self, b: &mut Box_, entry: Entry) {
        let sealed = b.seal(&entry);
        let answer = self.deliver(&b.enrolled.gateway, &[sealed.bytes.as_slice()]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        follower::refresh_all(&self.hub).await.unwrap();
    }
}

fn end(key: u8, network: &str) -> Entry {
    Entry::TunnelEnd(TunnelEnd {
        key: [key; 32],
        networks: vec![("service".to_owned(), network.parse().unwrap())],
    })
}

#[tokio::test]
async fn a_box_that_tells_its_key_gets_an_address_for_good_and_is_a_peer() {
    on_a_hub(|h| async move {
        let mut first = h.enrolled(1, "BJ-001").await;
        let mut second = h.enrolled(2, "BJ-002").await;
        let order = json!({"endpoint": "wg.example.go.id:51820", "key": key_text(&[9; 32]),
            "prefixes": ["10.200.0.0/16", "fd20::/48"], "pools": ["10.201.0.0/24", "fd21::/64"]});
        h.order("tunnel", "regency", order.clone()).await.unwrap();
        assert!(!h.tunnel("BJ-001").await.is_on(), "a box without a key has no tunnel");
        h.tunnel_told(&mut second, end(2, "10.79.2.0/24")).await;
        h.tunnel_told(&mut first, end(1, "10.79.1.0/24")).await;
        let of = |t: &TunnelSection| t.addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
        let got = h.tunnel("BJ-001").await;
        assert_eq!((of(&got), got.check()), (vec!["10.201.0.3".to_owned(), "fd21::3".to_owned()], Ok(())));
        assert_eq!(of(&h.tunnel("BJ-002").await), ["10.201.0.2", "fd21::2"]);

        let peers = tunnel::export(&h.hub).await.unwrap();
        let allowed: Vec<&str> = peers.lines().filter(|l| l.starts_with("AllowedIPs")).collect();
        assert_eq!(
            allowed,
            [
                "AllowedIPs = 10.201.0.3/32, fd21::3/128, 10.79.1.0/24",
                "AllowedIPs = 10.201.0.2/32, fd21::2/128, 10.79.2.0/24"
            ]
        );
        assert!(peers.contains(&key_text(&[1; 32])) && peers.contains("BJ-002 "), "{peers}");

        // Another key, a network that hides the other's: addresses stay, and neither is led astray.
        h.tunnel_told(&mut second, end(3, "10.79.0.0/16")).await;
        assert_eq!(of(&h.tunnel("BJ-002").await), ["10.201.0.2", "fd21::2"]);
        let peers = tunnel::export(&h.hub).await.unwrap();
        assert!(peers.contains("# left out: 10.79.0.0/16, BJ-001 has it too"), "{peers}");
        assert!(!peers.contains(&key_text(&[2; 32])), "the key of before is nobody's");

        // Said for one place, it holds there alone; without the order there is none.
        h.order("tunnel", "site:BJ-001", json!({"addresses": ["10.201.0.99", "fd21::99"]})).await.unwrap();
        follower::refresh_all(&h.hub).await.unwrap();
        assert_eq!(of(&h.tunnel("BJ-001").await), ["10.201.0.99", "fd21::99"]);
        assert!(tunnel::export(&h.hub).await.unwrap().contains("10.201.0.99/32"));
        h.order("tunnel", "site:BJ-001", json!({"endpoint": ""})).await.unwrap();
        follower::refresh_all(&h.hub).await.unwrap();
        assert!(!h.tunnel("BJ-001").await.is_on());
    })
    .await;
}

#[tokio::test]
async fn what_the_journal_says_of_a_tunnel_is_shown_and_an_order_that_cannot_be_is_refused() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        h.tunnel_told(&mut b, end(1, "10.79.1.0/24")).await;
        h.tunnel_told(&mut b, Entry::Event(Event::TunnelDown { why: "nothing comes".to_owned() })).await;
        let ends = tunnel::ends(&h.hub).await.unwrap();
        assert_eq!((ends[0].end.is_up, ends[0].end.why.as_deref()), (Some(false), Some("nothing comes")));
        h.tunnel_told(&mut b, Entry::Event(Event::TunnelUp { lost_ms: 7_000 })).await;
        let ends = tunnel::ends(&h.hub).await.unwrap();
        assert_eq!((ends[0].end.is_up, ends[0].end.why.as_deref()), (Some(true), None));
        for (odd, field) in [
            (json!({"prefixes": ["0.0.0.0/0"]}), "/prefixes"),
            (json!({"key": "c2hvcnQ="}), "/key"),
            (json!({"segments": ["public"]}), "/segments"),
            (json!({"pools": ["10.201.0.0/24", "10.202.0.0/24"]}), "/pools"),
            (json!({"pools": ["10.201.0.0/31"]}), "/pools"),
        ] {
            let problem = h.order("tunnel", "regency", odd).await.unwrap_err();
            assert_eq!(problem, [(field.to_owned(), "orders-value")], "{field}");
        }
    })
    .await;
}
