//! Blocked names on the street: a list handed to the hub, kept to by the box, read by the phone.

use super::town::{SITE, accept, fetch, kulkul, town};
use kulkul_sim::street::ground::until;

#[test]
fn a_list_handed_to_the_hub_blocks_a_name_and_the_page_says_which() {
    let test = "a_list_handed_to_the_hub_blocks_a_name_and_the_page_says_which";
    let Some(town) = town(test, "names") else { return };
    let street = &town.street;
    let get = |url: &str| fetch(street, "-4", url);
    accept(street, "10.77.0.1");
    for host in ["outside.example", "banner.ads.example"] {
        until("the page is reached", 60, || {
            get(&format!("http://{host}/")).1.starts_with("hello").then_some(())
        });
    }

    let list = street.dir.path().join("ads.txt");
    std::fs::write(&list, "# advertising\n*.ads.example\n").unwrap();
    let operator = |args: &[&str]| {
        let mut command = street.hub.command(&kulkul());
        let out = command.args(args).arg("--config").arg(&town.prepared.config).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let path = list.display().to_string();
    let order = operator(&["list", &path, "--key", "ads", "--dated", "2026-11-01", "--name", "Daftar iklan"]);
    operator(&["orders", "set", "filter", order.trim(), "--scope", &format!("site:{SITE}")]);

    let page = until("the name is blocked", 90, || {
        let (status, page) = get("http://banner.ads.example/");
        status.starts_with("403").then_some(page)
    });
    assert!(page.contains("banner.ads.example") && page.contains("Daftar iklan"), "{page}");
    assert!(get("http://outside.example/").1.starts_with("hello"), "other names are answered");
    // HTTPS to it ends at once instead of hanging.
    let mut https = street.phone.command("curl");
    let https =
        https.args(["-s", "-m", "4", "-w", "%{exitcode}", "https://banner.ads.example/"]).output().unwrap();
    let code = String::from_utf8_lossy(&https.stdout).into_owned();
    assert!(!["0", "28"].contains(&code.as_str()), "curl ends with {code}");
    let found = get("http://10.77.0.1/names?lang=en&name=https%3A%2F%2Fx.ads.example%2F").1;
    assert!(found.contains("x.ads.example is not opened at this place"), "{found}");

    // The box counts by list, and says no more.
    let status = format!("{} gateway status --json --config {}", kulkul(), town.config.display());
    let counted = until("the block is counted", 60, || {
        let status: serde_json::Value = serde_json::from_str(&street.gateway.run(&status).ok()?).ok()?;
        (status["blocked"]["blocked"]["ads"].as_u64()? > 0).then_some(status)
    });
    assert_eq!((&counted["lists"][0]["key"], &counted["lists"][0]["names"]), (&"ads".into(), &1.into()));
    assert!(!counted.to_string().contains("banner"), "{counted}");

    // What is allowed by name wins.
    operator(&[
        "orders",
        "set",
        "filter",
        r#"{"allow": ["*.ads.example"]}"#,
        "--scope",
        &format!("site:{SITE}"),
    ]);
    until("the name is open again", 90, || {
        get("http://banner.ads.example/").1.starts_with("hello").then_some(())
    });
}
