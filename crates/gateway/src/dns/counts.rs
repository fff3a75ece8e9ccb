//! How many questions for blocked names were answered, by list; never whose, never which.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Numbers by the key of their list.
pub type Blocked = BTreeMap<String, u64>;

/// What was blocked on one day, as far as this run of the box knows.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Today {
    /// The local day; none while the clock is unset.
    pub day: Option<String>,
    /// By list.
    pub blocked: Blocked,
}

impl Today {
    /// Adds what was told on `day`; another day begins anew.
    pub fn add(&mut self, new: &Blocked, day: Option<String>) {
        if self.day != day {
            *self = Today { day, blocked: Blocked::new() };
        }
        for (list, n) in new {
            let held = self.blocked.entry(list.clone()).or_default();
            *held = held.saturating_add(*n);
        }
    }
}

/// What was counted since it was last taken.
#[derive(Debug, Default)]
pub struct Counts(Mutex<Blocked>);

impl Counts {
    /// Counts once for a list.
    pub fn count(&self, list: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(list) {
            Some(n) => *n += 1,
            None => drop(counts.insert(list.to_owned(), 1)),
        }
    }

    /// All of it; then it begins anew.
    #[must_use]
    pub fn take(&self) -> Blocked {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_taken_once_and_add_up_for_a_day() {
        let counts = Counts::default();
        for list in ["ads", "own", "ads"] {
            counts.count(list);
        }
        let (new, mut today) = (counts.take(), Today::default());
        assert_eq!(counts.take(), Blocked::new());
        let day = |n: u8| Some(format!("2026-11-2{n}"));
        today.add(&new, day(4));
        today.add(&new, day(4));
        assert_eq!((today.blocked["ads"], today.blocked["own"]), (4, 2));
        today.add(&new, day(5));
        assert_eq!((today.day.clone(), today.blocked["ads"]), (day(5), 2));
    }
}
