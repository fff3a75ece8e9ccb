//! Intake: what a journal brings about minutes, hours and causes.
//!
//! Called within the write that keeps the entry, so that nothing is acknowledged
//! which is not also counted. An entry that makes no sense is logged and left: the
//! journal has it for ever. Taking an entry twice changes nothing.

use kulkul_model::Moment;
use kulkul_model::facts::{Facts, HOUR_MS, HourFacts, MINUTE_MS, Mark, Timeline};
use kulkul_model::gateway::GatewayId;
use kulkul_model::measurement::Verdict;
use kulkul_model::outage::{self, Cause, Clue};
use kulkul_model::rollup::{ServiceSum, UsageSum};
use kulkul_model::site::SiteCode;
use kulkul_store::line::{self, Carried, Stretch, Switch};
use kulkul_store::roll_hour::RollHour;
use kulkul_store::{StoreError, Tx, clue, outage as record, pack, roll_hour, unsettled};
use kulkul_wire::link::Entry;
use kulkul_wire::link::event::Event;
use kulkul_wire::minutes::{self, MinutesError};

/// A box's clock may run this far ahead before its hours are not believed.
const AHEAD_MS: i64 = 2 * HOUR_MS;
/// A loss of power is written into the minutes for at most this long.
const POWER_MS: i64 = 7 * 24 * HOUR_MS;
/// A cut of the line is believed to have lasted at most this long.
const CUT_MS: i64 = 400 * 24 * HOUR_MS;

/// Takes one entry of a site's journal; `at` is when it happened, if that is known.
///
/// # Errors
/// `StoreError` of the database.
pub async fn entry(
    tx: &mut Tx,
    (site, gateway): (&SiteCode, &GatewayId),
    now: Moment,
    at: Option<Moment>,
    entry: &Entry,
) -> Result<(), StoreError> {
    match (entry, at) {
        (Entry::Hour { service, usage }, _) => hour(tx, (site, gateway), now, service, usage).await,
        (Entry::Started(_), Some(at)) => note(tx, site, Cause::Gateway, at, at).await,
        // Bytes count even where the box did not know what time it was.
        (Entry::Event(event @ Event::LineCarried { .. }), at) => {
            lines(tx, site, at.unwrap_or(now), event).await
        }
        (Entry::Event(event @ Event::UplinkSwitched { .. }), Some(at)) => lines(tx, site, at, event).await,
        (Entry::Event(event), Some(at)) => happened(tx, site, at, event).await,
        _ => Ok(()),
    }
}

async fn happened(tx: &mut Tx, site: &SiteCode, at: Moment, event: &Event) -> Result<(), StoreError> {
    match event {
        Event::UplinkLost => note(tx, site, Cause::Uplink, at, at).await,
        Event::UplinkBack { lost_ms } => {
            let lost = i64::try_from(*lost_ms).unwrap_or(CUT_MS).min(CUT_MS);
            note(tx, site, Cause::Uplink, at.plus_ms(-lost), at).await
        }
        // Nobody could connect any more from then on; which one it was is the register's matter.
        Event::AccessPointLost { left: 0, .. } => note(tx, site, Cause::AccessPoint, at, at).await,
        Event::PowerBack { last_alive: Some(from) } if *from <= at => {
            dark(tx, site, *from, at).await?;
            note(tx, site, Cause::Power, *from, at).await
        }
        _ => Ok(()),
    }
}

/// Keeps when a place with two ways out went over, and what each carried.
async fn lines(tx: &mut Tx, site: &SiteCode, at: Moment, event: &Event) -> Result<(), StoreError> {
    match event {
        Event::UplinkSwitched { to, why, owner } => {
            let (line, why, owner) = (cut(to), cut(why), cut(owner));
            line::put_switch(tx, site, &Switch { at, line, why, owner }).await
        }
        Event::LineCarried { line, owner, ms, up_bytes, down_bytes } => {
            let (most, line, owner) = (i64::MAX.unsigned_abs(), cut(line), cut(owner));
            let (up_bytes, down_bytes) =
                ((*up_bytes).min(most / 1_000_000), (*down_bytes).min(most / 1_000_000));
            let carried = Carried { line, owner, up_bytes, down_bytes };
            line::put_use(tx, site, &Stretch { at, length_ms: (*ms).min(most), carried }).await
        }
        _ => Ok(()),
    }
}

/// A box's words, as long as they may be here.
fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Keeps a clue, and has the outages around it looked at again.
async fn note(
    tx: &mut Tx,
    site: &SiteCode,
    cause: Cause,
    from: Moment,
    to: Moment,
) -> Result<(), StoreError> {
    clue::put(tx, site, &Clue { cause, from, to: Some(to) }).await?;
    unsettled::put(tx, site, from, to).await
}

/// A box without power measures nothing; that it had none says that nothing worked.
async fn dark(tx: &mut Tx, site: &SiteCode, from: Moment, to: Moment) -> Result<(), StoreError> {
    let first = from.plus_ms(MINUTE_MS - 1).minute();
    let last = to.minute().min(first.plus_ms(POWER_MS));
    let failed = Facts::measured(Verdict::Failed);
    let mut at = first;
    while at < last {
        let hour = at.hour();
        let mut row = stored(tx, site, hour).await?;
        while at < last && at.hour() == hour {
            row.facts.add(minute_of(at), failed);
            at = at.plus_ms(MINUTE_MS);
        }
        put(tx, site, row).await?;
    }
    Ok(())
}

async fn hour(
    tx: &mut Tx,
    (site, gateway): (&SiteCode, &GatewayId),
    now: Moment,
    service: &[u8],
    usage: &[u8],
) -> Result<(), StoreError> {
    let read = || -> Result<_, MinutesError> {
        let (hour, minutes) = minutes::decode_service(service)?;
        let (other, used) = minutes::decode_usage(usage)?;
        if hour == other { Ok((hour, minutes, used)) } else { Err(MinutesError::Hour(other)) }
    };
    let (hour, minutes, used) = match read() {
        Ok(parts) => parts,
        Err(error) => {
            tracing::warn!(%site, %gateway, %error, "an hour block cannot be read; the journal keeps it");
            return Ok(());
        }
    };
    if hour > now.plus_ms(AHEAD_MS) {
        tracing::warn!(%site, %gateway, %hour, "an hour block of the future is not counted");
        return Ok(());
    }
    for block in [service, usage] {
        if let Ok(head) = minutes::head(block) {
            pack::put(tx, site, gateway, &head, block).await?;
        }
    }
    let mut row = stored(tx, site, hour).await?;
    for minute in &minutes {
        row.facts.add(minute_of(minute.at), Facts::measured(minute.verdict()));
    }
    // Two boxes may tell of one hour; the sums are those of the one that saw more of it.
    let (service, usage) = (ServiceSum::of(&minutes), UsageSum::of(&used));
    if service.minutes >= row.service.minutes {
        row.service = service;
    }
    if usage.minutes >= row.usage.minutes {
        row.usage = usage;
    }
    let failed = row.facts.iter().any(|f| f.mark() == Mark::Failed);
    let end = hour.plus_ms(HOUR_MS);
    let around = record::touching(tx, site, hour.plus_ms(-HOUR_MS), end.plus_ms(HOUR_MS)).await?;
    put(tx, site, row).await?;
    if failed || !around.is_empty() {
        unsettled::put(tx, site, hour, end).await?;
    }
    Ok(())
}

fn minute_of(at: Moment) -> usize {
    usize::try_from(at.since_ms(at.hour()) / MINUTE_MS).unwrap_or(0)
}

async fn stored(tx: &mut Tx, site: &SiteCode, hour: Moment) -> Result<RollHour, StoreError> {
    let rows = roll_hour::range(tx, site, hour, hour.plus_ms(1)).await?;
    Ok(rows.into_iter().next().unwrap_or(RollHour { hour, ..RollHour::default() }))
}

/// Writes an hour with its seconds as they look from within it.
async fn put(tx: &mut Tx, site: &SiteCode, row: RollHour) -> Result<(), StoreError> {
    let mut alone = Timeline::blank(row.hour, 60);
    alone.add_hour(row.hour, &row.facts);
    let spans = outage::spans(&alone);
    let seconds = outage::seconds(&alone, &spans, row.hour, row.hour.plus_ms(HOUR_MS));
    roll_hour::put(tx, site, &RollHour { seconds, ..row }).await
}

/// Closes an hour with what the hub heard itself; a block that came before stays.
///
/// # Errors
/// `StoreError` of the database.
pub async fn close(
    tx: &mut Tx,
    site: &SiteCode,
    hour: Moment,
    facts: &HourFacts,
    service: ServiceSum,
) -> Result<(), StoreError> {
    if *facts == HourFacts::default() {
        return Ok(());
    }
    let mut row = stored(tx, site, hour).await?;
    row.facts.join(facts);
    if service.minutes > row.service.minutes {
        row.service = service;
    }
    let failed = row.facts.iter().any(|f| f.mark() == Mark::Failed);
    put(tx, site, row).await?;
    if failed {
        unsettled::put(tx, site, hour, hour.plus_ms(HOUR_MS)).await?;
    }
    Ok(())
}
