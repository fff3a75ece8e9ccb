//! Sites, states and counts as pages show them: the board's rows put into words.
//!
//! Used by every page that lists sites; holds no rule of its own.

use crate::watch::board::{Board, SiteNow, Tally};
use crate::web::{Page, figures};
use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::category::Category;
use kulkul_model::site::NameQuality;
use kulkul_model::state::Sign;
use std::sync::Arc;

/// A moment for `<time>`: for programs and for people.
#[derive(Clone, Debug)]
pub struct Since {
    /// RFC 3339 with the regency's offset.
    pub iso: String,
    /// `sejak 13.07`, `sejak kemarin 13.07`, `sejak 3 November 13.07`.
    pub words: String,
}

impl Since {
    /// Says since when, counted in local days from the page's own moment.
    #[must_use]
    pub fn of(page: &Page, at: Moment) -> Self {
        let zone = page.hub().zone();
        let clock = figures::clock(page.w.lang(), zone, at);
        let today = zone.day(page.now);
        let words = if at >= today {
            page.w.a("since-today", "clock", clock)
        } else if at >= zone.day(today.plus_ms(-1)) {
            page.w.a("since-yesterday", "clock", clock)
        } else {
            let (day, this) = (zone.civil(at), zone.civil(page.now));
            // The year is said only when it is another one.
            let date = if day.year() == this.year() {
                format!("{} {}", day.day(), page.w.of("month", &day.month().to_string()))
            } else {
                figures::date(&page.w, zone, at)
            };
            page.w.with("since-date", &[("date", &date), ("clock", &clock)])
        };
        Since { iso: zone.rfc3339(at), words }
    }
}

/// One site in a list.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// True for a stand-in name.
    pub placeholder: bool,
    /// Its sign, as style sheets name it.
    pub sign: &'static str,
    /// Its sign as a word.
    pub word: String,
    /// Its category's name.
    pub kind: String,
    /// Village and district.
    pub place: String,
    /// Since when the state holds.
    pub since: Option<Since>,
    /// True when a sign of life is overdue.
    pub silent: bool,
}

impl Row {
    /// Puts a site into words.
    #[must_use]
    pub fn of(page: &Page, board: &Board, now: &SiteNow) -> Self {
        Row {
            code: now.site.code.to_string(),
            name: now.site.name.clone(),
            placeholder: now.site.name_quality == NameQuality::Placeholder,
            sign: now.sign.as_str(),
            word: word(page, now.sign),
            kind: board.category(&now.site).map(|c| category_name(page, c).to_owned()).unwrap_or_default(),
            place: place(board, &now.site.area),
            since: now.since.map(|at| Since::of(page, at)),
            silent: now.silent,
        }
    }
}

/// A sign as a word in the reader's language.
#[must_use]
pub fn word(page: &Page, sign: Sign) -> String {
    page.w.of("sign", sign.as_str())
}

/// The words for all signs, in the order of `Sign::ALL`.
#[must_use]
pub fn words(page: &Page) -> [String; 6] {
    Sign::ALL.map(|s| word(page, s))
}

/// A category's name in the reader's language.
#[must_use]
pub fn category_name<'a>(page: &Page, category: &'a Category) -> &'a str {
    match page.w.lang() {
        crate::web::Lang::Id => &category.name_id,
        crate::web::Lang::En => &category.name_en,
    }
}

/// The names of an area and of those that hold it, below the regency, innermost first.
#[must_use]
pub fn place(board: &Board, area: &AreaCode) -> String {
    let path = board.path(area);
    let names: Vec<&str> =
        path.iter().rev().filter(|a| a.kind != AreaKind::Regency).map(|a| a.name.as_str()).collect();
    if names.is_empty() { path.last().map(|a| a.name.clone()).unwrap_or_default() } else { names.join(", ") }
}

/// An area's kind and name: `Kecamatan Petang`, `Petang District`.
#[must_use]
pub fn area_name(page: &Page, area: &Area) -> String {
    let kind = page.w.of("local-kind", &area.local_kind);
    page.w.with("area-named", &[("kind", &kind), ("name", &area.name)])
}

/// A link to an area.
#[derive(Clone, Debug)]
pub struct AreaLink {
    /// Its address.
    pub href: String,
    /// Its name.
    pub name: String,
}

impl AreaLink {
    /// The links from the regency down to an area.
    #[must_use]
    pub fn path(areas: &[Arc<Area>]) -> Vec<Self> {
        areas.iter().map(|a| AreaLink { href: format!("/areas/{}", a.code), name: a.name.clone() }).collect()
    }
}

/// One way to look at only some of the sites.
#[derive(Clone, Debug)]
pub struct Chip {
    /// The sign.
    pub sign: &'static str,
    /// Its word.
    pub word: String,
    /// How many sites show it, written out.
    pub n: String,
    /// Where it leads: the same page with only these, or with all when it is chosen.
    pub href: String,
    /// True when it is chosen.
    pub chosen: bool,
}

/// A chip for every sign that some site shows, and for the chosen one.
#[must_use]
pub fn chips(page: &Page, tally: &Tally, chosen: Option<Sign>) -> Vec<Chip> {
    let path = page.path();
    Sign::ALL
        .into_iter()
        .filter(|s| tally.of(*s) > 0 || chosen == Some(*s))
        .map(|s| Chip {
            sign: s.as_str(),
            word: word(page, s),
            n: page.number(&i64::from(tally.of(s))),
            href: if chosen == Some(s) { path.to_owned() } else { format!("{path}?sign={}", s.as_str()) },
            chosen: chosen == Some(s),
        })
        .collect()
}

/// One line of a table of counts.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Where its name leads.
    pub href: String,
    /// Its name.
    pub name: String,
    /// How many sites.
    pub total: String,
    /// The pieces of its bar, widths in hundredths of it.
    pub pieces: Vec<Piece>,
    /// What the bar says, in words.
    pub words: String,
    /// Working sites as a share of those that should be open; a dash when none should.
    pub percent: String,
}

/// One piece of a bar.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The sign, as style sheets name it.
    pub sign: &'static str,
    /// Where it begins, 0 to 100.
    pub x: String,
    /// How wide it is, 0 to 100.
    pub width: String,
}

impl Bar {
    /// Draws a tally as a bar.
    #[must_use]
    pub fn of(page: &Page, href: String, name: String, tally: &Tally) -> Self {
        let total = f64::from(tally.total().max(1));
        let mut x = 0.0;
        let mut pieces = Vec::new();
        let mut words = Vec::new();
        for sign in Sign::ALL.into_iter().filter(|s| tally.of(*s) > 0) {
            let n = tally.of(sign);
            let width = f64::from(n) * 100.0 / total;
            pieces.push(Piece { sign: sign.as_str(), x: format!("{x:.2}"), width: format!("{width:.2}") });
            x += width;
            let n = page.number(&i64::from(n));
            words.push(page.w.with("bar-part", &[("n", &n), ("word", &word(page, sign))]));
        }
        Bar {
            href,
            name,
            total: page.number(&i64::from(tally.total())),
            pieces,
            words: words.join(", "),
            percent: percent(tally),
        }
    }
}

/// Working sites as a share of those that should be open, rounded down: 100 % means all.
#[must_use]
pub fn percent(tally: &Tally) -> String {
    match tally.due() {
        0 => "–".to_owned(),
        due => format!("{}%", tally.on() * 100 / due),
    }
}

/// The sentence that heads a page of many sites.
#[derive(Clone, Debug)]
pub struct Headline {
    /// Working sites, written out.
    pub on: String,
    /// Sites that should be open, written out; none when no site should.
    pub due: Option<String>,
}

impl Headline {
    /// The sentence for a tally.
    #[must_use]
    pub fn of(page: &Page, tally: &Tally) -> Self {
        let due = (tally.due() > 0).then(|| page.number(&i64::from(tally.due())));
        Headline { on: page.number(&i64::from(tally.on())), due }
    }
}

/// When the page's figures were measured, and whether that is too long ago.
#[derive(Clone, Debug)]
pub struct Measured {
    /// RFC 3339.
    pub iso: String,
    /// `Selasa, 24 November 2026, 14.32 WITA`.
    pub words: String,
    /// How the figures come about, or that nobody measures yet.
    pub how: String,
    /// A warning when the newest figure is over three minutes old.
    pub old: Option<String>,
}

impl Measured {
    /// Says when the newest sign of life came in; without any, what time it is.
    #[must_use]
    pub fn of(page: &Page, board: &Board) -> Self {
        let zone = page.hub().zone();
        let newest = board.sites.values().filter_map(|s| s.seen_at).max();
        let at = newest.unwrap_or(page.now);
        let weekday = zone.civil(at).weekday().to_monday_one_offset();
        let words = format!("{}, {}", page.w.of("weekday", &weekday.to_string()), page.date_clock(&at));
        let how = page.w.t(if newest.is_some() { "home-measured" } else { "home-unmeasured" }).to_owned();
        let old = (page.now.since_ms(at) > 180_000).then(|| page.w.a("home-old", "ago", page.ago(&at)));
        Measured { iso: zone.rfc3339(at), words, how, old }
    }
}
