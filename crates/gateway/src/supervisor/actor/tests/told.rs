//! What the connection log is told, and that it is told again where it could not keep up.

use super::*;
use crate::connections::Told;
use kulkul_wire::link::desired::{ConnectionLog, ConnectionsSection};
use tokio::sync::mpsc::Receiver;

fn all(told: &mut Receiver<Told>) -> Vec<Told> {
    std::iter::from_fn(|| told.try_recv().ok()).collect()
}

fn flow() -> ConnectionsSection {
    ConnectionsSection { log: ConnectionLog::Flow, ..ConnectionsSection::default() }
}

#[tokio::test]
async fn who_comes_and_goes_is_told_and_a_switch_is_an_event() {
    let (teller, mut told) = Teller::heard(100);
    let house = House { teller, ..house() };
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    assert_eq!(all(&mut told), [Told::Everybody(Vec::new()), Told::Ordered(ConnectionsSection::default())]);
    let id = supervisor.admit(click(ip)).await.unwrap().id;
    assert_eq!(all(&mut told), [Told::Has(id, Mac([2, 0, 0, 0, 0, 9]), ip)], "before packets of it pass");
    let head = house.journal.head();
    let mut wish = desired();
    wish.connections = flow();
    supervisor.apply(wish.clone()).await.unwrap();
    pass(&house, 1_000).await;
    assert_eq!(all(&mut told), [Told::Ordered(flow())]);
    assert_eq!(house.journal.head(), head + 1, "the switch is in the journal");
    supervisor.apply(wish.clone()).await.unwrap();
    wish.connections.keep_days = 0;
    assert_eq!(supervisor.apply(wish).await.unwrap_err().code, "desired-refused");
    assert_eq!(all(&mut told), [], "neither what is in force nor what is refused");
    supervisor.log_out(ip).await.unwrap();
    assert_eq!(all(&mut told), [Told::Over(id)]);
}

#[tokio::test]
async fn a_log_that_could_not_keep_up_is_told_of_everybody() {
    let (teller, mut told) = Teller::heard(2);
    let house = House { teller, ..house() };
    let (supervisor, ..) = house.open(0);
    for n in 1..=3 {
        let ip = house.neighbour(n);
        supervisor.admit(click(ip)).await.unwrap();
    }
    assert_eq!(all(&mut told).len(), 2, "what it was told at the start fills it");
    pass(&house, 2_000).await;
    let told = all(&mut told);
    assert!(matches!(&told[..], [Told::Everybody(all), Told::Ordered(_)] if all.len() == 3), "{told:?}");
}

#[tokio::test]
async fn what_is_ordered_holds_over_a_restart_without_the_hub() {
    let mut house = house();
    let (supervisor, task, stop) = house.open(0);
    let mut wish = desired();
    wish.connections = flow();
    supervisor.apply(wish).await.unwrap();
    stop.cancel();
    task.await.unwrap();
    let (teller, mut told) = Teller::heard(100);
    house.teller = teller;
    let (_supervisor, ..) = house.open(10);
    assert!(all(&mut told).contains(&Told::Ordered(flow())));
}
