//! Vouchers, accounts and those who come from another place, as the pages and forms show them.

use super::house::{GOOD, House, body, header, status};
use kulkul_model::session::WayIn;

fn ways(list: &[&str]) -> serde_json::Value {
    serde_json::json!({"access": {"ways_in": list}, "portal": {"terms_version": 3}})
}

#[tokio::test]
async fn the_page_shows_the_ways_that_are_open_and_no_other() {
    let click = House::at("2026-11-24T10:00", ways(&["click_through"])).await;
    let page = click.get("/?lang=en").await;
    assert!(page.contains("/accept") && !page.contains("/voucher") && !page.contains("/account\""));
    let both = House::at("2026-11-24T10:00", ways(&["click_through", "voucher"])).await;
    let page = both.get("/?lang=en").await;
    assert!(page.contains("/accept") && page.contains("<details><summary>I have a voucher"), "{page}");
    let named = House::at("2026-11-24T10:00", ways(&["voucher", "account"])).await;
    let page = named.get("/?lang=en").await;
    assert!(!page.contains("/accept") && !page.contains("<details") && !page.contains("Free."), "{page}");
    assert!(page.contains("By connecting you agree") && page.contains("type=\"password\""), "{page}");
    assert!(named.get("/privacy?lang=en").await.contains("which one it was"), "what is recorded follows");
    let none = House::at("2026-11-24T10:00", ways(&[])).await;
    let page = none.get("/?lang=en").await;
    assert!(!page.contains("<form") && page.contains("only devices that its staff"), "{page}");
    assert!(body(&page).len() < 12_000);
}

#[tokio::test]
async fn a_code_lets_in_and_a_wrong_one_stays_in_its_field_with_what_is_wrong() {
    let house = House::at("2026-11-24T10:00", ways(&["click_through", "voucher", "account"])).await;
    let token = house.token("/?lang=en").await;
    let say = |way: &'static str, fields: String| {
        let form = format!("token={token}&lang=en&terms=3&{fields}");
        let house = &house;
        async move { house.post(way, &form).await }
    };
    let answer = say("/voucher", "code=28T5-CY4T-QKFFQ%22%3Cb%3E".to_owned()).await;
    assert_eq!(status(&answer), "422");
    assert!(answer.contains("one character is wrong") && answer.contains("<details open>"), "{answer}");
    assert!(answer.contains("28T5-CY4T-QKFFQ&#34;&#60;b&#62;"), "what was typed is text: {answer}");
    let answer = say("/account", "name=wayan&secret=hujan+deras".to_owned()).await;
    assert_eq!(status(&answer), "403");
    assert!(answer.contains("Name or secret is wrong") && answer.contains("value=\"wayan\""), "{answer}");
    assert!(!answer.contains("hujan"), "a secret is never shown");
    assert!(house.door.asks().is_empty());
    let unsound = house.post("/voucher", &format!("lang=en&terms=3&code={GOOD}")).await;
    assert_eq!(status(&unsound), "403");
    assert!(house.door.asks().is_empty(), "another site's form tries no code");
    let answer = say("/voucher", format!("code={GOOD}&to=http%3A%2F%2Fexample.com%2F")).await;
    assert_eq!(header(&answer, "location"), Some("/status?lang=en&to=http%3A%2F%2Fexample.com%2F"));
    let ask = house.door.asks().pop().unwrap();
    let pass = ask.pass.unwrap();
    assert_eq!((pass.way_in, pass.own.limit_ms, ask.terms), (WayIn::Voucher, Some(3_600_000), Some(3)));

    let closed = House::at("2026-11-24T10:00", ways(&["click_through"])).await;
    let token = closed.token("/?lang=en").await;
    let answer = closed.post("/voucher", &format!("token={token}&lang=en&terms=3&code={GOOD}")).await;
    assert_eq!(status(&answer), "403");
    assert!(answer.contains("not open here any more") && closed.door.asks().is_empty(), "{answer}");
}

#[tokio::test]
async fn whoever_comes_from_another_place_is_not_asked_again() {
    let mut sections = ways(&["click_through"]);
    sections["site"] = serde_json::json!({
        "code": "BJ-001", "name": "Bale Banjar Roaming", "portal_host": "portal.test",
        "public_url": "https://hub.example.go.id/sites/BJ-001",
    });
    let house = House::at("2026-11-24T10:00", sections).await;
    let answer = house.get("/?lang=en").await;
    assert_eq!(header(&answer, "location"), Some("/status?lang=en&roamed=1"), "{answer}");
    let ask = house.door.asks().pop().unwrap();
    assert_eq!((ask.pass.unwrap().own.limit_ms, ask.terms), (Some(3_600_000), Some(3)));
    assert!(house.get("/status?lang=en&roamed=1").await.contains("it goes on here"));
}
