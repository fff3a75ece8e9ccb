//! Finding sites on the board: filters, order, pages by key, and near misses.
//!
//! Shared by the pages and the API. Everything is in memory; nothing here reads SQL.

use crate::watch::board::{Board, SiteNow};
use kulkul_model::area::AreaCode;
use kulkul_model::category::CategoryKey;
use kulkul_model::site::{SiteCode, Stage};
use kulkul_model::state::{Observed, Sign};
use std::collections::BTreeSet;

/// Which sites are wanted; an empty filter wants all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this category.
    pub category: Option<CategoryKey>,
    /// Only in this area or below it.
    pub area: Option<AreaCode>,
    /// Only with this sign.
    pub sign: Option<Sign>,
    /// Only in this observed state.
    pub observed: Option<Observed>,
    /// Only at this stage.
    pub stage: Option<Stage>,
    /// Only where code, name, place, address or official code hold every one of these words.
    pub words: Vec<String>,
}

/// Splits a search text into words as `Filter::words` wants them.
#[must_use]
pub fn split(text: &str) -> Vec<String> {
    text.to_lowercase().split_whitespace().take(8).map(str::to_owned).collect()
}

impl Filter {
    /// The sites that fit, by code.
    #[must_use]
    pub fn sites<'a>(&self, board: &'a Board) -> Vec<&'a SiteNow> {
        let below = self.area.as_ref().map(|code| below(board, code));
        board
            .sites
            .values()
            .filter(|s| self.category.as_ref().is_none_or(|c| s.site.category == *c))
            .filter(|s| self.sign.is_none_or(|g| s.sign == g))
            .filter(|s| self.observed.is_none_or(|o| s.observed == o))
            .filter(|s| self.stage.is_none_or(|g| s.site.stage == g))
            .filter(|s| below.as_ref().is_none_or(|b| b.contains(&s.site.area)))
            .filter(|s| self.words.is_empty() || holds(board, s, &self.words))
            .collect()
    }
}

/// The area and all areas in it.
#[must_use]
pub fn below<'a>(board: &'a Board, code: &'a AreaCode) -> BTreeSet<&'a AreaCode> {
    let mut found = BTreeSet::from([code]);
    loop {
        let more: Vec<&AreaCode> = board
            .areas
            .values()
            .filter(|a| a.parent.as_ref().is_some_and(|p| found.contains(p)) && !found.contains(&a.code))
            .map(|a| &a.code)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn holds(board: &Board, now: &SiteNow, words: &[String]) -> bool {
    let site = &now.site;
    let mut text = format!("{} {} ", site.code, site.name);
    for area in board.path(&site.area) {
        text.push_str(&area.name);
        text.push(' ');
    }
    for more in [&site.official_id, &site.address].into_iter().flatten() {
        text.push_str(more);
        text.push(' ');
    }
    let text = text.to_lowercase();
    words.iter().all(|w| text.contains(w.as_str()))
}

/// In which order sites are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Sort {
    /// By name, numbers in it by their value.
    #[default]
    Name,
    /// By code.
    Code,
    /// The latest change first; never observed ones last.
    Since,
    /// Down, slow, not observed, then the rest.
    Sign,
}

impl Sort {
    /// All orders, as the page offers them.
    pub const ALL: [Sort; 4] = [Sort::Name, Sort::Code, Sort::Since, Sort::Sign];

    /// The name that queries use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Sort::Name => "name",
            Sort::Code => "code",
            Sort::Since => "since",
            Sort::Sign => "sign",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// What sites are compared by; the code decides between equals.
    fn key(self, now: &SiteNow) -> (i64, String) {
        match self {
            Sort::Name => (0, natural(&now.site.name)),
            Sort::Code => (0, natural(now.site.code.as_str())),
            Sort::Since => (now.since.map_or(i64::MAX, |at| -at.ms()), String::new()),
            Sort::Sign => {
                let rank = match now.sign {
                    Sign::Down => 0,
                    Sign::Degraded => 1,
                    Sign::Unknown => 2,
                    Sign::Closed => 3,
                    Sign::NotInService => 4,
                    Sign::Up => 5,
                };
                (rank, natural(&now.site.name))
            }
        }
    }
}

/// Lower case with every number padded, so that 2 comes before 10.
fn natural(text: &str) -> String {
    let mut key = String::with_capacity(text.len() + 8);
    let mut digits = String::new();
    for c in text.chars().chain(Some('\0')) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            key.push_str(&format!("{digits:0>8}"));
            digits.clear();
        }
        key.extend(c.to_lowercase());
    }
    key
}

/// Where a page of a list begins.
#[derive(Clone, Debug, Default)]
pub enum From {
    /// At the beginning.
    #[default]
    Start,
    /// Behind this site.
    After(SiteCode),
    /// The page that ends before this site.
    Before(SiteCode),
}

/// One page of a sorted list.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The sites of this page.
    pub sites: Vec<&'a SiteNow>,
    /// How many come before them.
    pub before: usize,
    /// How many fit in all.
    pub total: usize,
}

/// Sorts and cuts out a page of at most `most` sites.
///
/// The page begins behind a site's place in the order, whether or not that site still
/// fits; one that the board does not know begins at the start.
#[must_use]
pub fn cut<'a>(board: &Board, sites: Vec<&'a SiteNow>, sort: Sort, from: &From, most: usize) -> Shown<'a> {
    let mut keyed: Vec<_> = sites.into_iter().map(|s| ((sort.key(s), &s.site.code), s)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    let place = |code: &SiteCode, also: bool| {
        board.sites.get(code).map_or(0, |s| {
            let key = (sort.key(s), &s.site.code);
            keyed.partition_point(|(k, _)| if also { *k <= key } else { *k < key })
        })
    };
    let (before, most) = match from {
        From::Start => (0, most),
        From::After(code) => (place(code, true), most),
        From::Before(code) => {
            let end = place(code, false);
            (end.saturating_sub(most), end.min(most))
        }
    };
    let total = keyed.len();
    Shown { sites: keyed.into_iter().skip(before).take(most).map(|(_, s)| s).collect(), before, total }
}

/// Codes and names that are close to what somebody typed; best first, at most `most`.
#[must_use]
pub fn near<'a>(board: &'a Board, typed: &str, most: usize) -> Vec<&'a SiteNow> {
    let typed: String = typed.trim().to_lowercase().chars().take(60).collect();
    if typed.is_empty() {
        return Vec::new();
    }
    let bare = plain(&typed);
    let mut found: Vec<(usize, &SiteNow)> = board
        .sites
        .values()
        .filter_map(|s| {
            let by_code = strsim::damerau_levenshtein(&plain(s.site.code.as_str()), &bare);
            let name = s.site.name.to_lowercase();
            let by_name = if typed.len() >= 3 && name.contains(&typed) {
                0
            } else {
                name.split(|c: char| !c.is_alphanumeric())
                    .filter(|w| w.len() >= 4)
                    .map(|w| strsim::damerau_levenshtein(w, &typed))
                    .min()
                    .unwrap_or(usize::MAX)
            };
            let by_code = if by_code <= 1 { by_code } else { usize::MAX };
            let by_name = if by_name <= typed.len() / 4 { by_name + 1 } else { usize::MAX };
            let best = by_code.min(by_name);
            (best < usize::MAX).then_some((best, s))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.site.code.cmp(&b.1.site.code)));
    found.into_iter().map(|(_, s)| s).take(most).collect()
}

/// A code without its hyphen and leading zeros, in lower case: `BJ-001`, `bj1` are the same.
fn plain(code: &str) -> String {
    let letters: String = code.chars().take_while(|c| !c.is_ascii_digit() && *c != '-').collect();
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    format!("{}{}", letters.trim().to_lowercase(), digits.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_by_value() {
        let mut names = ["SD No. 10 Kapal", "SD No. 2 Kapal", "sd no. 1 Kapal"];
        names.sort_by_key(|n| natural(n));
        assert_eq!(names, ["sd no. 1 Kapal", "SD No. 2 Kapal", "SD No. 10 Kapal"]);
    }

    #[test]
    fn codes_are_compared_without_ornament() {
        for same in ["BJ-001", "bj1", "BJ 001", "bj-1"] {
            assert_eq!(plain(same), "bj1", "{same}");
        }
    }

    #[test]
    fn a_search_is_at_most_eight_words() {
        assert_eq!(split("  Banjar  GAJI "), ["banjar", "gaji"]);
        assert_eq!(split(&"a ".repeat(50)).len(), 8);
    }
}
