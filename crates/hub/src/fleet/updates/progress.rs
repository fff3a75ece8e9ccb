//! How far a rollout is: the boxes that were told, as they stand now, counted by stage.

use crate::Hub;
use crate::fleet::orders::Scope;
use crate::watch::board::Board;
use crate::web::W;
use kulkul_model::Moment;
use kulkul_model::gateway::GatewayId;
use kulkul_model::rollout::{BoxNow, Standing};
use kulkul_model::site::Site;
use kulkul_store::rollout::{self, Told};
use kulkul_store::{StoreError, gateway, gateway_run};
use std::collections::BTreeMap;

/// How many boxes of a stage stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that were told.
    pub told: u32,
    /// Run it and have proven it.
    pub proven: u32,
    /// On their way.
    pub waiting: u32,
    /// On their way, and not heard for a day.
    pub silent: u32,
    /// Refused it or undid it.
    pub undone: u32,
    /// Failed, and staff went on without them.
    pub aside: u32,
}

impl Counts {
    /// Those of one stage, from 1.
    #[must_use]
    pub fn of(boxes: &[(Told, BoxNow)], stage: u32, now: Moment, since: Moment) -> Self {
        let mut counts = Counts::default();
        for (_, one) in boxes.iter().filter(|(told, _)| told.stage == stage) {
            counts.told += 1;
            *match one.standing(now, since) {
                Standing::Proven => &mut counts.proven,
                Standing::Waiting => &mut counts.waiting,
                Standing::Silent => &mut counts.silent,
                Standing::Undone => &mut counts.undone,
                Standing::Aside => &mut counts.aside,
            } += 1;
        }
        counts
    }
}

/// A box as it stands now: what this hub heard itself is newer than what is kept.
pub(super) fn now_of(hub: &Hub, (told, mut now): (Told, BoxNow)) -> (Told, BoxNow) {
    let beat = hub.fleet().known(&told.gateway).and_then(|k| k.last_beat());
    now.heard_at = beat.map_or(now.heard_at, |b| b.at.max(now.heard_at));
    (told, now)
}

/// The boxes in use that a rollout has told, as they stand now.
///
/// # Errors
/// `StoreError` of the database.
pub async fn boxes_of(hub: &Hub, number: u64) -> Result<Vec<(Told, BoxNow)>, StoreError> {
    const PAGE: u32 = 1_000;
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let mut tx = hub.store().reader().await?;
        let page = rollout::boxes(&mut tx, number, &after, PAGE).await?;
        drop(tx);
        let more = page.len() == PAGE as usize;
        if let Some((last, _)) = page.last() {
            last.gateway.as_str().clone_into(&mut after);
        }
        all.extend(page.into_iter().map(|b| now_of(hub, b)));
        if !more {
            return Ok(all);
        }
    }
}

/// The scopes of a place as the board has it.
#[must_use]
pub fn scopes_of(board: &Board, site: &Site) -> Vec<Scope> {
    let areas = board.path(&site.area).into_iter().map(|a| Scope::Area(a.code.clone()));
    [Scope::Regency, Scope::Category(site.category.clone()), Scope::Site(site.code.clone())]
        .into_iter()
        .chain(areas)
        .collect()
}

/// How many boxes in use run which version on which kind of machine.
///
/// # Errors
/// `StoreError` of the database.
pub async fn runs(hub: &Hub) -> Result<Vec<(String, String, i64)>, StoreError> {
    const PAGE: u32 = 1_000;
    let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = gateway::list_in_use(&mut hub.store().reader().await?, &after, PAGE).await?;
        let more = page.len() == PAGE as usize;
        for row in page {
            row.id.as_str().clone_into(&mut after);
            *counts.entry((row.capabilities.version, row.capabilities.target)).or_default() += 1;
        }
        if !more {
            return Ok(counts.into_iter().rev().map(|((version, target), n)| (version, target, n)).collect());
        }
    }
}

/// What a box runs, and how far it is with the rollout that holds, for the list of boxes.
#[derive(Default)]
pub struct BoxUpdate {
    /// The first digits of the release's program that it runs.
    pub program: Option<String>,
    /// The rollout's version and the box's standing, in words.
    pub standing: Option<String>,
}

impl BoxUpdate {
    /// One box's.
    ///
    /// # Errors
    /// `StoreError` of the database.
    pub async fn of(hub: &Hub, w: &W, id: &GatewayId) -> Result<Self, StoreError> {
        let mut tx = hub.store().reader().await?;
        let runs = gateway_run::find(&mut tx, id).await?;
        let program = runs.program.map(|p| p.to_string().chars().take(12).collect());
        let held = rollout::newest(&mut tx).await?;
        let Some(held) = held else { return Ok(BoxUpdate { program, standing: None }) };
        let told = rollout::box_of(&mut tx, held.number, id).await?;
        let standing = told.map(|t| {
            let word = t.step.map_or_else(
                || w.of("standing", Standing::Waiting.as_str()),
                |s| w.of("update-step", s.as_str()),
            );
            w.with("gateway-update", &[("version", &held.version), ("state", &word)])
        });
        Ok(BoxUpdate { program, standing })
    }
}
