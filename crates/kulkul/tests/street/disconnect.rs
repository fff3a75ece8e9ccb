//! A disconnect on the street: said at the hub's API, kept to by the box within two seconds.
#![allow(clippy::disallowed_methods, reason = "how long a box takes is measured by the machine's own clock")]

use super::town::{Town, accept, fetch, kulkul, log_of, town, try_accept};
use kulkul_sim::street::ground::until;
use kulkul_sim::street::layout::{PHONE4, WORLD4};
use std::time::{Duration, Instant};

impl Town {
    pub(super) fn operator(&self) -> String {
        let mut command = self.street.hub.command(&kulkul());
        command.args(["token", "add", "--name", "desk", "--role", "operator", "--config"]);
        let out = command.arg(&self.prepared.config).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    pub(super) fn ask_api(&self, token: &str, more: &str, path: &str) -> serde_json::Value {
        let url = format!("{}/api/v1/{path}", self.prepared.url);
        let mut curl = self.street.hub.command("curl");
        curl.args(["-s", "-m", "5", "-H", &format!("Authorization: Bearer {token}")]);
        curl.args(["-H", "Content-Type: application/json"]).args(more.split_whitespace());
        let out = curl.arg(url).output().unwrap();
        serde_json::from_slice(&out.stdout).unwrap_or_default()
    }
}

#[test]
fn a_session_that_staff_end_is_over_within_two_seconds_and_the_device_stays_out() {
    let test = "a_session_that_staff_end_is_over_within_two_seconds_and_the_device_stays_out";
    let Some(mut town) = town(test, "disconnect") else { return };
    let token = town.operator();
    let street = &town.street;
    let url = format!("http://{WORLD4}/");
    accept(street, "10.77.0.1");
    let online = || fetch(street, "-m 1", &url).1.starts_with("hello").then_some(());
    until("the phone is online", 60, online);
    let id = until("the hub knows the session", 60, || {
        let list = town.ask_api(&token, "", "sessions?online=true");
        list["items"][0]["id"].as_str().map(str::to_owned)
    });
    let known = || street.gateway.run("nft list set inet kulkul auth4").unwrap().contains(PHONE4);
    assert!(known());

    let said = Instant::now();
    let done = town.ask_api(&token, "-X POST -d {\"minutes\":1}", &format!("sessions/{id}/disconnect"));
    assert!(done["until"].is_string(), "{done}");
    until("the kernel lets nothing of the phone through", 10, || (!known()).then_some(()));
    let took = said.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}\n{}", log_of(street));
    assert_eq!(online(), None, "not even what was open");
    assert_eq!(try_accept(street, "10.77.0.1"), None, "it stays out");
    let ends = until("the hub knows of the end", 60, || Some(town.stopped()).filter(|e| !e.is_empty()));
    assert_eq!(ends[0].0, "disconnected", "{ends:?}");

    // Neither a restart of the box lets it in, nor keeps it out for longer than was said.
    town.gateway.kill();
    town.gateway = super::town::start_gateway(&town.street, &town.config);
    let street = &town.street;
    if said.elapsed() < Duration::from_secs(50) {
        assert_eq!(try_accept(street, "10.77.0.1"), None, "it stays out over a restart");
    }
    until("a minute later it may come back", 90, || try_accept(street, "10.77.0.1"));
    until("the phone is online again", 60, || {
        fetch(street, "-m 1", &url).1.starts_with("hello").then_some(())
    });
}
