//! Coming in by a grant, a voucher or an account: own limits and rates, and how many of one holder.

use super::*;
use crate::sessions::Own;
use crate::supervisor::Pass;
use kulkul_model::admission::{Basis, Token16};
use kulkul_wire::link::Entry;
use kulkul_wire::netlink::Key;

const HOUR_MS: u64 = 3_600_000;

fn pass_of(n: u8) -> Pass {
    let holder = Token16([n; 16]);
    Pass {
        basis: Basis::Voucher(holder),
        way_in: WayIn::Voucher,
        own: Own { holder: Some(holder), limit_ms: Some(HOUR_MS), down_kbps: Some(800), up_kbps: None },
        devices: Some(1),
    }
}

fn show(ip: IpAddr, pass: Pass) -> Admission {
    Admission { pass: Some(pass), ..click(ip) }
}

fn open_to(ways: &[WayIn]) -> kulkul_wire::link::Desired {
    let mut wish = desired();
    wish.access.ways_in = ways.to_vec();
    wish
}

impl House {
    fn cap_down(&self, ip: IpAddr) -> Option<Extra> {
        let sheet = self.paper.sheet();
        sheet.elements.get(&(Set::CapDn4, Key::Address(ip))).map(|e| e.extra)
    }
}

const OWN: Option<Extra> = Some(Extra::Cap { bytes_per_s: 100_000 });

#[tokio::test]
async fn own_limit_and_rates_win_over_orders_and_last_over_a_restart() {
    let house = house();
    let (ip, other) = (house.neighbour(9), house.neighbour(8));
    let (supervisor, task, stop) = house.open(0);
    let mut wish = open_to(&[WayIn::ClickThrough, WayIn::Voucher]);
    supervisor.apply(wish.clone()).await.unwrap();
    let loaded = house.paper.sheet().text.clone();
    assert!(loaded.as_ref().unwrap().contains("@cap_dn4 drop"), "known before anybody brings a rate");
    let began = house.clock.now();
    let session = supervisor.admit(show(ip, pass_of(1))).await.unwrap();
    supervisor.admit(click(other)).await.unwrap();
    assert_eq!(session.way_in, WayIn::Voucher);
    assert_eq!(session.ends_at, began.plus_ms(3_600_000));
    assert_eq!((house.cap_down(ip), house.cap_down(other)), (OWN, None));
    assert_eq!(house.paper.sheet().text, loaded, "nobody made the table anew");
    let told = house.journal.read(1, 100).await.unwrap().into_iter().find_map(|(_, e)| match e {
        Entry::SessionStart(s) if s.session == session.id => Some((s.basis, s.limit_ms)),
        _ => None,
    });
    assert_eq!(told, Some((Some(pass_of(1).basis), HOUR_MS)));

    (wish.plan.down_kbps, wish.plan.session_ms) = (Some(8), 60_000);
    supervisor.apply(wish.clone()).await.unwrap();
    assert_eq!((house.cap_down(ip), house.cap_down(other)), (OWN, Some(Extra::Cap { bytes_per_s: 1_000 })));
    stop.cancel();
    task.await.unwrap();
    let (supervisor, _task, _stop) = house.open(20);
    assert_eq!(house.cap_down(ip), OWN);
    let session = supervisor.who(ip).await.unwrap().session.unwrap();
    assert_eq!(session.ends_at, began.plus_ms(3_600_000));
    pass(&house, 120_000).await;
    assert_eq!(supervisor.people(), 1, "the place's own limit ended the other");

    // The voucher's way is closed while it is in use: it stays, and its rate is still enforced.
    wish.access.ways_in = vec![WayIn::ClickThrough];
    supervisor.apply(wish).await.unwrap();
    assert_eq!((supervisor.people(), house.cap_down(ip)), (1, OWN));
    assert!(house.paper.sheet().text.as_ref().unwrap().contains("@cap_dn4 drop"));
}

#[tokio::test]
async fn own_rates_are_the_bound_of_the_class_where_the_line_is_shared() {
    let house = house();
    let (ip, other) = (house.neighbour(9), house.neighbour(8));
    let (supervisor, ..) = house.open(0);
    let mut wish = open_to(&[WayIn::ClickThrough, WayIn::Voucher]);
    wish.plan.down_kbps = Some(4_000);
    (wish.line.down_kbps, wish.line.up_kbps) = (Some(10_000), Some(5_000));
    supervisor.apply(wish.clone()).await.unwrap();
    supervisor.admit(show(ip, pass_of(1))).await.unwrap();
    supervisor.admit(click(other)).await.unwrap();
    let ceil = |on: &str, minor| house.paper.sheet().classes[&(on.to_owned(), minor)].ceil;
    assert_eq!([ceil("lan0", 16), ceil("lan0", 17)], [100_000, 500_000]);
    assert_eq!(ceil("wan0", 16), 625_000, "no rate of its own this way");
    assert_eq!(house.cap_down(ip), None, "the class bounds it");
    wish.line = Default::default();
    supervisor.apply(wish).await.unwrap();
    assert_eq!(house.cap_down(ip), OWN);
}

#[tokio::test]
async fn no_more_devices_than_the_holder_may_have_are_online_at_this_box() {
    let house = house();
    let ips: Vec<IpAddr> = (1..=4).map(|n| house.neighbour(n)).collect();
    let (supervisor, ..) = house.open(0);
    supervisor.apply(open_to(&[WayIn::Voucher, WayIn::Account])).await.unwrap();
    supervisor.admit(show(ips[0], pass_of(1))).await.unwrap();
    let refused = supervisor.admit(show(ips[1], pass_of(1))).await.unwrap_err();
    assert_eq!((refused.code, refused.args), ("voucher-devices", vec![("devices", "1".to_owned())]));
    supervisor.admit(show(ips[0], pass_of(1))).await.unwrap();
    supervisor.admit(show(ips[1], pass_of(2))).await.unwrap();
    supervisor.log_out(ips[0]).await.unwrap();
    supervisor.admit(show(ips[2], pass_of(1))).await.unwrap();
    let of_account = Pass { way_in: WayIn::Account, ..pass_of(2) };
    assert_eq!(supervisor.admit(show(ips[3], of_account)).await.unwrap_err().code, "account-devices");
    let two = Pass { devices: Some(2), ..of_account };
    supervisor.admit(show(ips[3], two)).await.unwrap();
}

#[tokio::test]
async fn only_ways_that_are_open_let_newcomers_in() {
    let house = house();
    let (ip, other) = (house.neighbour(9), house.neighbour(8));
    let (supervisor, ..) = house.open(0);
    assert_eq!(supervisor.admit(show(ip, pass_of(1))).await.unwrap_err().code, "way-in-closed");
    let session = supervisor.admit(click(ip)).await.unwrap();
    supervisor.apply(open_to(&[WayIn::Voucher])).await.unwrap();
    assert_eq!(supervisor.admit(click(ip)).await.unwrap().id, session.id, "who is in stays in");
    assert_eq!(supervisor.admit(click(other)).await.unwrap_err().code, "way-in-closed");
    supervisor.admit(show(other, pass_of(1))).await.unwrap();
    supervisor.log_out(ip).await.unwrap();
    supervisor.apply(open_to(&[])).await.unwrap();
    assert_eq!(supervisor.admit(show(ip, pass_of(2))).await.unwrap_err().code, "way-in-closed");
    assert_eq!(supervisor.people(), 1);
}
