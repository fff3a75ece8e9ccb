//! The captive portal API over real TLS, and how devices hear of it (RFC 8908, RFC 8910).

use crate::town::{Town, accept, fetch, log_of, start_gateway, start_hub, town, town_with};
use kulkul_sim::certificate::Ca;
use kulkul_sim::public_ca::{self, Ports, PublicCa};
use kulkul_sim::street::announced::Announced;
use kulkul_sim::street::ground::{skip, until};
use kulkul_sim::street::layout::Street;
use serde_json::Value;
use std::fs;
use std::process::Command;

const HOST: &str = "bj-001.portal.example";
const API: &str = "https://bj-001.portal.example/captive/api";

/// Puts a certificate for `name` where the box looks, as whoever renews one does; years as `Ca::issue` has them.
fn install(street: &Street, ca: &Ca, name: &str, years: Option<(i32, i32)>) {
    let issued = ca.issue(vec![name.to_owned()], years).unwrap();
    for (file, text) in [("portal-key.pem", &issued.key), ("portal.pem", &issued.cert)] {
        fs::write(street.dir.path().join(file), text).unwrap();
    }
}

/// Asks the API as a device that validates: head and document.
fn api(street: &Street) -> Result<(String, Value), String> {
    let ca = street.dir.path().join("test-ca.pem");
    let out = street
        .phone
        .command("curl")
        .args(["-s", "-S", "-i", "-m", "5", "--cacert"])
        .arg(ca)
        .args(["-H", "Accept: application/captive+json", API])
        .output()
        .unwrap();
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Ok((head.to_ascii_lowercase(), serde_json::from_str(body).unwrap()))
}

/// The box announces what is given, in all three ways at once.
fn announces(town: &Town, wanted: &Announced) {
    until("the announcements fit the certificate", 120, || {
        (Announced::ask(&town.street).ok()? == *wanted).then_some(())
    });
}

/// Nothing is announced, TLS is not spoken, and the redirect still leads to a page over plain HTTP.
fn is_plain(town: &Town) {
    announces(town, &Announced::default());
    let refused = api(&town.street).unwrap_err();
    assert!(refused.contains("curl: ("), "{refused}");
    let (status, _) = fetch(&town.street, "-4", "http://outside.example/");
    assert!(status.starts_with(&format!("302 http://{HOST}/")), "{status}");
    let (status, page) = fetch(&town.street, "-4", &format!("http://{HOST}/"));
    assert!(status.starts_with("200") && page.contains("<form"), "{status} {page}");
}

#[test]
fn a_device_that_validates_is_told_how_it_stands_while_the_certificate_is_valid() {
    let test = "a_device_that_validates_is_told_how_it_stands_while_the_certificate_is_valid";
    let sections = |street: &Street| {
        let dir = street.dir.path().display();
        format!("[portal]\nhost = \"{HOST}\"\ncert = \"{dir}/portal.pem\"\nkey = \"{dir}/portal-key.pem\"\n")
    };
    let Some(town) = town_with(test, "api", sections) else { return };
    let street = &town.street;
    let ca = Ca::new("a test's own CA").unwrap();
    fs::write(street.dir.path().join("test-ca.pem"), ca.pem()).unwrap();

    // Missing, over, and for another name: each time the portal is plain HTTP and unannounced.
    is_plain(&town);
    install(street, &ca, HOST, None);
    announces(&town, &Announced::everywhere(API));
    install(street, &ca, HOST, Some((2020, 2021)));
    is_plain(&town);
    assert!(log_of(street).contains("valid from"), "{}", log_of(street));
    install(street, &ca, HOST, None);
    announces(&town, &Announced::everywhere(API));
    install(street, &ca, "bj-002.portal.example", None);
    is_plain(&town);
    assert!(log_of(street).contains(&format!("is not for {HOST}")), "{}", log_of(street));

    // A valid one: a captive device, then the same one admitted.
    install(street, &ca, HOST, None);
    announces(&town, &Announced::everywhere(API));
    let (head, document) = api(street).unwrap();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/captive+json"), "{head}");
    assert!(head.contains("cache-control: private"), "{head}");
    assert_eq!(document["captive"], true, "{document}");
    assert_eq!(document["user-portal-url"], format!("https://{HOST}/"), "{document}");
    assert!(document.get("seconds-remaining").is_none(), "only who is online has time left: {document}");
    accept(street, "10.77.0.1");
    let (_, document) = api(street).unwrap();
    assert_eq!(document["captive"], false, "{document}");
    let left = document["seconds-remaining"].as_u64().unwrap();
    assert!((60..=86_400).contains(&left), "{document}");
    assert_eq!(document["can-extend-session"], true, "a new session follows the old one: {document}");
}

#[test]
fn a_box_without_a_certificate_gets_one_from_the_hub_and_keeps_it_without_the_hub() {
    let test = "a_box_without_a_certificate_gets_one_from_the_hub_and_keeps_it_without_the_hub";
    let Some(mut town) = town(test, "cert") else { return };
    let (host, api_url) = ("bj-001.wifi.example", "https://bj-001.wifi.example/captive/api");
    announces(&town, &Announced::default());
    // The regency decides on a domain for its portals; the box learns it from the desired state.
    town.hub.kill();
    let file = &town.prepared.config;
    let settings = fs::read_to_string(file).unwrap();
    fs::write(file, format!("{settings}[portal]\ndomain = \"wifi.example\"\n")).unwrap();
    town.hub = start_hub(&town.street, &town.prepared);
    announces(&town, &Announced::everywhere(api_url));

    let asked = |street: &Street| {
        let mut curl = street.phone.command("curl");
        curl.args(["-s", "-S", "-m", "5", "--cacert"]).arg(street.dir.path().join("hub/keys/portal-ca.pem"));
        let out = curl.args(["-H", "Accept: application/captive+json", api_url]).output().unwrap();
        serde_json::from_slice::<Value>(&out.stdout).ok()
    };
    let document = asked(&town.street).expect("a device that trusts the authority validates");
    assert_eq!(document["captive"], true, "{document}");
    assert_eq!(document["user-portal-url"], format!("https://{host}/"), "{document}");

    // The key was made on the box and is nowhere else.
    let dir = town.street.dir.path();
    let key = fs::read_to_string(dir.join("gateway/portal/key.pem")).unwrap();
    let secret: String = key.lines().skip(1).take(2).collect();
    let elsewhere = town.street.hub.run(&format!("grep -rlF {secret} {}/hub", dir.display()));
    assert!(elsewhere.is_err(), "the key is at the hub: {elsewhere:?}");

    // Without the hub, and over a restart of the box, the certificate serves on.
    town.hub.kill();
    town.gateway.kill();
    town.gateway = start_gateway(&town.street, &town.config);
    announces(&town, &Announced::everywhere(api_url));
    assert_eq!(asked(&town.street).expect("the certificate is kept")["captive"], true);
}

#[test]
fn a_phone_that_trusts_a_public_authority_validates_the_portal() {
    let test = "a_phone_that_trusts_a_public_authority_validates_the_portal";
    let missing = public_ca::missing();
    if !missing.is_empty() {
        return skip(test, &format!("not installed: {}", missing.join(", ")));
    }
    let Some(mut town) = town(test, "acme") else { return };
    let api_url = "https://bj-001.wifi.example/captive/api";
    // Authority and DNS stand beside the hub; nobody else needs to reach them.
    let place = town.street.hub.name.clone();
    let start = move |program: &str| {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &place, program]);
        command
    };
    let ports = Ports { acme: 14_000, manage: 15_000, dns: 5_353, proof: 5_001 };
    let mut ca = PublicCa::new([127, 0, 0, 1].into(), ports, Box::new(start)).unwrap();
    ca.start().unwrap();
    town.hub.kill();
    let file = &town.prepared.config;
    let settings = fs::read_to_string(file).unwrap();
    let portal = format!("[portal]\ndomain = \"{}\"\n", public_ca::ZONE);
    fs::write(file, format!("{settings}{portal}{}", ca.settings())).unwrap();
    town.hub = start_hub(&town.street, &town.prepared);
    announces(&town, &Announced::everywhere(api_url));

    let root = town.street.dir.path().join("public-root.pem");
    fs::write(&root, ca.root().unwrap()).unwrap();
    let asked = |town: &Town| {
        let mut curl = town.street.phone.command("curl");
        curl.args(["-s", "-S", "-m", "5", "--cacert"]).arg(&root);
        curl.args(["-H", "Accept: application/captive+json", api_url]).output().unwrap()
    };
    let out = asked(&town);
    let document: Value = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}\n{}", String::from_utf8_lossy(&out.stderr), ca.log()));
    assert_eq!(document["captive"], true, "{document}");
    // The authority goes away for good: what is held serves on.
    drop(ca);
    town.hub.kill();
    town.hub = start_hub(&town.street, &town.prepared);
    assert!(asked(&town).status.success());
}
