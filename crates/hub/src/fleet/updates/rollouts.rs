//! Rollouts: begun, paused, resumed and stopped by staff who look after the whole regency.
//!
//! Each change is one write with its audit row. Boxes hear of it by their desired states,
//! which the follower makes anew.

use super::WHO;
use crate::Hub;
use crate::fleet::orders::{COUNTER, Scope, ground};
use crate::staff::Actor;
use crate::staff::actor::noted;
use crate::web::Problem;
use crate::web::problem::{Fault, NotWritten};
use kulkul_model::Refusal;
use kulkul_model::rollout::{MOST_STAGES, RolloutState};
use kulkul_store::rollout::{self, Rollout};
use kulkul_store::{Lane, audit, release, setting};
use serde::{Deserialize, Serialize};

/// The most scopes of one stage.
const MOST_SCOPES: usize = 200;
/// The longest that a stage is watched, hours: four weeks.
const MOST_HOURS: u32 = 672;
/// The most failed boxes that a rollout may go on with.
const MOST_UNDONE: u32 = 1_000;
/// When boxes begin unless somebody says otherwise.
pub const QUIET: &str = "02:00-05:00";
/// How long a stage is watched unless somebody says otherwise, hours.
pub const WAIT_HOURS: u32 = 24;

/// What somebody wants rolled out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRollout {
    /// The version; each box gets the newest release of it for its target.
    pub version: String,
    /// The scopes of each stage: `area:CODE`, `category:KEY`, `site:CODE`, or `regency` for all the rest.
    pub stages: Vec<Vec<String>>,
    /// Boxes begin at any hour instead of in quiet ones.
    #[serde(default)]
    pub at_once: bool,
    /// The hours in which boxes begin, over midnight where they end earlier; `02:00-05:00` unless said otherwise.
    #[serde(default)]
    pub quiet: Option<String>,
    /// How long a stage is watched after its last proof; 24 hours unless said otherwise.
    #[serde(default)]
    pub wait_hours: Option<u32>,
    /// So many boxes that refuse or undo it pause it; 1 unless said otherwise.
    #[serde(default)]
    pub most_undone: Option<u32>,
}

/// `HH:MM-HH:MM` as minutes of the day.
#[must_use]
pub fn quiet(text: &str) -> Option<(u16, u16)> {
    let clock = |text: &str| {
        let (hours, minutes) = text.trim().split_once([':', '.'])?;
        let sound = |t: &str| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
        let (h, m): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (sound(hours) && sound(minutes) && h < 24 && m < 60).then_some(h * 60 + m)
    };
    let (from, until) = text.split_once('-')?;
    let (from, until) = (clock(from)?, clock(until)?);
    (from != until).then_some((from, until))
}

/// Begins a rollout; one that runs or pauses is stopped by it.
///
/// # Errors
/// Faults that point at the field; `not-operator`, `not-your-area`.
pub async fn begin(hub: &Hub, by: &Actor, new: NewRollout) -> Result<Rollout, Problem> {
    by.may_operate(&ground(hub, &Scope::Regency).await?)?;
    let version = new.version.trim().to_owned();
    let mut faults = Vec::new();
    let known = release::is_version(&mut hub.store().reader().await?, &version).await?;
    if !known {
        faults.push(Fault::new("/version", "rollout-version").with("version", &version));
    }
    let stages = stages(hub, &new.stages, &mut faults).await?;
    let hours = quiet(new.quiet.as_deref().unwrap_or(QUIET));
    if hours.is_none() {
        faults.push(Fault::new("/quiet", "rollout-quiet"));
    }
    let wait = new.wait_hours.unwrap_or(WAIT_HOURS);
    if wait > MOST_HOURS {
        faults.push(Fault::new("/wait_hours", "rollout-wait").with("most", MOST_HOURS));
    }
    let most_undone = new.most_undone.unwrap_or(1);
    if !(1..=MOST_UNDONE).contains(&most_undone) {
        faults.push(Fault::new("/most_undone", "rollout-most-undone").with("most", MOST_UNDONE));
    }
    if !faults.is_empty() {
        return Err(Problem::faults(faults));
    }
    let (quiet_from, quiet_until) = hours.unwrap_or_default();
    let now = hub.clock().now();
    let fresh = Rollout {
        number: 0,
        version,
        stages,
        state: RolloutState::Running,
        stage: 1,
        stage_begun_at: now,
        told_at: None,
        begun_at: now,
        begun_by: by.who.clone(),
        changed_at: now,
        changed_by: by.who.clone(),
        why: String::new(),
        at_once: new.at_once,
        quiet_from,
        quiet_until,
        wait_ms: i64::from(wait) * 3_600_000,
        most_undone,
    };
    let mut entry = by.did(now, "begin", "rollout", "");
    entry.after = noted(&serde_json::json!({
        "version": fresh.version, "stages": fresh.stages, "at_once": fresh.at_once, "wait_hours": wait,
        "most_undone": most_undone,
    }));
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            let before = rollout::newest(tx).await?;
            let number = before.as_ref().map_or(0, |b| b.number) + 1;
            if let Some(old) = before
                && matches!(old.state, RolloutState::Running | RolloutState::Paused)
            {
                let at = (now, fresh.begun_by.as_str());
                rollout::set_state(tx, (old.number, old.state), RolloutState::Stopped, "replaced", at)
                    .await?;
                let mut stopped = entry.clone();
                (stopped.act, stopped.object) = ("stop".to_owned(), old.number.to_string());
                stopped.after = noted(&serde_json::json!({ "why": "replaced" }));
                audit::append(tx, &stopped).await?;
            }
            let fresh = Rollout { number, ..fresh };
            rollout::insert(tx, &fresh).await?;
            entry.object = number.to_string();
            audit::append(tx, &entry).await?;
            setting::bump(tx, COUNTER).await?;
            Ok::<_, NotWritten>(fresh)
        })
    });
    let begun = write.await?;
    hub.fleet().rollouts.notify_one();
    Ok(begun)
}

/// The stages as they are kept; what is wrong with them goes to `faults`.
async fn stages(
    hub: &Hub,
    asked: &[Vec<String>],
    faults: &mut Vec<Fault>,
) -> Result<Vec<Vec<String>>, Problem> {
    if !(1..=MOST_STAGES).contains(&asked.len()) {
        faults.push(Fault::new("/stages", "rollout-stages").with("most", MOST_STAGES));
        return Ok(Vec::new());
    }
    let mut seen = Vec::new();
    let mut stages = Vec::new();
    for (n, stage) in asked.iter().enumerate() {
        if !(1..=MOST_SCOPES).contains(&stage.len()) {
            faults.push(Fault::new(format!("/stages/{n}"), "rollout-scopes").with("most", MOST_SCOPES));
        }
        let mut scopes = Vec::new();
        for (m, text) in stage.iter().take(MOST_SCOPES).enumerate() {
            let fault = |code| Fault::new(format!("/stages/{n}/{m}"), code).with("scope", text);
            let Ok(scope) = Scope::parse(text.trim()) else {
                faults.push(fault("orders-scope"));
                continue;
            };
            match ground(hub, &scope).await {
                Err(p) if p.http_status() == http::StatusCode::NOT_FOUND => {
                    faults.push(fault("orders-nowhere"))
                }
                Err(p) => return Err(p),
                Ok(_) if seen.contains(&scope) => faults.push(fault("rollout-twice")),
                Ok(_) => {
                    scopes.push(scope.to_string());
                    seen.push(scope);
                }
            }
        }
        stages.push(scopes);
    }
    Ok(stages)
}

/// What staff do with a rollout that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steer {
    /// Nobody new begins.
    Pause,
    /// It goes on, with the boxes that failed left aside.
    Resume,
    /// Nobody new begins any more.
    Stop,
}

impl Steer {
    /// The act's name in addresses and the audit.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Steer::Pause => "pause",
            Steer::Resume => "resume",
            Steer::Stop => "stop",
        }
    }

    /// The act with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Steer::Pause, Steer::Resume, Steer::Stop].into_iter().find(|s| s.as_str() == name)
    }

    /// The state that a rollout comes to from another; none where that cannot be.
    #[must_use]
    pub const fn leads(self, from: RolloutState) -> Option<RolloutState> {
        match (self, from) {
            (Steer::Pause, RolloutState::Running) => Some(RolloutState::Paused),
            (Steer::Resume, RolloutState::Paused) => Some(RolloutState::Running),
            (Steer::Stop, RolloutState::Running | RolloutState::Paused | RolloutState::Done) => {
                Some(RolloutState::Stopped)
            }
            _ => None,
        }
    }
}

/// Pauses, resumes or stops a rollout.
///
/// # Errors
/// `rollout-unknown`, `rollout-state` when it stands otherwise, `not-operator`, `not-your-area`.
pub async fn steer(hub: &Hub, by: &Actor, number: u64, act: Steer) -> Result<Rollout, Problem> {
    by.may_operate(&ground(hub, &Scope::Regency).await?)?;
    let now = hub.clock().now();
    let (entry, who) = (by.did(now, act.as_str(), "rollout", number), by.who.clone());
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            let unknown = || Refusal::new(404, "rollout-unknown").with("number", number);
            let held = rollout::find(tx, number).await?.ok_or_else(unknown)?;
            let newest = rollout::newest(tx).await?.is_some_and(|n| n.number == number);
            let no = || Refusal::new(409, "rollout-state").with("state", held.state.as_str());
            let to = act.leads(held.state).filter(|_| newest).ok_or_else(no)?;
            if !rollout::set_state(tx, (number, held.state), to, "", (now, &who)).await? {
                return Err(NotWritten::from(no()));
            }
            if act == Steer::Resume {
                rollout::set_aside(tx, number).await?;
            }
            audit::append(tx, &entry).await?;
            setting::bump(tx, COUNTER).await?;
            Ok(rollout::find(tx, number).await?.unwrap_or(held))
        })
    });
    let now_is = write.await?;
    hub.fleet().rollouts.notify_one();
    Ok(now_is)
}

/// What the hub does by itself, for the audit.
pub(super) fn by_itself(now: kulkul_model::Moment, act: &str, number: u64) -> audit::Entry {
    let hub = Actor { who: WHO.to_owned(), ..Actor::command_line() };
    hub.did(now, act, "rollout", number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_are_two_times_of_the_day() {
        assert_eq!(quiet(QUIET), Some((120, 300)));
        assert_eq!(quiet("22:30 - 04:00"), Some((1_350, 240)));
        for bad in ["", "2-5", "02:00", "02:00-24:00", "02:60-05:00", "02:00-02:00", "+2:00-05:00"] {
            assert_eq!(quiet(bad), None, "{bad}");
        }
    }

    #[test]
    fn staff_lead_a_rollout_only_where_that_means_something() {
        use RolloutState::{Done, Paused, Running, Stopped};
        let to = |act: Steer| RolloutState::ALL.map(|from| act.leads(from));
        assert_eq!(to(Steer::Pause), [Some(Paused), None, None, None]);
        assert_eq!(to(Steer::Resume), [None, Some(Running), None, None]);
        assert_eq!(to(Steer::Stop), [Some(Stopped), Some(Stopped), Some(Stopped), None]);
        assert_eq!(RolloutState::ALL, [Running, Paused, Done, Stopped]);
        assert_eq!(Steer::parse("resume"), Some(Steer::Resume));
    }
}
