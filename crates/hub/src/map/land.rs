//! The land: outlines of all areas, held ready to be drawn, and the whole regency drawn once.
//!
//! Made when the register changes, never while a page is made.

use super::labels::{self, Label, Named};
use super::outline;
use super::view::{Margin, View};
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::geometry::{Point, Shape};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// How far a drawn border may stray from the true one, in picture units.
const TOLERANCE: f64 = 1.6;

/// Outlines of areas by code, and the picture of the whole.
#[derive(Clone, Debug, Default)]
pub struct Land {
    areas: BTreeMap<AreaCode, (Arc<Area>, Shape)>,
    regency: Option<AreaCode>,
    whole: Option<Ground>,
}

/// A drawn piece of ground, without points.
#[derive(Clone, Debug)]
pub struct Ground {
    /// What it shows.
    pub view: View,
    /// SVG elements: land, borders, scale, names.
    pub svg: String,
}

impl Land {
    /// Holds the outlines and draws the whole regency.
    #[must_use]
    pub fn new(areas: &BTreeMap<AreaCode, Arc<Area>>, shapes: BTreeMap<AreaCode, Shape>) -> Self {
        let areas: BTreeMap<_, _> = shapes
            .into_iter()
            .filter_map(|(code, shape)| Some((code.clone(), (Arc::clone(areas.get(&code)?), shape))))
            .collect();
        let regency = areas.values().find(|(a, _)| a.kind == AreaKind::Regency).map(|(a, _)| a.code.clone());
        let mut land = Land { areas, regency, whole: None };
        land.whole = land.draw_whole();
        land
    }

    /// The whole regency; none when the register has no outline of it.
    #[must_use]
    pub fn whole(&self) -> Option<&Ground> {
        self.whole.as_ref()
    }

    /// The outline of one area.
    #[must_use]
    pub fn shape(&self, code: &AreaCode) -> Option<&Shape> {
        self.areas.get(code).map(|(_, shape)| shape)
    }

    fn draw_whole(&self) -> Option<Ground> {
        let land = self.shape(self.regency.as_ref()?)?;
        // Room at the right for the names of the districts that form the eastern edge.
        let margin = Margin { sides: (0.03, 0.33), ends: 0.03 };
        let view = View::fit(land.bounds()?, margin, 0.4, 4.0);
        let named = self.named(|a| a.kind == AreaKind::District);
        let labels = labels::beside(land, &named, &view);
        Some(Ground { svg: self.draw(&view, None, &labels), view })
    }

    /// Draws the ground around one area, that area set apart from its neighbours.
    ///
    /// `tallest` bounds the picture's height / width; names keep clear of `points`.
    /// Without an outline the picture shows some kilometres around `centre`.
    #[must_use]
    pub fn around(&self, code: &AreaCode, centre: Point, tallest: f64, points: &[Point]) -> Ground {
        const KM: f64 = 0.009;
        let near = |k: f64| {
            (
                Point { lat: centre.lat - k * KM, lon: centre.lon - k * KM },
                Point { lat: centre.lat + k * KM, lon: centre.lon + k * KM },
            )
        };
        let bounds = self.shape(code).and_then(Shape::bounds).unwrap_or_else(|| near(2.0));
        let view = View::fit(bounds, Margin { sides: (0.05, 0.05), ends: 0.05 }, 0.55, tallest);
        let is_regency = self.regency.as_ref() == Some(code);
        let named = self.named(|a| {
            if is_regency {
                a.kind == AreaKind::District
            } else {
                a.kind == AreaKind::Village && a.code != *code
            }
        });
        let labels = labels::within(&named, points, &view, labels::SIZE_NEAR);
        Ground { svg: self.draw(&view, Some(code), &labels), view }
    }

    fn named(&self, wanted: impl Fn(&Area) -> bool) -> Vec<Named<'_>> {
        self.areas
            .values()
            .filter(|(a, _)| wanted(a))
            .map(|(a, shape)| Named { code: &a.code, name: &a.name, centre: a.centre, shape })
            .collect()
    }

    fn draw(&self, view: &View, focus: Option<&AreaCode>, labels: &[Label]) -> String {
        let paths = |kind: AreaKind| -> String {
            let all = self.areas.values().filter(|(a, _)| a.kind == kind);
            all.map(|(_, shape)| outline::path(shape, view, TOLERANCE)).collect()
        };
        let mut svg = String::new();
        let mut path = |class: &str, d: &str| {
            if !d.is_empty() {
                // Writing to a String cannot fail.
                let _ = write!(svg, r#"<path class="{class}" d="{d}"/>"#);
            }
        };
        let regency = paths(AreaKind::Regency);
        path("land", &regency);
        if let Some(shape) = focus.and_then(|code| self.shape(code)) {
            path("land-here", &outline::path(shape, view, TOLERANCE));
        }
        path("edge-village", &paths(AreaKind::Village));
        path("edge-district", &paths(AreaKind::District));
        path("edge-regency", &regency);
        if let Some(shape) = focus.filter(|c| self.regency.as_ref() != Some(c)).and_then(|c| self.shape(c)) {
            path("edge-here", &outline::path(shape, view, TOLERANCE));
        }
        scale(&mut svg, view);
        for l in labels {
            let _ = write!(
                svg,
                r#"<a href="/areas/{}" tabindex="-1"><text class="name {}" x="{:.0}" y="{:.0}">{}</text></a>"#,
                l.code,
                l.anchor,
                l.x,
                l.y,
                super::escape(&l.text)
            );
        }
        svg
    }
}

/// Draws a scale of a round number of kilometres, at most a third of the picture wide.
fn scale(svg: &mut String, view: &View) {
    let unit = view.units_per_km();
    let Some(km) = [20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2].into_iter().find(|km| km * unit <= 260.0) else {
        return;
    };
    let words = if km < 1.0 { format!("{:.0} m", km * 1000.0) } else { format!("{km:.0} km") };
    let (x, y) = (24.0, view.height - 24.0);
    let _ = write!(
        svg,
        r#"<path class="scale" d="M{x:.0} {:.0}v14h{:.0}v-14"/><text class="scale-km" x="{:.0}" y="{:.0}">{words}</text>"#,
        y - 14.0,
        km * unit,
        x + 10.0,
        y - 12.0
    );
}
