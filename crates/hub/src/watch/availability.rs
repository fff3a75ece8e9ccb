//! Availability: what a site gave, step by step, from rollups and from memory.
//!
//! Hours that are on record come from `roll_hour`; the hour that is not closed yet
//! comes from the live states; what neither tells of is unknown. Time that has not
//! passed yet is in no bucket.

use crate::Hub;
use kulkul_model::availability::Seconds;
use kulkul_model::facts::{HOUR_MS, Timeline};
use kulkul_model::outage;
use kulkul_model::rollup::{ServiceSum, UsageSum};
use kulkul_model::site::SiteCode;
use kulkul_model::state::Observed;
use kulkul_model::{Moment, Zone};
use kulkul_store::roll_hour::RollHour;
use kulkul_store::{StoreError, Tx, roll_hour};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How long the steps are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Hours.
    #[default]
    Hour,
    /// Days of the regency's zone.
    Day,
    /// Months of the regency's zone.
    Month,
}

/// One step of time at one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its beginning.
    pub from: Moment,
    /// Its end.
    pub to: Moment,
    /// What its seconds count as; less than its length where it has not passed yet.
    pub seconds: Seconds,
    /// Delay and loss.
    pub service: ServiceSum,
    /// People and bytes: for staff, and suppressed for the public.
    pub usage: UsageSum,
}

impl Bucket {
    /// The worst that happened in it; none for time that has not passed.
    #[must_use]
    pub fn verdict(&self) -> Option<Observed> {
        self.seconds.worst()
    }
}

/// What a site's page shows as strips.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Strip {
    /// The hours of the local day that holds now, all of them.
    pub today: Vec<Bucket>,
    /// The last seven local days, the last being today.
    pub week: Vec<Bucket>,
}

/// The strips of a site's page at `now`.
///
/// # Errors
/// `StoreError` of the database.
pub async fn strip(hub: &Hub, tx: &mut Tx, site: &SiteCode, now: Moment) -> Result<Strip, StoreError> {
    let zone = hub.zone();
    let today = zone.day(now);
    let mut first = today;
    for _ in 0..6 {
        first = zone.day(first.plus_ms(-1));
    }
    let hours = hours(hub, tx, site, first, zone.next_day(now), now).await?;
    Ok(Strip {
        today: gather(zone, hours.iter().filter(|h| h.from >= today), Step::Hour),
        week: gather(zone, hours.iter(), Step::Day),
    })
}

/// What a site gave from `from` to `to`, in steps; the caller bounds the range.
///
/// # Errors
/// `StoreError` of the database.
pub async fn buckets(
    hub: &Hub,
    tx: &mut Tx,
    site: &SiteCode,
    (from, to): (Moment, Moment),
    step: Step,
    now: Moment,
) -> Result<Vec<Bucket>, StoreError> {
    let hours = hours(hub, tx, site, from, to, now).await?;
    Ok(gather(hub.zone(), hours.iter(), step))
}

/// The whole hours that begin in `from..to`.
async fn hours(
    hub: &Hub,
    tx: &mut Tx,
    site: &SiteCode,
    from: Moment,
    to: Moment,
    now: Moment,
) -> Result<Vec<Bucket>, StoreError> {
    let live = hub.watch().live().timeline(site);
    let rows: BTreeMap<Moment, RollHour> =
        roll_hour::range(tx, site, from.hour(), to).await?.into_iter().map(|r| (r.hour, r)).collect();
    let mut out = Vec::new();
    let mut at = from.hour();
    while at < to {
        out.push(hour(at, rows.get(&at), live.as_ref(), now));
        at = at.plus_ms(HOUR_MS);
    }
    Ok(out)
}

fn hour(from: Moment, row: Option<&RollHour>, live: Option<&Timeline>, now: Moment) -> Bucket {
    let to = from.plus_ms(HOUR_MS);
    let blank = Bucket {
        from,
        to,
        seconds: Seconds::default(),
        service: row.map(|r| r.service).unwrap_or_default(),
        usage: row.map(|r| r.usage).unwrap_or_default(),
    };
    if from >= now {
        return blank;
    }
    let mut seconds = match (row, live) {
        (Some(row), _) if to <= now => row.seconds,
        (_, Some(t)) => outage::seconds(t, &outage::spans(t), from, to),
        _ => Seconds::default(),
    };
    // What is past and nowhere told of was not observed; the minutes still being counted wait.
    let told = live.map_or(now, Timeline::end).min(to).since_ms(from).max(0) / 1000;
    let told = if to <= now { HOUR_MS / 1000 } else { told };
    seconds.unknown += (told - seconds.total()).max(0);
    Bucket { seconds, ..blank }
}

/// Joins hours into steps.
fn gather<'a>(zone: &Zone, hours: impl Iterator<Item = &'a Bucket>, step: Step) -> Vec<Bucket> {
    let mut out: Vec<Bucket> = Vec::new();
    for hour in hours {
        let (from, to) = bounds(zone, hour.from, step);
        match out.last_mut().filter(|b| b.from == from) {
            Some(bucket) => {
                bucket.seconds.plus(&hour.seconds);
                bucket.service = bucket.service.and(hour.service);
                bucket.usage = bucket.usage.and(hour.usage);
            }
            None => out.push(Bucket { from, to, ..*hour }),
        }
    }
    out
}

/// The step that holds the hour that begins at `at`.
fn bounds(zone: &Zone, at: Moment, step: Step) -> (Moment, Moment) {
    match step {
        Step::Hour => (at, at.plus_ms(HOUR_MS)),
        Step::Day => (zone.day(at), zone.next_day(at)),
        Step::Month => {
            let month = zone.civil(at).month();
            let mut from = zone.day(at);
            while zone.civil(from.plus_ms(-1)).month() == month {
                from = zone.day(from.plus_ms(-1));
            }
            let mut to = zone.next_day(at);
            while zone.civil(to).month() == month {
                to = zone.next_day(to);
            }
            (from, to)
        }
    }
}
