//! What is wrong now: single sites, and groups that went down together.

use crate::sites::shown::{Row, Since};
use crate::watch::board::{Board, SiteNow};
use crate::web::Page;
use kulkul_model::Moment;
use kulkul_model::area::{Area, AreaCode, AreaKind};
use kulkul_model::state::Sign;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sites of one district that went down within this time are shown as one line.
const TOGETHER_MS: i64 = 600_000;
/// Fewer than this are shown one by one.
const FEWEST: usize = 5;

/// One line of what is wrong now.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// The sign, as style sheets name it.
    pub sign: &'static str,
    /// The sign as a word.
    pub word: String,
    /// Where it leads.
    pub href: String,
    /// Which place, or how many where.
    pub name: String,
    /// Since when.
    pub since: Option<Since>,
    /// What else is known.
    pub note: String,
}

/// What shows `sign` now, groups first, each kind newest first, at most `most` lines.
#[must_use]
pub fn trouble<'a>(
    page: &Page,
    board: &Board,
    sign: Sign,
    among: impl Iterator<Item = &'a SiteNow>,
    most: usize,
) -> Vec<Trouble> {
    let mut lines: Vec<((bool, Option<Moment>), Trouble)> = Vec::new();
    for (district, sites) in together(board, sign, among) {
        if let (Some(area), true) = (district, sites.len() >= FEWEST) {
            let first = sites.iter().filter_map(|s| s.since).min();
            lines.push(((true, first), group(page, &area, sign, &sites, first)));
        } else {
            lines.extend(sites.iter().map(|s| ((false, s.since), single(page, board, s))));
        }
    }
    // A cut that takes a valley must not be pushed off the page by a few fresh single ones.
    lines.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.href.cmp(&b.1.href)));
    lines.into_iter().map(|(_, line)| line).take(most).collect()
}

/// Parts the sites by district and by when it began.
fn together<'a>(
    board: &Board,
    sign: Sign,
    among: impl Iterator<Item = &'a SiteNow>,
) -> Vec<(Option<Arc<Area>>, Vec<&'a SiteNow>)> {
    let mut by_district: BTreeMap<Option<AreaCode>, Vec<&SiteNow>> = BTreeMap::new();
    for site in among.filter(|s| s.sign == sign) {
        let district = board.path(&site.site.area).iter().find(|a| a.kind == AreaKind::District).cloned();
        by_district.entry(district.map(|d| d.code.clone())).or_default().push(site);
    }
    let mut parts = Vec::new();
    for (district, mut sites) in by_district {
        let area = district.and_then(|code| board.areas.get(&code).cloned());
        sites.sort_by_key(|s| s.since);
        let mut part: Vec<&SiteNow> = Vec::new();
        for site in sites {
            let begun = part.first().and_then(|s| s.since);
            let apart = match (begun, site.since) {
                (Some(a), Some(b)) => b.since_ms(a) > TOGETHER_MS,
                (a, b) => a != b,
            };
            if apart && !part.is_empty() {
                parts.push((area.clone(), std::mem::take(&mut part)));
            }
            part.push(site);
        }
        parts.push((area, part));
    }
    parts
}

fn group(page: &Page, area: &Area, sign: Sign, sites: &[&SiteNow], first: Option<Moment>) -> Trouble {
    let n = page.number(&i64::try_from(sites.len()).unwrap_or(i64::MAX));
    Trouble {
        sign: sign.as_str(),
        word: page.w.of("sign", sign.as_str()),
        href: format!("/sites?area={}&sign={}&sort=since", area.code, sign.as_str()),
        name: page.w.with("home-off-group", &[("n", &n), ("area", &area.name)]),
        since: first.map(|at| Since::of(page, at)),
        note: page.w.t("home-off-group-note").to_owned(),
    }
}

fn single(page: &Page, board: &Board, site: &SiteNow) -> Trouble {
    let row = Row::of(page, board, site);
    let note =
        if site.silent { format!("{}. {}", row.place, page.w.t("home-off-silent")) } else { row.place };
    Trouble {
        sign: row.sign,
        word: row.word,
        href: format!("/sites/{}", row.code),
        name: row.name,
        since: row.since,
        note,
    }
}
