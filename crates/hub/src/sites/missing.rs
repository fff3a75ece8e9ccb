//! The page for a code that the register does not have: it offers what may have been meant.

use super::search::near;
use super::shown::Row;
use crate::watch::board::Board;
use crate::web::{Page, W};
use askama::Template;

/// A page that says what is missing, with near misses and a search.
#[derive(Template)]
#[template(path = "sites/missing.html")]
pub struct Missing {
    page: Page,
    w: W,
    title: String,
    detail: String,
    near: Vec<Row>,
}

impl Missing {
    /// The page for what was typed as the code of a site.
    #[must_use]
    pub fn site(page: Page, board: &Board, typed: &str) -> Self {
        let (title, detail) =
            (page.w.t("sites-missing-title").to_owned(), page.w.a("sites-missing", "code", shown(typed)));
        Missing::of(page, board, (title, detail), typed)
    }

    /// The page for what was typed as the code of an area.
    #[must_use]
    pub fn area(page: Page, board: &Board, typed: &str) -> Self {
        let (title, detail) =
            (page.w.t("area-missing-title").to_owned(), page.w.a("area-missing", "code", shown(typed)));
        Missing::of(page, board, (title, detail), typed)
    }

    fn of(page: Page, board: &Board, (title, detail): (String, String), typed: &str) -> Self {
        Missing {
            title,
            detail,
            near: near(board, typed, 8).into_iter().map(|s| Row::of(&page, board, s)).collect(),
            w: page.w.clone(),
            page,
        }
    }
}

/// As much of what was typed as fits into a sentence.
fn shown(typed: &str) -> String {
    typed.chars().take(40).collect()
}
