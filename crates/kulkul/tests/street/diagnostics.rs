//! Asking a box on the street: at the hub's API, done on the real network, answered by the journal.

use super::town::{Town, accept, fetch, log_of, town};
use kulkul_sim::street::ground::until;
use kulkul_sim::street::layout::{HUB4, PHONE4, WORLD4};

impl Town {
    /// Asks the box and waits for its answer: how it ended, and the text.
    fn box_says(&self, token: &str, path: &str, kind: &str, target: &str) -> (String, String) {
        let body = if target.is_empty() {
            format!("{{\"kind\":\"{kind}\"}}")
        } else {
            format!("{{\"kind\":\"{kind}\",\"target\":\"{target}\"}}")
        };
        let asked = self.ask_api(token, &format!("-X POST -d {body}"), path);
        let id = asked["id"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
        until(&format!("the box answers {kind} {target}"), 90, || {
            let list = self.ask_api(token, "", path);
            let one = list["items"].as_array()?.iter().find(|d| d["id"] == *id)?.clone();
            Some((one["outcome"].as_str()?.to_owned(), one["answer"].as_str()?.to_owned()))
        })
    }
}

#[test]
fn a_box_that_is_asked_from_afar_pings_traces_looks_up_and_tells_its_log_once() {
    let test = "a_box_that_is_asked_from_afar_pings_traces_looks_up_and_tells_its_log_once";
    let Some(mut town) = town(test, "asked") else { return };
    let token = town.operator();
    let url = format!("http://{WORLD4}/");
    accept(&town.street, "10.77.0.1");
    until("the phone is online", 60, || {
        fetch(&town.street, "-m 1", &url).1.starts_with("hello").then_some(())
    });
    let gateways = town.ask_api(&token, "", "gateways");
    let path = format!("gateways/{}/diagnostics", gateways["items"][0]["id"].as_str().unwrap());
    let says = |kind: &str, target: &str| town.box_says(&token, &path, kind, target);

    let (outcome, text) = says("ping", WORLD4);
    assert!(outcome == "done" && text.contains("5 sent, 5 answered"), "{text}");
    let (outcome, text) = says("trace", HUB4);
    let lines: Vec<&str> = text.lines().collect();
    assert!(outcome == "done" && lines.len() == 3, "{text}");
    assert!(lines[1].starts_with("1  198.51.100.1  ") && lines[2].starts_with(&format!("2  {HUB4}  ")));
    let (outcome, text) = says("names", "outside.example");
    assert!(outcome == "done" && text.contains(WORLD4), "{text}");
    let (outcome, text) = says("ping", "outside.example");
    assert!(outcome == "done" && text.contains("5 answered"), "a name is looked up first: {text}");
    let (outcome, text) = says("log", "");
    assert!(outcome == "done" && text.contains("the gateway is up"), "{text}");
    assert!(!text.contains(PHONE4) && !text.contains("02:00:00:00:00:09"), "no device of the place: {text}");
    let (outcome, text) = says("doctor", "");
    assert!(outcome == "done" && text.lines().count() > 5, "{text}");
    // Nobody's telephone is asked anything.
    let heard = || town.street.phone.run("cat /proc/net/snmp").unwrap();
    let echoes = |text: &str| {
        let icmp: Vec<&str> = text.lines().filter(|l| l.starts_with("Icmp:")).collect();
        let at = icmp[0].split(' ').position(|n| n == "InEchos").unwrap();
        icmp[1].split(' ').nth(at).unwrap().to_owned()
    };
    let before = echoes(&heard());
    let (outcome, text) = says("ping", PHONE4);
    assert!(outcome == "refused" && text.contains("at the place"), "{text}");
    assert_eq!(echoes(&heard()), before);

    // A box that begins anew within the quarter of an hour does nothing of it again.
    let count = |log: &str| log.matches("staff asked").count();
    let done = count(&log_of(&town.street));
    assert_eq!(done, 7);
    town.gateway.kill();
    town.gateway = super::town::start_gateway(&town.street, &town.config);
    town.box_says(&token, &path, "log", "");
    assert_eq!(count(&log_of(&town.street)), done + 1, "only what is new");
    assert!(fetch(&town.street, "-m 2", &url).1.starts_with("hello"), "nobody was dropped for any of it");
}
