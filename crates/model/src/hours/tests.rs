use super::*;

fn at(text: &str) -> Moment {
    Moment::parse(&format!("{text}+08:00")).unwrap()
}

/// Two days worked out, the second closed; weekdays 08:00-22:00, Saturday over midnight, no Sunday.
fn table() -> (Timetable, Zone) {
    let span = |from: &str, until: &str| Span { from: at(from), until: at(until) };
    let weekday = vec![DaySpan { from_min: 480, until_min: 1_320 }];
    let mut week = Week::default();
    for day in &mut week.0[..5] {
        day.clone_from(&weekday);
    }
    week.0[5] = vec![DaySpan { from_min: 1_200, until_min: 1_560 }];
    let table = Timetable {
        // Tuesday 24 November 2026 with a break; Wednesday closed by decree.
        open: vec![
            span("2026-11-24T06:00:00", "2026-11-24T12:00:00"),
            span("2026-11-24T13:00:00", "2026-11-24T20:00:00"),
            span("2026-11-24T20:00:00", "2026-11-24T22:00:00"),
        ],
        through: at("2026-11-26T00:00:00"),
        week,
    };
    (table, Zone::named("Asia/Makassar").unwrap())
}

#[test]
fn hours_by_hand() {
    let (table, zone) = table();
    table.check().unwrap();
    // moment, closes, opens
    let cases = [
        ("2026-11-24T05:59:59", None, Some("2026-11-24T06:00:00")),
        ("2026-11-24T06:00:00", Some("2026-11-24T12:00:00"), None),
        ("2026-11-24T12:00:00", None, Some("2026-11-24T13:00:00")),
        ("2026-11-24T19:59:59", Some("2026-11-24T22:00:00"), None),
        // Closed by decree the whole Wednesday; Thursday by the week.
        ("2026-11-24T22:00:00", None, Some("2026-11-26T08:00:00")),
        ("2026-11-26T08:00:00", Some("2026-11-26T22:00:00"), None),
        // Saturday 28 November over midnight into a Sunday without hours.
        ("2026-11-28T23:59:00", Some("2026-11-29T02:00:00"), None),
        ("2026-11-29T01:59:59", Some("2026-11-29T02:00:00"), None),
        ("2026-11-29T02:00:00", None, Some("2026-11-30T08:00:00")),
    ];
    for (now, closes, opens) in cases {
        let now_at = at(now);
        assert_eq!(table.closes_at(now_at, &zone), closes.map(at), "{now} closes");
        assert_eq!(table.opens_at(now_at, &zone), opens.map(at), "{now} opens");
        assert_eq!(table.is_open(now_at, &zone), closes.is_some(), "{now} open");
    }
}

#[test]
fn a_week_without_a_gap_never_closes_and_one_without_hours_never_opens() {
    let zone = Zone::named("Asia/Makassar").unwrap();
    let all = vec![DaySpan { from_min: 0, until_min: 1_440 }];
    let week = Week(std::array::from_fn(|_| all.clone()));
    let always = Timetable { open: Vec::new(), through: Moment::EPOCH, week };
    let now = at("2026-11-24T12:00:00");
    assert!(always.is_open(now, &zone));
    assert_eq!(always.closes_at(now, &zone), None);
    let never = Timetable { week: Week::default(), ..always };
    assert!(!never.is_open(now, &zone));
    assert_eq!(never.opens_at(now, &zone), None);
}

#[test]
fn a_change_of_the_clock_moves_no_closing_hour() {
    // Berlin's clocks go back on 25 October 2026: the day has 25 hours.
    let zone = Zone::named("Europe/Berlin").unwrap();
    let mut week = Week::default();
    week.0[6] = vec![DaySpan { from_min: 480, until_min: 1_200 }];
    let table = Timetable { open: Vec::new(), through: Moment::EPOCH, week };
    let sunday = Moment::parse("2026-10-25T07:59:00+01:00").unwrap();
    let opens = Moment::parse("2026-10-25T08:00:00+01:00").unwrap();
    assert_eq!(table.opens_at(sunday, &zone), Some(opens));
    assert_eq!(table.closes_at(opens, &zone), Some(Moment::parse("2026-10-25T20:00:00+01:00").unwrap()));
}

#[test]
fn what_cannot_be_kept_to_is_named() {
    let (sound, _) = table();
    let mut table = sound.clone();
    table.open.swap(0, 1);
    assert_eq!(table.check(), Err(NotATimetable::Span(2)));
    let mut table = sound.clone();
    table.through = at("2026-11-24T21:00:00");
    assert_eq!(table.check(), Err(NotATimetable::Span(3)));
    let mut table = sound;
    table.week.0[5][0].until_min = 2_881;
    assert_eq!(table.check(), Err(NotATimetable::Week(6)));
}

#[test]
fn a_week_is_read_from_words_and_written_back() {
    let words =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(d, h)| ((*d).to_owned(), (*h).to_owned())).collect();
    let week = words::read(&words(&[("mon", "08:00-12:00, 13:00-22:00"), ("sat", "20:00-02:00")])).unwrap();
    assert_eq!(week.0[0].len(), 2);
    assert_eq!(week.0[5], [DaySpan { from_min: 1_200, until_min: 1_560 }]);
    assert!(week.0[6].is_empty(), "a day that is not named has no hours");
    assert_eq!(words::written(&week), words(&[("mon", "08:00-12:00, 13:00-22:00"), ("sat", "20:00-02:00")]));
    let daily = words::read(&words(&[("daily", "00:00-24:00")])).unwrap();
    assert!(daily.0.iter().all(|d| d == &[DaySpan { from_min: 0, until_min: 1_440 }]));
    for (day, hours, wanted) in [
        ("mond", "08:00-12:00", "\"mond\" is not a day; did you mean \"mon\"?"),
        ("mon", "8-12", "mon: \"8-12\" is not hours such as 08:00-22:00"),
        ("mon", "25:00-26:00", "mon: \"25:00-26:00\""),
        (
            "tue",
            "13:00-14:00, 08:00-09:00",
            "tue: \"08:00-09:00\" begins before the hours in front of it end",
        ),
    ] {
        let error = words::read(&words(&[(day, hours)])).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn closures_are_taken_out_of_the_days_that_are_worked_out() {
    let (table, zone) = table();
    let closed = [Span { from: at("2026-11-24T12:00:00"), until: at("2026-11-25T12:00:00") }];
    let plan = table.week.plan(&closed, at("2026-11-24T15:00:00"), 14, &zone);
    plan.check().unwrap();
    assert_eq!(plan.through, at("2026-12-08T00:00:00"));
    // From midnight of the first day on: Tuesday's morning, Wednesday from noon.
    assert_eq!(plan.open[0], Span { from: at("2026-11-24T08:00:00"), until: at("2026-11-24T12:00:00") });
    assert_eq!(plan.open[1], Span { from: at("2026-11-25T12:00:00"), until: at("2026-11-25T22:00:00") });
    assert_eq!(plan.opens_at(at("2026-11-24T13:00:00"), &zone), Some(at("2026-11-25T12:00:00")));
    // After the last day the week goes on by itself, without a seam.
    assert_eq!(plan.closes_at(at("2026-12-08T09:00:00"), &zone), Some(at("2026-12-08T22:00:00")));
    // Saturday's hours end on Sunday, inside the plan.
    assert!(
        plan.is_open(at("2026-11-29T01:00:00"), &zone) && !plan.is_open(at("2026-11-29T03:00:00"), &zone)
    );
}
