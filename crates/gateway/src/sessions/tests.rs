use super::*;

pub(crate) fn live(n: u8) -> Live {
    let ip = IpAddr::from([10, 77, 0, n]);
    Live {
        id: SessionId([n; 16]),
        mac: Mac([2, 0, 0, 0, 0, n]),
        way_in: WayIn::ClickThrough,
        terms: Some(1),
        language: "id".to_owned(),
        phase: Phase::Online,
        began_mono_ms: 1_000,
        limit_ms: 60_000,
        seen_mono_ms: 1_000,
        told_mono_ms: 1_000,
        addresses: [(ip, Counted::default())].into(),
        carried: Usage::default(),
        caps: Caps::default(),
        kind: Kind::Public,
        today: Today::default(),
        basis: None,
        own: None,
        bound: None,
    }
}

fn counter(packets: u64, bytes: u64) -> Option<Counter> {
    Some(Counter { packets, bytes })
}

#[test]
fn usage_only_grows_even_when_a_counter_is_reset() {
    let mut l = live(1);
    let ip = IpAddr::from([10, 77, 0, 1]);
    assert!(l.count(ip, counter(3, 300), counter(5, 5_000), 2_000));
    assert!(!l.count(ip, counter(3, 300), counter(5, 5_000), 3_000), "nothing passed");
    assert_eq!(l.seen_mono_ms, 2_000);
    l.count(ip, counter(1, 40), counter(6, 5_100), 4_000);
    let u = l.usage();
    assert_eq!((u.up_packets, u.up_bytes, u.down_packets, u.down_bytes), (4, 340, 6, 5_100));
}

#[test]
fn limits_end_sessions_and_idle_ones_only_when_nothing_passes() {
    let mut l = live(1);
    assert_eq!(l.must_end(30_000, 0), None);
    assert_eq!(l.must_end(30_000, 20_000), Some(StopReason::Idle));
    l.count(IpAddr::from([10, 77, 0, 1]), counter(1, 1), None, 25_000);
    assert_eq!(l.must_end(30_000, 20_000), None);
    assert_eq!(l.must_end(61_000, 0), Some(StopReason::SessionLimit));
}

#[test]
fn an_address_that_moves_takes_no_count_away() {
    let mut s = Sessions::default();
    s.insert(live(1));
    s.insert(live(2));
    let ip = IpAddr::from([10, 77, 0, 1]);
    s.get_mut(SessionId([1; 16])).unwrap().count(ip, counter(1, 100), None, 2_000);
    s.join(SessionId([2; 16]), ip);
    assert_eq!(s.id_at(ip), Some(SessionId([2; 16])));
    assert_eq!(s.get(SessionId([1; 16])).unwrap().usage().up_bytes, 100);
    assert!(s.remove(SessionId([1; 16])).is_some());
    assert_eq!(s.id_at(ip), Some(SessionId([2; 16])), "the other's address stays");
}
