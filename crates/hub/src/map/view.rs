//! A view: which part of the ground a picture shows, and where a point falls in it.
//!
//! Spherical Mercator (EPSG:3857 without its metres), the projection that tile
//! servers and Leaflet use, so that a picture drawn here fits over theirs exactly.

use kulkul_model::geometry::Point;
use std::f64::consts::{FRAC_PI_4, PI};

/// Width of every picture in its own units; the height follows from the ground.
pub const WIDTH: f64 = 1000.0;

/// A rectangle of ground and the picture that it fills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    west: f64,
    north: f64,
    /// Picture units for one radian of longitude.
    scale: f64,
    /// Height of the picture, in the units of `WIDTH`.
    pub height: f64,
}

/// Empty space around the ground, as shares of its width or height.
#[derive(Clone, Copy, Debug, Default)]
pub struct Margin {
    /// To the left and right, share of the ground's width.
    pub sides: (f64, f64),
    /// Above and below, share of the ground's width.
    pub ends: f64,
}

fn mercator(p: Point) -> (f64, f64) {
    let lat = p.lat.clamp(-85.0, 85.0).to_radians();
    (p.lon.to_radians(), (FRAC_PI_4 + lat / 2.0).tan().ln())
}

fn ground(x: f64, y: f64) -> Point {
    Point { lat: (2.0 * y.exp().atan() - PI / 2.0).to_degrees(), lon: x.to_degrees() }
}

impl View {
    /// Fits a box of ground (south-west, north-east) and its margin into a picture.
    ///
    /// `tallest` bounds height / width: a taller box gets more room at its sides;
    /// `flattest` does the same for a wider one.
    #[must_use]
    pub fn fit(bounds: (Point, Point), margin: Margin, flattest: f64, tallest: f64) -> Self {
        let (mut west, mut south) = mercator(bounds.0);
        let (mut east, mut north) = mercator(bounds.1);
        // A single point still gets some ground around it: about 100 m.
        let short = (1.6e-5 - (east - west).max(north - south)).max(0.0) / 2.0;
        (west, east, south, north) = (west - short, east + short, south - short, north + short);
        let wide = east - west;
        west -= wide * margin.sides.0;
        east += wide * margin.sides.1;
        north += wide * margin.ends;
        south -= wide * margin.ends;
        let (w, h) = (east - west, north - south);
        if h / w > tallest {
            let more = (h / tallest - w) / 2.0;
            west -= more;
            east += more;
        } else if h / w < flattest {
            let more = (w * flattest - h) / 2.0;
            north += more;
            south -= more;
        }
        let scale = WIDTH / (east - west);
        View { west, north, scale, height: ((north - south) * scale).round() }
    }

    /// Where a point of the ground falls in the picture: right and down from its corner.
    #[must_use]
    pub fn at(&self, p: Point) -> (f64, f64) {
        let (x, y) = mercator(p);
        ((x - self.west) * self.scale, (self.north - y) * self.scale)
    }

    /// The ground at the picture's corners: (south-west, north-east).
    #[must_use]
    pub fn bounds(&self) -> (Point, Point) {
        let (south, east) = (self.north - self.height / self.scale, self.west + WIDTH / self.scale);
        (ground(self.west, south), ground(east, self.north))
    }

    /// Picture units for one kilometre in the middle of the picture.
    #[must_use]
    pub fn units_per_km(&self) -> f64 {
        let middle = ground(self.west, self.north - self.height / self.scale / 2.0);
        self.scale / (6_378.137 * middle.lat.to_radians().cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BADUNG: (Point, Point) = (Point { lat: -8.85, lon: 115.08 }, Point { lat: -8.24, lon: 115.25 });

    #[test]
    fn corners_fall_in_the_corners() {
        let v = View::fit(BADUNG, Margin::default(), 0.1, 10.0);
        let (x, y) = v.at(Point { lat: -8.24, lon: 115.08 });
        assert!(x.abs() < 1e-6 && y.abs() < 1e-6, "{x} {y}");
        let (x, y) = v.at(Point { lat: -8.85, lon: 115.25 });
        assert!((x - WIDTH).abs() < 1e-6 && (y - v.height).abs() < 1.0, "{x} {y}");
        let (sw, ne) = v.bounds();
        assert!((sw.lon - 115.08).abs() < 1e-9 && (ne.lat + 8.24).abs() < 1e-9);
        assert!((sw.lat + 8.85).abs() < 1e-3);
    }

    #[test]
    fn north_is_up_and_east_is_right() {
        let v = View::fit(BADUNG, Margin { sides: (0.1, 0.2), ends: 0.05 }, 0.1, 10.0);
        let (x0, y0) = v.at(Point { lat: -8.6, lon: 115.15 });
        let (x1, y1) = v.at(Point { lat: -8.5, lon: 115.2 });
        assert!(x1 > x0 && y1 < y0);
    }

    #[test]
    fn a_kilometre_is_a_kilometre() {
        let v = View::fit(BADUNG, Margin::default(), 0.1, 10.0);
        let (a, b) = (Point { lat: -8.545, lon: 115.1 }, Point { lat: -8.545, lon: 115.109_086 });
        let km = (v.at(b).0 - v.at(a).0) / v.units_per_km();
        assert!((km - 1.0).abs() < 0.01, "{km}");
    }

    #[test]
    fn shapes_that_do_not_fit_get_room() {
        let v = View::fit(BADUNG, Margin::default(), 0.1, 1.5);
        assert!((v.height - 1500.0).abs() < 1.0);
        let v = View::fit(BADUNG, Margin::default(), 5.0, 9.0);
        assert!((v.height - 5000.0).abs() < 1.0);
        let p = Point { lat: -8.5, lon: 115.2 };
        assert!(View::fit((p, p), Margin::default(), 0.6, 1.5).height > 0.0);
    }
}
