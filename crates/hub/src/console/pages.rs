//! `/console`: what needs attention now, and what was done last.

use super::Frame;
use crate::Hub;
use crate::staff::Staff;
use crate::staff::audit_lines::{Line, lines};
use crate::watch::board::SiteNow;
use crate::web::{Page, Problem, W, page};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kulkul_model::state::Sign;
use kulkul_store::audit;

/// The most places that the first page lists; the rest is on the list of sites.
const MOST: usize = 30;

/// The console's first page.
pub fn routes() -> Router<Hub> {
    Router::new().route("/console", get(overview))
}

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview {
    page: Page,
    w: W,
    me: Frame,
    counts: Vec<(&'static str, String, i64)>,
    trouble: Vec<Trouble>,
    more: usize,
    done: Vec<Line>,
}

struct Trouble {
    code: String,
    name: String,
    village: String,
    sign: &'static str,
    word: String,
    since: Option<(String, String)>,
}

async fn overview(State(hub): State<Hub>, staff: Staff, on: Page) -> Result<Response, Problem> {
    let board = hub.board();
    let w = on.w.clone();
    let mine = |now: &&SiteNow| staff.actor.looks_after(&now.site.area);
    let count = |sign: Sign| board.sites.values().filter(mine).filter(|s| s.sign == sign).count();
    let counts = Sign::ALL
        .iter()
        .map(|s| (s.as_str(), w.of("sign", s.as_str()), i64::try_from(count(*s)).unwrap_or(i64::MAX)))
        .collect();
    let needs = [Sign::Down, Sign::Unknown, Sign::Degraded];
    let mut waiting: Vec<&SiteNow> =
        board.sites.values().filter(mine).filter(|s| needs.contains(&s.sign)).collect();
    let rank = |s: &SiteNow| needs.iter().position(|n| *n == s.sign);
    waiting.sort_by_key(|s| (rank(s), s.since, s.site.code.clone()));
    let more = waiting.len().saturating_sub(MOST);
    let trouble = waiting.into_iter().take(MOST).map(|s| Trouble {
        code: s.site.code.to_string(),
        name: s.site.name.clone(),
        village: board.areas.get(&s.site.area).map(|a| a.name.clone()).unwrap_or_default(),
        sign: s.sign.as_str(),
        word: w.of("sign", s.sign.as_str()),
        since: s.since.map(|at| (on.rfc3339(&at), on.ago(&at))),
    });
    let trouble = trouble.collect();
    let entries = audit::list(&mut hub.store().reader().await?, i64::MAX, 8).await?;
    page(&Overview { done: lines(&on, entries), me: (&staff).into(), counts, trouble, more, w, page: on })
}
