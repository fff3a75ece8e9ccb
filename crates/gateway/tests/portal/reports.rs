//! Reports at the portal: what is taken, what is refused, and that words stay words.

use super::house::{House, header, status};
use kulkul_gateway::portal::form::encode;
use kulkul_model::report::ReportKind;
use serde_json::json;

async fn send(house: &House, kind: &str, text: &str) -> String {
    let token = house.token("/report?lang=en").await;
    house.post("/report", &format!("token={token}&lang=en&kind={kind}&text={}", encode(text))).await
}

#[tokio::test]
async fn a_report_is_kept_before_its_number_is_told() {
    let house = House::at("2026-11-24T12:00", json!({})).await;
    assert!(house.get("/?lang=en").await.contains("href=\"/report?lang=en\""));
    let answer =
        send(&house, "equipment_damaged", "Kabel di atas pintu <b>putus</b>.\r\n\u{202e}Sejak\0 kemarin ")
            .await;
    assert_eq!((status(&answer), header(&answer, "location")), ("303", Some("/report/1?lang=en")));
    let [report] = house.reports().await.try_into().unwrap();
    assert_eq!(
        (report.number, report.kind, report.language.as_str()),
        (1, ReportKind::EquipmentDamaged, "en")
    );
    assert_eq!(report.text, "Kabel di atas pintu <b>putus</b>.\nSejak kemarin");
    let thanks = house.get("/report/1?lang=en").await;
    assert!(thanks.contains("Your report has number 1 at this place."), "{thanks}");
    for bad in ["/report/x", "/report/-1", "/report/+1", "/report/9999999999999", "/report/"] {
        assert_eq!(status(&house.get(bad).await), "404", "{bad}");
    }
    assert_eq!(
        header(&send(&house, "slow", "").await, "location"),
        Some("/report/2?lang=en"),
        "words are no duty"
    );
}

#[tokio::test]
async fn what_is_missing_is_named_and_what_was_written_stays() {
    let house = House::at("2026-11-24T12:00", json!({})).await;
    let page = send(&house, "", "Lampu <mati> & \"gelap\"").await;
    assert_eq!(status(&page), "422");
    assert!(
        page.contains("Choose what is wrong.") && page.contains("Lampu &#60;mati&#62; &#38; &#34;gelap&#34;"),
        "{page}"
    );
    let page = send(&house, "other", "  ").await;
    assert!(
        status(&page) == "422"
            && page.contains("Say in a few words")
            && page.contains("value=\"other\" required checked")
    );
    let stale = house.post("/report", "token=00&lang=en&kind=slow&text=x").await;
    assert!(status(&stale) == "403" && stale.contains("Press the send button once more."));
    assert!(house.get("/report?kind=slow").await.contains("value=\"slow\" required checked"));
    assert_eq!(house.reports().await.len(), 0);
}

#[tokio::test]
async fn a_thousand_characters_fit_and_no_more_are_kept() {
    let house = House::at("2026-11-24T12:00", json!({})).await;
    assert_eq!(status(&send(&house, "slow", &"😀".repeat(1_000)).await), "303", "12,000 bytes of form");
    assert_eq!(status(&send(&house, "slow", &"ab".repeat(1_000)).await), "303");
    let lengths: Vec<usize> = house.reports().await.iter().map(|r| r.text.chars().count()).collect();
    assert_eq!(lengths, [1_000, 1_000]);
    assert_eq!(status(&house.post("/report", &"x".repeat(20_000)).await), "413");
}

#[tokio::test]
async fn a_device_sends_three_a_day() {
    let house = House::at("2026-11-24T12:00", json!({})).await;
    for _ in 0..3 {
        assert_eq!(status(&send(&house, "slow", "x").await), "303");
    }
    let fourth = send(&house, "slow", "lagi").await;
    assert!(status(&fourth) == "429" && fourth.contains("try again tomorrow"), "{fourth}");
    house.pass(24 * 3_600_000);
    assert_eq!(status(&send(&house, "slow", "x").await), "303");
    assert_eq!(house.reports().await.len(), 4);
}

#[tokio::test]
async fn a_box_without_a_hub_offers_none() {
    let house = House::open().await;
    assert!(!house.get("/").await.contains("/report"));
    assert_eq!(status(&house.get("/report").await), "404");
    assert_eq!(status(&house.post("/report", "kind=slow").await), "404");
}
