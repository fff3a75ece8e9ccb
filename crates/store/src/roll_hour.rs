//! Hour rollups: facts, seconds and sums of one site's hour. Kept for ever.

use crate::args::Value;
use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::availability::Seconds;
use kulkul_model::facts::HourFacts;
use kulkul_model::rollup::{ServiceSum, UsageSum};
use kulkul_model::site::SiteCode;

statements! {
    /// Writes an hour.
    PUT = "INSERT INTO roll_hour (site, hour_ms, facts, up_s, degraded_s, down_s, unknown_s, excused_s,
           closed_s, minutes, answered, rtt_min_us, rtt_sum_us, rtt_max_us, rtt_p95_us, sent, lost,
           usage_minutes, people_max, people_sum, begun, down_bytes, up_bytes)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
           $20, $21, $22, $23)
           ON CONFLICT (site, hour_ms) DO UPDATE SET facts = excluded.facts, up_s = excluded.up_s,
           degraded_s = excluded.degraded_s, down_s = excluded.down_s, unknown_s = excluded.unknown_s,
           excused_s = excluded.excused_s, closed_s = excluded.closed_s, minutes = excluded.minutes,
           answered = excluded.answered, rtt_min_us = excluded.rtt_min_us,
           rtt_sum_us = excluded.rtt_sum_us, rtt_max_us = excluded.rtt_max_us,
           rtt_p95_us = excluded.rtt_p95_us, sent = excluded.sent, lost = excluded.lost,
           usage_minutes = excluded.usage_minutes, people_max = excluded.people_max,
           people_sum = excluded.people_sum, begun = excluded.begun,
           down_bytes = excluded.down_bytes, up_bytes = excluded.up_bytes";
    /// A site's hours.
    RANGE = "SELECT * FROM roll_hour WHERE site = $1 AND hour_ms >= $2 AND hour_ms < $3
             ORDER BY hour_ms LIMIT 20000";
    /// Writes the seconds of an hour that is there.
    SET_SECONDS = "UPDATE roll_hour SET up_s = $3, degraded_s = $4, down_s = $5, unknown_s = $6,
             excused_s = $7, closed_s = $8 WHERE site = $1 AND hour_ms = $2";
}

/// One hour of one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RollHour {
    /// The beginning of the hour.
    pub hour: Moment,
    /// What is known of its minutes.
    pub facts: HourFacts,
    /// What they count as.
    pub seconds: Seconds,
    /// Delay and loss.
    pub service: ServiceSum,
    /// People and bytes, for staff.
    pub usage: UsageSum,
}

/// Writes an hour.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, site: &SiteCode, r: &RollHour) -> Result<(), StoreError> {
    let (s, u) = (&r.service, &r.usage);
    let mut values = args![site.as_str(), r.hour, r.facts.bytes()];
    values.extend(seconds(&r.seconds));
    values.extend(args![
        s.minutes,
        s.answered,
        s.rtt_min_us,
        s.rtt_sum_us,
        s.rtt_max_us,
        s.rtt_p95_us,
        s.sent,
        s.lost,
        u.minutes,
        u.people_max,
        u.people_sum,
        u.begun,
        u.down_bytes,
        u.up_bytes
    ]);
    tx.execute(PUT, values).await.map(drop)
}

/// Writes the seconds of an hour that is there.
///
/// # Errors
/// `StoreError` of the database.
pub async fn set_seconds(
    tx: &mut Tx,
    site: &SiteCode,
    hour: Moment,
    what: &Seconds,
) -> Result<(), StoreError> {
    let mut values = args![site.as_str(), hour];
    values.extend(seconds(what));
    tx.execute(SET_SECONDS, values).await.map(drop)
}

fn seconds(s: &Seconds) -> Vec<Value> {
    args![s.up, s.degraded, s.down, s.unknown, s.excused, s.closed]
}

/// A site's hours that begin from `from` (with) to `to` (without), at most 20,000.
///
/// # Errors
/// `StoreError` of the database.
pub async fn range(
    tx: &mut Tx,
    site: &SiteCode,
    from: Moment,
    to: Moment,
) -> Result<Vec<RollHour>, StoreError> {
    tx.fetch_all(RANGE, args![site.as_str(), from, to]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<RollHour, StoreError> {
    let facts: Vec<u8> = row.get("facts")?;
    let facts = HourFacts::from_bytes(&facts).ok_or_else(|| StoreError::Value {
        column: "facts".to_owned(),
        reason: format!("{} bytes where 30 belong", facts.len()),
    })?;
    Ok(RollHour {
        hour: row.get("hour_ms")?,
        facts,
        seconds: Seconds {
            up: row.get("up_s")?,
            degraded: row.get("degraded_s")?,
            down: row.get("down_s")?,
            unknown: row.get("unknown_s")?,
            excused: row.get("excused_s")?,
            closed: row.get("closed_s")?,
        },
        service: ServiceSum {
            minutes: row.get("minutes")?,
            answered: row.get("answered")?,
            rtt_min_us: row.get("rtt_min_us")?,
            rtt_sum_us: row.get("rtt_sum_us")?,
            rtt_max_us: row.get("rtt_max_us")?,
            rtt_p95_us: row.get("rtt_p95_us")?,
            sent: row.get("sent")?,
            lost: row.get("lost")?,
        },
        usage: UsageSum {
            minutes: row.get("usage_minutes")?,
            people_max: row.get("people_max")?,
            people_sum: row.get("people_sum")?,
            begun: row.get("begun")?,
            down_bytes: row.get("down_bytes")?,
            up_bytes: row.get("up_bytes")?,
        },
    })
}
