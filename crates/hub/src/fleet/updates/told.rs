//! What a box is told of a rollout, and what it says of it.
//!
//! A box is told within the write that makes its desired state: the row says so from then
//! on. What it says comes by its journal, and pauses the rollout in the same write.

use super::WHO;
use crate::fleet::orders::{COUNTER, Scope};
use crate::staff::actor::noted;
use kulkul_model::Moment;
use kulkul_model::gateway::{GatewayId, UpdateStep};
use kulkul_model::rollout::{RolloutState, is_about, pauses};
use kulkul_model::site::SiteCode;
use kulkul_store::rollout::{self, Rollout, Told};
use kulkul_store::{StoreError, Tx, audit, gateway, gateway_run, release, setting};
use kulkul_wire::link::desired::UpdateSection;
use kulkul_wire::link::{Blob, Digest, Entry, Event, Started};

/// The longest reason of a box that is kept, characters.
const LONGEST_REASON: usize = 300;

/// The stage of a place, from 1: the first that names one of its scopes.
#[must_use]
pub fn stage_of(stages: &[Vec<String>], scopes: &[Scope]) -> Option<u32> {
    let of: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    let index = stages.iter().position(|stage| stage.iter().any(|scope| of.contains(scope)))?;
    u32::try_from(index + 1).ok()
}

/// What a box is told to run; nothing where no rollout has come to it.
///
/// # Errors
/// `StoreError` of the database.
pub async fn section(
    tx: &mut Tx,
    (site, gateway): (&SiteCode, &GatewayId),
    scopes: &[Scope],
    now: Moment,
) -> Result<UpdateSection, StoreError> {
    let nothing = UpdateSection::default();
    let Some(held) = rollout::newest(tx).await? else { return Ok(nothing) };
    let told = match rollout::box_of(tx, held.number, gateway).await? {
        None if held.state.tells() => tell(tx, &held, (site, gateway), scopes, now).await?,
        told => told,
    };
    let Some(told) = told.filter(|t| held.state.gives(t.step)) else { return Ok(nothing) };
    let Some(release) = release::find(tx, &told.program).await? else { return Ok(nothing) };
    Ok(UpdateSection {
        release: Blob(release.statement),
        rollout: held.number,
        at_once: held.at_once,
        quiet_from: held.quiet_from,
        quiet_until: held.quiet_until,
        ..nothing
    })
}

/// Tells a box whose stage has begun and for whose machine there is a program.
async fn tell(
    tx: &mut Tx,
    held: &Rollout,
    (site, gateway): (&SiteCode, &GatewayId),
    scopes: &[Scope],
    now: Moment,
) -> Result<Option<Told>, StoreError> {
    let Some(stage) = stage_of(&held.stages, scopes).filter(|s| *s <= held.stage) else { return Ok(None) };
    let Some(row) = gateway::find(tx, gateway).await? else { return Ok(None) };
    let found = release::newest(tx, &held.version, &row.capabilities.target).await?;
    let Some(program) = found.map(|t| t.release.sha256) else { return Ok(None) };
    let runs = gateway_run::find(tx, gateway).await?;
    let proven = runs.program == Some(program) && runs.trying != Some(program);
    let told = Told {
        rollout: held.number,
        gateway: gateway.clone(),
        site: site.clone(),
        stage,
        program,
        told_at: now,
        step: proven.then_some(UpdateStep::Proven),
        reason: String::new(),
        at: now,
        aside: false,
    };
    rollout::tell(tx, &told).await?;
    rollout::box_of(tx, held.number, gateway).await
}

/// Whether an entry may move a rollout on.
#[must_use]
pub fn moves(entry: &Entry) -> bool {
    matches!(entry, Entry::Started(_) | Entry::Event(Event::Update { .. }))
}

/// Keeps what a box says of programs, within the journal's own write.
///
/// # Errors
/// `StoreError` of the database.
pub async fn entry(
    tx: &mut Tx,
    (site, gateway): (&SiteCode, &GatewayId),
    (wall, now): (Option<Moment>, Moment),
    entry: &Entry,
) -> Result<(), StoreError> {
    match entry {
        Entry::Started(started) => begun(tx, gateway, started, now).await,
        Entry::Event(Event::Update { program, step, reason }) => {
            // Lines for staff: nothing that steers a screen.
            let reason: String = reason.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
            let at = wall.unwrap_or(now).min(now);
            said(tx, (site, gateway), (*program, *step, &reason), (at, now)).await
        }
        _ => Ok(()),
    }
}

/// A box has started: it runs what it names, unless that is on trial.
async fn begun(tx: &mut Tx, gateway: &GatewayId, started: &Started, now: Moment) -> Result<(), StoreError> {
    let before = gateway::find(tx, gateway).await?.map(|row| row.capabilities.target);
    if before.is_some_and(|target| target != started.capabilities.target)
        && rollout::newest(tx).await?.is_some_and(|held| held.state.tells())
    {
        // There may be a program for it now.
        setting::bump(tx, COUNTER).await?;
    }
    let runs = gateway_run::find(tx, gateway).await?;
    if started.program.is_some() && started.program == runs.trying {
        return Ok(());
    }
    if started.program != runs.program {
        let now_runs = gateway_run::Runs { program: started.program, ..runs };
        gateway_run::put(tx, gateway, &now_runs).await?;
    }
    let Some(held) = rollout::newest(tx).await? else { return Ok(()) };
    let told = rollout::box_of(tx, held.number, gateway).await?;
    let told = told.filter(|t| Some(t.program) == started.program);
    match told {
        Some(told) if matches!(told.step, None | Some(UpdateStep::Ready)) => {
            rollout::step(tx, &told, UpdateStep::Proven, "", now).await
        }
        _ => Ok(()),
    }
}

/// A box says how far it is with a program.
async fn said(
    tx: &mut Tx,
    (site, gateway): (&SiteCode, &GatewayId),
    (program, step, reason): (Digest, UpdateStep, &str),
    (at, now): (Moment, Moment),
) -> Result<(), StoreError> {
    let before = gateway_run::find(tx, gateway).await?;
    let mut runs = before;
    match step {
        UpdateStep::Ready => {}
        UpdateStep::Begun => runs.trying = Some(program),
        UpdateStep::Proven => (runs.program, runs.trying) = (Some(program), None),
        UpdateStep::Refused | UpdateStep::Undone => runs.trying = runs.trying.filter(|p| *p != program),
    }
    if runs != before {
        gateway_run::put(tx, gateway, &runs).await?;
    }
    let told = rollout::of_program(tx, gateway, &program).await?;
    let Some(told) = told.into_iter().find(|t| is_about(step, at, t.told_at)) else { return Ok(()) };
    rollout::step(tx, &told, step, reason, at).await?;
    if matches!(step, UpdateStep::Refused | UpdateStep::Undone) {
        failed(tx, (told.rollout, site), reason, now).await?;
    }
    Ok(())
}

/// Pauses the rollout that holds when as many boxes have failed as pause it.
async fn failed(
    tx: &mut Tx,
    (number, site): (u64, &SiteCode),
    reason: &str,
    now: Moment,
) -> Result<(), StoreError> {
    let Some(held) = rollout::newest(tx).await?.filter(|r| r.number == number) else { return Ok(()) };
    if !held.state.tells() || !pauses(rollout::undone(tx, number).await?, held.most_undone) {
        return Ok(());
    }
    if rollout::set_state(tx, (number, held.state), RolloutState::Paused, "undone", (now, WHO)).await? {
        let entry = audit::Entry {
            at: now,
            who: WHO.to_owned(),
            act: "pause".to_owned(),
            noun: "rollout".to_owned(),
            object: number.to_string(),
            before: None,
            after: noted(&serde_json::json!({ "place": site, "why": reason })),
        };
        audit::append(tx, &entry).await?;
        setting::bump(tx, COUNTER).await?;
        tracing::warn!(rollout = number, %site, reason, "a box did not keep a release; the rollout pauses");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_in_the_first_stage_that_names_it() {
        let stages: Vec<Vec<String>> =
            [vec!["area:51.03.03", "site:BJ-001"], vec!["category:sd"], vec!["regency"]]
                .map(|s| s.into_iter().map(str::to_owned).collect())
                .into();
        let scopes = |all: &[&str]| all.iter().map(|s| Scope::parse(s).unwrap()).collect::<Vec<_>>();
        for (of, wanted) in [
            (&["regency", "category:sd", "area:51.03", "area:51.03.03", "site:SD-001"][..], Some(1)),
            (&["regency", "category:banjar", "area:51.03", "area:51.03.01", "site:BJ-001"], Some(1)),
            (&["regency", "category:sd", "area:51.03", "area:51.03.01", "site:SD-002"], Some(2)),
            (&["regency", "category:banjar", "area:51.03", "area:51.03.01", "site:BJ-002"], Some(3)),
        ] {
            assert_eq!(stage_of(&stages, &scopes(of)), wanted, "{of:?}");
        }
        assert_eq!(stage_of(&stages[..2], &scopes(&["regency", "category:banjar", "site:BJ-002"])), None);
    }
}
