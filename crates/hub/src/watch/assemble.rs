//! Assembling the board: the register once for each of its versions, states each time.

use super::board::{Board, SiteNow, Tally};
use super::live::{Live, Shown};
use crate::map::Land;
use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode};
use kulkul_model::category::Category;
use kulkul_model::site::{Site, SiteCode, Stage};
use kulkul_model::state::{Expected, Observed, Sign};
use kulkul_store::{StoreError, Tx, area, boundary, category, setting, site};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The register in the shape that boards are built from.
#[derive(Debug, Default)]
pub struct Roster {
    version: u64,
    land: Arc<Land>,
    areas: BTreeMap<AreaCode, Arc<Area>>,
    categories: Vec<Arc<Category>>,
    /// By code, as `Live` has them.
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    site: Arc<Site>,
    /// Positions of its areas among `areas`, village to regency.
    areas: Vec<usize>,
    /// Position of its category.
    category: Option<usize>,
}

/// How often the register was changed.
///
/// # Errors
/// `StoreError` of the database.
pub async fn version(tx: &mut Tx) -> Result<u64, StoreError> {
    setting::counter(tx, "register_version").await
}

/// What is owed at a site: service from the day on which it has a living gateway.
///
/// Hours, decrees and maintenance come with their own rules.
#[must_use]
pub fn expected(stage: Stage, heard: bool) -> Expected {
    match stage {
        Stage::InService => Expected::Open,
        Stage::Suspended | Stage::Relocated | Stage::Retired => Expected::NotInService,
        _ if heard => Expected::Open,
        _ => Expected::NotInService,
    }
}

impl Roster {
    /// Reads the register and lays it out.
    ///
    /// # Errors
    /// `StoreError` of the database.
    pub async fn load(tx: &mut Tx) -> Result<Self, StoreError> {
        let version = version(tx).await?;
        let areas: BTreeMap<_, _> =
            area::all(tx).await?.into_iter().map(|a| (a.code.clone(), Arc::new(a))).collect();
        let shapes = boundary::all(tx).await?.into_iter().collect();
        let land = Land::new(&areas, shapes);
        let categories = category::all(tx).await?;
        let sites = site::all(tx).await?;
        Ok(Self::new(version, areas, land, categories, sites))
    }

    fn new(
        version: u64,
        areas: BTreeMap<AreaCode, Arc<Area>>,
        land: Land,
        categories: Vec<Category>,
        mut sites: Vec<Site>,
    ) -> Self {
        let mut categories: Vec<_> = categories.into_iter().map(Arc::new).collect();
        categories.sort_by_key(|c| c.rank);
        // The order in which `Live` has them.
        sites.sort_by(|a, b| a.code.cmp(&b.code));
        let position: BTreeMap<&AreaCode, usize> = areas.keys().zip(0..).collect();
        let up = |code: &AreaCode| {
            let parent = |code: &&AreaCode| areas.get(*code).and_then(|a| a.parent.as_ref());
            std::iter::successors(Some(code), parent)
                .take(8)
                .filter_map(|c| position.get(c).copied())
                .collect()
        };
        let places = sites
            .into_iter()
            .map(|site| Place {
                areas: up(&site.area),
                category: categories.iter().position(|c| c.key == site.category),
                site: Arc::new(site),
            })
            .collect();
        Roster { version, land: Arc::new(land), areas, categories, places }
    }

    /// The register's version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Builds the board of this moment; its version is one above `last`.
    #[must_use]
    pub fn board(&self, live: &Live, last: u64, now: Moment) -> Board {
        let mut tally = Tally::default();
        let mut by_area = vec![Tally::default(); self.areas.len()];
        let mut by_category = vec![Tally::default(); self.categories.len()];
        let mut sites = Vec::with_capacity(self.places.len());
        let mut shown = live.all().peekable();
        for place in &self.places {
            let code = &place.site.code;
            while shown.next_if(|(c, _)| *c < code).is_some() {}
            let state = shown.next_if(|(c, _)| *c == code).map(|(_, s)| s);
            let site = place.now(state);
            tally.add(site.sign);
            for i in &place.areas {
                if let Some(t) = by_area.get_mut(*i) {
                    t.add(site.sign);
                }
            }
            if let Some(t) = place.category.and_then(|i| by_category.get_mut(i)) {
                t.add(site.sign);
            }
            sites.push((code.clone(), site));
        }
        Board {
            version: last + 1,
            at: now,
            register_version: self.version,
            land: Arc::clone(&self.land),
            areas: self.areas.clone(),
            categories: self.categories.clone(),
            // Sorted already: the tree is built from below in one pass.
            sites: sites.into_iter().collect::<BTreeMap<SiteCode, SiteNow>>(),
            tally,
            by_area: self.areas.keys().cloned().zip(by_area).collect(),
            by_category: self.categories.iter().map(|c| c.key.to_string()).zip(by_category).collect(),
        }
    }
}

impl Place {
    fn now(&self, state: Option<Shown>) -> SiteNow {
        let expected = expected(self.site.stage, state.is_some());
        let observed = state.map_or(Observed::Unknown, |s| s.observed);
        SiteNow {
            site: Arc::clone(&self.site),
            observed,
            expected,
            sign: Sign::of(observed, expected),
            since: state.and_then(|s| s.since),
            seen_at: state.and_then(|s| s.seen_at),
            silent: state.is_some_and(|s| s.silent),
            people_online: state.map_or(0, |s| s.people),
            rtt_us: state.and_then(|s| s.rtt_us),
        }
    }
}
