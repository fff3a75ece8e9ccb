//! The provider's side of the one line: it gives another address, or none by itself.

use super::town::{
    Town, accept, fetch, log_of, runtime, start_gateway, start_hub, town, town_of, try_accept,
};
use kulkul_sim::street::ground::{permitted, skip, until};
use kulkul_sim::street::hub;
use kulkul_sim::street::layout::{Street, WORLD4};

fn online(town: &Town) -> Option<()> {
    fetch(&town.street, "-m 2", &format!("http://{WORLD4}/")).1.starts_with("hello").then_some(())
}

fn all(street: &Street, box_: bool, words: &[&str]) {
    let place = if box_ { &street.gateway } else { &street.world };
    for words in words {
        place.ip(words).unwrap();
    }
}

#[test]
fn another_address_from_the_provider_drops_nobody_and_is_in_the_journal() {
    let Some(town) = town("another_address_from_the_provider_drops_nobody_and_is_in_the_journal", "moved")
    else {
        return;
    };
    accept(&town.street, "10.77.0.1");
    until("the phone is online", 60, || online(&town));
    until("the hub sees the place", 90, || town.observed("up"));
    // The system below the box takes another network, as its DHCP client would.
    all(&town.street, false, &["addr add 198.51.101.1/24 dev gw0"]);
    let moved = [
        "addr add 198.51.101.2/24 dev wan0",
        "route replace default via 198.51.101.1",
        "addr del 198.51.100.2/25 dev wan0",
    ];
    all(&town.street, true, &moved);
    until("the phone is still online, by the new address", 60, || online(&town));
    until("the box notices", 60, || {
        log_of(&town.street).contains("an uplink's address changed").then_some(())
    });
    // Its network is now one of those that public people never reach.
    until("the new network is kept from people", 60, || {
        let reached = fetch(&town.street, "-m 2", "http://198.51.101.1/");
        let rules = town.street.gateway.run("nft list set inet kulkul mgmt4").ok()?;
        (!reached.1.starts_with("hello") && rules.contains("198.51.101.0/24")).then_some(())
    });
    let held = || {
        let log = std::fs::read_to_string(town.street.dir.path().join("hub.log")).unwrap_or_default();
        (town.site()["observed"] == "up" && !log.contains("kept aside")).then_some(())
    };
    until("the hub hears it by the new address", 90, held);
    assert!(online(&town).is_some(), "nobody was asked again");
}

#[test]
fn a_static_way_out_is_set_by_the_box_and_put_back_when_it_is_lost() {
    let test = "a_static_way_out_is_set_by_the_box_and_put_back_when_it_is_lost";
    if let Err(why) = permitted() {
        skip(test, &why);
        return;
    }
    let mut street = Street::build("static").unwrap();
    street.start_world().unwrap();
    // The system gives the line nothing: no address, no route, no servers for names.
    all(&street, true, &["addr flush dev wan0", "link set wan0 down"]);
    let prepared = runtime().block_on(hub::prepare(street.dir.path(), super::SITE)).unwrap();
    let hub = start_hub(&street, &prepared);
    let config = street.gateway_toml(&prepared.top, "").unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let line = format!(
        "interface = \"wan0\"\nkind = \"static\"\naddress4 = \"198.51.100.2/25\"\ngateway4 = \"198.51.100.1\"\ndns = [\"{WORLD4}\"]\n"
    );
    let text = text
        .replace("interface = \"wan0\"\n", &line)
        .replace(&format!("upstreams = [\"{WORLD4}:53\"]\n"), "");
    std::fs::write(&config, text).unwrap();
    let gateway = start_gateway(&street, &config);
    let town = town_of(street, prepared, config, gateway, hub);
    let route = || town.street.gateway.run("ip route show default").unwrap_or_default();
    until("the box has set its way out", 60, || route().contains("198.51.100.1").then_some(()));
    // A box that enrols in this moment has another page a moment later.
    until("the phone accepts", 60, || try_accept(&town.street, "10.77.0.1"));
    until("the phone is online", 60, || online(&town));
    until("names come from the servers that were given", 60, || {
        fetch(&town.street, "-m 4", "http://outside.example/").1.starts_with("hello").then_some(())
    });
    // Somebody's script takes the address away, and with it the route.
    all(&town.street, true, &["addr flush dev wan0"]);
    until("the way out is there again", 60, || route().contains("198.51.100.1").then_some(()));
    until("the phone is online without a click", 60, || online(&town));
    // The modem is switched off and on.
    all(&town.street, true, &["link set wan0 down"]);
    until("the link is switched on and the route is there", 60, || {
        route().contains("198.51.100.1").then_some(())
    });
    until("the phone is online after that too", 60, || online(&town));
    until("the hub sees the place", 120, || town.observed("up"));
}
