//! Guests: sessions of some of the people at a place, as its journal tells of them.
//!
//! A sample, never all: the number of people comes from the world, and sessions
//! are there so that the journal and the hub's list of sessions have life in them.

use crate::dice::{Dice, Throw};
use crate::world::Reading;
use kulkul_model::session::{Mac, SessionId, StopReason, Usage, WayIn};
use kulkul_wire::link::{Entry, SessionStart, SessionStop};
use std::net::{IpAddr, Ipv4Addr};

/// The longest that a session may last, milliseconds.
const LIMIT_MS: u64 = 4 * 3_600_000;
/// At most this many sessions are open in one place.
const MOST: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Guest {
    session: SessionId,
    age_minutes: u64,
    stays_minutes: u64,
    usage: Usage,
}

/// The sampled sessions of one place.
#[derive(Clone, Debug)]
pub struct Guests {
    dice: Dice,
    came: i64,
    online: Vec<Guest>,
}

impl Guests {
    /// Nobody yet.
    #[must_use]
    pub const fn new(dice: Dice) -> Self {
        Guests { dice, came: 0, online: Vec::new() }
    }

    /// Lets a minute pass: who leaves, and who comes.
    pub fn minute(&mut self, reading: Reading) -> Vec<Entry> {
        let mut entries = Vec::new();
        let people = reading.measured().map_or(0, |(_, usage)| usage.people);
        let lost_power = reading == Reading::Nothing;
        self.online.retain_mut(|guest| {
            guest.age_minutes += 1;
            let throw = self.dice.throw(3, i64::try_from(guest.age_minutes).unwrap_or(0));
            let bytes = 50_000 + throw.below(4_000_000);
            guest.usage.down_bytes += bytes;
            guest.usage.up_bytes += bytes / 9;
            guest.usage.down_packets += bytes / 1_100;
            guest.usage.up_packets += bytes / 2_400;
            let stays = guest.age_minutes < guest.stays_minutes && !lost_power;
            if !stays {
                entries.push(Entry::SessionStop(SessionStop {
                    session: guest.session,
                    age_ms: guest.age_minutes * 60_000,
                    usage: guest.usage,
                    reason: if lost_power { StopReason::Lost } else { StopReason::Idle },
                }));
            }
            stays
        });
        // One in five minutes somebody of the crowd comes who is in the sample.
        let throw = self.dice.throw(4, self.came);
        self.came += 1;
        let room = self.online.len() < MOST.min(people as usize);
        if room && throw.per_million(200_000) {
            entries.push(self.come(throw));
        }
        entries
    }

    /// Ends the sessions among these that staff have ended.
    pub fn put_out(&mut self, ended: &[SessionId]) -> Vec<Entry> {
        let (out, stay): (Vec<Guest>, Vec<Guest>) =
            self.online.drain(..).partition(|guest| ended.contains(&guest.session));
        self.online = stay;
        let stop = |guest: Guest| {
            Entry::SessionStop(SessionStop {
                session: guest.session,
                age_ms: guest.age_minutes * 60_000,
                usage: guest.usage,
                reason: StopReason::Disconnected,
            })
        };
        out.into_iter().map(stop).collect()
    }

    fn come(&mut self, throw: Throw) -> Entry {
        let (a, b) = (throw.again().bits(), throw.again().again().bits());
        let session = SessionId((u128::from(a) << 64 | u128::from(b)).to_be_bytes());
        let [m1, m2, m3, m4, m5, low, ..] = a.to_be_bytes();
        // Phones make up their addresses: the second bit of the first byte says so.
        let mac = Mac([(m1 & 0xfc) | 0x02, m2, m3, m4, m5, low]);
        let [x, y, ..] = b.to_be_bytes();
        self.online.push(Guest {
            session,
            age_minutes: 0,
            stays_minutes: 4 + throw.again().below(90),
            usage: Usage::default(),
        });
        Entry::SessionStart(SessionStart {
            session,
            mac,
            addresses: vec![IpAddr::V4(Ipv4Addr::new(10, 77, x, y.clamp(2, 254)))],
            way_in: WayIn::ClickThrough,
            terms: Some(1),
            language: if throw.again().per_million(800_000) { "id" } else { "en" }.to_owned(),
            limit_ms: LIMIT_MS,
            basis: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kulkul_model::Moment;
    use kulkul_model::measurement::UsageMinute;

    #[test]
    fn everybody_who_comes_leaves_once() {
        let mut guests = Guests::new(Dice::new(3));
        let minute = crate::world::Reading::Nothing;
        let at = Moment::EPOCH;
        let busy = Reading::Cut(empty_minute(at), UsageMinute { at, people: 40, ..UsageMinute::default() });
        let mut open = Vec::new();
        let mut begun = 0;
        for i in 0..2_000 {
            for entry in guests.minute(if i == 1_999 { minute } else { busy }) {
                match entry {
                    Entry::SessionStart(s) => {
                        begun += 1;
                        open.push(s.session);
                    }
                    Entry::SessionStop(s) => {
                        assert!(open.contains(&s.session));
                        open.retain(|o| *o != s.session);
                    }
                    _ => {}
                }
                assert!(open.len() <= MOST);
            }
        }
        assert!(begun > 50, "{begun}");
        assert_eq!(open, [], "a cut of power ends all");
    }

    #[test]
    fn who_is_ended_by_staff_leaves_at_once_and_nobody_else() {
        let mut guests = Guests::new(Dice::new(3));
        let at = Moment::EPOCH;
        let busy = Reading::Cut(empty_minute(at), UsageMinute { at, people: 40, ..UsageMinute::default() });
        while guests.online.len() < 2 {
            guests.minute(busy);
        }
        let (first, before) = (guests.online[0].session, guests.online.len());
        let ended = guests.put_out(&[first, SessionId([9; 16])]);
        assert!(matches!(&ended[..], [Entry::SessionStop(s)]
            if s.session == first && s.reason == StopReason::Disconnected));
        assert_eq!(guests.online.len(), before - 1);
        assert!(guests.put_out(&[first]).is_empty(), "nobody is put out twice");
    }

    fn empty_minute(at: Moment) -> kulkul_model::measurement::Minute {
        use kulkul_model::measurement::{Minute, Pings, ProbeResult, Radios};
        let none = Pings::default();
        Minute {
            at,
            hub: none,
            anchor_a: none,
            anchor_b: none,
            dns: ProbeResult::NotTried,
            dns_us: 0,
            http: ProbeResult::NotTried,
            http_us: 0,
            radios: Radios::default(),
        }
    }
}
