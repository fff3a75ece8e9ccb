//! Two ways out on the street: the provider's line dies, the community's takes over and is booked apart.

use super::town::{SITE, Town, accept, kulkul, log_of, town_with};
use kulkul_model::site::SiteCode;
use kulkul_sim::street::ground::{Running, until, wire};
use kulkul_sim::street::layout::{Street, WORLD4};
use kulkul_store::line;
use std::process::Stdio;

/// A second wire between box and world, as a modem on the community's account.
fn second_line(street: &Street) {
    wire(&street.gateway, "wan1", &street.world, "gw1").unwrap();
    street.gateway.ip("addr add 100.64.9.2/24 dev wan1").unwrap();
    street.gateway.ip("route add default via 100.64.9.1 dev wan1 metric 700").unwrap();
    street.world.ip("addr add 100.64.9.1/24 dev gw1").unwrap();
    // The provider drops what comes from an address that it did not give.
    for (line, own) in [("gw0", "198.51.100.0/25"), ("gw1", "100.64.9.0/24")] {
        let rule = format!(
            "add table ip line_{line}; add chain ip line_{line} in {{ type filter hook prerouting priority raw; }}; \
             add rule ip line_{line} in iifname {line} ip saddr != {own} drop; \
             add rule ip line_{line} in iifname {line} ip length {{ 228, 1028 }} counter comment \"asked\"; \
             add chain ip line_{line} out {{ type filter hook postrouting priority 300; }}; \
             add rule ip line_{line} out oifname {line} ip length {{ 228, 1028 }} counter comment \"answered\""
        );
        let done = street.world.command("nft").arg(&rule).output().unwrap();
        assert!(done.status.success(), "{rule}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

const BACKUP: &str = "[backup]\ninterface = \"wan1\"\nowner = \"Banjar Bindu\"\ndown_kbps = 40000\nup_kbps = 9000\nreturn_after_s = 6\n";

impl Town {
    /// What the world saw of the phone's packets on one line: bytes up, bytes down.
    fn seen(&self, line: &str) -> [u64; 2] {
        let text = self.street.world.run(&format!("nft list table ip line_{line}")).unwrap();
        ["asked", "answered"].map(|mark| {
            let rule = text.lines().find(|l| l.contains(mark)).unwrap();
            let bytes = rule.split("bytes ").nth(1).unwrap().split(' ').next().unwrap();
            bytes.parse().unwrap()
        })
    }

    pub fn status(&self) -> Option<serde_json::Value> {
        let words = format!("{} gateway status --json --config {}", kulkul(), self.config.display());
        serde_json::from_str(&self.street.gateway.run(&words).ok()?).ok()
    }

    pub fn uses(&self, line: usize) -> Option<()> {
        (self.status()?["ways"][line]["in_use"] == true).then_some(())
    }

    /// Where the hub says that the place went over, oldest first.
    fn switches(&self) -> Vec<(String, String)> {
        let site = SiteCode::parse(SITE).unwrap();
        let read = self.read(async |tx| line::switches(tx, &site, 50).await.ok());
        let mut all: Vec<_> = read.unwrap_or_default().into_iter().map(|s| (s.line, s.why)).collect();
        all.reverse();
        all
    }

    fn class_of_line(&self, on: &str) -> String {
        self.street.gateway.run(&format!("tc class show dev {on}")).unwrap_or_default()
    }
}

/// Pings from the phone, one in 200 ms, until it is dropped; the answered sequence numbers.
pub struct Pinging {
    _program: Running,
    file: std::path::PathBuf,
}

impl Pinging {
    pub fn start(town: &Town, name: &str) -> Self {
        let file = town.street.dir.path().join(name);
        let mut command = town.street.phone.command("ping");
        // Of a length that nothing of the box itself has.
        command
            .args(["-n", "-i", "0.2", "-s", "200", WORLD4])
            .stdout(std::fs::File::create(&file).unwrap())
            .stderr(Stdio::null());
        Pinging { _program: Running::start(&mut command).unwrap(), file }
    }

    fn answered(&self) -> Vec<u32> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().filter_map(|l| l.split("icmp_seq=").nth(1)?.split(' ').next()?.parse().ok()).collect()
    }

    /// The longest stretch without an answer, in seconds.
    fn longest_gap(&self) -> f64 {
        let all = self.answered();
        let gap = all.windows(2).map(|w| w[1].saturating_sub(w[0])).max().unwrap_or(u32::MAX);
        f64::from(gap.saturating_sub(1)) * 0.2
    }

    pub fn is_answered_again(&self) {
        let before = self.answered().len();
        until("pings are answered", 60, || (self.answered().len() > before + 10).then_some(()));
    }
}

#[test]
fn the_community_s_line_takes_over_within_seconds_and_its_bytes_are_booked_apart() {
    let test = "the_community_s_line_takes_over_within_seconds_and_its_bytes_are_booked_apart";
    let prepare = |street: &Street| {
        second_line(street);
        BACKUP.to_owned()
    };
    let Some(town) = town_with(test, "lines", prepare) else { return };
    let street = &town.street;
    accept(street, "10.77.0.1");
    let pings = Pinging::start(&town, "pings");
    pings.is_answered_again();
    until("the box knows its ways", 60, || town.uses(0));

    // A pulled cable: the link says so, and the place goes over at once.
    street.line(false).unwrap();
    until("the place goes over", 60, || town.uses(1));
    pings.is_answered_again();
    let gap = pings.longest_gap();
    assert!(gap < 6.0, "pulled: {gap} s without an answer\n{}", log_of(street));
    // What the phone sends now goes over the community's line, from that line's address.
    let many = format!("ping -n -q -c 400 -i 0.002 -s 1000 {WORLD4}");
    assert!(street.phone.run(&many).unwrap().contains(" 0% packet loss"));
    assert!(town.seen("gw1")[0] >= 400 * 1_028, "{:?}", town.seen("gw1"));

    // The line's own rates are shared out, once the place's line is known at all.
    let mut order = street.hub.command(&kulkul());
    order.args(["orders", "set", "line", r#"{"down_kbps": 20000, "up_kbps": 8000}"#]);
    order.args(["--scope", &format!("site:{SITE}"), "--config"]).arg(&town.prepared.config);
    assert!(order.output().unwrap().status.success());
    until("the community's line is shared out", 90, || {
        (town.class_of_line("wan1").contains("9Mbit") && town.class_of_line("lan0").contains("40Mbit"))
            .then_some(())
    });

    // The cable is back: only after the line was good for a while.
    street.line(true).unwrap();
    until("the place goes back", 90, || town.uses(0));
    pings.is_answered_again();
    until("the provider's line is shared out", 60, || {
        (town.class_of_line("wan0").contains("8Mbit")
            && town.class_of_line("lan0").contains("20Mbit")
            && !town.class_of_line("wan1").contains("htb"))
        .then_some(())
    });
    let gap = pings.longest_gap();
    assert!(gap < 6.0, "back: {gap} s without an answer\n{}", log_of(street));

    // A silent death: the link stays up and nothing comes through.
    let dead = "add table netdev dead; add chain netdev dead in { type filter hook ingress device gw0 priority 0; policy drop; }";
    let done = street.world.command("nft").arg(dead).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    until("the place goes over again", 60, || town.uses(1));
    pings.is_answered_again();
    let gap = pings.longest_gap();
    assert!(gap < 9.0, "silent: {gap} s without an answer\n{}", log_of(street));
    street.world.run("nft delete table netdev dead").unwrap();
    until("the place goes back again", 90, || town.uses(0));
    pings.is_answered_again();
    drop(pings);

    // Nobody was put out for any of it.
    assert_eq!(town.stopped(), []);
    let told = until("the hub knows each time", 120, || Some(town.switches()).filter(|s| s.len() == 4));
    let told: Vec<(&str, &str)> = told.iter().map(|(l, w)| (l.as_str(), w.as_str())).collect();
    assert_eq!(
        told,
        [("backup", "no_carrier"), ("uplink", "back"), ("backup", "silent"), ("uplink", "back")]
    );

    // What the world saw on the community's line is what the books say of it, echoes beside pings.
    let site = SiteCode::parse(SITE).unwrap();
    let used = until("the hub has the books", 60, || {
        let all = (kulkul_model::Moment::EPOCH, kulkul_model::Moment::from_ms(i64::MAX / 2));
        let used = town.read(async |tx| line::used(tx, &site, all.0, all.1).await.ok())?;
        used.iter().find(|u| u.line == "backup").cloned()
    });
    assert_eq!(used.owner, "Banjar Bindu");
    let [up, down] = town.seen("gw1");
    assert_eq!(used.up_bytes, up, "from the place, byte for byte");
    // The answer to the last packet before going back may come after it: nobody's any more.
    assert!(
        used.down_bytes <= down && used.down_bytes + 3 * 228 >= down,
        "{} booked of {down}",
        used.down_bytes
    );
    let page = format!("curl -s -m 5 {}/api/v1/sites/{SITE}/lines", town.prepared.url);
    assert!(street.hub.run(&page).unwrap().contains("\"status\":401"), "the books are for staff");
}
