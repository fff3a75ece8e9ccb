//! What a light gateway writes down and tells of the minutes of its world.

use super::LightGateway;
use crate::diary::{self, HOUR_MS, MINUTE_MS};
use crate::reports;
use crate::world::{Reading, World};
use kulkul_model::Moment;
use kulkul_model::measurement::Minute;
use kulkul_wire::link::Entry;
use kulkul_wire::link::beat::MINUTES_LIMIT;

impl LightGateway {
    /// Writes events, sessions and hour blocks of all minutes that are over.
    pub(super) fn write(&mut self, world: &World, now: Moment) {
        let until = now.minute();
        while self.written < until {
            let at = self.written;
            self.written = at.plus_ms(MINUTE_MS);
            if let Some(event) = diary::event(world, &self.place, at) {
                self.append(&Entry::Event(event), at);
            }
            if let Some(report) = reports::report(world, &self.place, at) {
                self.append(&report, at);
            }
            if let Some(mut guests) = self.guests.take() {
                for entry in guests.minute(world.reading(&self.place, at)) {
                    self.append(&entry, at);
                }
                self.guests = Some(guests);
            }
            let over = self.written == self.written.hour();
            if over && let Some(entry) = diary::hour(world, &self.place, self.written.plus_ms(-HOUR_MS)) {
                self.append(&entry, self.written);
            }
        }
    }

    /// Until when minutes can be told: those that are over, and one that is lost already.
    ///
    /// A box whose line is dead speaks only as it enrols. Did it leave the minute of that
    /// open, its one sign of life would end an outage that goes on.
    pub(super) fn known_through(&self, world: &World, now: Moment) -> Moment {
        match world.reading(&self.place, now) {
            Reading::Cut(..) => now.minute().plus_ms(MINUTE_MS),
            Reading::Seen(..) | Reading::Nothing => now.minute(),
        }
    }

    /// The latest minutes before `through` that no beat has told yet, oldest first.
    pub(super) fn untold(&self, world: &World, through: Moment) -> Vec<Minute> {
        let mut minutes = Vec::new();
        let mut at = self.told.max(through.plus_ms(-(MINUTES_LIMIT as i64) * MINUTE_MS));
        while at < through {
            minutes.extend(world.reading(&self.place, at).measured().map(|(minute, _)| minute));
            at = at.plus_ms(MINUTE_MS);
        }
        minutes
    }
}
