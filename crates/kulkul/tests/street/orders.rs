//! Orders on the street: said at the hub, kept to by the box, seen by the phone.

use super::town::{SITE, Town, accept, fetch, kulkul, town};
use kulkul_sim::street::ground::until;
use kulkul_sim::street::layout::{PHONE4, WORLD4};
use kulkul_sim::street::roles;

impl Town {
    /// Gives an order at the hub, as its operator does.
    pub(super) fn order(&self, section: &str, fields: &str) {
        let mut command = self.street.hub.command(&kulkul());
        command.args(["orders", "set", section, fields, "--scope", &format!("site:{SITE}"), "--config"]);
        command.env_remove("KULKUL_GATEWAY").env_remove("KULKUL_REQUIRE_KERNEL");
        let out = command.arg(&self.prepared.config).output().unwrap();
        assert!(out.status.success(), "{fields}: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// What `tc` says of the classes on an interface of the box.
    fn classes(&self, on: &str) -> String {
        self.street.gateway.run(&format!("tc class show dev {on}")).unwrap()
    }

    /// Why the hub says that sessions ended, oldest first.
    fn ends(&self) -> Vec<(String, u64)> {
        self.stopped().into_iter().map(|s| (s.0, s.1)).collect()
    }
}

#[test]
fn an_order_shares_the_line_rations_the_day_and_closes_the_place() {
    let test = "an_order_shares_the_line_rations_the_day_and_closes_the_place";
    let Some(mut town) = town(test, "orders") else { return };
    let street = &town.street;
    let url = format!("http://{WORLD4}/");
    let online = || fetch(street, "-m 2", &url).1.starts_with("hello").then_some(());
    accept(street, "10.77.0.1");
    until("the phone is online", 60, online);
    assert!(!town.classes("lan0").contains("htb"), "no line is known yet");

    // The line's rates become known: the phone's packets wait in a class of its own, both ways.
    town.order("line", r#"{"down_kbps": 20000, "up_kbps": 8000}"#);
    for (on, rate) in [("lan0", "20Mbit"), ("wan0", "8Mbit")] {
        until("the line is shared out", 60, || {
            let classes = town.classes(on);
            (classes.contains("class htb 1:10 parent 1:3") && classes.contains(rate)).then_some(())
        });
    }
    until("nobody was dropped for it", 60, online);
    // Classes come first, then the table with its map.
    until("the phone's packets go into its class", 60, || {
        let map = street.gateway.run("nft list map inet kulkul class4").ok()?;
        (map.contains(&format!("{PHONE4} ")) && map.contains(": 1:10")).then_some(())
    });

    // A ration of two megabytes for the day: the phone sends more.
    town.order("plan", r#"{"day_bytes": 2000000}"#);
    until("the box knows the ration", 60, || {
        fetch(street, "", "http://10.77.0.1/").1.contains("Sisa kuota").then_some(())
    });
    let sent = roles::numbers(&street.phone, "pour", &format!("{PHONE4} {WORLD4}:7 3")).unwrap();
    assert!(sent[0] > 40_000, "{sent:?}");
    until("the ration is used up", 60, || online().is_none().then_some(()));
    let page = fetch(street, "", "http://10.77.0.1/").1;
    assert!(page.contains("besok") || page.contains("00.00"), "it says when there is more: {page}");
    let ends = until("the hub knows why", 120, || Some(town.ends()).filter(|e| !e.is_empty()));
    assert_eq!(ends[0].0, "quota", "{ends:?}");
    assert!(ends[0].1 >= 2_000_000, "{ends:?}");

    // More for the day, and then closed by the hours: at once, and open again at once.
    town.order("plan", r#"{"day_bytes": 2000000000}"#);
    until("let in again", 60, || {
        let (status, _) = fetch(street, "", "http://10.77.0.1/");
        status.starts_with("200").then(|| super::town::try_accept(street, "10.77.0.1")).flatten()
    });
    until("the phone is online again", 60, online);
    town.order("hours", r#"{"week": {}}"#);
    until("the place closes", 60, || online().is_none().then_some(()));
    let page = fetch(street, "", "http://10.77.0.1/").1;
    assert!(page.contains("tutup"), "the portal says so: {page}");
    let ends = until("the hub knows of it", 120, || Some(town.ends()).filter(|e| e.len() > 1));
    assert_eq!(ends[1].0, "closed", "{ends:?}");
    town.order("hours", r#"{"week": {"daily": "00:00-24:00"}}"#);
    until("open again", 60, || super::town::try_accept(street, "10.77.0.1"));
    until("the phone is online a third time", 60, online);

    // A box that is taken down leaves neither table nor queues.
    town.gateway.kill();
    let street = &town.street;
    assert!(town.classes("wan0").contains("htb"), "the kernel goes on sharing without the daemon");
    let mut command = street.gateway.command(&super::town::box_program());
    let out = command.args(["gateway", "teardown", "--config"]).arg(&town.config).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!((town.classes("wan0"), town.classes("lan0")), (String::new(), String::new()));
    assert!(street.gateway.run("nft list table inet kulkul").is_err());
}
