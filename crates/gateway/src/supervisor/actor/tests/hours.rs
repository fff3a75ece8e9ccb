//! Opening hours and the day's ration on the simulated clock.

use super::*;
use kulkul_model::Moment;
use kulkul_model::hours::{DaySpan, Span, Timetable, Week};
use kulkul_wire::link::Desired;

const MINUTE: i64 = 60_000;

/// Open from `from` to `until` minutes after now, and never afterwards.
fn open_for(house: &House, from: i64, until: i64) -> Desired {
    let now = house.clock.now();
    let at = |minutes: i64| now.plus_ms(minutes * MINUTE);
    let mut wish = desired();
    let open = vec![Span { from: at(from), until: at(until) }];
    wish.hours.timetable = Some(Timetable { open, through: at(14 * 1_440), week: Week::default() });
    wish
}

#[tokio::test]
async fn a_place_closes_and_opens_by_its_hours_with_nobody_there_to_tell_it() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    supervisor.apply(open_for(&house, 5, 20)).await.unwrap();
    let refused = supervisor.admit(click(ip)).await.unwrap_err();
    assert_eq!(refused.code, "site-closed");
    let (_, opens) = &refused.args[0];
    assert_eq!(Moment::parse(opens).unwrap(), BUILT_AT.plus_ms(5 * MINUTE));
    pass(&house, 5 * MINUTE).await;
    let session = supervisor.admit(click(ip)).await.unwrap();
    assert_eq!(session.ends_at, BUILT_AT.plus_ms(20 * MINUTE), "a session ends when the place closes");
    let element = house.paper.sheet().elements.values().next().copied().unwrap();
    let left = i64::try_from(element.left_ms.unwrap()).unwrap();
    assert!(
        (15 * MINUTE..=17 * MINUTE).contains(&left),
        "the kernel closes by itself a minute later: {left}"
    );
    pass(&house, 14 * MINUTE).await;
    assert_eq!(supervisor.people(), 1);
    pass(&house, MINUTE).await;
    assert_eq!((supervisor.people(), house.elements()), (0, 0));
    assert_eq!(supervisor.admit(click(ip)).await.unwrap_err().code, "site-closed");
}

#[tokio::test]
async fn other_hours_take_effect_at_once_and_drop_nobody_they_do_not_concern() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    let mut wish = open_for(&house, -10, 20);
    wish.plan.idle_ms = 0;
    supervisor.apply(wish.clone()).await.unwrap();
    let id = supervisor.admit(click(ip)).await.unwrap().id;
    wish.hours = open_for(&house, -10, 600).hours;
    supervisor.apply(wish.clone()).await.unwrap();
    pass(&house, 30 * MINUTE).await;
    let session = supervisor.who(ip).await.unwrap().session.unwrap();
    assert_eq!(session.id, id, "open for longer: the same session");
    wish.hours = open_for(&house, -40, -1).hours;
    supervisor.apply(wish).await.unwrap();
    assert_eq!(supervisor.people(), 0, "closed now");
    assert_eq!(supervisor.admit(click(ip)).await.unwrap_err().code, "site-closed");
}

#[tokio::test]
async fn without_a_clock_the_last_effect_stays() {
    let mut house = house();
    let ip = house.neighbour(9);
    let (supervisor, task, stop) = house.open(0);
    supervisor.apply(open_for(&house, -10, -1)).await.unwrap();
    assert_eq!(supervisor.admit(click(ip)).await.unwrap_err().code, "site-closed");
    stop.cancel();
    task.await.unwrap();
    let (clock, hand) = Clock::simulated(Moment::EPOCH, BootId([6; 16]));
    (house.clock, house.hand) = (clock, hand);
    let (supervisor, ..) = house.open(50);
    assert_eq!(supervisor.admit(click(ip)).await.unwrap_err().code, "site-closed");
    house.hand.step(BUILT_AT.plus_ms(15 * 86_400_000));
    pass(&house, 1_000).await;
    // Beyond its fourteen days the week holds, which has no hours here.
    assert_eq!(supervisor.admit(click(ip)).await.unwrap_err().args, [("opens", String::new())]);
    let mut wish = open_for(&house, -20, -10);
    wish.hours.timetable.as_mut().unwrap().week =
        Week(std::array::from_fn(|_| vec![DaySpan { from_min: 0, until_min: 1_440 }]));
    house.hand.step(house.clock.now().plus_ms(20 * 86_400_000));
    supervisor.apply(wish).await.unwrap();
    supervisor.admit(click(ip)).await.unwrap();
}

async fn today(supervisor: &Supervisor, ip: IpAddr) -> u64 {
    supervisor.who(ip).await.unwrap().today.unwrap().bytes
}

#[tokio::test]
async fn a_days_ration_is_for_the_day_and_not_for_the_session() {
    let house = house();
    let (ip, other) = (house.neighbour(9), house.neighbour(8));
    let (supervisor, ..) = house.open(0);
    let mut wish = desired();
    wish.plan.day_bytes = Some(5_000_000);
    supervisor.apply(wish).await.unwrap();
    supervisor.admit(click(ip)).await.unwrap();
    house.count(3_000_000);
    pass(&house, 2_000).await;
    assert_eq!(today(&supervisor, ip).await, 3_000_000);
    supervisor.log_out(ip).await.unwrap();
    supervisor.admit(click(ip)).await.unwrap();
    assert_eq!(today(&supervisor, ip).await, 3_000_000, "in again, no more than before");
    house.count(2_000_000);
    pass(&house, 2_000).await;
    assert_eq!(supervisor.people(), 0, "used up");
    let refused = supervisor.admit(click(ip)).await.unwrap_err();
    assert_eq!(refused.code, "quota-used");
    let until = Moment::parse(&refused.args[0].1).unwrap();
    let zone = kulkul_model::Zone::named("Asia/Makassar").unwrap();
    assert_eq!(until, zone.next_day(house.clock.now()));
    supervisor.admit(click(other)).await.unwrap();
    pass(&house, until.since_ms(house.clock.now()) + 1_000).await;
    supervisor.admit(click(ip)).await.unwrap();
    assert_eq!(today(&supervisor, ip).await, 0, "another day");
}

#[tokio::test]
async fn time_online_is_rationed_too_and_survives_a_restart() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, task, stop) = house.open(0);
    let mut wish = desired();
    (wish.plan.day_ms, wish.plan.idle_ms) = (Some(10 * 60_000), 0);
    supervisor.apply(wish).await.unwrap();
    let session = supervisor.admit(click(ip)).await.unwrap();
    assert_eq!(session.ends_at, BUILT_AT.plus_ms(10 * MINUTE));
    pass(&house, 4 * MINUTE).await;
    supervisor.log_out(ip).await.unwrap();
    stop.cancel();
    task.await.unwrap();
    let (supervisor, ..) = house.open(50);
    let session = supervisor.admit(click(ip)).await.unwrap();
    assert_eq!(session.ends_at.since_ms(house.clock.now()), 6 * MINUTE, "what was left of the day");
    pass(&house, 6 * MINUTE).await;
    assert_eq!(supervisor.people(), 0);
    assert_eq!(supervisor.admit(click(ip)).await.unwrap_err().code, "quota-used");
}

#[tokio::test]
async fn orders_that_nobody_can_follow_are_refused_with_the_reason() {
    let house = house();
    let ip = house.neighbour(9);
    let (supervisor, ..) = house.open(0);
    supervisor.admit(click(ip)).await.unwrap();
    let mut wish = open_for(&house, 10, 5);
    wish.plan.session_ms = 60_000;
    let refused = supervisor.apply(wish).await.unwrap_err();
    assert_eq!(refused.code, "desired-refused");
    assert!(refused.args[0].1.contains("opening span 1"), "{refused:?}");
    let session = supervisor.who(ip).await.unwrap().session.unwrap();
    assert_eq!(session.ends_at.since_ms(session.began_at), 12 * 3_600_000, "nothing of it took effect");
}
