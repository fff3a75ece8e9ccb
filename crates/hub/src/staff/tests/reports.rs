//! Reports in the console and in the API: filters, paging, marks, words that stay words.

use super::*;
use crate::watch::assemble::Roster;
use kulkul_model::gateway::GatewayId;
use kulkul_model::report::ReportKind;
use kulkul_store::report::{self, Taken};
use kulkul_wire::link::{BootId, Stamp};

/// Reports `1..=n` of BJ-001, each received a minute after the one before.
async fn reports(street: &Street, n: u64) {
    let store = street.hub.store();
    for number in 1..=n {
        let write = store.write(Lane::Page, move |tx| {
            Box::pin(async move {
                let minutes = i64::try_from(number).unwrap() * 60_000;
                let (site, gateway) = (SiteCode::parse("BJ-001").unwrap(), GatewayId::from_bits(9));
                let at = start().plus_ms(minutes - 3_600_000);
                let taken = Taken {
                    site: &site,
                    gateway: &gateway,
                    seq: number,
                    local_number: number,
                    kind: ReportKind::Slow,
                    text: "<img src=x onerror=alert(1)> & \"pelan\"\nsejak pagi",
                    language: "id",
                    stamp: Stamp { boot: BootId([1; 16]), mono_ms: 1, wall: Some(at) },
                };
                report::take(tx, &taken, at).await
            })
        });
        assert!(write.await.unwrap());
    }
}

fn json(answer: &Answer) -> serde_json::Value {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

#[tokio::test]
async fn the_api_lists_filters_pages_and_marks() {
    on_both(|store| async move {
        let mut street = street(store).await;
        reports(&street, 5).await;
        let path = "/api/v1/reports";
        assert_eq!(street.get(path).await.status, StatusCode::UNAUTHORIZED, "not for the public");
        let reader = street.token(Role::Auditor, None).await;
        let mut numbers = Vec::new();
        let mut next = String::new();
        loop {
            let answer = street.api(Method::GET, &format!("{path}?limit=2{next}"), &reader, &[], "").await;
            let page = json(&answer);
            numbers.extend(
                page["items"].as_array().unwrap().iter().map(|r| r["local_number"].as_u64().unwrap()),
            );
            let Some(cursor) = page["next"].as_str() else { break };
            next = format!("&cursor={cursor}");
        }
        assert_eq!(numbers, [5, 4, 3, 2, 1], "newest first, each once");
        let first = json(&street.api(Method::GET, &format!("{path}?limit=1"), &reader, &[], "").await);
        let one = &first["items"][0];
        assert_eq!(one["text"], "<img src=x onerror=alert(1)> & \"pelan\"\nsejak pagi");
        assert_eq!((one["kind"].as_str(), one["status"].as_str()), (Some("slow"), Some("new")));
        let id = one["id"].as_str().unwrap().to_owned();
        let count = async |street: &mut Street, query: &str| {
            let answer = street.api(Method::GET, &format!("{path}?{query}"), &reader, &[], "").await;
            json(&answer)["items"].as_array().unwrap().len()
        };
        for (query, n) in [
            ("site=BJ-001", 5),
            ("site=BJ-002", 0),
            ("area=51.03.01", 5),
            ("area=51.03.02", 0),
            ("status=done", 0),
            ("site=BJ-001&status=new", 5),
        ] {
            assert_eq!(count(&mut street, query).await, n, "{query}");
        }
        let bad = street.api(Method::GET, &format!("{path}?status=lost"), &reader, &[], "").await;
        assert_eq!(bad.status, StatusCode::BAD_REQUEST);
        let one = format!("{path}/{id}");
        let done = r#"{"status": "done"}"#;
        assert_eq!(street.api(Method::PATCH, &one, &reader, &[], done).await.code(), "not-operator");
        let elsewhere = street.token(Role::Operator, Some("51.03.02")).await;
        assert_eq!(street.api(Method::PATCH, &one, &elsewhere, &[], done).await.code(), "not-your-area");
        let operator = street.token(Role::Operator, Some("51.03.01")).await;
        let unknown = street.api(Method::PATCH, &format!("{path}/x"), &operator, &[], done).await;
        assert_eq!(unknown.code(), "report-unknown");
        let marked = json(&street.api(Method::PATCH, &one, &operator, &[], done).await);
        assert_eq!(marked["status"], "done");
        assert!(marked["status_by"].as_str().unwrap().starts_with("token:"));
        json(&street.api(Method::PATCH, &one, &operator, &[], done).await);
        assert_eq!(count(&mut street, "status=done").await, 1);
        assert_eq!(count(&mut street, "status=new&area=51.03").await, 4);
        let audit = json(
            &street
                .api(Method::GET, &format!("/api/v1/audit?noun=report&object={id}"), &reader, &[], "")
                .await,
        );
        let [entry] = audit["items"].as_array().unwrap().as_slice() else {
            panic!("done twice, noted once: {audit}")
        };
        assert_eq!(
            (entry["before"]["report_status"].as_str(), entry["after"]["report_status"].as_str()),
            (Some("new"), Some("done"))
        );
    })
    .await;
}

#[tokio::test]
async fn the_console_shows_words_as_words_and_marks_with_an_audit() {
    on_both(|store| async move {
        let mut street = street(store).await;
        reports(&street, 52).await;
        let roster = Roster::load(&mut street.hub.store().reader().await.unwrap()).await.unwrap();
        let board = roster.board(&street.hub.watch().live(), 0, start());
        street.hub.set_board(board);
        assert!(street.get("/console/reports").await.location().starts_with("/console/sign-in"));
        let once = street.person("ayu", Role::Operator, Some("51.03.01")).await;
        street.settle("ayu", &once, OWN).await;
        let page = street.get("/console/reports?lang=en").await;
        assert!(page.text.contains("52 reports are waiting"), "{}", page.text);
        assert!(page.text.contains("&#60;img src=x onerror=alert(1)&#62; &#38; &#34;pelan&#34;\nsejak pagi"));
        assert!(!page.text.contains("<img src=x"));
        assert_eq!(page.text.matches("/mark\"").count(), 100, "50 rows with two steps each");
        let (_, next) = page.text.split_once("rel=\"next\" href=\"").unwrap();
        let next = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
        let rest = street.get(&next).await;
        assert!(
            rest.text.contains("no. 2<") && rest.text.contains("no. 1<") && !rest.text.contains("no. 3<")
        );
        let csrf = page.csrf();
        let (_, id) = page.text.split_once("action=\"/console/reports/").unwrap();
        let path = format!("/console/reports/{}/mark", id.split('/').next().unwrap());
        let back = "/console/reports?status=new";
        let fields = [("csrf", csrf.as_str()), ("status", "seen"), ("back", back)];
        assert_eq!(street.form(&path, &fields).await.location(), back);
        let fields = [("csrf", csrf.as_str()), ("status", "done"), ("back", "https://example.com/")];
        assert_eq!(street.form(&path, &fields).await.location(), "/console/reports", "leads nowhere else");
        let wrong = street.form(&path, &[("csrf", "0"), ("status", "new")]).await;
        assert_eq!(wrong.status, StatusCode::FORBIDDEN);
        let done = street.get("/console/reports?status=done&lang=en").await;
        assert!(
            done.text.contains("no. 52<")
                && !done.text.contains("no. 51<")
                && done.text.contains("staff:ayu")
        );
        assert!(
            street.get("/console/reports?site=XX&lang=en").await.text.contains("There are no such reports.")
        );
        let audit = street.get("/console/audit?lang=en").await;
        assert!(
            audit.text.contains("marked <a href=\"/console/reports?site=BJ-001\">a report at BJ-001"),
            "{}",
            audit.text
        );
        assert!(audit.text.contains("Status: Seen → Done"));
    })
    .await;
}

#[tokio::test]
async fn the_code_on_a_wall_leads_to_the_places_page() {
    on_both(|store| async move {
        let mut street = street(store).await;
        for path in ["/t/BJ-001", "/t/bj-001"] {
            let answer = street.get(path).await;
            assert!(answer.status.is_redirection() && answer.location() == "/sites/BJ-001", "{path}");
        }
        assert_eq!(street.get("/t/nonsense").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}
