//! Strips: a day by hours and a week by days, as bars whose height tells as much as their colour.
//!
//! Drawn as SVG of whole numbers. Time that nobody observed is shown as such and is
//! part of no percentage.

use super::shown::word;
use crate::web::{Page, figures};
use kulkul_model::Moment;
use kulkul_model::availability::Seconds;
use kulkul_model::state::{Observed, Sign};
use std::fmt::Write as _;

/// One bar: a stretch of time and what its seconds count as.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Its beginning.
    pub from: Moment,
    /// Its end.
    pub to: Moment,
    /// What its seconds count as; none for time that has not passed.
    pub seconds: Seconds,
}

/// How bars are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By clock time.
    Hour,
    /// By day of the week.
    Day,
}

/// A strip for a template.
#[derive(Clone, Debug)]
pub struct Strip {
    /// The bars, one `svg` element.
    pub svg: String,
    /// What stands under the bars, from left to right.
    pub scale: Vec<String>,
    /// What happened, in words.
    pub words: String,
    /// The share of observed time in which it worked; none when little was observed.
    pub percent: Option<String>,
}

const HIGHEST: u32 = 40;

/// The class and the height of a bar.
fn look(seconds: &Seconds) -> (&'static str, u32) {
    match seconds.worst() {
        Some(Observed::Down) => ("down", HIGHEST),
        Some(Observed::Degraded) => ("degraded", 31),
        Some(Observed::Up) => ("up", 24),
        Some(Observed::Unknown) => ("unknown", 16),
        None if seconds.closed + seconds.excused > 0 => ("closed", 11),
        None => ("none", 5),
    }
}

impl Strip {
    /// Draws the bars; none when nothing at all was observed.
    #[must_use]
    pub fn of(page: &Page, cells: &[Cell], by: By) -> Option<Self> {
        let mut all = Seconds::default();
        for cell in cells {
            all.plus(&cell.seconds);
        }
        let observed = all.up + all.degraded + all.down;
        if observed == 0 {
            return None;
        }
        let mut svg = String::new();
        let words = summary(page, &all);
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            r#"<svg class="strip" viewBox="0 0 {} {HIGHEST}" preserveAspectRatio="none" role="img" aria-label="{words}">"#,
            cells.len() * 10
        );
        for (i, cell) in cells.iter().enumerate() {
            let (class, height) = look(&cell.seconds);
            let _ = write!(
                svg,
                r#"<rect class="{class}" x="{}" y="{}" width="9" height="{height}"><title>{}: {}</title></rect>"#,
                i * 10,
                HIGHEST - height,
                name(page, cell, by),
                summary(page, &cell.seconds)
            );
        }
        svg.push_str("</svg>");
        let enough = observed * 2 > observed + all.unknown;
        Some(Strip {
            svg,
            scale: scale(page, cells, by),
            words,
            percent: enough.then(|| percent(page, &all)),
        })
    }
}

fn name(page: &Page, cell: &Cell, by: By) -> String {
    let zone = page.hub().zone();
    match by {
        By::Hour => {
            let clock = |at| figures::clock(page.w.lang(), zone, at);
            format!("{}–{}", clock(cell.from), clock(cell.to))
        }
        By::Day => weekday(page, cell.from),
    }
}

fn weekday(page: &Page, at: Moment) -> String {
    page.w.of("weekday", &page.hub().zone().civil(at).weekday().to_monday_one_offset().to_string())
}

fn scale(page: &Page, cells: &[Cell], by: By) -> Vec<String> {
    match by {
        By::Hour => [0, 6, 12, 18, 24]
            .into_iter()
            .filter_map(|i| {
                let at = cells.get(i).map(|c| c.from).or_else(|| cells.last().map(|c| c.to))?;
                Some(figures::clock(page.w.lang(), page.hub().zone(), at))
            })
            .collect(),
        By::Day => cells.iter().map(|c| weekday(page, c.from).chars().take(3).collect()).collect(),
    }
}

/// `Menyala 5 jam, mati 56 menit`.
fn summary(page: &Page, seconds: &Seconds) -> String {
    let parts = [
        (Sign::Up, seconds.up),
        (Sign::Degraded, seconds.degraded),
        (Sign::Down, seconds.down),
        (Sign::Unknown, seconds.unknown),
        (Sign::Closed, seconds.closed + seconds.excused),
    ];
    let mut text = String::new();
    for (sign, s) in parts.into_iter().filter(|(_, s)| *s > 0) {
        let word = word(page, sign);
        let word = if text.is_empty() { word } else { word.to_lowercase() };
        let _ = write!(text, "{}{word} {}", if text.is_empty() { "" } else { ", " }, duration(page, s));
    }
    if text.is_empty() { page.w.t("strip-not-yet").to_owned() } else { text }
}

/// A length of time in its two largest units.
fn duration(page: &Page, seconds: i64) -> String {
    let minutes = (seconds + 30) / 60;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let unit = |key: &str, n: i64| (n > 0).then(|| page.w.n(key, n));
    let units = match (days, hours) {
        (0, 0) => [Some(page.w.n("strip-minutes", minutes.max(1))), None],
        (0, _) => [unit("strip-hours", hours), unit("strip-minutes", rest)],
        _ => [unit("strip-days", days), unit("strip-hours", hours)],
    };
    units.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The share of observed open time in which it worked, rounded down to a hundredth.
fn percent(page: &Page, all: &Seconds) -> String {
    let (good, observed) = (all.up + all.degraded, all.up + all.degraded + all.down);
    let hundredths = good.saturating_mul(10_000).checked_div(observed).unwrap_or(0);
    let mark = page.w.t("strip-mark");
    page.w.a("strip-percent", "percent", format!("{}{mark}{:02}%", hundredths / 100, hundredths % 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_alone_tell_the_states_apart() {
        let of = |up, degraded, down, unknown, closed| {
            look(&Seconds { up, degraded, down, unknown, closed, ..Seconds::default() }).1
        };
        let mut heights = vec![
            of(3600, 0, 0, 0, 0),
            of(3000, 600, 0, 0, 0),
            of(3000, 0, 600, 0, 0),
            of(0, 0, 0, 3600, 0),
            of(0, 0, 0, 0, 3600),
            of(0, 0, 0, 0, 0),
        ];
        heights.sort_unstable();
        heights.dedup();
        assert_eq!(heights.len(), 6);
    }
}
