//! Restoring: the live states after a restart of the hub, from what it wrote down.

use super::Watch;
use kulkul_model::Moment;
use kulkul_model::facts::{Facts, MINUTE_MS, Timeline};
use kulkul_model::outage::Outage;
use kulkul_model::pulse::{Pulse, REMEMBERED};
use kulkul_model::rollup::ServiceSum;
use kulkul_model::site::SiteCode;
use kulkul_store::hot::HotMinute;
use kulkul_store::{Store, StoreError, hot, outage, watching};
use std::collections::BTreeMap;

/// Rows read at a time.
const PAGE: u32 = 10_000;

#[derive(Default)]
struct Left {
    facts: Vec<(Moment, Facts)>,
    sums: BTreeMap<Moment, ServiceSum>,
    people: u32,
    seen_at: Option<Moment>,
    outage: Option<Outage>,
}

/// Reads what was left, and puts every site in place that was ever heard of late or is down.
///
/// # Errors
/// `StoreError` of the database.
pub async fn restore(watch: &Watch, store: &Store, now: Moment) -> Result<usize, StoreError> {
    let start = now.minute().plus_ms(-(REMEMBERED - 1) * MINUTE_MS);
    let mut left: BTreeMap<SiteCode, Left> = BTreeMap::new();
    let mut after = (start.plus_ms(-1), String::new());
    loop {
        // One short reading transaction a page; nothing writes yet.
        let mut tx = store.reader().await?;
        let page = hot::page(&mut tx, (after.0, &after.1), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = (last.at, last.site.as_str().to_owned());
        for minute in &page {
            left.entry(minute.site.clone()).or_default().take(minute);
        }
    }
    let mut tx = store.reader().await?;
    for o in outage::going_on(&mut tx).await? {
        let site = o.site.clone();
        left.entry(site).or_default().outage = Some(o);
    }
    let watched = watching::touching(&mut tx, start, now).await?;
    drop(tx);
    let mut blank = Timeline::blank(start, usize::try_from(REMEMBERED).unwrap_or(0));
    for (at, _) in blank.clone().iter() {
        let end = at.plus_ms(MINUTE_MS);
        if watched.iter().any(|(from, to)| *from <= at && *to >= end) {
            blank.add(at, Facts::WATCHED);
        }
    }
    let count = left.len();
    let mut live = watch.live();
    for (site, was) in left {
        let mut timeline = blank.clone();
        for (at, facts) in was.facts {
            timeline.add(at, facts);
        }
        let recorded = was.outage.map(|o| o.span);
        let pulse = Pulse::restored(now, &timeline, recorded, was.seen_at);
        let (before, after) = (recorded.map(|s| s.from), pulse.outage().map(|s| s.from));
        live.restore(now, site.clone(), pulse, was.sums, was.people);
        // What had changed in the last moments and was not yet on record.
        if before != after
            && let Some(from) = before.into_iter().chain(after).min()
        {
            live.unsettle(&site, from);
        }
    }
    Ok(count)
}

impl Left {
    fn take(&mut self, minute: &HotMinute) {
        self.facts.push((minute.at, minute.facts));
        self.people = minute.people;
        self.seen_at = self.seen_at.max(Some(minute.seen_at));
        let sum = ServiceSum {
            minutes: u32::from(minute.facts.verdict().is_some()),
            answered: u32::from(minute.rtt_us.is_some()),
            rtt_min_us: minute.rtt_us.unwrap_or(0),
            rtt_sum_us: u64::from(minute.rtt_us.unwrap_or(0)),
            rtt_max_us: minute.rtt_us.unwrap_or(0),
            rtt_p95_us: 0,
            sent: minute.sent,
            lost: minute.lost,
        };
        let hour = self.sums.entry(minute.at.hour()).or_default();
        *hour = hour.and(sum);
    }
}
