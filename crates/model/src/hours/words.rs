//! Weekly hours as people write them: `mon` and `08:00-12:00, 13:00-22:00`.
//!
//! `daily` stands for all seven days. Hours that end at or before their beginning end on
//! the next day; `24:00` is the end of the day.

use super::{DaySpan, Week};
use crate::spelling;
use std::collections::BTreeMap;

/// The days' names, Monday first.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// The name that stands for all days.
pub const DAILY: &str = "daily";

/// Why words are not weekly hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHours {
    /// No day has this name.
    #[error("\"{name}\" is not a day; {}", near(name))]
    Day {
        /// What was written.
        name: String,
    },
    /// Not a time, a dash and a time.
    #[error("{0}: \"{1}\" is not hours such as 08:00-22:00")]
    Form(String, String),
    /// Hours of one day overlap or are out of order.
    #[error("{0}: \"{1}\" begins before the hours in front of it end")]
    Order(String, String),
}

fn near(day: &str) -> String {
    let known = DAYS.into_iter().chain([DAILY]);
    spelling::nearest(day, known.clone()).map_or_else(
        || format!("there are {}", known.collect::<Vec<_>>().join(", ")),
        |d| format!("did you mean \"{d}\"?"),
    )
}

/// Reads hours by day.
///
/// # Errors
/// `NotHours` names the day and the words.
pub fn read(words: &BTreeMap<String, String>) -> Result<Week, NotHours> {
    let mut week = Week::default();
    if let Some(hours) = words.get(DAILY) {
        let day = spans(DAILY, hours)?;
        week.0.fill(day);
    }
    for (day, hours) in words.iter().filter(|(day, _)| *day != DAILY) {
        let index = DAYS.iter().position(|d| d == day).ok_or_else(|| NotHours::Day { name: day.clone() })?;
        if let Some(place) = week.0.get_mut(index) {
            *place = spans(day, hours)?;
        }
    }
    Ok(week)
}

fn spans(day: &str, hours: &str) -> Result<Vec<DaySpan>, NotHours> {
    let mut out: Vec<DaySpan> = Vec::new();
    for part in hours.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        let bad = || NotHours::Form(day.to_owned(), part.to_owned());
        let (from, until) = part.split_once('-').ok_or_else(bad)?;
        let from_min = minutes(from.trim()).filter(|m| *m < 1_440).ok_or_else(bad)?;
        let until_min = minutes(until.trim()).ok_or_else(bad)?;
        let until_min = if until_min <= from_min { until_min + 1_440 } else { until_min };
        if out.last().is_some_and(|before| before.until_min > from_min) {
            return Err(NotHours::Order(day.to_owned(), part.to_owned()));
        }
        out.push(DaySpan { from_min, until_min });
    }
    Ok(out)
}

/// Minutes after midnight of `HH:MM`, up to 24:00.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once([':', '.'])?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(hours * 60 + minutes).filter(|all| minutes < 60 && *all <= 1_440)
}

/// Writes hours by day; days without hours are left out.
#[must_use]
pub fn written(week: &Week) -> BTreeMap<String, String> {
    let clock = |m: u16| format!("{:02}:{:02}", m / 60, m % 60);
    let day = |spans: &Vec<DaySpan>| {
        let span = |s: &DaySpan| {
            let until = if s.until_min > 1_440 { s.until_min - 1_440 } else { s.until_min };
            format!("{}-{}", clock(s.from_min), clock(until))
        };
        spans.iter().map(span).collect::<Vec<_>>().join(", ")
    };
    let named = DAYS.iter().zip(&week.0).filter(|(_, spans)| !spans.is_empty());
    named.map(|(name, spans)| ((*name).to_owned(), day(spans))).collect()
}
