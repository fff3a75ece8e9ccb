//! How the pages look and how fast they are: run by hand or where a browser is installed.

use super::hours::hours;
use super::house::{House, status};
use serde_json::json;
use std::path::Path;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const BROWSER: &str = "/usr/bin/chromium";
/// All of a page with everything that it loads, bytes.
const MOST_BYTES: u64 = 50_000;

/// Each page that people can meet, in a place whose colour is its own.
async fn pages() -> (Vec<House>, Vec<(String, String)>) {
    let plan = json!({"session_ms": 43_200_000, "day_bytes": 1_500_000_000_u64, "day_ms": 18_000_000});
    let portal = json!({"colour": "#0b4f8a", "notice": {"id": "Ujian sekolah pekan ini: mohon hemat.", "en": "Exams this week: please save data."}});
    let sections = json!({"hours": hours(), "plan": plan, "portal": portal});
    let (mut houses, mut pages) = (Vec::new(), Vec::new());
    let mut show = |house: House, of_it: &[(&str, &str)]| {
        for (name, path) in of_it {
            pages.push(((*name).to_owned(), format!("http://127.0.0.1:{}{path}", house.at.port())));
        }
        houses.push(house);
    };
    let bare = House::open().await;
    show(bare, &[("bare", "/?lang=id&to=http%3A%2F%2Fexample.com%2F"), ("privacy", "/privacy?lang=en")]);
    let noon = House::at("2026-11-24T12:00", sections.clone()).await;
    show(
        noon,
        &[
            ("welcome", "/?lang=id"),
            ("report", "/report?lang=id"),
            ("thanks", "/report/12?lang=en"),
            ("here", "/t/BJ-001?lang=en"),
            ("elsewhere", "/t/SD-014?lang=id"),
        ],
    );
    let late = House::at("2026-11-24T21:52", sections.clone()).await;
    late.door.let_in(late.clock.now().plus_ms(-42_000_000));
    late.door.used(412_000_000, 7_200_000);
    show(late, &[("countdown", "/status?lang=en&to=http%3A%2F%2Fexample.com%2F")]);
    let near = House::at("2026-11-24T12:00", json!({})).await;
    near.door.let_in(near.clock.now().plus_ms(-42_000_000));
    show(near, &[("renew", "/status?lang=id")]);
    let closed = House::at("2026-11-24T22:30", sections.clone()).await;
    show(closed, &[("closed", "/?lang=en")]);
    for (name, list) in
        [("ways", vec!["click_through", "voucher", "account"]), ("voucher", vec!["voucher", "account"])]
    {
        let house = House::at("2026-11-24T12:00", json!({"access": {"ways_in": list}})).await;
        show(house, &[(name, "/?lang=en")]);
    }
    let used = House::at("2026-11-24T20:00", sections).await;
    used.door.used(1_500_000_000, 0);
    show(used, &[("used", "/?lang=id")]);
    (houses, pages)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_light_and_clean_on_a_phone_and_on_a_desk() {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
    if !Path::new(BROWSER).exists() || !web.join("node_modules/playwright-core").exists() {
        eprintln!("skipped: {BROWSER} or web/node_modules is not installed");
        return;
    }
    let (houses, pages) = pages().await;
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("portal");
    std::fs::create_dir_all(&pictures).unwrap();
    let out = tokio::process::Command::new("node")
        .current_dir(&web)
        .arg("tests/portal.mjs")
        .arg(&pictures)
        .args(pages.iter().map(|(name, url)| format!("{name}={url}")))
        .kill_on_drop(true)
        .output();
    let out = kulkul_gateway::clock::Clock::machine().at_most(150_000, Box::pin(out)).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let seen: serde_json::Value = serde_json::from_str(text.trim()).unwrap_or_default();
    assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(seen["faults"], json!([]), "pictures: {}", pictures.display());
    for (name, _) in &pages {
        let bytes = seen["bytes"][name].as_u64().unwrap();
        assert!((2_000..MOST_BYTES).contains(&bytes), "{name}: {bytes} bytes");
    }
    assert!(
        seen["required"].as_str().unwrap().contains("/report?lang=id"),
        "an empty form is not sent: {seen}"
    );
    assert!(seen["reported"].as_str().unwrap().contains("bernomor 1"), "{seen}");
    let [report] = houses[1].reports().await.try_into().unwrap();
    assert_eq!(report.text, "Lambat <b>sejak</b> pagi\nTolong");
    eprintln!("pictures: {}, bytes: {}", pictures.display(), seen["bytes"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_gets_many_pages_a_second() {
    let house = House::open().await;
    let mut stream = house.connect().await;
    let request = b"GET / HTTP/1.1\r\nHost: portal.test\r\n\r\n";
    let mut buffer = vec![0; 64 * 1024];
    let mut fetch = async |stream: &mut tokio::net::TcpStream| {
        stream.write_all(request).await.unwrap();
        let mut length = 0;
        loop {
            length += stream.read(&mut buffer[length..]).await.unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]);
            if text.ends_with("</html>\n") || text.ends_with("</html>") {
                assert_eq!(status(&text), "200");
                return length;
            }
        }
    };
    let size = fetch(&mut stream).await;
    let (count, began) = (5_000, house.clock.mono_us());
    for _ in 0..count {
        fetch(&mut stream).await;
    }
    let per_s = i64::from(count) * 1_000_000 / (house.clock.mono_us() - began).max(1);
    eprintln!("{per_s} pages/s of {size} bytes on one connection");
    // Far below what an optimized build gives; a page that is drawn each time falls under it.
    assert!(per_s > 300, "{per_s} pages/s");
}
