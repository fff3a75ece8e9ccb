use super::*;
use crate::facts::HourFacts;
use crate::measurement::Verdict;
use proptest::prelude::*;

const START: Moment = Moment::from_ms(1_795_500_000_000);

fn at(minute: i64) -> Moment {
    START.plus_ms(minute * MINUTE_MS)
}

/// One letter a minute: g good, h heard only, p poor, F failed as measured, s silent,
/// r self-reported good, ? unknown.
fn line(text: &str) -> Timeline {
    let facts = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            'g' => Facts::WATCHED.and(Facts::HEARD).and(Facts::measured(Verdict::Good)),
            'h' => Facts::WATCHED.and(Facts::HEARD),
            'p' => Facts::measured(Verdict::Poor),
            'F' => Facts::WATCHED.and(Facts::measured(Verdict::Failed)).and(Facts::HEARD),
            's' => Facts::WATCHED,
            'r' => Facts::WATCHED.and(Facts::measured(Verdict::Good)),
            _ => Facts::NONE,
        })
        .collect();
    Timeline { start: START, facts }
}

fn shown(text: &str) -> String {
    spans(&line(text))
        .iter()
        .map(|s| {
            let m = |t: Moment| t.since_ms(START) / MINUTE_MS;
            let to = s.to.map_or("...".to_owned(), |t| m(t).to_string());
            format!("{}-{to} {}s {}s", m(s.from), s.seconds, s.silent_seconds)
        })
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn outages_follow_the_rule() {
    for (minutes, expected) in [
        ("ggggg", ""),
        ("ggFFg", ""),
        ("ggsssg", "2-5 180s 180s"),
        ("ggFsFg", "2-5 180s 60s"),
        ("ggsss", "2-... 180s 180s"),
        ("ggssssssp", "2-8 360s 360s"),
        ("gFFgFFFgFFg", "4-7 180s 0s"),
        ("g?????g", ""),
        ("gFF?Fg", ""),
        ("gFFF??Fg", "1-7 240s 0s"),
        ("gFFF??", "1-... 180s 0s"),
        ("gsssrrrg", "1-4 180s 180s"),
        ("grrrrrrg", ""),
    ] {
        assert_eq!(shown(minutes), expected, "{minutes}");
    }
    let long = format!("FFF{}FFFg", "?".repeat(61));
    assert_eq!(shown(&long), "0-3 180s 0s, 64-67 180s 0s");
    let bridged = format!("FFF{}FFFg", "?".repeat(60));
    assert_eq!(shown(&bridged), "0-66 360s 0s");
}

#[test]
fn every_minute_counts_as_one_thing() {
    let t = line("ghpFgFFF?sgF");
    let s = spans(&t);
    let kinds: String = observed(&t, &s)
        .map(|(_, o)| match o {
            Observed::Up => 'u',
            Observed::Degraded => 'd',
            Observed::Down => 'X',
            Observed::Unknown => '?',
        })
        .collect();
    assert_eq!(kinds, "uuddu XXX?X ud".replace(' ', ""));
    let sum = seconds(&t, &s, at(0), at(12));
    assert_eq!((sum.up, sum.degraded, sum.down, sum.unknown), (240, 180, 240, 60));
}

#[test]
fn the_state_now_does_not_flicker() {
    for (minutes, now) in [
        ("", Observed::Unknown),
        ("g", Observed::Up),
        ("gp", Observed::Up),
        ("gpp", Observed::Degraded),
        ("gpgp", Observed::Degraded),
        ("gppggg", Observed::Degraded),
        ("gppgggg", Observed::Up),
        ("gs", Observed::Up),
        ("gss", Observed::Up),
        ("gFF", Observed::Degraded),
        ("gsss", Observed::Down),
        ("gsssg", Observed::Up),
        ("gsss?", Observed::Down),
        ("gsss??", Observed::Unknown),
        ("?", Observed::Unknown),
        ("??ss", Observed::Unknown),
        ("gsss?s", Observed::Down),
    ] {
        let mut f = Follower::default();
        for (at, facts) in line(minutes).iter() {
            f.step(at, facts);
        }
        assert_eq!(f.observed(), now, "{minutes}");
    }
}

fn on_record(number: i64, span: Span, cause: Cause) -> Outage {
    Outage {
        number,
        site: SiteCode::parse("BJ-001").unwrap(),
        span,
        cause,
        parent: None,
        upstream: None,
        revision: 1,
        evidence: None,
        withdrawn: false,
    }
}

#[test]
fn late_news_revises_and_withdraws() {
    let live = spans(&line("gssssg"));
    let known = [on_record(7, live[0], Cause::Unknown)];
    // The journal: the line went a minute later and was back a minute sooner.
    let signed = spans(&line("ggFFFgg"));
    let lost = [Clue { cause: Cause::Uplink, from: at(2).plus_ms(4_000), to: Some(at(5)) }];
    assert_eq!(corrections(&known, &signed, &lost), [Correction::Revise(7, signed[0], Cause::Uplink)],);
    // Only the way to the hub was cut.
    assert_eq!(corrections(&known, &spans(&line("grrrrg")), &[]), [Correction::Withdraw(7)]);
    // Two that turn out to be one.
    let two = spans(&line("FFFgFFFg"));
    let known: Vec<Outage> =
        two.iter().enumerate().map(|(i, s)| on_record(i as i64, *s, Cause::Power)).collect();
    let one = spans(&line("FFFFFFFg"));
    assert_eq!(
        corrections(&known, &one, &[]),
        [Correction::Revise(0, one[0], Cause::Power), Correction::Withdraw(1)],
    );
    assert_eq!(corrections(&[], &one, &lost), [Correction::Open(one[0], Cause::Uplink)]);
}

#[test]
fn power_explains_more_than_the_line() {
    let span = spans(&line("gggFFFg"))[0];
    let clue = |cause, from: i64, to: i64| Clue { cause, from: at(from), to: Some(at(to)) };
    assert_eq!(cause(&span, &[clue(Cause::Uplink, 3, 6), clue(Cause::Power, 3, 6)]), Cause::Power);
    assert_eq!(cause(&span, &[clue(Cause::Power, -60, 0)]), Cause::Unknown, "over before it began");
    assert_eq!(cause(&span, &[clue(Cause::Power, 9, 12)]), Cause::Unknown, "began after it");
    assert_eq!(cause(&span, &[clue(Cause::Gateway, 6, 6)]), Cause::Gateway, "it started at the end");
    assert_eq!(
        cause(&span, &[clue(Cause::Gateway, 2, 2)]),
        Cause::Unknown,
        "it started and then fell silent"
    );
    assert_eq!(cause(&span, &[Clue { to: None, ..clue(Cause::Uplink, 3, 3) }]), Cause::Uplink);
}

fn news() -> impl Strategy<Value = Vec<(usize, char)>> {
    prop::collection::vec(
        (0usize..180, prop::sample::select(vec!['g', 'h', 'p', 'F', 's', 'r', '?'])),
        0..400,
    )
}

fn told(news: &[(usize, char)]) -> Timeline {
    let mut t = Timeline::blank(START, 180);
    for (i, c) in news {
        t.add(at(*i as i64), line(&c.to_string()).facts[0]);
    }
    t
}

proptest! {
    #[test]
    fn each_second_has_one_bucket_and_news_has_no_order(news in news(), cut in 0i64..180) {
        let t = told(&news);
        let s = spans(&t);
        let sum = seconds(&t, &s, at(0), at(180));
        prop_assert_eq!(sum.total(), 180 * 60);
        let mut halves = seconds(&t, &s, at(0), at(cut));
        halves.plus(&seconds(&t, &s, at(cut), at(180)));
        prop_assert_eq!(halves, sum);
        prop_assert_eq!(s.iter().map(|s| s.seconds).sum::<i64>(), sum.down);
        let again: Vec<_> = news.iter().rev().chain(&news).copied().collect();
        prop_assert_eq!(&told(&again), &t);
        let mut hours = Timeline::blank(START, 180);
        for h in [2, 0, 1, 0] {
            let hour: HourFacts = t.hour(at(h * 60));
            hours.add_hour(at(h * 60), &hour);
        }
        prop_assert_eq!(hours, t);
    }

    #[test]
    fn corrections_settle_at_once(before in news(), after in news()) {
        let clues = [Clue { cause: Cause::Uplink, from: at(30), to: Some(at(90)) }];
        let mut known: Vec<Outage> = spans(&told(&before)).into_iter().enumerate()
            .map(|(i, s)| on_record(i as i64, s, Cause::Unknown)).collect();
        let found = spans(&told(&after));
        for c in corrections(&known, &found, &clues) {
            match c {
                Correction::Open(s, why) => known.push(on_record(1000 + known.len() as i64, s, why)),
                Correction::Revise(n, s, why) => {
                    let o = known.iter_mut().find(|o| o.number == n).unwrap();
                    (o.span, o.cause) = (s, why);
                }
                Correction::Withdraw(n) => known.retain(|o| o.number != n),
            }
        }
        known.sort_by_key(|o| o.span.from);
        prop_assert_eq!(known.iter().map(|o| o.span).collect::<Vec<_>>(), found.clone());
        prop_assert_eq!(corrections(&known, &found, &clues), vec![]);
    }
}
