//! What people meet when hours or the day's share end their time, and the place's own code.

use super::house::{House, body, header, status};
use kulkul_model::measurement::{Minute, Pings, ProbeResult, Radios, UsageMinute};
use kulkul_model::{Moment, Refusal};
use serde_json::json;

/// Open on Tuesday 08:00-22:00 and from Thursday 08:00 on; Wednesday is closed by decree.
pub fn hours() -> serde_json::Value {
    json!({
        "timetable": {
            "open": [
                {"from": "2026-11-24T08:00:00+08:00", "until": "2026-11-24T22:00:00+08:00"},
                {"from": "2026-11-26T08:00:00+08:00", "until": "2026-11-26T22:00:00+08:00"},
            ],
            "through": "2026-11-27T00:00:00+08:00",
            "week": [[], [], [], [], [], [], []],
        },
        "closures": [
            {
                "from": "2026-11-25T00:00:00+08:00", "until": "2026-11-26T00:00:00+08:00",
                "number": "400/12/2026", "message": {"id": "Hari Raya <Nyepi>", "en": "Day of silence"},
            },
            {
                "from": "2026-12-01T09:00:00+08:00", "until": "2026-12-01T12:00:00+08:00",
                "message": {"id": "Listrik padam", "en": "No power"},
            },
            {"from": "2026-11-01T00:00:00+08:00", "until": "2026-11-02T00:00:00+08:00", "message": {"en": "Over"}},
        ],
    })
}

async fn token_of(house: &House, lang: &str) -> String {
    house.token(&format!("/?lang={lang}")).await
}

#[tokio::test]
async fn the_first_page_says_until_when_the_place_is_open_and_what_a_day_gives() {
    let plan = json!({"session_ms": 43_200_000, "day_bytes": 1_500_000_000_u64, "day_ms": 7_200_000});
    let house = House::at("2026-11-24T12:00", json!({"hours": hours(), "plan": plan})).await;
    let page = house.get("/?lang=en").await;
    assert!(
        page.contains("Once you agree you are online until 22:00 WITA. This place closes then."),
        "{page}"
    );
    assert!(page.contains("Each device gets 2 h and 1.5 GB a day."));
    assert!(house.get("/?lang=id").await.contains("Jatah tiap perangkat: 2 jam dan 1,5 GB sehari."));
    let (_, closures) = page.split_once("Planned closures").unwrap();
    assert!(
        closures.contains("<strong>Wednesday, 25 Nov, all day</strong> Day of silence <small>400/12/2026")
    );
    assert!(closures.contains("<strong>Tuesday, 1 Dec, 09:00 to 12:00 WITA</strong> No power"));
    assert!(!page.contains("Over"), "a closure that is over is not planned");
    assert!(house.get("/?lang=id").await.contains("Hari Raya &#60;Nyepi&#62;"), "messages are escaped");
}

#[tokio::test]
async fn the_status_page_counts_down_from_ten_minutes_before_closing() {
    let house = House::at("2026-11-24T12:00", json!({"hours": hours()})).await;
    house.door.let_in(house.clock.now());
    let noon = house.get("/status?lang=en").await;
    assert!(noon.contains("Until 22:00 WITA, when this place closes."), "{noon}");
    assert!(noon.contains("10 h</dd>") && !noon.contains("This place closes at"));
    house.pass((9 * 60 + 49) * 60_000);
    assert!(!house.get("/status?lang=en").await.contains("This place closes at"), "11 minutes before");
    house.pass(3 * 60_000);
    let page = house.get("/status?lang=en").await;
    assert!(
        page.contains("This place closes at 22:00 WITA, in 8 min (this page is of 21:52 WITA)."),
        "{page}"
    );
    assert!(
        page.contains("role=\"status\"")
            && header(&page, "refresh").is_none()
            && !page.contains("http-equiv")
    );
    assert!(house.get("/status?lang=id").await.contains("Tempat ini tutup pukul 22.00 WITA, 8 menit lagi"));
}

#[tokio::test]
async fn a_closed_place_says_when_it_opens_again() {
    let house = House::at("2026-11-24T06:30", json!({"hours": hours()})).await;
    let early = house.get("/?lang=en").await;
    assert_eq!(status(&early), "200");
    assert!(early.contains("Closed now") && early.contains("It opens again at 08:00 WITA."), "{early}");
    assert!(!early.contains("action=\"/accept\""), "nothing to agree to");
    house.pass(2 * 3_600_000);
    assert!(house.get("/?lang=en").await.contains("action=\"/accept\""), "open at 08:30");
    house.pass(14 * 3_600_000);
    let late = house.get("/?lang=id").await;
    assert!(late.contains("Buka lagi Kamis, 26 Nov pukul 08.00 WITA."), "{late}");
    assert!(late.contains("Rencana penutupan") && late.contains("Hari Raya"));
    let token_gone = house.post("/accept", "token=&terms=0&lang=id").await;
    assert_eq!(status(&token_gone), "403");
}

#[tokio::test]
async fn refusals_of_hours_and_share_name_the_time() {
    let house = House::at("2026-11-24T21:00", json!({})).await;
    let refuse = async |refusal: Refusal| {
        let token = token_of(&house, "en").await;
        house.door.refuse_with(refusal);
        house.post("/accept", &format!("token={token}&terms=0&lang=en")).await
    };
    let closed = Refusal::new(403, "site-closed");
    let page = refuse(closed.clone().with("opens", "2026-11-25T07:00:00+08:00")).await;
    assert!(page.contains("It opens again tomorrow at 07:00 WITA."), "{page}");
    let page = refuse(closed.with("opens", "")).await;
    assert!(page.contains("Please try again later."), "{page}");
    let used = Refusal::new(403, "quota-used").with("until", "2026-11-25T00:00:00+08:00");
    let page = refuse(used).await;
    assert_eq!(status(&page), "403");
    assert!(page.contains("Today&#39;s share is used"), "{page}");
    assert!(page.contains("A new share begins tomorrow at 00:00 WITA."), "{page}");
}

#[tokio::test]
async fn a_used_day_is_told_before_anybody_presses_a_button() {
    let house =
        House::at("2026-11-24T21:00", json!({"plan": {"day_bytes": 500_000_000, "day_ms": 7_200_000}})).await;
    house.door.used(1_000, 7_199_999);
    assert!(house.get("/?lang=en").await.contains("action=\"/accept\""));
    house.door.used(1_000, 7_200_000);
    let page = house.get("/?lang=en").await;
    assert!(
        page.contains("online for 2 h, its share for today") && !page.contains("action=\"/accept\""),
        "{page}"
    );
    house.door.used(500_000_000, 0);
    let page = house.get("/?lang=id").await;
    assert!(page.contains("sudah memakai 500 MB") && page.contains("besok pukul 00.00 WITA"), "{page}");
}

#[tokio::test]
async fn what_is_left_of_the_day_stands_on_the_status_page() {
    let house =
        House::at("2026-11-24T12:00", json!({"plan": {"day_bytes": 500_000_000, "day_ms": 7_200_000}})).await;
    house.door.let_in(house.clock.now());
    house.door.used(123_400_000, 3_600_000);
    let page = house.get("/status?lang=en").await;
    assert!(page.contains("<dt>Data left today</dt><dd>376.6 MB</dd>"), "{page}");
    assert!(page.contains("<dt>Time left today</dt><dd>1 h</dd>"));
    assert!(page.contains("Until 13:00 WITA, when this device&#39;s time for today is used."));
}

#[tokio::test]
async fn a_session_near_its_limit_is_renewed_and_no_other() {
    let house = House::at("2026-11-24T09:00", json!({})).await;
    house.door.let_in(house.clock.now());
    assert!(!house.get("/status").await.contains("action=\"/renew\""));
    let token = house.token("/status").await;
    house.post("/renew", &format!("token={token}")).await;
    assert!(house.door.asks().is_empty(), "far from its limit");
    house.pass((11 * 60 + 45) * 60_000);
    let page = house.get("/status?lang=en").await;
    assert!(page.contains("action=\"/renew\"") && page.contains("Stay online longer"), "{page}");
    house.post("/renew", "token=0").await;
    assert!(house.door.asks().is_empty(), "without the form's token");
    let token = house.token("/status").await;
    let answer = house.post("/renew", &format!("token={token}&lang=en")).await;
    assert_eq!((status(&answer), header(&answer, "location")), ("303", Some("/status?lang=en")));
    assert_eq!(house.door.asks().pop().unwrap().terms, Some(0));
    assert!(house.get("/status?lang=en").await.contains("12 h</dd>"));
}

#[tokio::test]
async fn the_places_colour_is_taken_when_it_can_be_read_and_the_policy_follows() {
    let own = House::at("2026-11-24T12:00", json!({"portal": {"colour": "#0B4F8A"}})).await;
    let plain = House::at("2026-11-24T12:00", json!({"portal": {"colour": "#ffff66"}})).await;
    let (own, plain) = (own.get("/").await, plain.get("/").await);
    assert!(own.contains(":root{--brand:#0b4f8a}") && !plain.contains("ffff66"));
    let policy = |page: &str| header(page, "content-security-policy").unwrap().to_owned();
    assert_ne!(policy(&own), policy(&plain));
}

#[tokio::test]
async fn the_code_on_the_wall_is_answered_here_and_anothers_by_a_link() {
    let house = House::at("2026-11-24T12:00", json!({"hours": hours()})).await;
    let page = house.get("/t/BJ-001?lang=en").await;
    assert_eq!(status(&page), "200");
    for words in ["Bale Banjar Bindu", "Mekar Bhuwana · BJ-001", "Not known yet", "Open until 22:00 WITA"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(page.contains("href=\"/?lang=en\"") && page.contains("href=\"/report?lang=en\""));
    let minute = |loss| {
        let pings = Pings { sent: 5, lost: loss, rtt_us: 20_000 };
        let at = Moment::parse("2026-11-24T11:59:00+08:00").unwrap();
        let good = ProbeResult::Good;
        Minute {
            at,
            hub: pings,
            anchor_a: pings,
            anchor_b: pings,
            dns: good,
            dns_us: 1,
            http: good,
            http_us: 1,
            radios: Radios::default(),
        }
    };
    for (loss, words) in [(0, "<dd>Works</dd>"), (2, "but not well"), (5, "Does not work")] {
        house.minutes.send_replace(Some((minute(loss), UsageMinute::default())));
        assert!(house.get("/t/bj-001?lang=en").await.contains(words), "{words}");
    }
    house.pass(3 * 60_000);
    assert!(
        house.get("/t/BJ-001?lang=en").await.contains("Not known yet"),
        "an old minute says nothing of now"
    );
    let other = house.get("/t/SD-014?lang=en").await;
    assert_eq!(status(&other), "404");
    assert!(other.contains("href=\"https://hub.example.go.id/t/SD-014\""), "{other}");
    for bad in ["/t/", "/t/x", "/t/%3Cscript%3E", "/t/BJ-001/x", "/t/%ff"] {
        let page = house.get(bad).await;
        assert!(status(&page) == "404" && !body(&page).contains("hub.example"), "{bad}");
    }
}

#[tokio::test]
async fn the_hubs_own_address_of_the_code_leads_to_the_page_here() {
    let house = House::at("2026-11-24T12:00", json!({})).await;
    let get = async |host: &str| {
        house.send(format!("GET /t/BJ-001 HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await
    };
    let hub = get("hub.example.go.id").await;
    assert_eq!((status(&hub), header(&hub, "location")), ("302", Some("http://portal.test/t/BJ-001")));
    let stranger = get("example.com").await;
    assert_eq!(
        header(&stranger, "location"),
        Some("http://portal.test/?to=http%3A%2F%2Fexample.com%2Ft%2FBJ-001")
    );
}
