//! What devices meet: the vendors' probes, foreign names, and the captive portal API.

use super::house::{House, body, header, status};
use http_body_util::BodyExt as _;
use kulkul_gateway::portal::At;
use kulkul_wire::captive::{self, Captive};

/// Host, path, and what the vendor takes for "online".
const PROBES: [(&str, &str, &str); 12] = [
    ("captive.apple.com", "/hotspot-detect.html", "Success"),
    ("www.apple.com", "/library/test/success.html", "Success"),
    ("connectivitycheck.gstatic.com", "/generate_204", "204"),
    ("connectivitycheck.android.com", "/generate_204", "204"),
    ("clients3.google.com", "/gen_204", "204"),
    ("www.gstatic.com", "/generate_204", "204"),
    ("www.msftconnecttest.com", "/connecttest.txt", "Microsoft Connect Test"),
    ("www.msftncsi.com", "/ncsi.txt", "Microsoft NCSI"),
    ("detectportal.firefox.com", "/canonical.html", "support.mozilla.org"),
    ("detectportal.firefox.com", "/success.txt", "success"),
    ("nmcheck.gnome.org", "/check_network_status.txt", "NetworkManager is online"),
    ("connectivity-check.ubuntu.com", "/", "204"),
];

#[tokio::test]
async fn a_vendors_probe_is_sent_to_the_portal_and_never_told_success() {
    let house = House::open().await;
    // Online or not: what reaches the portal was captured, and the portal never lies.
    for online in [false, true] {
        if online {
            house.door.let_in(house.clock.now());
        }
        for (host, path, success) in PROBES {
            for method in ["GET", "HEAD"] {
                let answer =
                    house.send(format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
                assert_eq!(status(&answer), "302", "{host}{path}");
                assert_eq!(header(&answer, "location"), Some("http://portal.test/"), "{host}{path}");
                assert_eq!(header(&answer, "cache-control"), Some("no-store"));
                assert_eq!(header(&answer, "connection"), Some("close"));
                assert!(!answer.contains(success), "{host}{path}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn foreign_names_get_a_redirect_that_keeps_the_address_for_a_link() {
    let house = House::open().await;
    let send = |head: &'static str| house.send(head.as_bytes());
    let page = send("GET /news?a=1 HTTP/1.1\r\nHost: example.com\r\n\r\n").await;
    assert_eq!(
        header(&page, "location"),
        Some("http://portal.test/?to=http%3A%2F%2Fexample.com%2Fnews%3Fa%3D1")
    );
    assert_eq!(body(&page), "", "no page under a foreign name");
    let post = send("POST /accept HTTP/1.1\r\nHost: example.com\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(header(&post, "location"), Some("http://portal.test/"));
    let absolute = send("GET http://example.com/x HTTP/1.1\r\nHost: portal.test\r\n\r\n").await;
    assert_eq!(status(&absolute), "302", "the absolute form wins over Host");
    let own =
        send("GET http://portal.test/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status(&own), "200");
    let literal = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", house.at);
    assert_eq!(status(&house.send(literal.as_bytes()).await), "200", "its own address is its own name");
    assert_eq!(status(&send("GET / HTTP/1.1\r\nHost: 192.0.2.7\r\n\r\n").await), "302");
}

#[tokio::test]
async fn the_api_answers_over_tls_only() {
    let house = House::open().await;
    assert_eq!(status(&house.get(captive::PATH).await), "404");
    let ask = |house: &House| {
        let at = At { peer: ([127, 0, 0, 1], 4000).into(), local: house.at, secure: true };
        let request = http::Request::get(captive::PATH)
            .header("host", "portal.test")
            .body(http_body_util::Empty::<bytes::Bytes>::new())
            .unwrap();
        let portal = house.portal.clone();
        async move {
            let (head, body) = portal.answer(request, at).await.into_parts();
            assert_eq!(head.headers["content-type"], "application/captive+json");
            assert_eq!(head.headers["cache-control"], "private");
            Captive::from_json(&body.collect().await.unwrap().to_bytes()).unwrap()
        }
    };
    let waiting = ask(&house).await;
    assert!(waiting.captive && waiting.seconds_remaining.is_none());
    assert_eq!(waiting.user_portal_url.as_deref(), Some("https://portal.test/"));
    house.door.let_in(house.clock.now());
    let online = ask(&house).await;
    assert!(!online.captive);
    assert!((43_190..=43_200).contains(&online.seconds_remaining.unwrap()), "{online:?}");
}
