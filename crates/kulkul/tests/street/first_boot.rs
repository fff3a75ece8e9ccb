//! First boot: a technician with a phone and the code on the box, from nothing to a place that serves.

use crate::town::{SITE, box_program, fetch, log_of, runtime, start_gateway, start_hub, town_of, try_accept};
use kulkul_sim::street::ground::{permitted, skip, until};
use kulkul_sim::street::hub;
use kulkul_sim::street::layout::Street;
use kulkul_sim::street::person::hidden;

/// Sends a form to the box as the phone: status and page.
fn send(street: &Street, path: &str, fields: &[(&str, &str)]) -> (String, String) {
    let mut words = String::from("-m 40");
    for (name, value) in fields {
        words.push_str(&format!(" --data-urlencode {name}={value}"));
    }
    fetch(street, &words, &format!("http://10.77.0.1{path}"))
}

#[test]
fn a_technician_with_the_code_on_the_box_brings_a_place_online_by_phone() {
    let test = "a_technician_with_the_code_on_the_box_brings_a_place_online_by_phone";
    if let Err(why) = permitted() {
        return skip(test, &why);
    }
    let mut street = Street::build("boot").unwrap();
    street.start_world().unwrap();
    let prepared = runtime().block_on(hub::prepare(street.dir.path(), SITE)).unwrap();
    let hub = start_hub(&street, &prepared);
    let (top, claim): (Vec<&str>, Vec<&str>) = prepared.top.lines().partition(|l| !l.starts_with("claim"));
    let claim = claim[0].split('"').nth(1).unwrap().to_owned();
    let config = street.gateway_toml(&top.join("\n"), "").unwrap();
    let label = street.gateway.run(&format!("{} gateway label --config {}", box_program(), config.display()));
    let code = label.unwrap().trim().to_owned();
    let gateway = start_gateway(&street, &config);

    // Nobody gets online, and a captured phone lands on the page that asks for the code.
    let (status, _) = fetch(&street, "-4", "http://outside.example/");
    assert!(status.starts_with("302 http://"), "{status}");
    let (status, page) = fetch(&street, "", "http://10.77.0.1/?lang=en");
    assert!(status.starts_with("200") && page.contains("not set up yet"), "{status} {page}");
    assert!(!page.contains("action=\"/accept\""), "nobody is let in by a box without a place");
    let (status, _) = send(&street, "/accept", &[("terms", "0"), ("token", "x")]);
    assert!(status.starts_with("403"), "{status}");
    let (status, page) = send(&street, "/setup", &[("code", "0000-0000"), ("lang", "en")]);
    assert!(status.starts_with("403") && page.contains("not the code on this box"), "{status} {page}");
    let (status, _) = send(&street, "/setup/claim", &[("claim", &claim), ("pass", "guess")]);
    assert!(status.starts_with("403"), "the claim alone is not enough: {status}");

    // The code opens; the test says in words that the way to the hub is good.
    let (status, page) = send(&street, "/setup", &[("code", &code), ("lang", "en")]);
    assert!(status.starts_with("200"), "{status} {page}");
    let pass = hidden(&page, "pass").unwrap();
    let (_, tested) = send(&street, "/setup/test", &[("pass", &pass), ("lang", "en")]);
    assert!(tested.contains("The hub answers"), "{tested}");
    let (status, page) =
        send(&street, "/setup/claim", &[("claim", "0000-0000"), ("pass", &pass), ("lang", "en")]);
    assert!(status.starts_with("422") && page.contains("does not know this claim"), "{status} {page}");
    let (status, page) =
        send(&street, "/setup/way-out", &[("kind", "static"), ("pass", &pass), ("lang", "en")]);
    assert!(status.starts_with("422") && page.contains("address4"), "{status} {page}");

    // The claim; the box begins anew by itself, in the same process, and serves people.
    let (status, page) = send(&street, "/setup/claim", &[("claim", &claim), ("pass", &pass), ("lang", "en")]);
    assert!(status.starts_with("200") && page.contains(SITE), "{status} {page}\n{}", log_of(&street));
    until("the welcome page", 90, || {
        fetch(&street, "", "http://10.77.0.1/").1.contains("action=\"/accept\"").then_some(())
    });
    // The hub's terms may take the place of the program's between page and button.
    until("the phone is let in", 60, || try_accept(&street, "10.77.0.1"));
    until("the page is reached", 60, || {
        fetch(&street, "-4", "http://outside.example/").1.starts_with("hello").then_some(())
    });
    let mut town = town_of(street, prepared, config, gateway, hub);
    until("the hub has heard of the box", 60, || town.observed("up"));
    assert!(town.gateway.0.try_wait().unwrap().is_none(), "one process all along");
    let (status, _) = send(&town.street, "/setup", &[("code", &code), ("lang", "en")]);
    assert!(status.starts_with("403"), "the code on the box is over with first boot: {status}");

    // Later the provider changes something and the hub is away: an operator answers by telephone.
    let key = town.street.dir.path().join("gateway/local.key");
    until("the key of local settings is on the box", 60, || key.exists().then_some(()));
    town.hub.kill();
    let (_, page) = fetch(&town.street, "", "http://10.77.0.1/setup?lang=en");
    let challenge = page.split("type the answer: ").nth(1).and_then(|rest| rest.get(..9)).unwrap().to_owned();
    let (status, page) = send(&town.street, "/setup", &[("code", "0000-0000"), ("lang", "en")]);
    assert!(status.starts_with("403") && page.contains(&challenge), "the same challenge: {status} {page}");
    let answer = hub::local_answer(town.street.dir.path(), &challenge).unwrap();
    let (status, page) = send(&town.street, "/setup", &[("code", &answer), ("lang", "en")]);
    assert!(status.starts_with("200") && !page.contains("/setup/claim"), "{status} {page}");
    let pass = hidden(&page, "pass").unwrap();
    let (status, _) = send(&town.street, "/setup", &[("code", &answer)]);
    assert!(status.starts_with("403"), "an answer opens once: {status}");
    let (status, page) =
        send(&town.street, "/setup/way-out", &[("kind", "system"), ("pass", &pass), ("lang", "en")]);
    assert!(status.starts_with("200") && page.contains("It is kept"), "{status} {page}");
    until("the box has begun anew", 90, || {
        log_of(&town.street).matches("the gateway is up").nth(2).map(drop)
    });
    let (status, body) = fetch(&town.street, "-4", "http://outside.example/");
    assert!(body.starts_with("hello"), "who was online stays so: {status}");
    assert!(town.gateway.0.try_wait().unwrap().is_none(), "still one process");
}
