//! Access points on the street: namespaces behind a switch, pulled and put back.

use super::town::{SITE, Town, fetch, kulkul, log_of, town};
use kulkul_sim::street::ground::{Place, until, wire};
use kulkul_sim::street::layout::{PHONE, PHONE4, PHONE6, Street, WORLD4};
use serde_json::{Value, json};

const FIXED: &str = "02:00:00:00:00:a1";
const LEARNED: &str = "02:00:00:00:00:b2";

/// Makes the phone's end a switch that the phone itself hangs on.
fn switch(street: &Street) {
    for words in [
        format!("link add br0 address {PHONE} type bridge"),
        "addr flush dev eth0".to_owned(),
        "link set eth0 master br0".to_owned(),
        "link set br0 up".to_owned(),
        format!("addr add {PHONE4}/16 dev br0"),
        format!("addr add {PHONE6}/64 dev br0 nodad"),
        "route add default via 10.77.0.1".to_owned(),
    ] {
        street.phone.ip(&words).unwrap();
    }
}

/// Hangs a device on the switch.
fn radio(street: &Street, name: &str, mac: &str, ip: &str) -> Place {
    let place = Place::new(name).unwrap();
    wire(&street.phone, name, &place, "eth0").unwrap();
    street.phone.ip(&format!("link set {name} master br0")).unwrap();
    for words in [
        format!("link set eth0 address {mac}"),
        format!("addr add {ip}/16 dev eth0"),
        "route add default via 10.77.0.1".to_owned(),
    ] {
        place.ip(&words).unwrap();
    }
    place
}

impl Town {
    /// A token of the hub's API.
    pub(super) fn token(&self) -> String {
        let mut command = self.street.hub.command(&kulkul());
        command.args(["token", "add", "--name", "street", "--role", "operator", "--config"]);
        let out = command.arg(&self.prepared.config).output().unwrap();
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        said.trim().to_owned()
    }

    /// Asks the hub's API as staff: status and body.
    pub(super) fn api(&self, token: &str, method: &str, path: &str, body: &Value) -> (String, Value) {
        let mut command = self.street.hub.command("curl");
        command.args(["-s", "-m", "10", "-X", method, "-w", "\n%{http_code}"]);
        command.args([
            "-H",
            &format!("Authorization: Bearer {token}"),
            "-H",
            "Content-Type: application/json",
        ]);
        if !body.is_null() {
            command.args(["-d", &body.to_string()]);
        }
        let out = command.arg(format!("{}/api/v1{path}", self.prepared.url)).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').unwrap_or(("", &text));
        (status.to_owned(), serde_json::from_str(body).unwrap_or_default())
    }

    /// What `kulkul gateway status` says.
    fn radios(&self) -> Option<(u64, u64)> {
        let mut command = self.street.gateway.command(&super::town::box_program());
        let out =
            command.args(["gateway", "status", "--json", "--config"]).arg(&self.config).output().ok()?;
        let status: Value = serde_json::from_slice(&out.stdout).ok()?;
        let radios = &status["minute"]["radios"];
        Some((radios["known"].as_u64()?, radios["seen"].as_u64()?))
    }
}

#[test]
fn access_points_that_are_pulled_degrade_the_place_and_then_take_it_down() {
    let test = "access_points_that_are_pulled_degrade_the_place_and_then_take_it_down";
    let Some(town) = town(test, "radios") else { return };
    let street = &town.street;
    switch(street);
    let a = radio(street, "ap1", FIXED, "10.77.0.41");
    let b = radio(street, "ap2", LEARNED, "10.77.0.42");
    // The second one's address is learned from what it says to the box.
    until("the second one speaks to the box", 60, || b.run("ping -c 1 -W 1 10.77.0.1").ok());
    let token = town.token();
    let list = json!({"items": [{"mac": FIXED, "name": "Aula", "address": "10.77.0.41"}, {"mac": LEARNED}]});
    let (status, body) = town.api(&token, "PUT", &format!("/sites/{SITE}/access-points"), &list);
    assert_eq!(status, "200", "{body}");
    until("the box's rules know them", 60, || {
        street.gateway.run("nft list set inet kulkul radios").ok()?.contains(LEARNED).then_some(())
    });

    // Not sent to the portal, and nowhere else either, until a controller is named.
    let url = format!("http://{WORLD4}/");
    let ask = |place: &Place| {
        let out =
            place.command("curl").args(["-s", "-m", "2", "-w", "\n%{http_code}", &url]).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    assert!(ask(&a).ends_with("000"), "refused, not redirected: {}", ask(&a));
    assert!(fetch(street, "", &url).0.starts_with("302"), "the phone is sent to the portal");
    town.order("fleet", &format!(r#"{{"controllers": ["{WORLD4}/32"]}}"#));
    until("the controller is reached", 60, || ask(&a).contains("hello").then_some(()));
    assert!(fetch(street, "", &url).0.starts_with("302"), "the phone is sent to the portal");

    until("both are seen", 150, || (town.radios() == Some((2, 2))).then_some(()));
    until("the hub shows the place as up", 150, || town.observed("up"));
    street.phone.ip("link set ap2 down").unwrap();
    until("one is missing", 130, || (town.radios() == Some((2, 1))).then_some(()));
    until("the hub shows the place as degraded", 200, || town.observed("degraded"));
    street.phone.ip("link set ap1 down").unwrap();
    until("the hub shows the place as down", 330, || town.observed("down"));
    let outage = || {
        let (_, all) = town.api(&token, "GET", &format!("/outages?site={SITE}"), &Value::Null);
        all["items"].get(0).filter(|o| o["cause"] == "access_point").cloned()
    };
    until("the hub knows the cause", 150, outage);
    let lost = || {
        let (_, all) = town.api(&token, "GET", &format!("/sites/{SITE}/access-points"), &Value::Null);
        Some(all["items"].as_array()?.iter().filter(|a| !a["lost_at"].is_null()).count())
    };
    assert_eq!(lost(), Some(2));
    for name in ["ap1", "ap2"] {
        street.phone.ip(&format!("link set {name} up")).unwrap();
    }
    until("the place is up again", 200, || town.observed("up"));
    until("the hub knows that both are back", 60, || (lost() == Some(0)).then_some(()));
    assert!(!log_of(street).contains("\"uplink_lost\""), "the line was never lost");
    drop((a, b));
}
