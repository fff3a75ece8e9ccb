//! People who come from another place.

use super::*;
use crate::access::roam::{EVERY_MS, SILENCE_MS};

fn from_elsewhere(terms: u32) -> Grant {
    Grant { terms: Some(terms), devices: None, ..grant(WayIn::ClickThrough) }
}

#[tokio::test]
async fn a_session_goes_on_here_once() {
    let house = house();
    let access = house.open();
    house.says(|ask| {
        assert!(ask.proof == Proof::Roam);
        Ok(from_elsewhere(1))
    });
    let roaming = access.roam(device(1), Some(1)).await.unwrap();
    assert_eq!((roaming.pass.basis, roaming.terms), (Basis::Grant(GRANT), Some(1)));
    assert_eq!(roaming.pass.own.limit_ms, Some(HOUR_MS));
    assert_eq!(access.roam(device(1), Some(1)).await, None, "a grant is for one session");
    assert_eq!(house.asked(), 1, "once a minute");
    house.hand.pass(EVERY_MS);
    assert!(access.roam(device(1), Some(1)).await.is_some());
    assert_eq!(access.roam(device(2), Some(2)).await, None, "other terms hold here");
    house.says(|_| Err(refused(404, "roam-none")));
    assert_eq!(access.roam(device(3), Some(1)).await, None);
}

#[tokio::test]
async fn who_does_not_wait_finds_the_answer_at_the_next_page() {
    let house = house();
    let gate = Arc::new(Semaphore::new(0));
    let hub: AskHub = {
        let gate = gate.clone();
        Arc::new(move |_| {
            let gate = gate.clone();
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                Ok(from_elsewhere(1))
            })
        })
    };
    let parts = Parts {
        hub: Some(hub),
        desired: house.desired.subscribe(),
        clock: house.clock.clone(),
        data: house.dir.path().to_owned(),
        salts: || Ok([3; 16]),
    };
    let access = Access::open(parts).unwrap();
    for n in 0..8 {
        let waited = Clock::machine().at_most(0, access.roam(device(n), Some(1))).await;
        assert_eq!(waited, None, "the page went on");
    }
    assert_eq!(access.roam(device(8), Some(1)).await, None, "eight at a time");
    gate.add_permits(8);
    assert!(access.roam(device(7), Some(1)).await.is_some());
    assert!(access.roam(device(0), Some(1)).await.is_some());
}

#[tokio::test]
async fn a_silent_hub_is_left_alone_for_a_while() {
    let house = house();
    let access = house.open();
    assert_eq!(access.roam(device(1), Some(1)).await, None);
    house.says(|_| Ok(from_elsewhere(1)));
    assert_eq!(access.roam(device(2), Some(1)).await, None);
    assert_eq!(house.asked(), 1);
    house.hand.pass(SILENCE_MS);
    assert!(access.roam(device(2), Some(1)).await.is_some());
}

#[tokio::test]
async fn only_ways_that_are_open_lead_here() {
    let house = house();
    let access = house.open();
    house.order(|d| d.access.ways_in = vec![WayIn::ClickThrough]);
    house.says(|_| Ok(Grant { holder: Some(digest(1)), ..grant(WayIn::Voucher) }));
    assert_eq!(access.roam(device(1), Some(1)).await, None);
    house.order(|d| d.access.ways_in = vec![WayIn::Voucher]);
    let roaming = access.roam(device(2), Some(1)).await.unwrap();
    assert_eq!(roaming.pass.own.holder, Some(digest(1)));
    assert!(house.file("vouchers.json").contains(&digest(1).to_string()));
    house.order(|d| d.access.ways_in.clear());
    let asked = house.asked();
    assert_eq!(access.roam(device(3), Some(1)).await, None);
    assert_eq!(house.asked(), asked);
}
