//! What people meet: the page, the button, the status page, both languages.

use super::house::{House, body, header, status};

#[tokio::test]
async fn a_person_agrees_sees_their_session_and_leaves() {
    let house = House::open().await;
    let first = house.get("/?lang=id").await;
    assert_eq!(status(&first), "200");
    assert!(first.contains("Om Swastiastu, selamat datang") && first.contains("Setuju, sambungkan"));
    assert_eq!(body(&first).matches("<li>").count(), 5, "five lines of terms");
    assert!(
        !first.contains("<script") && !first.contains("http://") && header(&first, "set-cookie").is_none()
    );
    assert!(first.len() < 12_000, "{} bytes", first.len());

    let token = house.token("/?lang=en").await;
    let form = format!("token={token}&lang=en&terms=0&to=http%3A%2F%2Fexample.com%2Fnews");
    let answer = house.post("/accept", &form).await;
    assert_eq!(status(&answer), "303");
    let place = header(&answer, "location").unwrap().to_owned();
    assert_eq!(place, "/status?lang=en&to=http%3A%2F%2Fexample.com%2Fnews");
    let ask = house.door.asks().pop().unwrap();
    assert_eq!((ask.terms, ask.language.as_str()), (Some(0), "en"));

    let online = house.get(&place).await;
    assert!(online.contains("You are online") && online.contains("Go on to example.com"), "{online}");
    assert!(online.contains("48.7 MB") && online.contains("1.2 MB"));
    assert!(online.contains("11 h 59 min") || online.contains("12 h"), "{online}");
    assert!(house.get("/?lang=id").await.contains("48,7 MB"), "decimal comma in Indonesian");

    let token = house.token("/status").await;
    let left = house.post("/logout", &format!("token={token}&lang=en")).await;
    assert_eq!(header(&left, "location"), Some("/?lang=en&bye=1"));
    assert!(!house.door.is_in());
    assert!(house.get("/?lang=en&bye=1").await.contains("You are disconnected."));
}

#[tokio::test]
async fn another_sites_form_lets_nobody_in() {
    let house = House::open().await;
    for form in ["", "token=&terms=0", "token=00112233445566778899aabbccddeeff&terms=0"] {
        let answer = house.post("/accept", form).await;
        assert_eq!(status(&answer), "403");
        assert!(answer.contains("Tekan tombol sekali lagi"), "shows the form again");
    }
    let token = house.token("/").await;
    let old_terms = house.post("/accept", &format!("token={token}&terms=7")).await;
    assert_eq!(status(&old_terms), "403", "consent is to the terms that were on the page");
    let form = format!("token={token}&terms=0");
    let cross = format!(
        "POST /accept HTTP/1.1\r\nHost: portal.test\r\nSec-Fetch-Site: cross-site\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    assert_eq!(status(&house.send(cross.as_bytes()).await), "303");
    assert!(house.door.asks().is_empty());
    assert_eq!(status(&house.post("/accept", &"x".repeat(5_000)).await), "413");
}

#[tokio::test]
async fn refusals_are_said_in_words() {
    let house = House::open().await;
    for (code, words) in [
        ("device-unknown", "Perangkat belum dikenal"),
        ("device-blocked", "Perangkat ini tidak dapat menyambung"),
        ("site-closed", "Sedang tutup"),
        ("site-full", "Jaringan sedang penuh"),
        ("gateway-busy", "Belum berhasil"),
    ] {
        house.door.refuse(code);
        let token = house.token("/").await;
        let answer = house.post("/accept", &format!("token={token}&terms=0&lang=id")).await;
        assert_eq!(status(&answer), "403");
        assert!(answer.contains(words), "{code}: {answer}");
    }
}

#[tokio::test]
async fn every_link_of_every_page_leads_somewhere() {
    let house = House::open().await;
    let mut paths = vec!["/".to_owned()];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(path) = paths.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let page = house.get(&path).await;
        assert_eq!(status(&page), "200", "{path}");
        for part in page.split("href=\"").skip(1) {
            let href = part.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
            assert!(href.starts_with('/'), "{href} on {path} leaves the portal");
            paths.push(href);
        }
        if seen.len() == 4 {
            house.door.let_in(house.clock.now());
            paths.push("/status?lang=id".to_owned());
        }
    }
    assert!(seen.len() >= 6, "{seen:?}");
}

#[tokio::test]
async fn the_browser_chooses_the_language_and_a_link_changes_it() {
    let house = House::open().await;
    for (fields, lang) in
        [("", "id"), ("Accept-Language: en-GB,en;q=0.8\r\n", "en"), ("Accept-Language: ja\r\n", "en")]
    {
        let answer = house
            .send(
                format!("GET / HTTP/1.1\r\nHost: portal.test\r\n{fields}Connection: close\r\n\r\n")
                    .as_bytes(),
            )
            .await;
        assert_eq!(header(&answer, "content-language"), Some(lang), "{fields}");
        assert!(answer.contains(&format!("<html lang=\"{lang}\">")));
    }
    let page = house.get("/privacy?lang=en").await;
    assert!(page.contains("href=\"/privacy?lang=id\"") && page.contains("02:00:5e:10:00:01"));
}

#[tokio::test]
async fn the_page_is_as_it_was_reviewed() {
    let house = House::open().await;
    let page = house.get("/?lang=id").await;
    let page = body(&page);
    let (_, after_style) = page.split_once("</style>").unwrap();
    let (before, after) = after_style.split_once("<p>Gratis.").unwrap();
    let (_, after) = after.split_once("</p>").unwrap();
    let shown = format!("{before}<p>[until]</p>{after}");
    let token = shown.split_once("name=\"token\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    insta::assert_snapshot!(shown.replace(&token, "[token]"));
}
