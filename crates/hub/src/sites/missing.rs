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
    /// The page for `typed`; `noun` is `sites` or `area`, by which the words are chosen.
    #[must_use]
    pub fn of(page: Page, board: &Board, noun: &str, typed: &str) -> Self {
        let shown: String = typed.chars().take(40).collect();
        Missing {
            title: page.w.of(noun, "missing-title"),
            detail: page.w.a(&format!("{noun}-missing"), "code", shown),
            near: near(board, typed, 8).into_iter().map(|s| Row::of(&page, board, s)).collect(),
            w: page.w.clone(),
            page,
        }
    }
}
