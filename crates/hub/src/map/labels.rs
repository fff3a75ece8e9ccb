//! Labels: where the names of areas stand in a picture without covering each other.
//!
//! In the picture of the whole regency a district's name stands beside the land,
//! where no point is; in a closer picture names stand inside their area where they
//! cover the fewest points, and one that would cover another is left out.

use super::outline::reach;
use super::view::{View, WIDTH};
use kulkul_model::area::AreaCode;
use kulkul_model::geometry::{Point, Shape};

/// Height of the letters in the picture of the whole, in picture units.
pub const SIZE: f64 = 36.0;

/// Height of the letters in a closer picture.
pub const SIZE_NEAR: f64 = 27.0;

/// Distance between a name and the land, in picture units.
const GAP: f64 = 16.0;

/// A name with its place; `anchor` is SVG's `text-anchor`.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The area that it names.
    pub code: AreaCode,
    /// The name.
    pub text: String,
    /// Right from the picture's corner.
    pub x: f64,
    /// Down from the picture's corner, to the letters' foot.
    pub y: f64,
    /// `start`, `middle` or `end`.
    pub anchor: &'static str,
}

/// An area that wants its name shown.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Its code.
    pub code: &'a AreaCode,
    /// Its name.
    pub name: &'a str,
    /// A point near its middle.
    pub centre: Point,
    /// Its outline.
    pub shape: &'a Shape,
}

#[derive(Clone, Copy)]
struct Taken {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Taken {
    fn meets(&self, other: &Taken) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn holds(&self, p: (f64, f64)) -> bool {
        const POINT: f64 = 9.0;
        self.left - POINT < p.0
            && p.0 < self.right + POINT
            && self.top - POINT < p.1
            && p.1 < self.bottom + POINT
    }

    fn is_visible(&self, view: &View) -> bool {
        self.left >= 0.0 && self.right <= WIDTH && self.top >= 0.0 && self.bottom <= view.height
    }

    fn of(label: &Label, size: f64) -> Self {
        let wide = width(&label.text, size);
        let left = match label.anchor {
            "start" => label.x,
            "end" => label.x - wide,
            _ => label.x - wide / 2.0,
        };
        Taken { left, right: left + wide, top: label.y - size * 0.9, bottom: label.y + size * 0.3 }
    }
}

/// About how wide a name is; system fonts differ by a tenth either way.
fn width(text: &str, size: f64) -> f64 {
    let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    f64::from(letters) * size * 0.6
}

/// Names beside the land, each at a height where its area forms the land's edge.
#[must_use]
pub fn beside(land: &Shape, areas: &[Named<'_>], view: &View) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    let mut taken: Vec<Taken> = Vec::new();
    for area in areas {
        let Some((sw, ne)) = area.shape.bounds() else { continue };
        let (top, bottom) = (view.at(ne).1, view.at(sw).1);
        let middle = f64::midpoint(top, bottom);
        let mut best: Option<(f64, Label)> = None;
        let mut y = top;
        while y <= bottom {
            let band = (y - SIZE * 0.8, y + SIZE * 0.3);
            for label in at_height(land, area, view, y, band) {
                let cost = (y - SIZE * 0.3 - middle).abs();
                let free = !taken.iter().any(|t| t.meets(&Taken::of(&label, SIZE)));
                if free && best.as_ref().is_none_or(|(c, _)| cost < *c) {
                    best = Some((cost, label));
                }
            }
            y += 12.0;
        }
        let label = best.map_or_else(|| inside(area, view, SIZE), |(_, label)| label);
        taken.push(Taken::of(&label, SIZE));
        labels.push(label);
    }
    labels
}

fn at_height(land: &Shape, area: &Named<'_>, view: &View, y: f64, band: (f64, f64)) -> Vec<Label> {
    const SAME_EDGE: f64 = 12.0;
    let (Some(own), Some(all)) = (reach(area.shape, view, band.0, band.1), reach(land, view, band.0, band.1))
    else {
        return Vec::new();
    };
    let wide = width(area.name, SIZE);
    let label = |x: f64, anchor| Label { code: area.code.clone(), text: area.name.to_owned(), x, y, anchor };
    let mut found = Vec::new();
    if own.0 - all.0 < SAME_EDGE && all.0 - GAP - wide >= 0.0 {
        found.push(label(all.0 - GAP, "end"));
    }
    if all.1 - own.1 < SAME_EDGE && all.1 + GAP + wide <= WIDTH {
        found.push(label(all.1 + GAP, "start"));
    }
    found
}

fn inside(area: &Named<'_>, view: &View, size: f64) -> Label {
    let (x, y) = view.at(area.centre);
    Label { code: area.code.clone(), text: area.name.to_owned(), x, y: y + size * 0.35, anchor: "middle" }
}

/// Names inside their areas, each where it covers the fewest of `points`; one that would
/// cover an earlier name everywhere is left out.
#[must_use]
pub fn within(areas: &[Named<'_>], points: &[Point], view: &View, size: f64) -> Vec<Label> {
    let points: Vec<(f64, f64)> = points.iter().map(|p| view.at(*p)).collect();
    let mut labels: Vec<Label> = Vec::new();
    let mut taken: Vec<Taken> = Vec::new();
    for area in areas {
        let middle = inside(area, view, size);
        let mut best: Option<(f64, Label, Taken)> = None;
        for down in -4..=4 {
            for right in -2..=2 {
                let (dx, dy) = (f64::from(right) * size, f64::from(down) * size * 0.75);
                let label = Label { x: middle.x + dx, y: middle.y + dy, ..middle.clone() };
                let place = Taken::of(&label, size);
                if !place.is_visible(view) || taken.iter().any(|t| t.meets(&place)) {
                    continue;
                }
                let (x, y) = (label.x, label.y - size * 0.3);
                let off_its_area = if reach(area.shape, view, y, y).is_some_and(|(l, r)| l <= x && x <= r) {
                    0.0
                } else {
                    4.0
                };
                let covered = points.iter().filter(|p| place.holds(**p)).count();
                let covered = f64::from(u32::try_from(covered).unwrap_or(u32::MAX));
                let cost = covered + off_its_area + dx.hypot(dy) / (size * 3.0);
                if best.as_ref().is_none_or(|(c, ..)| cost < *c) {
                    best = Some((cost, label, place));
                }
            }
        }
        if let Some((_, label, place)) = best {
            taken.push(place);
            labels.push(label);
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::super::view::Margin;
    use super::*;

    fn block(west: f64, east: f64, south: f64, north: f64) -> Shape {
        let ring = vec![[west, south], [east, south], [east, north], [west, north], [west, south]];
        Shape { polygons: vec![vec![ring]] }
    }

    #[test]
    fn names_stand_beside_the_land_and_apart() {
        let land = block(115.0, 115.1, -8.4, -8.0);
        let parts = [block(115.0, 115.05, -8.2, -8.0), block(115.05, 115.1, -8.2, -8.0)];
        let view = View::fit(land.bounds().unwrap(), Margin { sides: (0.9, 0.9), ends: 0.0 }, 0.1, 9.0);
        let codes = [AreaCode::parse("1").unwrap(), AreaCode::parse("2").unwrap()];
        let named: Vec<Named<'_>> = codes
            .iter()
            .zip(&parts)
            .map(|(code, shape)| Named {
                code,
                name: "Petang",
                centre: Point { lat: -8.1, lon: 115.05 },
                shape,
            })
            .collect();
        let labels = beside(&land, &named, &view);
        assert_eq!(labels.iter().map(|l| l.anchor).collect::<Vec<_>>(), ["end", "start"]);
        let (edge, _) = view.at(Point { lat: -8.1, lon: 115.0 });
        assert!(labels[0].x < edge);
    }

    #[test]
    fn without_room_a_name_goes_inside() {
        let land = block(115.0, 115.1, -8.4, -8.0);
        let view = View::fit(land.bounds().unwrap(), Margin::default(), 0.1, 9.0);
        let code = AreaCode::parse("1").unwrap();
        let named =
            [Named { code: &code, name: "Petang", centre: Point { lat: -8.2, lon: 115.05 }, shape: &land }];
        assert_eq!(beside(&land, &named, &view)[0].anchor, "middle");
    }

    #[test]
    fn names_that_would_cover_each_other_are_left_out() {
        let land = block(115.0, 115.1, -8.1, -8.0);
        let view = View::fit(land.bounds().unwrap(), Margin::default(), 0.1, 9.0);
        let code = AreaCode::parse("1").unwrap();
        let at = |lat: f64| Named {
            code: &code,
            name: "Dalung",
            centre: Point { lat, lon: 115.05 },
            shape: &land,
        };
        let named = [at(-8.05), at(-8.08), at(-8.3)];
        let labels = within(&named, &[], &view, 30.0);
        assert_eq!(labels.len(), 2);
        let moved = within(&named, &[Point { lat: -8.05, lon: 115.05 }], &view, 30.0);
        assert!((moved[0].y - labels[0].y).abs() > 10.0, "{moved:?}");
        let crowd = vec![at(-8.05); 40];
        let labels = within(&crowd, &[], &view, 30.0);
        assert!(labels.len() < 40);
        for (i, a) in labels.iter().enumerate() {
            assert!(!labels[i + 1..].iter().any(|b| Taken::of(a, 30.0).meets(&Taken::of(b, 30.0))));
        }
    }
}
