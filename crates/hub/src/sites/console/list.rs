//! The list of places, for staff: the register as it is stored, found by filters.

use super::stages;
use crate::Hub;
use crate::console::{Choice, Frame};
use crate::staff::Staff;
use crate::web::{Lenient, Page, Problem, W, page};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::site::Stage;
use kulkul_store::site::{self, After, Filter};
use serde::Deserialize;

/// Sites on one page.
const PER_PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "sites/console_list.html")]
struct ListPage {
    page: Page,
    w: W,
    me: Frame,
    q: String,
    categories: Vec<Choice>,
    areas: Vec<Choice>,
    stages: Vec<Choice>,
    count: u64,
    rows: Vec<Row>,
    next: Option<String>,
    /// Where the list begins, when that is not here.
    first: Option<String>,
    /// Whether anything is chosen.
    narrowed: bool,
}

struct Row {
    code: String,
    name: String,
    village: String,
    stage: String,
    sign: &'static str,
    word: String,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
    category: String,
    area: String,
    stage: String,
    after: String,
}

impl Asked {
    /// The list with the same choices, after a site.
    fn address(&self, after: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let all = [
            ("q", self.q.as_str()),
            ("category", &self.category),
            ("area", &self.area),
            ("stage", &self.stage),
            ("after", after),
        ];
        for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("/console/sites?{}", query.finish())
    }
}

pub(super) async fn show(
    State(hub): State<Hub>,
    staff: Staff,
    Lenient(asked): Lenient<Asked>,
    on: Page,
) -> Result<Response, Problem> {
    let board = hub.board();
    let w = on.w.clone();
    let filter = Filter {
        category: CategoryKey::parse(&asked.category).ok(),
        area: AreaCode::parse(&asked.area).ok(),
        stage: Stage::parse(&asked.stage),
        text: Some(asked.q.clone()).filter(|q| !q.trim().is_empty()),
    };
    let mut tx = hub.store().reader().await?;
    let count = site::count(&mut tx, &filter).await?;
    let mut found = site::search(&mut tx, &filter, &After::Code(asked.after.clone()), PER_PAGE + 1).await?;
    drop(tx);
    let more = found.len() > PER_PAGE as usize;
    found.truncate(PER_PAGE as usize);
    let next = found.last().filter(|_| more).map(|last| asked.address(last.code.as_str()));
    let rows = found.iter().map(|s| {
        let now = board.sites.get(&s.code);
        Row {
            code: s.code.to_string(),
            name: s.name.clone(),
            village: board.areas.get(&s.area).map_or_else(|| s.area.to_string(), |a| a.name.clone()),
            stage: w.of("stage", s.stage.as_str()),
            sign: now.map_or("unknown", |n| n.sign.as_str()),
            word: now.map(|n| w.of("sign", n.sign.as_str())).unwrap_or_default(),
        }
    });
    let category_names = board
        .categories
        .iter()
        .map(|c| (c.key.to_string(), crate::sites::shown::category_name(&on, c).to_owned()));
    page(&ListPage {
        me: (&staff).into(),
        categories: Choice::among(category_names, &asked.category),
        areas: Choice::areas(&board, &asked.area, false),
        stages: stages(&w, &asked.stage),
        count,
        rows: rows.collect(),
        next,
        first: (!asked.after.is_empty()).then(|| asked.address("")),
        narrowed: !asked.address("").ends_with('?'),
        q: asked.q,
        w: w.clone(),
        page: on,
    })
}
