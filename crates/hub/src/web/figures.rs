//! Numbers and times as people of each language write them.
//!
//! 1.234 and 0,5 in Indonesian, 1,234 and 0.5 in English; a 24-hour clock with the
//! zone's short name in both. Never used for what programs read.

use super::language::Lang;
use super::words::W;
use kulkul_model::{Moment, Zone};

/// A whole number with groups of three.
#[must_use]
pub fn number(lang: Lang, n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mark = match lang {
        Lang::Id => '.',
        Lang::En => ',',
    };
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(c);
    }
    out
}

/// A number with `digits` places after the comma; trailing zeros are kept.
#[must_use]
pub fn decimal(lang: Lang, x: f64, digits: usize) -> String {
    let text = format!("{x:.digits$}");
    match lang {
        Lang::Id => text.replace('.', ","),
        Lang::En => text,
    }
}

/// Bytes as megabytes; under ten of them with a tenth.
#[must_use]
pub fn megabytes(lang: Lang, bytes: u64) -> String {
    const MEGA: u64 = 1_000_000;
    let whole = i64::try_from(bytes / MEGA).unwrap_or(i64::MAX);
    if whole >= 10 {
        return format!("{} MB", number(lang, whole));
    }
    let tenths = u32::try_from(bytes.saturating_mul(10) / MEGA).unwrap_or(u32::MAX);
    format!("{} MB", decimal(lang, f64::from(tenths) / 10.0, 1))
}

/// The clock time: `14.32` in Indonesian, `14:32` in English.
#[must_use]
pub fn clock(lang: Lang, zone: &Zone, at: Moment) -> String {
    let local = zone.civil(at);
    let mark = match lang {
        Lang::Id => '.',
        Lang::En => ':',
    };
    format!("{:02}{mark}{:02}", local.hour(), local.minute())
}

/// The date: `24 November 2026`.
#[must_use]
pub fn date(w: &W, zone: &Zone, at: Moment) -> String {
    let local = zone.civil(at);
    format!("{} {} {}", local.day(), w.of("month", &local.month().to_string()), local.year())
}

/// Date and clock time with the zone: `24 November 2026, 14.32 WITA`.
#[must_use]
pub fn date_clock(w: &W, zone: &Zone, at: Moment) -> String {
    format!("{}, {} {}", date(w, zone, at), clock(w.lang(), zone, at), zone.short(at))
}

/// How long ago, in the largest unit that fits: seconds, minutes, hours, days.
#[must_use]
pub fn ago(w: &W, at: Moment, now: Moment) -> String {
    let s = now.since_ms(at).max(0) / 1000;
    match s {
        0..60 => w.n("ago-seconds", s),
        60..3_600 => w.n("ago-minutes", s / 60),
        3_600..86_400 => w.n("ago-hours", s / 3_600),
        _ => w.n("ago-days", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_megabytes_small_ones_with_a_tenth() {
        for (bytes, id, en) in [
            (0, "0,0 MB", "0.0 MB"),
            (1_260_000, "1,2 MB", "1.2 MB"),
            (1_234_567_890, "1.234 MB", "1,234 MB"),
        ] {
            assert_eq!((megabytes(Lang::Id, bytes).as_str(), megabytes(Lang::En, bytes).as_str()), (id, en));
        }
    }

    #[test]
    fn numbers_follow_the_language() {
        for (n, id, en) in [(0, "0", "0"), (987, "987", "987"), (-1_234_567, "-1.234.567", "-1,234,567")] {
            assert_eq!((number(Lang::Id, n), number(Lang::En, n)), (id.to_owned(), en.to_owned()));
        }
        assert_eq!(decimal(Lang::Id, 13.84, 1), "13,8");
        let zone = Zone::named("Asia/Makassar").unwrap();
        assert_eq!(clock(Lang::Id, &zone, Moment::from_ms(0)), "08.00");
    }
}
