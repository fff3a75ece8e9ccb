//! Interfaces that go and come back under a running box.

use super::town::{Town, accept, fetch, log_of, town};
use kulkul_sim::street::ground::{until, wire};
use kulkul_sim::street::layout::{PHONE, PHONE4, PHONE6, Street, WORLD4};
use kulkul_sim::street::roles;

/// Lays the wire between phone and box anew, as when an adapter is pulled and put in again.
fn plug_in(street: &Street) {
    wire(&street.phone, "eth0", &street.gateway, "lan0").unwrap();
    for words in [
        format!("link set eth0 address {PHONE}"),
        format!("addr add {PHONE4}/16 dev eth0"),
        format!("addr add {PHONE6}/64 dev eth0 nodad"),
    ] {
        street.phone.ip(&words).unwrap();
    }
    let via = ["route add default via 10.77.0.1", "-6 route add default via 2001:db8:77::1"];
    for words in via {
        until("the route is taken", 60, || street.phone.ip(words).ok());
    }
}

fn online(town: &Town, url: &str) -> Option<()> {
    fetch(&town.street, "-g -m 2", url).1.starts_with("hello").then_some(())
}

#[test]
fn an_interface_that_is_pulled_and_put_in_again_drops_nobody() {
    let Some(town) = town("an_interface_that_is_pulled_and_put_in_again_drops_nobody", "pulled") else {
        return;
    };
    let street = &town.street;
    let url = format!("http://{WORLD4}/");
    accept(street, "10.77.0.1");
    until("the phone is online", 60, || online(&town, &url));
    street.gateway.ip("link del lan0").unwrap();
    until("the box notices", 60, || log_of(street).contains("is gone").then_some(()));
    plug_in(street);
    until("the phone is online again without a click", 60, || online(&town, &url));
    until("the portal answers over IPv6", 60, || {
        fetch(street, "-g -m 2", "http://[2001:db8:77::1]/").0.starts_with("200").then_some(())
    });
    // Its router advertises on the new interface too, within the time of one look.
    until("a router is found", 60, || roles::lines(&street.phone, "solicit", "").ok());
    assert!(log_of(street).contains("is back"), "{}", log_of(street));
    // An address that somebody takes away comes back as well.
    street.gateway.ip("addr del 10.77.0.1/16 dev lan0").unwrap();
    until("the address is given again", 60, || {
        street.gateway.run("ip -4 addr show dev lan0").ok().filter(|t| t.contains("10.77.0.1/16"))
    });
    until("the phone is still online", 60, || online(&town, &url));
}
