//! The board: every site as it stands now, held in memory, swapped whole.
//!
//! Public pages and the API read the board and touch no SQL. A job rebuilds it
//! from the register and the live states at most once a second, and only when
//! something changed; its version names what a cached answer was made from.

use crate::map::Land;
use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode};
use kulkul_model::category::Category;
use kulkul_model::site::{Site, SiteCode};
use kulkul_model::state::{Expected, Observed, Sign};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One site as it stands now.
#[derive(Clone, Debug)]
pub struct SiteNow {
    /// The register's row.
    pub site: Arc<Site>,
    /// What is observed.
    pub observed: Observed,
    /// What is owed.
    pub expected: Expected,
    /// The sign for both.
    pub sign: Sign,
    /// Since when `observed` holds; none when it was never observed.
    pub since: Option<Moment>,
    /// The last sign of life.
    pub seen_at: Option<Moment>,
    /// True when the last sign of life is over 90 s old though one is due.
    pub silent: bool,
    /// People online, for staff; public answers go through `people_shown`.
    pub people_online: u32,
    /// Mean round trip to the anchors in the latest minute, microseconds.
    pub rtt_us: Option<u32>,
}

impl SiteNow {
    /// People online as the public may see it: none for 0 to 4, and for schools.
    #[must_use]
    pub fn people_shown(&self, category: Option<&Category>) -> Option<u32> {
        let hidden = category.is_none_or(|c| c.hides_presence);
        (!hidden && self.people_online >= 5 && self.observed != Observed::Unknown)
            .then_some(self.people_online)
    }
}

/// How many sites show each sign, in the order of `Sign::ALL`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: [u32; 6],
}

impl Tally {
    /// Counts one more site with this sign.
    pub fn add(&mut self, sign: Sign) {
        if let Some(n) = self.counts.get_mut(sign as usize) {
            *n += 1;
        }
    }

    /// Sites with this sign.
    #[must_use]
    pub fn of(&self, sign: Sign) -> u32 {
        self.counts.get(sign as usize).copied().unwrap_or(0)
    }

    /// All sites.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// Sites that should be open now: all but closed and not in service.
    #[must_use]
    pub fn due(&self) -> u32 {
        self.total() - self.of(Sign::Closed) - self.of(Sign::NotInService)
    }

    /// Sites that are open and work, well or slowly.
    #[must_use]
    pub fn on(&self) -> u32 {
        self.of(Sign::Up) + self.of(Sign::Degraded)
    }
}

/// Every area, category and site as it stands at one moment.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// Grows with every rebuild that changed anything; 0 for the empty board.
    pub version: u64,
    /// When it was built.
    pub at: Moment,
    /// Grows when the register (not only a state) changed.
    pub register_version: u64,
    /// The ground that maps are drawn on: `Land::new(&areas, shapes)`, made anew only
    /// when `register_version` grows.
    pub land: Arc<Land>,
    /// Areas by code.
    pub areas: BTreeMap<AreaCode, Arc<Area>>,
    /// Categories by rank.
    pub categories: Vec<Arc<Category>>,
    /// Sites by code.
    pub sites: BTreeMap<SiteCode, SiteNow>,
    /// Counts of all sites.
    pub tally: Tally,
    /// Counts for each area, with all that lies below it.
    pub by_area: BTreeMap<AreaCode, Tally>,
    /// Counts for each category, by its key's text.
    pub by_category: BTreeMap<String, Tally>,
}

impl Board {
    /// The category of a site, if the register has it.
    #[must_use]
    pub fn category(&self, site: &Site) -> Option<&Category> {
        self.categories.iter().map(AsRef::as_ref).find(|c| c.key == site.category)
    }

    /// The areas from the regency down to `code`, the last being `code` itself.
    #[must_use]
    pub fn path(&self, code: &AreaCode) -> Vec<Arc<Area>> {
        let mut path = Vec::new();
        let mut next = self.areas.get(code);
        while let Some(area) = next {
            path.push(Arc::clone(area));
            // A register with a loop in it is refused at import; the bound makes it harmless here.
            next = if path.len() < 8 { area.parent.as_ref().and_then(|p| self.areas.get(p)) } else { None };
        }
        path.reverse();
        path
    }
}
