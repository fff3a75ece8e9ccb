//! `/`: how many places work, where, and what is off since when.

use super::{Trouble, trouble};
use crate::Hub;
use crate::map::{self, Focus, Options};
use crate::sites::shown::{Bar, Chip, Headline, Measured, category_name, chips, words};
use crate::watch::board::Board;
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use kulkul_model::area::AreaKind;
use kulkul_model::site::PositionQuality;
use kulkul_model::state::Sign;
use serde::Deserialize;

/// Lines of trouble on the front page; the rest is behind a link.
const LINES: usize = 8;

#[derive(Template)]
#[template(path = "home/home.html")]
struct Home {
    page: Page,
    w: W,
    headline: Headline,
    measured: Measured,
    empty: bool,
    chips: Vec<Chip>,
    map: Option<String>,
    known: String,
    guessed: String,
    down: Vec<Trouble>,
    down_all: Option<String>,
    slow: Vec<Trouble>,
    slow_all: Option<String>,
    by_category: Vec<Bar>,
    by_district: Vec<Bar>,
    regency: Option<String>,
}

/// The front page's route.
pub fn routes() -> Router<Hub> {
    Router::new().route("/", get(home))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    sign: Option<String>,
    /// `off` leaves the map out: what an open page asks for when it takes only the lists.
    map: Option<String>,
}

async fn home(page_: Page, Lenient(asked): Lenient<Asked>) -> Result<Response, Problem> {
    let board = page_.hub().board();
    let only = asked.sign.as_deref().and_then(Sign::parse);
    let (down, slow) = (board.tally.of(Sign::Down), board.tally.of(Sign::Degraded));
    let count = |key: &str, n: u32, shown: usize| {
        // The link counts what it leads to; with nothing there it would lead nowhere.
        (n > 0 && shown > 0).then(|| page_.w.a(key, "n", page_.number(&i64::from(n))))
    };
    let lines = |sign, most| trouble(&page_, &board, sign, board.sites.values(), most);
    let (down_lines, slow_lines) = (lines(Sign::Down, LINES), lines(Sign::Degraded, LINES / 2));
    let known =
        board.sites.values().filter(|s| s.site.position_quality != PositionQuality::Approximate).count();
    let number = |n: usize| page_.number(&i64::try_from(n).unwrap_or(i64::MAX));
    let html = Home {
        headline: Headline::of(&page_, &board.tally),
        measured: Measured::of(&page_, &board),
        empty: board.sites.is_empty(),
        chips: chips(&page_, &board.tally, only),
        map: if asked.map.as_deref() == Some("off") {
            None
        } else {
            map::svg(&board, &Options { focus: Focus::Whole, only, words: &words(&page_) })
        },
        known: page_.w.a("home-map-known", "n", number(known)),
        guessed: page_.w.a("home-map-guess", "n", number(board.sites.len() - known)),
        down_all: count("home-off-all", down, down_lines.len()),
        slow_all: count("home-slow-all", slow, slow_lines.len()),
        down: down_lines,
        slow: slow_lines,
        by_category: by_category(&page_, &board),
        by_district: by_district(&page_, &board),
        regency: board
            .areas
            .values()
            .find(|a| a.kind == AreaKind::Regency)
            .map(|a| format!("/areas/{}", a.code)),
        w: page_.w.clone(),
        page: page_,
    };
    page(&html)
}

fn by_category(page: &Page, board: &Board) -> Vec<Bar> {
    board
        .categories
        .iter()
        .filter_map(|c| {
            let tally = board.by_category.get(c.key.as_str())?;
            let href = format!("/sites?category={}", c.key);
            Some(Bar::of(page, href, category_name(page, c).to_owned(), tally))
        })
        .collect()
}

fn by_district(page: &Page, board: &Board) -> Vec<Bar> {
    board
        .areas
        .values()
        .filter(|a| a.kind == AreaKind::District)
        .map(|a| {
            let tally = board.by_area.get(&a.code).copied().unwrap_or_default();
            Bar::of(page, format!("/areas/{}", a.code), a.name.clone(), &tally)
        })
        .collect()
}
