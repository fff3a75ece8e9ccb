//! `/areas/{code}`: an area, its map, what lies in it, and what is off there.

use crate::Hub;
use crate::home::{Trouble, trouble};
use crate::map::{self, Focus, Options};
use crate::sites::missing::Missing;
use crate::sites::search::{Filter, From, Sort, cut};
use crate::sites::shown::{
    AreaLink, Bar, Chip, Headline, Measured, Row, area_name, category_name, chips, words,
};
use crate::watch::board::{Board, SiteNow, Tally};
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::state::Sign;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sites listed on an area's page; the rest is behind a link.
const LISTED: usize = 60;

/// The public pages about areas.
pub fn routes() -> Router<Hub> {
    Router::new().route("/areas/{code}", get(one))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    sign: Option<String>,
    /// `off` leaves the map out: what an open page asks for when it takes only the lists.
    map: Option<String>,
}

#[derive(Template)]
#[template(path = "areas/area.html")]
struct AreaPage {
    page: Page,
    w: W,
    name: String,
    bare_name: String,
    code: String,
    bps_code: Option<String>,
    path: Vec<AreaLink>,
    is_island: bool,
    total: u32,
    headline: Headline,
    measured: Measured,
    chips: Vec<Chip>,
    map: Option<String>,
    trouble: Vec<Trouble>,
    children_title: &'static str,
    children: Vec<Bar>,
    islands: Vec<AreaLink>,
    by_category: Vec<Bar>,
    sites: Vec<Row>,
    all_sites: Option<(String, String)>,
}

async fn one(
    page_: Page,
    Path(typed): Path<String>,
    Lenient(asked): Lenient<Asked>,
) -> Result<Response, Problem> {
    let board = page_.hub().board();
    let Some(area) = AreaCode::parse(&typed).ok().and_then(|code| board.areas.get(&code)) else {
        let html = Missing::area(page_, &board, &typed);
        return Ok((StatusCode::NOT_FOUND, page(&html)?).into_response());
    };
    let only = asked.sign.as_deref().and_then(Sign::parse);
    let filter = Filter { area: Some(area.code.clone()), ..Filter::default() };
    let within: Vec<&SiteNow> = filter.sites(&board);
    let mut tally = Tally::default();
    for s in &within {
        tally.add(s.sign);
    }
    let lines = |sign| trouble(&page_, &board, sign, within.iter().copied(), 8);
    let mut wrong = lines(Sign::Down);
    wrong.extend(lines(Sign::Degraded));
    let list_href = format!("/sites?area={}", area.code);
    let path = board.path(&area.code);
    let above = path.split_last().map_or(&[] as &[Arc<Area>], |(_, above)| above);
    let sites_total = within.len();
    let html = AreaPage {
        name: area_name(&page_, area),
        bare_name: area.name.clone(),
        code: area.code.to_string(),
        bps_code: area.bps_code.clone(),
        path: AreaLink::path(above),
        is_island: area.kind == AreaKind::Island,
        total: tally.total(),
        headline: Headline::of(&page_, &tally),
        measured: Measured::of(&page_, &board),
        chips: chips(&page_, &tally, only),
        map: if asked.map.as_deref() == Some("off") {
            None
        } else {
            let focus = Focus::Area(&area.code, area.centre);
            map::svg(&board, &Options { focus, only, words: &words(&page_) })
        },
        trouble: wrong,
        children_title: match area.kind {
            AreaKind::Regency => "area-children-regency",
            AreaKind::District => "area-children-district",
            _ => "area-children-village",
        },
        children: children(&page_, &board, area),
        islands: board
            .areas
            .values()
            .filter(|a| a.kind == AreaKind::Island && a.parent.as_ref() == Some(&area.code))
            .map(|a| AreaLink { href: format!("/areas/{}", a.code), name: a.name.clone() })
            .collect(),
        by_category: by_category(&page_, &board, area, &within),
        all_sites: (sites_total > LISTED).then(|| {
            let n = page_.number(&i64::try_from(sites_total).unwrap_or(i64::MAX));
            (list_href, page_.w.a("area-sites-all", "n", n))
        }),
        sites: cut(&board, within, Sort::Sign, &From::Start, LISTED)
            .sites
            .iter()
            .map(|s| Row::of(&page_, &board, s))
            .collect(),
        w: page_.w.clone(),
        page: page_,
    };
    page(&html)
}

fn children(page: &Page, board: &Board, area: &Area) -> Vec<Bar> {
    board
        .areas
        .values()
        .filter(|a| a.parent.as_ref() == Some(&area.code) && a.kind != AreaKind::Island)
        .map(|a| {
            let tally = board.by_area.get(&a.code).copied().unwrap_or_default();
            Bar::of(page, format!("/areas/{}", a.code), a.name.clone(), &tally)
        })
        .collect()
}

fn by_category(page: &Page, board: &Board, area: &Area, within: &[&SiteNow]) -> Vec<Bar> {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for s in within {
        tallies.entry(s.site.category.as_str()).or_default().add(s.sign);
    }
    board
        .categories
        .iter()
        .filter_map(|c| {
            let tally = tallies.get(c.key.as_str())?;
            let href = format!("/sites?area={}&category={}", area.code, c.key);
            Some(Bar::of(page, href, category_name(page, c).to_owned(), tally))
        })
        .collect()
}
