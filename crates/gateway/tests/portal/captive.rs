//! What devices meet: the vendors' probes, foreign names, and the captive portal API.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

use super::house::{House, body, header, status};
use http_body_util::BodyExt as _;
use kulkul_gateway::portal::At;
use kulkul_wire::captive::{self, Captive};
use serde_json::json;

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
    let waiting = ask(&house).await;
    assert!(waiting.captive && waiting.seconds_remaining.is_none());
    assert_eq!(waiting.user_portal_url.as_deref(), Some("https://portal.test/"));
    house.door.let_in(house.clock.now());
    let online = ask(&house).await;
    assert!(!online.captive);
    assert!((43_190..=43_200).contains(&online.seconds_remaining.unwrap()), "{online:?}");
    assert_eq!((online.bytes_remaining, online.can_extend_session), (None, Some(true)));
}

/// What the API says to the one device.
pub async fn ask(house: &House) -> Captive {
    let at = At { peer: ([127, 0, 0, 1], 4000).into(), local: house.at, secure: true };
    let request = http::Request::get(captive::PATH)
        .header("host", "portal.test")
        .body(http_body_util::Empty::<bytes::Bytes>::new())
        .unwrap();
    let (head, body) = house.portal.answer(request, at).await.into_parts();
    assert_eq!(head.headers["content-type"], "application/captive+json");
    assert_eq!(head.headers["cache-control"], "private");
    Captive::from_json(&body.collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test]
async fn the_api_counts_what_ends_first_and_what_is_left_of_the_day() {
    let sections = json!({
        "plan": {"session_ms": 43_200_000, "day_bytes": 100_000_000, "day_ms": 18_000_000},
        "hours": {"timetable": {
            "open": [{"from": "2026-11-24T08:00:00+08:00", "until": "2026-11-24T22:00:00+08:00"}],
            "through": "2026-11-25T00:00:00+08:00", "week": [[], [], [], [], [], [], []],
        }},
    });
    let house = House::at("2026-11-24T12:00", sections).await;
    house.door.let_in(house.clock.now());
    house.door.used(30_000_000, 0);
    let online = ask(&house).await;
    // The session would last until midnight, the place until 22:00, the day's time until 17:00.
    assert_eq!((online.captive, online.seconds_remaining), (false, Some(18_000)));
    assert_eq!((online.bytes_remaining, online.can_extend_session), (Some(70_000_000), Some(false)));
    assert_eq!(online.venue_info_url.as_deref(), Some("https://hub.example.go.id/sites/BJ-001"));
    house.pass(9 * 3_600_000);
    house.door.used(200_000_000, 3_600_000);
    let late = ask(&house).await;
    assert_eq!((late.seconds_remaining, late.bytes_remaining), (Some(3_600), Some(0)), "closing comes first");
}
