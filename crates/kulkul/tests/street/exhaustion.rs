//! Somebody takes every address of a segment: who is online stays so, and the journal tells.

use super::town::{Town, log_of, town_with};
use kulkul_model::Moment;
use kulkul_sim::street::ground::{until, wire};
use kulkul_sim::street::layout::{Street, WORLD4};
use kulkul_sim::street::person::hidden;
use kulkul_sim::street::roles;
use kulkul_store::journal;

/// A small segment of its own: room for a few dozen devices.
const KIOSK: &str = "[[segment]]\nname = \"kiosk\"\nkind = \"public\"\ninterface = \"lan1\"\naddress4 = \"10.78.0.1/27\"\ndhcp = true\n";

/// The kind of entries that tell of events.
const EVENTS: u16 = 6;

impl Town {
    /// What curl gets through the small segment.
    fn at_kiosk(&self, words: &str, url: &str) -> String {
        self.street.phone.run(&format!("curl -s -m 3 --interface eth1 {words} {url}")).unwrap_or_default()
    }

    /// Asks dnsmasq by a real client under the phone's own hardware address; the address that it got.
    fn leases(&self) -> Option<String> {
        let script = self.street.dir.path().join("udhcpc.sh");
        std::fs::write(&script, "#!/bin/sh\n[ \"$1\" = bound ] && echo \"got $ip\"\nexit 0\n").unwrap();
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let ask = format!("udhcpc -i eth1 -n -q -f -t 5 -T 2 -s {}", script.display());
        let out = self.street.phone.run(&ask).ok()?;
        out.lines().find_map(|l| l.strip_prefix("got ").map(str::to_owned))
    }
}

#[test]
fn a_device_that_takes_every_address_puts_nobody_out_and_the_journal_tells() {
    let test = "a_device_that_takes_every_address_puts_nobody_out_and_the_journal_tells";
    let prepare = |street: &Street| {
        wire(&street.gateway, "lan1", &street.phone, "eth1").unwrap();
        KIOSK.to_owned()
    };
    let Some(town) = town_with(test, "exhaustion", prepare) else { return };
    let street = &town.street;
    street.phone.ip("link set eth1 up").unwrap();
    let address = until("dnsmasq gives an address", 60, || town.leases());
    for words in [
        format!("addr add {address}/27 dev eth1"),
        format!("route add default via 10.78.0.1 dev eth1 src {address} table 78"),
        format!("rule add from {address} table 78"),
        "route add 255.255.255.255 dev eth1".to_owned(),
    ] {
        street.phone.ip(&words).unwrap();
    }
    let page = until("the portal answers there", 60, || {
        Some(town.at_kiosk("", "http://10.78.0.1/")).filter(|p| p.contains("/accept"))
    });
    let field = |name| hidden(&page, name).unwrap();
    let form = format!("-d token={}&terms={}&lang=id", field("token"), field("terms"));
    town.at_kiosk(&form, "http://10.78.0.1/accept");
    let url = format!("http://{WORLD4}/");
    let online = || town.at_kiosk("", &url).starts_with("hello").then_some(());
    until("the phone is online", 60, online);

    let given = roles::numbers(&street.phone, "exhaust", "40").unwrap()[0];
    assert!((20..=30).contains(&given), "all that were left, and no more: {given}");
    assert!(online().is_some(), "who is online stays so");
    assert_eq!(town.leases().as_deref(), Some(address.as_str()), "and keeps the address");
    let told = || {
        town.read(async |tx| {
            let late = Moment::from_ms(i64::MAX);
            let all = journal::arrived(tx, EVENTS, late, (Moment::EPOCH, "", 0), 500).await.ok()?;
            all.iter().any(|e| e.sealed.windows(16).any(|w| w == b"addresses_scarce")).then_some(())
        })
    };
    until("the hub is told", 120, told);
    let doctor = street.gateway.command(&super::town::box_program());
    let mut doctor = doctor;
    let out = doctor.args(["gateway", "doctor", "--config"]).arg(&town.config).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(said.contains("kiosk"), "{said}\n{}", log_of(street));
    assert!(online().is_some());
}
