//! Labels: where the names of areas stand in a picture without covering each other.
//!
//! In the picture of the whole regency a district's name stands beside the land,
//! where no point is; in a closer picture names stand in the middle of their area,
//! and one that would cover another is left out.

use super::outline::reach;
use super::view::{View, WIDTH};
use kulkul_model::area::AreaCode;
use kulkul_model::geometry::{Point, Shape};

/// Height of the letters, in picture units.
pub const SIZE: f64 = 36.0;

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

/// Names in the middle of their areas; those that would cover an earlier one are left out.
#[must_use]
pub fn within(areas: &[Named<'_>], view: &View) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    let mut taken: Vec<Taken> = Vec::new();
    for area in areas {
        let label = inside(area, view, SIZE);
        let place = Taken::of(&label, SIZE);
        let visible =
            place.left >= 0.0 && place.right <= WIDTH && place.top >= 0.0 && place.bottom <= view.height;
        if visible && !taken.iter().any(|t| t.meets(&place)) {
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
        let labels = within(&[at(-8.05), at(-8.0501), at(-8.08), at(-8.3)], &view);
        assert_eq!(labels.len(), 2);
    }
}
