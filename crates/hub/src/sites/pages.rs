//! `/sites` and `/sites/{code}`.

use super::api::ProfileOut;
use super::missing::Missing;
use super::search::{Filter, From, Sort, cut, near, split};
use super::shown::{AreaLink, Row, Since, category_name, place, word, words};
use super::strip::{By, Cell, Strip};
use crate::Hub;
use crate::map::{self, Focus, Options};
use crate::watch::availability::{self, Bucket};
use crate::watch::board::{Board, SiteNow};
use crate::web::{Lenient, Page, Problem, W, figures, page};
use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use http::StatusCode;
use kulkul_model::Moment;
use kulkul_model::area::{AreaCode, AreaKind};
use kulkul_model::category::CategoryKey;
use kulkul_model::site::{NameQuality, PositionQuality, SiteCode, Stage};
use kulkul_model::state::{Expected, Observed, Sign};
use serde::Deserialize;

/// Sites on one page of the list.
const ON_PAGE: usize = 50;

/// The public pages about sites.
pub fn routes() -> Router<Hub> {
    Router::new().route("/sites", get(list)).route("/sites/{code}", get(one)).route("/t/{code}", get(of_code))
}

/// `/t/{code}`: where the code on a place's wall leads; typed by hand, it may be in small letters.
async fn of_code(Path(code): Path<String>) -> Result<Response, Problem> {
    let code = code.trim().to_ascii_uppercase();
    let code = SiteCode::parse(&code).map_err(|_| Problem::status(StatusCode::NOT_FOUND))?;
    Ok(Redirect::to(&format!("/sites/{code}")).into_response())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    q: Option<String>,
    category: Option<String>,
    area: Option<String>,
    sign: Option<String>,
    stage: Option<String>,
    sort: Option<String>,
    after: Option<String>,
    before: Option<String>,
}

/// One choice of a drop-down.
#[derive(Debug)]
struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "sites/list.html")]
struct ListPage {
    page: Page,
    w: W,
    intro: String,
    q: String,
    categories: Vec<Choice>,
    areas: Vec<Choice>,
    signs: Vec<Choice>,
    stages: Vec<Choice>,
    sorts: Vec<Choice>,
    filtered: bool,
    count: String,
    rows: Vec<Row>,
    near: Vec<Row>,
    previous: Option<String>,
    next: Option<String>,
    /// What is shown as files: their endings and addresses.
    files: Vec<(&'static str, String)>,
}

async fn list(page_: Page, Lenient(asked): Lenient<Asked>) -> Result<Response, Problem> {
    let board = page_.hub().board();
    let q: String = asked.q.as_deref().unwrap_or("").trim().chars().take(100).collect();
    let filter = Filter {
        category: asked.category.as_deref().and_then(|t| CategoryKey::parse(t).ok()),
        area: asked.area.as_deref().and_then(|t| AreaCode::parse(t).ok()),
        sign: asked.sign.as_deref().and_then(Sign::parse),
        stage: asked.stage.as_deref().and_then(Stage::parse),
        observed: None,
        words: split(&q),
    };
    let sort = asked.sort.as_deref().and_then(Sort::parse).unwrap_or_default();
    let code = |text: &Option<String>| text.as_deref().and_then(|t| SiteCode::parse(t).ok());
    let from = match (code(&asked.after), code(&asked.before)) {
        (Some(after), _) => From::After(after),
        (None, Some(before)) => From::Before(before),
        (None, None) => From::Start,
    };
    let shown = cut(&board, filter.sites(&board), sort, &from, ON_PAGE);
    let link = |name: &str, site: Option<&&SiteNow>| {
        site.map(|s| address(&q, &filter, sort, &[(name, s.site.code.as_str())]))
    };
    let last = shown.before + shown.sites.len();
    let number = |n: usize| page_.number(&i64::try_from(n).unwrap_or(i64::MAX));
    let count = if shown.total == 0 {
        page_.w.t("sites-count-none").to_owned()
    } else {
        let (from, to, n) = (number(shown.before + 1), number(last), number(shown.total));
        page_.w.with("sites-count", &[("from", &from), ("to", &to), ("n", &n)])
    };
    let html = ListPage {
        intro: intro(&page_, &board),
        categories: board
            .categories
            .iter()
            .map(|c| Choice {
                value: c.key.to_string(),
                text: category_name(&page_, c).to_owned(),
                chosen: filter.category.as_ref() == Some(&c.key),
            })
            .collect(),
        areas: area_choices(&board, filter.area.as_ref()),
        signs: choices(Sign::ALL, |s| (s.as_str(), word(&page_, s), filter.sign == Some(s))),
        stages: choices(Stage::ALL, |s| {
            (s.as_str(), page_.w.of("stage", s.as_str()), filter.stage == Some(s))
        }),
        sorts: choices(Sort::ALL, |s| (s.as_str(), page_.w.of("sites-sort", s.as_str()), sort == s)),
        filtered: !q.is_empty()
            || filter.category.is_some()
            || filter.area.is_some()
            || filter.sign.is_some()
            || filter.stage.is_some(),
        count,
        rows: shown.sites.iter().map(|s| Row::of(&page_, &board, s)).collect(),
        near: if shown.total == 0 { rows(&page_, &board, &near(&board, &q, 8)) } else { Vec::new() },
        previous: if shown.before > 0 { link("before", shown.sites.first()) } else { None },
        next: if last < shown.total { link("after", shown.sites.last()) } else { None },
        files: [("csv", "CSV"), ("xlsx", "XLSX"), ("geojson", "GeoJSON")]
            .map(|(ending, name)| (name, format!("/api/v1/sites.{ending}{}", query(&q, &filter, None, &[]))))
            .to_vec(),
        q,
        w: page_.w.clone(),
        page: page_,
    };
    page(&html)
}

fn intro(page: &Page, board: &Board) -> String {
    let regency = board.areas.values().find(|a| a.kind == AreaKind::Regency);
    let name = regency.map(|a| super::shown::area_name(page, a)).unwrap_or_default();
    let total = page.number(&i64::from(board.tally.total()));
    page.w.with("sites-intro", &[("total", &total), ("area", &name)])
}

fn rows(page: &Page, board: &Board, sites: &[&SiteNow]) -> Vec<Row> {
    sites.iter().map(|s| Row::of(page, board, s)).collect()
}

fn choices<T: Copy, const N: usize>(
    all: [T; N],
    of: impl Fn(T) -> (&'static str, String, bool),
) -> Vec<Choice> {
    all.into_iter()
        .map(|t| {
            let (value, text, chosen) = of(t);
            Choice { value: value.to_owned(), text, chosen }
        })
        .collect()
}

/// Districts with their villages behind them; villages are set in by a dash.
fn area_choices(board: &Board, chosen: Option<&AreaCode>) -> Vec<Choice> {
    board
        .areas
        .values()
        .filter(|a| matches!(a.kind, AreaKind::District | AreaKind::Village))
        .map(|a| Choice {
            value: a.code.to_string(),
            text: if a.kind == AreaKind::Village { format!("– {}", a.name) } else { a.name.clone() },
            chosen: chosen == Some(&a.code),
        })
        .collect()
}

/// The address of this list with the same choices and `more`.
fn address(q: &str, filter: &Filter, sort: Sort, more: &[(&str, &str)]) -> String {
    format!("/sites{}", query(q, filter, Some(sort), more))
}

/// The choices as a query string with its question mark; empty when there are none.
fn query(q: &str, filter: &Filter, sort: Option<Sort>, more: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            query.append_pair(name, value);
        }
    };
    add("q", Some(q));
    add("category", filter.category.as_ref().map(CategoryKey::as_str));
    add("area", filter.area.as_ref().map(AreaCode::as_str));
    add("sign", filter.sign.map(Sign::as_str));
    add("stage", filter.stage.map(Stage::as_str));
    add("sort", sort.filter(|s| *s != Sort::default()).map(Sort::as_str));
    for (name, value) in more {
        add(name, Some(value));
    }
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
}

#[derive(Template)]
#[template(path = "sites/site.html")]
struct SitePage {
    page: Page,
    w: W,
    path: Vec<AreaLink>,
    row: Row,
    category_href: String,
    measured: Option<(String, String)>,
    notices: Vec<(&'static str, String)>,
    today: Option<Strip>,
    week: Option<Strip>,
    down: Option<String>,
    up: Option<String>,
    delay: Option<String>,
    people: Option<String>,
    map: Option<String>,
    where_words: String,
    geo: Option<String>,
    coordinates: String,
    facts: Vec<Fact>,
    neighbours: Vec<Row>,
    village: Option<AreaLink>,
}

async fn one(page_: Page, Path(typed): Path<String>) -> Result<Response, Problem> {
    let board = page_.hub().board();
    let Some(now) = SiteCode::parse(&typed).ok().and_then(|code| board.sites.get(&code)) else {
        let html = Missing::site(page_, &board, &typed);
        return Ok((StatusCode::NOT_FOUND, page(&html)?).into_response());
    };
    let site = &now.site;
    let path = board.path(&site.area);
    let profile = ProfileOut::of(&board, now);
    let lang = page_.w.lang();
    let mbits = |kbps: Option<u32>| {
        kbps.map(|k| figures::decimal(lang, f64::from(k) / 1000.0, usize::from(k % 1000 != 0)))
    };
    let village = path.last().map(|a| AreaLink { href: format!("/areas/{}", a.code), name: a.name.clone() });
    let others = Filter { area: Some(site.area.clone()), ..Filter::default() };
    let others: Vec<&SiteNow> =
        others.sites(&board).into_iter().filter(|s| s.site.code != site.code).collect();
    let (today, week) = past(page_.hub(), &site.code, page_.now).await?;
    let html = SitePage {
        row: Row::of(&page_, &board, now),
        category_href: format!("/sites?category={}", site.category),
        measured: now
            .seen_at
            .map(|at| (page_.rfc3339(&at), page_.w.a("site-measured", "ago", page_.ago(&at)))),
        notices: notices(&page_, now),
        today: Strip::of(&page_, &today, By::Hour),
        week: Strip::of(&page_, &week, By::Day),
        down: mbits(profile.down_kbps),
        up: mbits(profile.up_kbps),
        delay: now
            .rtt_us
            .filter(|_| now.observed != Observed::Unknown)
            .map(|us| figures::decimal(lang, f64::from(us) / 1000.0, usize::from(us < 10_000))),
        people: now.people_shown(board.category(site)).map(|n| page_.number(&i64::from(n))),
        map: map::svg(&board, &Options { focus: Focus::Site(now), only: None, words: &words(&page_) }),
        where_words: where_words(&page_, now, &place(&board, &site.area)),
        geo: (site.position_quality != PositionQuality::Approximate)
            .then(|| format!("geo:{:.5},{:.5}", site.position.lat, site.position.lon)),
        coordinates: format!("{:.5}, {:.5}", site.position.lat, site.position.lon),
        facts: facts(&page_, &board, now),
        neighbours: rows(&page_, &board, &cut(&board, others, Sort::Name, &From::Start, 12).sites),
        village,
        path: AreaLink::path(&path),
        w: page_.w.clone(),
        page: page_,
    };
    page(&html)
}

/// The hours of today and the days of the week past.
async fn past(hub: &Hub, site: &SiteCode, now: Moment) -> Result<(Vec<Cell>, Vec<Cell>), Problem> {
    let mut tx = hub.store().reader().await.map_err(|e| Problem::fault(&e))?;
    let strip = availability::strip(hub, &mut tx, site, now).await.map_err(|e| Problem::fault(&e))?;
    let cells = |buckets: Vec<Bucket>| {
        buckets.into_iter().map(|b| Cell { from: b.from, to: b.to, seconds: b.seconds }).collect()
    };
    Ok((cells(strip.today), cells(strip.week)))
}

/// What the reader must know before the figures; each with how loud it is.
fn notices(page: &Page, now: &SiteNow) -> Vec<(&'static str, String)> {
    let w = &page.w;
    let mut notices = Vec::new();
    if now.silent {
        let since = now.seen_at.map(|at| Since::of(page, at).words).unwrap_or_default();
        // Once it is established that nothing works, the page must not say that it still is being.
        let key = if now.observed == Observed::Down { "site-silent-down" } else { "site-silent" };
        notices.push(("bad", w.a(key, "since", since)));
    }
    match now.expected {
        Expected::Closed => notices.push(("", w.t("site-closed").to_owned())),
        Expected::Maintenance => notices.push(("", w.t("site-maintenance").to_owned())),
        Expected::NotInService => {
            let stage = w.of("stage", now.site.stage.as_str()).to_lowercase();
            notices.push(("", w.a("site-not-in-service", "stage", stage)));
        }
        Expected::Open if now.observed == Observed::Unknown => {
            notices.push(("warn", w.t("site-unknown").to_owned()));
        }
        Expected::Open => {}
    }
    if now.site.name_quality == NameQuality::Placeholder {
        notices.push(("warn", w.t("site-placeholder").to_owned()));
    }
    notices
}

fn where_words(page: &Page, now: &SiteNow, village: &str) -> String {
    match now.site.position_quality {
        PositionQuality::Approximate => page.w.a("site-where-guess", "village", village),
        PositionQuality::Sourced => page.w.t("site-where-sourced").to_owned(),
        PositionQuality::Surveyed => page.w.t("site-where-surveyed").to_owned(),
    }
}

/// A line of what the register knows.
struct Fact {
    term: String,
    text: String,
    /// The text is a note of the register's makers, who write English.
    english: bool,
}

/// What the register knows about a site, and how well.
fn facts(page: &Page, board: &Board, now: &SiteNow) -> Vec<Fact> {
    let (w, site) = (&page.w, &now.site);
    let kind = board.category(site).map(|c| category_name(page, c).to_owned());
    let evidence = if now.seen_at.is_some() { "site-evidence-gateway" } else { "site-evidence-none" };
    let all = [
        ("site-code", Some(site.code.to_string())),
        ("site-kind", kind),
        ("site-stage", Some(w.of("stage", site.stage.as_str()))),
        ("site-address", site.address.clone()),
        ("site-official", site.official_id.clone()),
        ("site-upstream", site.upstream.clone()),
        ("site-evidence", Some(w.t(evidence).to_owned())),
        ("site-position-quality", Some(w.of("position-quality", site.position_quality.as_str()))),
        ("site-basis", site.position_basis.clone()),
        ("site-name-quality", Some(w.of("name-quality", site.name_quality.as_str()))),
        ("site-source", Some(site.source.clone())),
    ];
    all.into_iter()
        .filter_map(|(key, value)| {
            let text = value.filter(|v| !v.is_empty())?;
            let english = matches!(key, "site-basis" | "site-source");
            Some(Fact { term: w.t(key).to_owned(), text, english })
        })
        .collect()
}
