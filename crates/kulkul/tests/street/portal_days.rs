//! What people read at the portal as the day goes: a report without a hub, the last minutes, a closed place.

use crate::town::{SITE, Town, accept, fetch, log_of, runtime, start_hub, town};
use kulkul_gateway::clock::Clock;
use kulkul_model::Moment;
use kulkul_sim::street::ground::until;
use kulkul_sim::street::layout::WORLD4;
use kulkul_sim::street::person::hidden;
use kulkul_store::{Lane, Store, StoreError, report, setting};
use serde_json::{Value, json};

const PORTAL: &str = "http://10.77.0.1";
const MINUTE_MS: i64 = 60_000;

/// One of the hub's settings from now on; it is put there while the hub does not run.
fn set(town: &mut Town, key: &'static str, value: &Value) {
    town.hub.kill();
    let json = value.to_string();
    let url = format!("sqlite://{}", town.street.dir.path().join("hub/kulkul.db").display());
    runtime().block_on(async move {
        let store = Store::open(&url).await.unwrap();
        let write = store.write(Lane::Page, move |tx| {
            Box::pin(async move {
                setting::put(tx, key, &json).await?;
                setting::bump(tx, "desired_settings").await.map(drop)
            })
        });
        let done: Result<(), StoreError> = write.await;
        done.unwrap();
        store.stop().await;
    });
    town.hub = start_hub(&town.street, &town.prepared);
}

/// The words of the reports that the hub holds; none when they cannot be read just now.
fn reports(town: &Town) -> Option<Vec<(String, u64, String)>> {
    town.read(async |tx| {
        let all = report::list(tx, &report::Filter::default(), &report::newest(), 10).await.ok()?;
        Some(all.into_iter().map(|r| (r.site.to_string(), r.local_number, r.text)).collect())
    })
}

#[test]
fn a_session_near_its_limit_is_begun_anew_and_passes_on() {
    let test = "a_session_near_its_limit_is_begun_anew_and_passes_on";
    let Some(mut town) = town(test, "renew") else { return };
    let plan = json!({"session_ms": 20 * MINUTE_MS, "day_ms": 300 * MINUTE_MS});
    set(&mut town, "desired.plan", &plan);
    let status = || fetch(&town.street, "", &format!("{PORTAL}/?lang=en")).1;
    until("the new plan", 120, || status().contains("Each device gets 5 h a day.").then_some(()));
    accept(&town.street, "10.77.0.1");
    let first = status();
    assert!(first.contains("<dt>Time left today</dt><dd>4 h 59 min") || first.contains("<dd>5 h"), "{first}");
    assert!(first.contains("action=\"/renew\""), "twenty minutes are near the limit: {first}");
    let began = town.sessions();
    let token = hidden(&first, "token").unwrap();
    let (answer, _) = fetch(&town.street, &format!("-d token={token}&lang=en"), &format!("{PORTAL}/renew"));
    assert!(answer.starts_with("303") && answer.contains("/status"), "{answer}\n{}", log_of(&town.street));
    assert!(status().contains("You are online"), "{}", status());
    let page = format!("http://{WORLD4}/");
    assert!(fetch(&town.street, "", &page).1.starts_with("hello"), "the answer comes after packets pass");
    until("two sessions at the hub", 120, || (town.sessions()? == 2).then_some(()));
    assert!(began.is_none_or(|n| n <= 1));
}

#[test]
fn a_report_waits_for_the_hub_and_closing_is_told_before_it_comes_and_after() {
    let test = "a_report_waits_for_the_hub_and_closing_is_told_before_it_comes_and_after";
    let Some(mut town) = town(test, "day") else { return };
    accept(&town.street, "10.77.0.1");
    let page = format!("http://{WORLD4}/");
    until("online", 60, || fetch(&town.street, "", &page).1.starts_with("hello").then_some(()));

    // The hub is away: a report is taken all the same, and its number told.
    town.hub.kill();
    let (_, form) = fetch(&town.street, "", &format!("{PORTAL}/report?lang=en"));
    let token = hidden(&form, "token").unwrap_or_else(|| panic!("no form: {form}\n{}", log_of(&town.street)));
    let body = format!("token={token}&lang=en&kind=slow&text=Lambat+%3Cb%3E");
    let (status, _) = fetch(&town.street, &format!("-d {body}"), &format!("{PORTAL}/report"));
    assert!(status.starts_with("303") && status.ends_with("/report/1?lang=en"), "{status}");
    let (status, here) = fetch(&town.street, "", &format!("{PORTAL}/t/{SITE}?lang=en"));
    assert!(status.starts_with("200") && here.contains(SITE) && here.contains("/report?lang=en"), "{here}");

    // It comes back with a closure that begins in eight minutes.
    let now = Clock::machine().now();
    let (closes, opens) = (now.plus_ms(8 * MINUTE_MS), now.plus_ms(20 * 60 * MINUTE_MS));
    let hours = |from: Moment| {
        let message = json!({"id": "Odalan", "en": "Temple festival"});
        json!({"closures": [{"from": from, "until": opens, "number": "7/2026", "message": message}]})
    };
    set(&mut town, "desired.hours", &hours(closes));
    until("the report is at the hub", 120, || {
        (reports(&town)? == [(SITE.to_owned(), 1, "Lambat <b>".to_owned())]).then_some(())
    });
    let status = until("the countdown", 120, || {
        let (_, status) = fetch(&town.street, "", &format!("{PORTAL}/status?lang=en"));
        status.contains("This place closes at").then_some(status)
    });
    assert!(status.contains("when this place closes") && status.contains("7/2026"), "{status}");
    assert!(fetch(&town.street, "", &page).1.starts_with("hello"), "online until then");

    // It closes at once: nobody is online any more, and the portal says until when.
    set(&mut town, "desired.hours", &hours(now));
    let closed = until("closed", 120, || {
        let (_, first) = fetch(&town.street, "", &format!("{PORTAL}/?lang=en"));
        first.contains("Closed now").then_some(first)
    });
    assert!(closed.contains("It opens again") && closed.contains("Temple festival"), "{closed}");
    assert!(!closed.contains("action=\"/accept\""), "{closed}");
    until("nothing passes", 60, || {
        (!fetch(&town.street, "-m 2", &page).1.starts_with("hello")).then_some(())
    });
}
