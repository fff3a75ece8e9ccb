use super::*;
use crate::portal::face::Box as Here;
use crate::words::Words;
use kulkul_model::hours::{Span, Timetable, Week};
use kulkul_model::session::{Mac, SessionId, Usage};

const HOUR_MS: i64 = 3_600_000;

fn at(text: &str) -> Moment {
    Moment::parse(&format!("2026-11-24T{text}:00+08:00")).unwrap()
}

/// Open from 08:00 to 22:00, 2 h and 100 MB a day; a session of 4 h that began at 12:00.
fn here() -> (Face, Who, Session) {
    let here = Here { host: None, lan4: None, port: 80 };
    let mut face = Face::plain(&Words::builtin(), &here).unwrap();
    let open = vec![Span { from: at("08:00"), until: at("22:00") }];
    let through = face.zone.next_day(at("08:00"));
    face.timetable = Some(Timetable { open, through, week: Week::default() });
    let session = Session {
        id: SessionId([1; 16]),
        mac: Mac([2, 0, 0, 0, 0, 1]),
        addresses: Vec::new(),
        way_in: WayIn::ClickThrough,
        terms: Some(0),
        began_at: at("12:00"),
        ends_at: at("16:00"),
        last_seen_at: at("12:00"),
        usage: Usage { up_bytes: 1_000_000, down_bytes: 9_000_000, up_packets: 1, down_packets: 1 },
    };
    let who = Who { mac: session.mac, session: Some(session.clone()), today: None };
    (face, who, session)
}

#[test]
fn the_earliest_end_counts() {
    let (mut face, mut who, mut session) = here();
    let stand = |face: &Face, who: &Who, session: &Session, now| {
        let s = Standing::of(face, who, session, now, Some(now));
        (s.until, s.end)
    };
    assert_eq!(stand(&face, &who, &session, at("13:00")), (at("16:00"), End::Limit));
    session.ends_at = at("23:30");
    assert_eq!(stand(&face, &who, &session, at("13:00")), (at("22:00"), End::Closing));
    face.day_ms = Some(7_200_000);
    assert_eq!(
        stand(&face, &who, &session, at("13:00")),
        (at("14:00"), End::DayTime),
        "by the session alone"
    );
    who.today = Some(DayUse { bytes: 0, ms: 7_000_000 });
    let s = Standing::of(&face, &who, &session, at("13:00"), Some(at("13:00")));
    assert_eq!((s.left_ms, s.day_ms_left), (200_000, Some(200_000)));
}

#[test]
fn a_session_that_was_clipped_to_closing_is_said_to_end_by_it() {
    let (face, who, mut session) = here();
    for ms in [-900, 0, 900] {
        session.ends_at = at("22:00").plus_ms(ms);
        let s = Standing::of(&face, &who, &session, at("21:45"), Some(at("21:45")));
        assert_eq!((s.until, s.end, s.renewable), (at("22:00"), End::Closing, false), "{ms}");
    }
    session.ends_at = at("22:00").plus_ms(-5_000);
    let s = Standing::of(&face, &who, &session, at("21:45"), Some(at("21:45")));
    assert_eq!((s.until, s.end), (session.ends_at, End::Limit));
}

#[test]
fn the_days_time_does_not_end_what_midnight_renews() {
    let (mut face, mut who, mut session) = here();
    (face.timetable, face.day_ms) = (None, Some(2 * 3_600_000));
    session.ends_at = at("23:00").plus_ms(4 * HOUR_MS);
    who.today = Some(DayUse { bytes: 0, ms: 0 });
    let s = Standing::of(&face, &who, &session, at("23:00"), Some(at("23:00")));
    assert_eq!((s.until, s.end), (session.ends_at, End::Limit));
}

#[test]
fn the_countdown_begins_ten_minutes_before_closing() {
    let (face, who, mut session) = here();
    session.ends_at = at("23:30");
    let closing = |now| Standing::of(&face, &who, &session, now, Some(now)).closing;
    assert_eq!(closing(at("21:49")), None);
    assert_eq!(closing(at("21:50")), Some(at("22:00")));
    let unset = Standing::of(&face, &who, &session, at("21:55"), None);
    assert_eq!((unset.closing, unset.end), (None, End::Limit), "hours mean nothing while the clock is unset");
}

#[test]
fn a_session_is_renewed_near_its_limit_and_never_past_closing_or_other_terms() {
    let (mut face, who, session) = here();
    let now = at("15:45");
    let s = Standing::of(&face, &who, &session, now, Some(now));
    assert!(s.renewable && s.renews_now());
    let early = Standing::of(&face, &who, &session, at("15:00"), Some(at("15:00")));
    assert!(early.renewable && !early.renews_now());
    face.terms_version = 2;
    assert!(!Standing::of(&face, &who, &session, now, Some(now)).renewable, "new terms ask anew");
    face.terms_version = 0;
    let late = Session { ends_at: at("22:10"), ..session };
    assert!(!Standing::of(&face, &who, &late, at("21:55"), Some(at("21:55"))).renewable);
}

#[test]
fn the_days_share_is_used_by_bytes_or_by_time() {
    let (mut face, ..) = here();
    (face.day_bytes, face.day_ms) = (Some(100), Some(1_000));
    let used = |bytes, ms| face.used_up(Some(DayUse { bytes, ms }));
    assert_eq!(used(99, 999), None);
    assert_eq!(used(100, 0), Some(Used::Data));
    assert_eq!(used(0, 1_000), Some(Used::Time));
    assert_eq!(face.used_up(None), None);
    assert_eq!(face.opening(Some(at("07:00"))), Opening::Closed(Some(at("08:00"))));
    assert_eq!(face.opening(Some(at("09:00"))), Opening::Open(Some(at("22:00"))));
}
