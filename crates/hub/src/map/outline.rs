//! Outlines: rings of ground made into short SVG paths.
//!
//! A ring is projected, clipped to the picture (Sutherland and Hodgman), simplified
//! (Douglas and Peucker) to what a screen can show, and written with whole numbers
//! relative to each other. Borders that two shapes share may part by less than the
//! tolerance, which is thinner than the line drawn on them.

use super::view::{View, WIDTH};
use kulkul_model::geometry::Shape;
use std::fmt::Write as _;

/// A position in the picture.
pub type Spot = (f64, f64);

/// The path of a shape in a view; empty when nothing of it is visible.
///
/// `tolerance` is in picture units; rings smaller than it vanish.
#[must_use]
pub fn path(shape: &Shape, view: &View, tolerance: f64) -> String {
    let mut out = String::new();
    for ring in shape.polygons.iter().flatten() {
        let spots: Vec<Spot> =
            ring.iter().map(|c| view.at(kulkul_model::geometry::Point { lat: c[1], lon: c[0] })).collect();
        let kept = simplify(&clip(&spots, view.height), tolerance);
        write_ring(&mut out, &kept);
    }
    out
}

/// Cuts a closed ring to the picture and a little beyond, so that cut edges stay out of sight.
fn clip(ring: &[Spot], height: f64) -> Vec<Spot> {
    const BEYOND: f64 = 20.0;
    let mut spots: Vec<Spot> = ring.to_vec();
    if spots.len() > 1 && spots.first() == spots.last() {
        spots.pop();
    }
    // Each edge of the picture keeps the side on which `keep` is not negative.
    let edges: [fn(Spot, f64) -> f64; 4] =
        [|s, _| s.0 + BEYOND, |s, _| WIDTH + BEYOND - s.0, |s, _| s.1 + BEYOND, |s, h| h + BEYOND - s.1];
    for keep in edges {
        let mut cut = Vec::with_capacity(spots.len());
        let Some(mut from) = spots.last().copied() else { break };
        for &to in &spots {
            let (a, b) = (keep(from, height), keep(to, height));
            if (a < 0.0) != (b < 0.0) {
                let t = a / (a - b);
                cut.push((from.0 + t * (to.0 - from.0), from.1 + t * (to.1 - from.1)));
            }
            if b >= 0.0 {
                cut.push(to);
            }
            from = to;
        }
        spots = cut;
    }
    spots
}

/// Drops the points of a closed ring that lie within `tolerance` of the line without them.
fn simplify(ring: &[Spot], tolerance: f64) -> Vec<Spot> {
    let Some(&first) = ring.first() else { return Vec::new() };
    // A ring has no ends: it is cut at its first point and the one farthest from it.
    let far = ring.iter().enumerate().fold((0, 0.0), |best, (i, s)| {
        let d = (s.0 - first.0).hypot(s.1 - first.1);
        if d > best.1 { (i, d) } else { best }
    });
    if far.1 < tolerance {
        return Vec::new();
    }
    let (go, back) = ring.split_at(far.0);
    let mut go = go.to_vec();
    let mut back = back.to_vec();
    go.extend(back.first().copied());
    back.push(first);
    let mut kept = line(&go, tolerance);
    kept.pop();
    let mut rest = line(&back, tolerance);
    rest.pop();
    kept.append(&mut rest);
    kept
}

/// Simplifies an open line; its ends stay.
fn line(spots: &[Spot], tolerance: f64) -> Vec<Spot> {
    let mut keep = vec![false; spots.len()];
    let mut todo = vec![(0, spots.len().saturating_sub(1))];
    while let Some((from, to)) = todo.pop() {
        for end in [from, to] {
            if let Some(k) = keep.get_mut(end) {
                *k = true;
            }
        }
        let (Some(&a), Some(&b)) = (spots.get(from), spots.get(to)) else { continue };
        let far = spots
            .iter()
            .enumerate()
            .take(to)
            .skip(from + 1)
            .map(|(i, &s)| (i, distance(s, a, b)))
            .fold((from, tolerance), |best, it| if it.1 > best.1 { it } else { best });
        if far.0 > from {
            todo.push((from, far.0));
            todo.push((far.0, to));
        }
    }
    spots.iter().zip(keep).filter(|(_, k)| *k).map(|(s, _)| *s).collect()
}

fn distance(s: Spot, a: Spot, b: Spot) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let n = dx * dx + dy * dy;
    let t = if n == 0.0 { 0.0 } else { (((s.0 - a.0) * dx + (s.1 - a.1) * dy) / n).clamp(0.0, 1.0) };
    (s.0 - a.0 - t * dx).hypot(s.1 - a.1 - t * dy)
}

fn write_ring(out: &mut String, ring: &[Spot]) {
    let mut last: Option<(i64, i64)> = None;
    let mut begun = false;
    for s in ring {
        #[expect(clippy::cast_possible_truncation, reason = "a clipped picture is a few thousand units wide")]
        let at = (s.0.round() as i64, s.1.round() as i64);
        let step = match last {
            None => {
                // Writing to a String cannot fail.
                let _ = write!(out, "M{} {}", at.0, at.1);
                last = Some(at);
                continue;
            }
            Some(l) => (at.0 - l.0, at.1 - l.1),
        };
        if step == (0, 0) {
            continue;
        }
        let lead = if begun && step.0 >= 0 { " " } else { "" };
        let gap = if step.1 >= 0 { " " } else { "" };
        let _ = write!(out, "{}{lead}{}{gap}{}", if begun { "" } else { "l" }, step.0, step.1);
        begun = true;
        last = Some(at);
    }
    if last.is_some() {
        out.push('z');
    }
}

/// How far left and right a shape reaches within a band of heights; none where it is absent.
#[must_use]
pub fn reach(shape: &Shape, view: &View, top: f64, bottom: f64) -> Option<(f64, f64)> {
    let mut found: Option<(f64, f64)> = None;
    for ring in shape.polygons.iter().flatten() {
        let spots = ring.iter().map(|c| view.at(kulkul_model::geometry::Point { lat: c[1], lon: c[0] }));
        let next = spots.clone().skip(1);
        for (a, b) in spots.zip(next) {
            let (upper, lower) = if a.1 <= b.1 { (a, b) } else { (b, a) };
            if lower.1 < top || upper.1 > bottom {
                continue;
            }
            let x_at = |y: f64| {
                let t = if lower.1 > upper.1 { (y - upper.1) / (lower.1 - upper.1) } else { 0.0 };
                upper.0 + t.clamp(0.0, 1.0) * (lower.0 - upper.0)
            };
            for x in [x_at(top.max(upper.1)), x_at(bottom.min(lower.1))] {
                found = Some(found.map_or((x, x), |(l, r)| (l.min(x), r.max(x))));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::view::Margin;
    use super::*;
    use kulkul_model::geometry::Point;

    fn square() -> (Shape, View) {
        let ring = vec![[115.0, -8.0], [115.1, -8.0], [115.1, -8.1], [115.0, -8.1], [115.0, -8.0]];
        let view = View::fit(
            (Point { lat: -8.1, lon: 115.0 }, Point { lat: -8.0, lon: 115.1 }),
            Margin::default(),
            0.1,
            10.0,
        );
        (Shape { polygons: vec![vec![ring]] }, view)
    }

    #[test]
    fn a_square_is_four_numbers_pairs() {
        let (shape, view) = square();
        assert_eq!(path(&shape, &view, 1.0), "M0 0l1000 0 0 1010-1000 0z");
    }

    #[test]
    fn points_on_a_line_go_and_corners_stay() {
        let ring: Vec<Spot> =
            vec![(0.0, 0.0), (50.0, 0.4), (100.0, 0.0), (100.0, 50.0), (100.3, 70.0), (100.0, 100.0)];
        assert_eq!(simplify(&ring, 1.0), vec![(0.0, 0.0), (100.0, 0.0), (100.0, 100.0)]);
        assert_eq!(simplify(&ring, 0.1).len(), 6);
        assert!(simplify(&[(0.0, 0.0), (0.1, 0.1), (0.0, 0.1)], 1.0).is_empty());
        assert!(simplify(&[], 1.0).is_empty());
    }

    #[test]
    fn simplified_points_are_never_farther_than_the_tolerance() {
        let wavy: Vec<Spot> = (0..400)
            .map(|i| {
                let a = f64::from(i) / 400.0 * std::f64::consts::TAU;
                let r = 300.0 + 20.0 * (a * 17.0).sin();
                (500.0 + r * a.cos(), 500.0 + r * a.sin())
            })
            .collect();
        let kept = simplify(&wavy, 2.0);
        assert!(kept.len() < wavy.len() / 2);
        let mut closed = kept.clone();
        closed.push(kept[0]);
        for s in &wavy {
            let d = closed.windows(2).map(|w| distance(*s, w[0], w[1])).fold(f64::INFINITY, f64::min);
            assert!(d <= 2.0 + 1e-9, "{d}");
        }
    }

    #[test]
    fn what_lies_outside_is_cut() {
        let ring = [(-500.0, -500.0), (2000.0, -500.0), (2000.0, 300.0), (-500.0, 300.0), (-500.0, -500.0)];
        let cut = clip(&ring, 400.0);
        assert!(cut.iter().all(|s| s.0 > -20.1 && s.0 < 1020.1 && s.1 > -20.1 && s.1 < 420.1), "{cut:?}");
        assert!(cut.iter().any(|s| (s.0 - 1020.0).abs() < 1e-9 && (s.1 - 300.0).abs() < 1e-9), "{cut:?}");
        assert!(clip(&[(-90.0, -90.0), (-80.0, -90.0), (-80.0, -80.0)], 400.0).is_empty());
    }

    #[test]
    fn reach_follows_the_edges() {
        let (shape, view) = square();
        let (l, r) = reach(&shape, &view, 400.0, 450.0).unwrap();
        assert!(l.abs() < 1e-6 && (r - 1000.0).abs() < 1e-6);
        assert!(reach(&shape, &view, 2000.0, 2100.0).is_none());
    }
}
