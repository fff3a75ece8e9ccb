//! The map: the regency and its sites as SVG, drawn from the board and the land.
//!
//! A pure function of what it is given. It works without JavaScript, without tiles
//! and without fonts of its own; each site is a link with a title, and its sign is a
//! shape as well as a colour. The list beside the map holds the same for keyboards.

mod labels;
mod land;
mod outline;
mod view;

pub use land::{Ground, Land};
pub use view::{View, WIDTH};

use crate::watch::board::{Board, SiteNow};
use kulkul_model::area::AreaCode;
use kulkul_model::geometry::Point;
use kulkul_model::site::PositionQuality;
use kulkul_model::state::Sign;
use std::fmt::Write as _;

/// What a picture is about.
#[derive(Clone, Copy, Debug)]
pub enum Focus<'a> {
    /// The whole regency with every site.
    Whole,
    /// One area with the sites in it.
    Area(&'a AreaCode, Point),
    /// One site among those of its village.
    Site(&'a SiteNow),
}

/// How a picture is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// What it is about.
    pub focus: Focus<'a>,
    /// Shows only the sites with this sign at full strength.
    pub only: Option<Sign>,
    /// The word for each sign, in the order of `Sign::ALL`, in the reader's language.
    pub words: &'a [String; 6],
}

/// The order in which signs are drawn, so that trouble lies on top.
const DRAWN: [Sign; 6] =
    [Sign::NotInService, Sign::Closed, Sign::Up, Sign::Unknown, Sign::Degraded, Sign::Down];

/// Draws a picture; none when the register has no outline to draw on.
///
/// The answer is one `svg` element that refers to the signs of `signs()`, which the
/// page holds once. `data-bounds` gives south, west, north and east in degrees.
#[must_use]
pub fn svg(board: &Board, options: &Options<'_>) -> Option<String> {
    let land = &board.land;
    let shown = |s: &SiteNow| match options.focus {
        Focus::Whole => true,
        Focus::Area(code, _) => board.path(&s.site.area).iter().any(|a| a.code == *code),
        Focus::Site(site) => s.site.area == site.site.area && s.site.code != site.site.code,
    };
    let sites: Vec<&SiteNow> = board.sites.values().filter(|s| shown(s)).collect();
    let points = || sites.iter().map(|s| s.site.position).collect::<Vec<_>>();
    let drawn;
    let ground = match options.focus {
        Focus::Whole => land.whole()?,
        Focus::Area(code, centre) => {
            drawn = land.around(code, centre, 1.35, &points());
            &drawn
        }
        Focus::Site(site) => {
            drawn = land.around(&site.site.area, site.site.position, 0.9, &points());
            &drawn
        }
    };
    let (sw, ne) = ground.view.bounds();
    let mut out = String::with_capacity(160_000);
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        r#"<svg class="regency{}{}" viewBox="0 0 {WIDTH} {}" data-bounds="{:.6} {:.6} {:.6} {:.6}" aria-hidden="true" focusable="false">"#,
        if matches!(options.focus, Focus::Whole) { "" } else { " near" },
        options.only.map(|s| format!(" only-{}", s.as_str())).unwrap_or_default(),
        ground.view.height,
        sw.lat,
        sw.lon,
        ne.lat,
        ne.lon
    );
    let _ = write!(out, r#"<g class="ground">{}</g><g class="points">"#, ground.svg);
    for sign in DRAWN {
        // Known positions are drawn after guessed ones, so that nothing hides them.
        for known in [false, true] {
            for site in sites.iter().filter(|s| s.sign == sign && is_known(s) == known) {
                point(&mut out, &ground.view, site, options.words);
            }
        }
    }
    if let Focus::Site(site) = options.focus {
        here(&mut out, &ground.view, site);
    }
    out.push_str("</g></svg>");
    Some(out)
}

fn is_known(site: &SiteNow) -> bool {
    site.site.position_quality != PositionQuality::Approximate
}

fn point(out: &mut String, view: &View, now: &SiteNow, words: &[String; 6]) {
    let (x, y) = view.at(now.site.position);
    let sign = now.sign.as_str();
    let word = words.get(now.sign as usize).map_or("", String::as_str);
    let known = if is_known(now) { " known" } else { "" };
    let _ = write!(
        out,
        r##"<a href="/sites/{}" class="{sign}{known}" tabindex="-1"><title>{}: {word}</title><use href="#s-{sign}" "##,
        now.site.code,
        escape(&now.site.name)
    );
    let _ = if is_known(now) {
        write!(out, r#"transform="translate({x:.0} {y:.0})scale(1.5)"/></a>"#)
    } else {
        write!(out, r#"x="{x:.0}" y="{y:.0}"/></a>"#)
    };
}

/// Draws the site that a picture is about: large, and ringed by dashes when its position is a guess.
fn here(out: &mut String, view: &View, now: &SiteNow) {
    let (x, y) = view.at(now.site.position);
    let sign = now.sign.as_str();
    if is_known(now) {
        let _ = write!(out, r#"<circle class="halo" cx="{x:.0}" cy="{y:.0}" r="34"/>"#);
    } else {
        // The guess is "somewhere in this village": a ring of 400 m says so without pretending to more.
        let r = (0.4 * view.units_per_km()).clamp(46.0, 170.0);
        let _ = write!(out, r#"<circle class="guess" cx="{x:.0}" cy="{y:.0}" r="{r:.0}"/>"#);
    }
    let known = if is_known(now) { " known" } else { "" };
    let _ = write!(
        out,
        r##"<g class="{sign}{known} here"><use href="#s-{sign}" transform="translate({x:.0} {y:.0})scale(2.2)"/></g>"##
    );
}

/// The six signs as shapes with ids `s-up` and so on, for the page to hold once.
///
/// Each lies in a box from -12 to 12 and takes its colours from where it is used.
#[must_use]
pub fn signs() -> &'static str {
    concat!(
        r#"<svg class="signs" aria-hidden="true" width="0" height="0"><defs>"#,
        r#"<circle id="s-up" r="8.5"/>"#,
        r#"<path id="s-degraded" d="M0-11 11 9H-11z"/>"#,
        r#"<path id="s-down" d="M0-12.5 12.5 0 0 12.5-12.5 0z"/>"#,
        r#"<circle id="s-unknown" r="7.5"/>"#,
        r#"<path id="s-closed" d="M-11-4H11V4H-11z"/>"#,
        r#"<circle id="s-not_in_service" r="4.5"/>"#,
        "</defs></svg>"
    )
}

/// Makes text safe inside an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}
