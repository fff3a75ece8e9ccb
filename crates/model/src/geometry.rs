//! Points, polygons and the two questions asked of them: inside, and how far.
//!
//! Coordinates are WGS 84 degrees, GeoJSON order (longitude first) in rings,
//! RFC 7946. Distances use a local flat projection: right to a metre within a regency.

use serde::{Deserialize, Serialize};

/// A point on the ground, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// Latitude, degrees north.
    pub lat: f64,
    /// Longitude, degrees east.
    pub lon: f64,
}

/// A closed line of [longitude, latitude] pairs; the last equals the first.
pub type Ring = Vec<[f64; 2]>;

/// A polygon: the outer ring, then holes.
pub type Polygon = Vec<Ring>;

/// One or more polygons that make up an area.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Shape {
    /// The polygons; at least one.
    pub polygons: Vec<Polygon>,
}

const METRES_PER_DEGREE: f64 = 111_320.0;

impl Shape {
    /// Whether the point lies inside a polygon and outside its holes.
    #[must_use]
    pub fn holds(&self, p: Point) -> bool {
        self.polygons.iter().any(|poly| {
            let mut rings = poly.iter();
            rings.next().is_some_and(|outer| in_ring(p, outer)) && !rings.any(|hole| in_ring(p, hole))
        })
    }

    /// Metres from the point to the nearest edge; infinite for an empty shape.
    #[must_use]
    pub fn metres_to_edge(&self, p: Point) -> f64 {
        let kx = METRES_PER_DEGREE * p.lat.to_radians().cos();
        let ky = METRES_PER_DEGREE;
        let mut best = f64::INFINITY;
        for ring in self.polygons.iter().flatten() {
            for (a, b) in ring.iter().zip(ring.iter().skip(1)) {
                let (ax, ay) = ((a[0] - p.lon) * kx, (a[1] - p.lat) * ky);
                let (bx, by) = ((b[0] - p.lon) * kx, (b[1] - p.lat) * ky);
                let (dx, dy) = (bx - ax, by - ay);
                let n = dx * dx + dy * dy;
                let t = if n == 0.0 { 0.0 } else { (-(ax * dx + ay * dy) / n).clamp(0.0, 1.0) };
                best = best.min((ax + t * dx).hypot(ay + t * dy));
            }
        }
        best
    }

    /// Smallest box around the shape: (south-west, north-east); none when empty.
    #[must_use]
    pub fn bounds(&self) -> Option<(Point, Point)> {
        let mut it = self.polygons.iter().flatten().flatten();
        let first = it.next()?;
        let mut sw = Point { lat: first[1], lon: first[0] };
        let mut ne = sw;
        for c in it {
            sw.lat = sw.lat.min(c[1]);
            sw.lon = sw.lon.min(c[0]);
            ne.lat = ne.lat.max(c[1]);
            ne.lon = ne.lon.max(c[0]);
        }
        Some((sw, ne))
    }
}

fn in_ring(p: Point, ring: &[[f64; 2]]) -> bool {
    let mut inside = false;
    for (a, b) in ring.iter().zip(ring.iter().skip(1)) {
        if (a[1] > p.lat) != (b[1] > p.lat) && p.lon < (b[0] - a[0]) * (p.lat - a[1]) / (b[1] - a[1]) + a[0] {
            inside = !inside;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square_with_hole() -> Shape {
        let ring = |a: f64, b: f64| vec![[a, a], [b, a], [b, b], [a, b], [a, a]];
        Shape { polygons: vec![vec![ring(0.0, 1.0), ring(0.4, 0.6)]] }
    }

    #[test]
    fn a_hole_is_outside() {
        let s = square_with_hole();
        assert!(s.holds(Point { lat: 0.2, lon: 0.2 }));
        assert!(!s.holds(Point { lat: 0.5, lon: 0.5 }));
        assert!(!s.holds(Point { lat: 1.2, lon: 0.2 }));
        assert!(!Shape::default().holds(Point::default()));
    }

    #[test]
    fn distance_is_in_metres() {
        let d = square_with_hole().metres_to_edge(Point { lat: 0.5, lon: 1.01 });
        assert!((d - 1113.0).abs() < 1.0, "{d}");
        assert!(Shape::default().metres_to_edge(Point::default()).is_infinite());
    }

    #[test]
    fn bounds_hold_all_rings() {
        let (sw, ne) = square_with_hole().bounds().unwrap();
        assert_eq!((sw.lat, sw.lon, ne.lat, ne.lon), (0.0, 0.0, 1.0, 1.0));
    }
}
