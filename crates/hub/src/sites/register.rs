//! The register as a whole, read in one transaction: for the board, imports and exports.

use kulkul_model::area::{Area, AreaCode};
use kulkul_model::category::{Category, CategoryKey};
use kulkul_model::geometry::{Point, Shape};
use kulkul_model::site::{Site, SiteCode};
use kulkul_store::{StoreError, Tx, area, boundary, category, setting, site};
use std::collections::BTreeMap;

/// The setting that counts the register's changes.
const VERSION: &str = "register_version";

/// Areas, categories, sites and shapes as they stood at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Register {
    /// Grows with every change of the register.
    pub version: u64,
    /// Areas by code.
    pub areas: BTreeMap<AreaCode, Area>,
    /// Categories by key; `rank` orders them in lists.
    pub categories: BTreeMap<CategoryKey, Category>,
    /// Sites by code.
    pub sites: BTreeMap<SiteCode, Site>,
    /// Shapes by the code of their area.
    pub shapes: BTreeMap<AreaCode, Shape>,
    /// The smallest box around all shapes: (south-west, north-east); none without shapes.
    pub bounds: Option<(Point, Point)>,
}

/// Reads the whole register.
///
/// # Errors
/// `StoreError` of the database.
pub async fn load(tx: &mut Tx) -> Result<Register, StoreError> {
    let shapes: BTreeMap<AreaCode, Shape> = boundary::all(tx).await?.into_iter().collect();
    Ok(Register {
        version: version(tx).await?,
        areas: area::all(tx).await?.into_iter().map(|a| (a.code.clone(), a)).collect(),
        categories: category::all(tx).await?.into_iter().map(|c| (c.key.clone(), c)).collect(),
        sites: site::all(tx).await?.into_iter().map(|s| (s.code.clone(), s)).collect(),
        bounds: around(&shapes),
        shapes,
    })
}

fn around(shapes: &BTreeMap<AreaCode, Shape>) -> Option<(Point, Point)> {
    shapes.values().filter_map(Shape::bounds).reduce(|(sw, ne), (s, n)| {
        (
            Point { lat: sw.lat.min(s.lat), lon: sw.lon.min(s.lon) },
            Point { lat: ne.lat.max(n.lat), lon: ne.lon.max(n.lon) },
        )
    })
}

/// How often the register was changed; the board is rebuilt when this grows.
///
/// # Errors
/// `StoreError` of the database.
pub async fn version(tx: &mut Tx) -> Result<u64, StoreError> {
    setting::counter(tx, VERSION).await
}

/// Says that the register was changed; part of the change's own transaction.
///
/// # Errors
/// `StoreError` of the database.
pub async fn changed(tx: &mut Tx) -> Result<u64, StoreError> {
    setting::bump(tx, VERSION).await
}

impl Register {
    /// The areas from `code` up to the root; ends also where the tree has a loop.
    pub fn up(&self, code: &AreaCode) -> impl Iterator<Item = &Area> {
        let parent = |a: &&Area| a.parent.as_ref().and_then(|p| self.areas.get(p));
        std::iter::successors(self.areas.get(code), parent).take(8)
    }

    /// The nearest shape at or above an area, with the area that has it.
    #[must_use]
    pub fn shape_around(&self, code: &AreaCode) -> Option<(&Area, &Shape)> {
        self.up(code).find_map(|a| self.shapes.get(&a.code).map(|s| (a, s)))
    }
}
