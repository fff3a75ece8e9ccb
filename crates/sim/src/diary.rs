//! The diary: what the box at a place writes into its journal about its minutes.
//!
//! A pure function of the world. The same diary is written by the live gateways,
//! hour by hour, and by the earlier gateways that a demo's history belongs to.

use crate::reports;
use crate::world::{Place, Reading, World};
use kulkul_model::Moment;
use kulkul_model::measurement::{Minute, UsageMinute};
use kulkul_wire::link::{Entry, Event};
use kulkul_wire::minutes;

/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// An event looks back at most this many minutes for its beginning.
const LONGEST_MINUTES: i64 = 7 * 24 * 60;

/// The entry that closes the hour that begins at `hour`; none when nothing was measured in it.
#[must_use]
pub fn hour(world: &World, place: &Place, hour: Moment) -> Option<Entry> {
    let mut service: Vec<Minute> = Vec::with_capacity(60);
    let mut usage: Vec<UsageMinute> = Vec::with_capacity(60);
    for minute in 0..60 {
        if let Some((s, u)) = world.reading(place, hour.plus_ms(minute * MINUTE_MS)).measured() {
            service.push(s);
            usage.push(u);
        }
    }
    if service.is_empty() {
        return None;
    }
    // The world's values fit by construction; a block that did not fit would only be missing.
    let service = minutes::encode_service(hour, &service).ok()?;
    let usage = minutes::encode_usage(hour, &usage).ok()?;
    Some(Entry::Hour { service, usage })
}

/// The event that the minute that begins at `at` brings, compared with the one before.
#[must_use]
pub fn event(world: &World, place: &Place, at: Moment) -> Option<Event> {
    let before = world.reading(place, at.plus_ms(-MINUTE_MS));
    let now = world.reading(place, at);
    match (before, now) {
        (Reading::Seen(..), Reading::Cut(..)) => Some(Event::UplinkLost),
        (Reading::Cut(..), Reading::Seen(..)) => {
            let lost = run(at, |m| matches!(world.reading(place, m), Reading::Cut(..)));
            Some(Event::UplinkBack { lost_ms: u64::try_from(lost * MINUTE_MS).unwrap_or(0) })
        }
        (Reading::Nothing, Reading::Cut(..) | Reading::Seen(..)) => {
            let off = run(at, |m| world.reading(place, m) == Reading::Nothing);
            Some(Event::PowerBack { last_alive: Some(at.plus_ms(-off * MINUTE_MS)) })
        }
        _ => None,
    }
}

/// How many minutes just before `at` were of one kind.
fn run(at: Moment, same: impl Fn(Moment) -> bool) -> i64 {
    (1..=LONGEST_MINUTES).take_while(|m| same(at.plus_ms(-m * MINUTE_MS))).last().unwrap_or(0)
}

/// All that the box writes about one hour, in order, each with its moment.
#[must_use]
pub fn entries(world: &World, place: &Place, hour_begins: Moment) -> Vec<(Moment, Entry)> {
    let mut entries: Vec<(Moment, Entry)> = (0..60)
        .map(|minute| hour_begins.plus_ms(minute * MINUTE_MS))
        .flat_map(|at| {
            let event = event(world, place, at).map(Entry::Event);
            event.into_iter().chain(reports::report(world, place, at)).map(move |e| (at, e))
        })
        .collect();
    entries.extend(hour(world, place, hour_begins).map(|e| (hour_begins.plus_ms(HOUR_MS), e)));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::area::AreaCode;
    use kulkul_model::category::CategoryKey;
    use kulkul_model::site::SiteCode;

    #[test]
    fn a_week_has_a_block_for_every_hour_that_was_measured() {
        let now = Moment::parse("2026-11-24T10:00:00+08:00").unwrap();
        let world = World::new(7, now);
        let place = Place {
            code: SiteCode::parse("SD-101").unwrap(),
            category: CategoryKey::parse("sd_negeri").unwrap(),
            village: AreaCode::parse("51.03.04.2001").unwrap(),
        };
        let mut minutes_measured = 0;
        let mut back = 0;
        let mut bytes = 0;
        for h in 0..7 * 24 {
            let begins = now.hour().plus_ms(-h * HOUR_MS);
            for (_, entry) in entries(&world, &place, begins) {
                match entry {
                    Entry::Hour { service, usage } => {
                        bytes += service.len() + usage.len();
                        let (at, rows) = minutes::decode_service(&service).unwrap();
                        assert_eq!(at, begins);
                        minutes_measured += rows.len();
                        assert_eq!(minutes::decode_usage(&usage).unwrap().1.len(), rows.len());
                    }
                    Entry::Event(Event::UplinkBack { lost_ms }) if lost_ms >= 400 * 60_000 => back += 1,
                    _ => {}
                }
            }
        }
        assert!(minutes_measured > 7 * 24 * 60 * 8 / 10, "{minutes_measured}");
        assert_eq!(back, 1, "the torn fibre of two days ago ends once");
        assert!(bytes / minutes_measured < 40, "{} bytes a minute", bytes / minutes_measured);
    }
}
