//! Settling: outages and seconds made to agree with all that is known by now.
//!
//! One way for all news: a live change, an hour block, a clue. It reads the facts
//! around a stretch of a site's time, finds its outages, corrects the record by
//! revisions, and counts the hours' seconds anew. Doing it twice changes nothing.

use kulkul_model::Moment;
use kulkul_model::availability::Seconds;
use kulkul_model::facts::{HOUR_MS, MINUTE_MS, Timeline};
use kulkul_model::outage::{self, Correction, Outage, Span};
use kulkul_model::site::SiteCode;
use kulkul_store::roll_hour::RollHour;
use kulkul_store::{StoreError, Tx, clue, outage as record, roll_hour};
use std::collections::BTreeMap;

/// An outage needs this many minutes, so news reaches this far to both sides.
const REACH_MS: i64 = 3 * MINUTE_MS;
/// How far an outage that seems to go on is followed at a time.
const FOLLOW_MS: i64 = 24 * HOUR_MS;
/// Clues are looked for this far around.
const CLUES_MS: i64 = 10 * MINUTE_MS;

/// Settles the outages and seconds of a site from `from` to `to`.
///
/// `live` is what memory knows of the latest two hours; without it everything up to
/// `now` that no row tells of is unknown. Gives the number of corrections.
///
/// # Errors
/// `StoreError` of the database.
pub async fn settle(
    tx: &mut Tx,
    site: &SiteCode,
    from: Moment,
    to: Moment,
    live: Option<&Timeline>,
    now: Moment,
) -> Result<usize, StoreError> {
    let horizon = live.map_or(now.minute(), Timeline::end);
    let mut window = Window { from: from.plus_ms(-REACH_MS).hour(), to: hour_end(to.plus_ms(REACH_MS)) };
    let mut known = window.hold(tx, site, horizon).await?;
    let (mut rows, mut timeline) = window.read(tx, site, live, horizon).await?;
    let mut found = outage::spans(&timeline);
    while found.last().is_some_and(|s| s.to.is_none()) && timeline.end() < horizon {
        window.to = window.to.plus_ms(FOLLOW_MS);
        known = window.hold(tx, site, horizon).await?;
        (rows, timeline) = window.read(tx, site, live, horizon).await?;
        found = outage::spans(&timeline);
    }
    let clues = clue::touching(tx, site, window.from.plus_ms(-CLUES_MS), window.to.plus_ms(CLUES_MS)).await?;
    let corrections = outage::corrections(&known, &found, &clues);
    for correction in &corrections {
        correct(tx, site, &known, correction, now).await?;
    }
    let seconds = by_hour(&timeline, &found);
    for row in rows {
        if let Some(new) = seconds.get(&row.hour).filter(|s| **s != row.seconds) {
            roll_hour::set_seconds(tx, site, row.hour, new).await?;
        }
    }
    Ok(corrections.len())
}

/// The end of the hour that `at` lies in or ends.
fn hour_end(at: Moment) -> Moment {
    at.plus_ms(HOUR_MS - 1).hour()
}

struct Window {
    from: Moment,
    to: Moment,
}

impl Window {
    /// Grows until no outage on record reaches over its ends; gives those in it.
    async fn hold(
        &mut self,
        tx: &mut Tx,
        site: &SiteCode,
        horizon: Moment,
    ) -> Result<Vec<Outage>, StoreError> {
        loop {
            let known = record::touching(tx, site, self.from, self.to).await?;
            let first = known.iter().map(|o| o.span.from.hour()).min();
            let last = known.iter().map(|o| hour_end(o.span.to.unwrap_or(horizon).plus_ms(REACH_MS))).max();
            let (from, to) = (first.map_or(self.from, |f| f.min(self.from)), last.unwrap_or(self.to));
            let grown = from < self.from || to > self.to;
            (self.from, self.to) = (from, to.max(self.to));
            if !grown {
                return Ok(known);
            }
        }
    }

    /// What is known of the window's minutes, up to the horizon.
    async fn read(
        &self,
        tx: &mut Tx,
        site: &SiteCode,
        live: Option<&Timeline>,
        horizon: Moment,
    ) -> Result<(Vec<RollHour>, Timeline), StoreError> {
        let end = self.to.min(horizon);
        let minutes = usize::try_from(end.since_ms(self.from) / MINUTE_MS).unwrap_or(0);
        let mut timeline = Timeline::blank(self.from, minutes);
        let rows = roll_hour::range(tx, site, self.from, self.to).await?;
        for row in &rows {
            timeline.add_hour(row.hour, &row.facts);
        }
        for (at, facts) in live.into_iter().flat_map(Timeline::iter) {
            timeline.add(at, facts);
        }
        Ok((rows, timeline))
    }
}

async fn correct(
    tx: &mut Tx,
    site: &SiteCode,
    known: &[Outage],
    correction: &Correction,
    now: Moment,
) -> Result<(), StoreError> {
    let of = |number: i64| known.iter().find(|o| o.number == number).cloned();
    match *correction {
        Correction::Open(span, cause) => record::open(tx, site, span, cause, now).await.map(drop),
        Correction::Revise(number, span, cause) => match of(number) {
            Some(old) => record::revise(tx, &Outage { span, cause, ..old }, now).await,
            None => Ok(()),
        },
        Correction::Withdraw(number) => match of(number) {
            Some(old) => record::revise(tx, &Outage { withdrawn: true, ..old }, now).await,
            None => Ok(()),
        },
    }
}

/// Seconds of each whole hour of a timeline.
fn by_hour(timeline: &Timeline, spans: &[Span]) -> BTreeMap<Moment, Seconds> {
    let mut hours: BTreeMap<Moment, Seconds> = BTreeMap::new();
    for (at, state) in outage::observed(timeline, spans) {
        hours.entry(at.hour()).or_default().add(state, 60);
    }
    hours.retain(|_, s| s.total() == 3600);
    hours
}
