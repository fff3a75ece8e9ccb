//! Vouchers and accounts on the street: made at the hub, typed on a phone, with the hub there and with it dead.

use super::town::{SITE, Town, fetch, kulkul, log_of, start_gateway, start_hub, town};
use kulkul_sim::street::ground::{client, until};
use kulkul_sim::street::layout::{PHONE4, WORLD4};
use kulkul_sim::street::person::hidden;
use kulkul_store::{access, session};

const PORTAL: &str = "http://10.77.0.1";

impl Town {
    /// Runs the program at the hub and gives what it prints.
    fn at_hub(&self, words: &[&str]) -> String {
        let mut command = self.street.hub.command(&kulkul());
        let out = command.args(words).arg("--config").arg(&self.prepared.config).output().unwrap();
        assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// Makes vouchers of the place and gives their codes.
    fn vouchers(&self, count: &str) -> Vec<String> {
        let made = self.at_hub(&[
            "voucher", "make", "--site", SITE, "--count", count, "--hours", "1", "--label", "Pasar",
        ]);
        made.lines().skip(1).map(str::to_owned).collect()
    }

    /// Types into a form of the welcome page; gives the status and the page. `from` are words for curl.
    fn types(&self, from: &str, way: &str, fields: &str) -> (String, String) {
        let (_, page) = fetch(&self.street, from, &format!("{PORTAL}/"));
        let field = |name| hidden(&page, name).unwrap_or_else(|| panic!("no {name}: {page}"));
        let form = format!("token={}&terms={}&lang=en&{fields}", field("token"), field("terms"));
        fetch(&self.street, &format!("{from} -m 15 -d {form}"), &format!("{PORTAL}/{way}"))
    }

    fn leaves(&self) {
        let (_, page) = fetch(&self.street, "", &format!("{PORTAL}/status"));
        let token = hidden(&page, "token").unwrap_or_else(|| panic!("not online: {page}"));
        let (status, _) = fetch(&self.street, &format!("-d token={token}"), &format!("{PORTAL}/logout"));
        assert!(status.starts_with("303"), "{status}");
        until("the phone is out", 20, || (!self.online()).then_some(()));
    }

    fn online(&self) -> bool {
        fetch(&self.street, "-m 1", &format!("http://{WORLD4}/")).1.starts_with("hello")
    }
}

#[test]
fn a_voucher_and_an_account_let_in_with_the_hub_and_without_it() {
    let test = "a_voucher_and_an_account_let_in_with_the_hub_and_without_it";
    let Some(mut town) = town(test, "vouchers") else { return };
    town.street.crowd(1).unwrap();
    let other = format!("--interface {}", client(1));
    let codes = town.vouchers("3");
    let made = town.at_hub(&["account", "add", "wayan"]);
    let secret = made.trim().strip_prefix("wayan: ").and_then(|t| t.split(' ').next()).unwrap().to_owned();
    town.order("access", r#"{"ways_in": ["voucher", "account"]}"#);
    let page = until("the portal asks for a voucher", 60, || {
        Some(fetch(&town.street, "", &format!("{PORTAL}/?lang=en")).1)
            .filter(|p| p.contains("I have a voucher"))
    });
    assert!(!page.contains("/accept\""), "the click is no way in here");
    let click = town.types("", "accept", "").0;
    assert!(!click.starts_with("303") && !town.online(), "{click}");

    // What was mistyped, and what nobody made, are told apart; the typed code stays in its field.
    let wrong = format!("{}{}", if codes[0].starts_with('A') { 'B' } else { 'A' }, &codes[0][1..]);
    let (status, page) = town.types("", "voucher", &format!("code={wrong}"));
    assert!(status.starts_with("422") && page.contains("one character is wrong"), "{status} {page}");
    assert!(page.contains(&format!("value=\"{wrong}\"")), "{page}");
    let (status, page) = town.types("", "voucher", "code=28T5-CY4T-QKFFM");
    assert!(status.starts_with("403") && page.contains("no such voucher"), "{status} {page}");

    let lower = codes[0].to_lowercase().replace('-', "+");
    let (status, page) = town.types("", "voucher", &format!("code={lower}"));
    assert!(status.starts_with("303"), "{status} {page}\n{}", log_of(&town.street));
    until("the phone is online by its voucher", 20, || town.online().then_some(()));
    let left = fetch(&town.street, "", &format!("{PORTAL}/status?lang=en")).1;
    assert!(left.contains("1 h 0 min") || left.contains("59 min"), "an hour, not the place's twelve: {left}");
    let (status, page) = town.types(&other, "voucher", &format!("code={}", codes[0]));
    assert!(status.starts_with("403") && page.contains("online already: 1"), "{status} {page}");
    town.leaves();

    // An account, once with the hub: afterwards the box knows it.
    let (status, page) = town.types("", "account", &format!("name=wayan&secret={secret}"));
    assert!(status.starts_with("303"), "{status} {page}\n{}", log_of(&town.street));
    town.leaves();

    // The hub is gone, and the box has just been started: what it knows is on its disk.
    town.hub.kill();
    town.gateway.kill();
    town.gateway = start_gateway(&town.street, &town.config);
    let (status, page) = town.types("", "account", "name=wayan&secret=not-it-at-all");
    // The hub might know another secret by now: the box only says that it cannot tell.
    assert!(status.starts_with("429") && page.contains("cannot tell by itself"), "{status} {page}");
    let (status, page) = town.types("", "account", &format!("name=wayan&secret={secret}"));
    assert!(status.starts_with("303"), "{status} {page}\n{}", log_of(&town.street));
    until("the phone is online by its account", 20, || town.online().then_some(()));
    town.leaves();
    let (status, page) = town.types("", "voucher", &format!("code={}", codes[1]));
    assert!(status.starts_with("303"), "{status} {page}\n{}", log_of(&town.street));
    until("the phone is online by a voucher", 20, || town.online().then_some(()));
    let (status, page) = town.types(&other, "voucher", &format!("code={}", codes[1]));
    assert!(status.starts_with("403") && page.contains("online already: 1"), "{status} {page}");
    let (status, page) = town.types(&other, "voucher", "code=28T5-CY4T-QKFFM");
    assert!(status.starts_with("429") && page.contains("cannot tell by itself"), "{status} {page}");

    // Power cut: the session goes on, the voucher is remembered as used.
    town.gateway.kill();
    town.gateway = start_gateway(&town.street, &town.config);
    until("the phone is online over a restart", 20, || town.online().then_some(()));
    let known = town.street.gateway.run("nft list set inet kulkul auth4").unwrap();
    assert!(known.contains(PHONE4), "{known}");

    // The hub is back: the journal tells by what each came in, and nothing is found to be wrong.
    town.hub = start_hub(&town.street, &town.prepared);
    let ways = |town: &Town| {
        town.read(async |tx| {
            let all = session::list(tx, &session::Filter::default(), &session::newest(), 100).await.ok()?;
            let mut ways: Vec<&str> = all.iter().filter_map(|s| s.way_in).map(|w| w.as_str()).collect();
            ways.sort_unstable();
            Some(ways)
        })
    };
    until("the hub's book has all four", 90, || {
        (ways(&town)? == ["account", "account", "voucher", "voucher"]).then_some(())
    });
    until("the hub knows both vouchers as used", 60, || {
        let list = town.at_hub(&["voucher", "list"]);
        let row = list.lines().find(|l| l.contains("Pasar"))?;
        let cells: Vec<&str> = row.split_whitespace().collect();
        cells.ends_with(&["3", "2"]).then_some(())
    });
    let found =
        town.read(async |tx| access::findings(tx, &access::newest(), true, 10).await.ok().map(|f| f.len()));
    assert_eq!(found, Some(0));
}
