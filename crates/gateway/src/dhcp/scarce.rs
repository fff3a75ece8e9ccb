//! Addresses that run out: looked for every half minute, told to the journal once.
//!
//! Somebody may take them all on purpose, or the network is too small for its people.
//! Whoever has an address keeps it: dnsmasq renews leases of those who ask again.

use super::{given, lease_file};
use crate::clock::Clock;
use crate::config::Config;
use crate::journal::Journal;
use kulkul_wire::link::{Entry, Event};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Between two looks at the leases, milliseconds.
const EVERY_MS: i64 = 30_000;

/// Whether so many of so many given out are nearly all: nine of ten.
#[must_use]
pub(crate) fn is_scarce(held: u32, room: u32) -> bool {
    u64::from(held) * 10 >= u64::from(room) * 9
}

/// Looks at the leases until `stop`, and tells the journal when a segment's are nearly all
/// given out, and when some are free again.
pub async fn watch(config: Arc<Config>, clock: Clock, journal: Journal, stop: CancellationToken) {
    if !config.segments.iter().any(|s| s.dhcp) {
        return;
    }
    let mut told = Told::default();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = clock.sleep_ms(EVERY_MS) => {}
        }
        let leases = tokio::fs::read_to_string(lease_file(&config.data)).await.unwrap_or_default();
        let now_s = clock.now().seconds();
        let all = given(&config.segments, &leases, now_s).map(|(s, held, room)| (s.name.clone(), held, room));
        for event in told.look(all) {
            tracing::warn!(?event, "addresses of a segment");
            if let Err(error) = journal.append(Entry::Event(event)).await {
                tracing::warn!(%error, "scarce addresses were not recorded");
            }
        }
    }
}

/// The segments of which it was told that they have nearly none left.
#[derive(Debug, Default)]
struct Told(BTreeSet<String>);

impl Told {
    /// What is new: scarce from nine of ten on, free again below eight of ten.
    fn look(&mut self, all: impl Iterator<Item = (String, u32, u32)>) -> Vec<Event> {
        let mut events = Vec::new();
        for (segment, held, room) in all {
            let known = self.0.contains(&segment);
            if !known && is_scarce(held, room) {
                self.0.insert(segment.clone());
                events.push(Event::AddressesScarce { segment, held: held.into(), room: room.into() });
            } else if known && u64::from(held) * 10 < u64::from(room) * 8 {
                self.0.remove(&segment);
                events.push(Event::AddressesFree { segment });
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_turn_is_told_once_and_does_not_flutter() {
        let mut told = Told::default();
        let mut look = |held| told.look([("public".to_owned(), held, 100)].into_iter()).len();
        let seen: Vec<usize> = [0, 89, 90, 95, 85, 90, 80, 79, 85, 100].into_iter().map(&mut look).collect();
        assert_eq!(seen, [0, 0, 1, 0, 0, 0, 0, 1, 0, 1]);
        let scarce = told.look([("staff".to_owned(), 9, 10)].into_iter());
        assert_eq!(scarce, [Event::AddressesScarce { segment: "staff".to_owned(), held: 9, room: 10 }]);
    }
}
