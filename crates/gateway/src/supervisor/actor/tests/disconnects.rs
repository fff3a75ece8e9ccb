//! Sessions that the hub ends by their id: at once, and their devices stay out for a while.

use super::*;
use kulkul_wire::link::desired::RevokedSession;

#[tokio::test]
async fn an_ended_session_keeps_its_device_out_over_a_restart_and_until_its_time_is_over() {
    let house = house();
    let (ip, neighbour) = (house.neighbour(9), house.neighbour(8));
    let (supervisor, task, stop) = house.open(0);
    let session = supervisor.admit(click(ip)).await.unwrap().id;
    supervisor.admit(click(neighbour)).await.unwrap();
    let until = house.clock.now().plus_ms(60_000);
    let mut wish = desired();
    wish.revoked.sessions =
        vec![RevokedSession { session, until }, RevokedSession { session: SessionId([77; 16]), until }];
    supervisor.apply(wish.clone()).await.unwrap();
    assert_eq!(supervisor.people(), 1, "put out at once, and nobody else");
    assert_eq!(supervisor.admit(click(ip)).await.unwrap_err().code, "device-blocked");
    let blocked =
        |house: &House| house.paper.sheet().elements.values().filter(|e| e.set == Set::Blocked).count();
    assert_eq!(blocked(&house), 1, "the kernel knows it too");

    // Another order comes, and the box starts anew: the session is long gone, its device is still known.
    wish.plan.down_kbps = Some(2_000);
    supervisor.apply(wish.clone()).await.unwrap();
    stop.cancel();
    task.await.unwrap();
    let (supervisor, ..) = house.open(20);
    assert_eq!(supervisor.admit(click(ip)).await.unwrap_err().code, "device-blocked");
    supervisor.apply(wish).await.unwrap();
    assert_eq!(supervisor.admit(click(ip)).await.unwrap_err().code, "device-blocked");
    pass(&house, 60_000).await;
    supervisor.admit(click(ip)).await.unwrap();
}

#[tokio::test]
async fn a_disconnect_that_is_over_ends_nothing() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    let session = supervisor.admit(click(ip)).await.unwrap().id;
    let mut wish = desired();
    wish.revoked.sessions = vec![RevokedSession { session, until: house.clock.now() }];
    supervisor.apply(wish).await.unwrap();
    assert_eq!(supervisor.people(), 1);
    supervisor.admit(click(ip)).await.unwrap();
}
