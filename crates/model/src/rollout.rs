//! Rollouts: a version that boxes are to run, stage after stage, and when the next begins.
//!
//! A rollout goes on by proofs alone: it waits for the boxes of a stage that can be heard,
//! and stops by itself at the first ones that did not keep what they were given.

use crate::Moment;
use crate::gateway::UpdateStep;
use serde::{Deserialize, Serialize};

/// A box that was not heard for longer than this holds up nothing, milliseconds: a day.
pub const SILENT_MS: i64 = 24 * 3_600_000;
/// A hub that began to listen less than this ago calls no box silent, milliseconds.
pub const LISTEN_MS: i64 = 15 * 60_000;
/// What a box's clock may be behind the hub's in a word about a rollout, milliseconds.
const SKEW_MS: i64 = 60_000;
/// The most stages of one rollout.
pub const MOST_STAGES: usize = 20;

/// How a rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// Boxes of the stages that have begun are told; the next stage follows.
    Running,
    /// Nobody new begins, until staff resume or stop it.
    Paused,
    /// Every box that can be heard runs it; those that come later are told.
    Done,
    /// Nobody new begins any more.
    Stopped,
}

impl RolloutState {
    /// Every state.
    pub const ALL: [RolloutState; 4] =
        [RolloutState::Running, RolloutState::Paused, RolloutState::Done, RolloutState::Stopped];

    /// The name that tables, words and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            RolloutState::Running => "running",
            RolloutState::Paused => "paused",
            RolloutState::Done => "done",
            RolloutState::Stopped => "stopped",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        RolloutState::ALL.into_iter().find(|s| s.as_str() == name)
    }

    /// Whether boxes that were not told yet are told.
    #[must_use]
    pub const fn tells(self) -> bool {
        matches!(self, RolloutState::Running | RolloutState::Done)
    }

    /// Whether a box is given the release, by how far it is with it.
    ///
    /// What a box has begun or proven is never taken back; what failed is not given again.
    #[must_use]
    pub const fn gives(self, step: Option<UpdateStep>) -> bool {
        match step {
            None | Some(UpdateStep::Ready) => self.tells(),
            Some(UpdateStep::Begun | UpdateStep::Proven) => true,
            Some(UpdateStep::Refused | UpdateStep::Undone) => false,
        }
    }
}

/// One box of a stage, as it stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoxNow {
    /// How far it is; none while it was told and has said nothing.
    pub step: Option<UpdateStep>,
    /// Since when.
    pub at: Moment,
    /// When it was last heard, or enrolled.
    pub heard_at: Moment,
    /// Whether staff went on without it after it failed.
    pub aside: bool,
}

/// What a box means for its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It runs the release and has proven it.
    Proven,
    /// It is on its way.
    Waiting,
    /// It is on its way and was not heard for a day: nobody waits for it.
    Silent,
    /// It refused the release or has undone it.
    Undone,
    /// It failed, and staff went on without it.
    Aside,
}

impl Standing {
    /// Every standing, in the order in which people read them.
    pub const ALL: [Standing; 5] =
        [Standing::Proven, Standing::Waiting, Standing::Silent, Standing::Undone, Standing::Aside];

    /// The name that words and the API use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Standing::Proven => "proven",
            Standing::Waiting => "waiting",
            Standing::Silent => "silent",
            Standing::Undone => "undone",
            Standing::Aside => "aside",
        }
    }
}

impl BoxNow {
    /// What it means at `now`, for a hub that has listened since `since`.
    #[must_use]
    pub fn standing(&self, now: Moment, since: Moment) -> Standing {
        match self.step {
            Some(UpdateStep::Proven) => Standing::Proven,
            Some(UpdateStep::Refused | UpdateStep::Undone) if self.aside => Standing::Aside,
            Some(UpdateStep::Refused | UpdateStep::Undone) => Standing::Undone,
            _ if now.since_ms(self.heard_at) > SILENT_MS && now.since_ms(since) >= LISTEN_MS => {
                Standing::Silent
            }
            _ => Standing::Waiting,
        }
    }
}

/// The stage that began last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageNow {
    /// When it began.
    pub begun_at: Moment,
    /// Whether none follows.
    pub is_last: bool,
    /// How long it is watched after its last proof, milliseconds.
    pub wait_ms: i64,
}

/// What a running rollout does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It waits.
    Stay,
    /// The next stage begins.
    Begin,
    /// It is done.
    Done,
}

/// What a running rollout does, by the boxes of its newest stage.
///
/// A stage with nobody in it, or the last one, is not watched for longer.
#[must_use]
pub fn next(stage: &StageNow, boxes: &[BoxNow], now: Moment, since: Moment) -> Next {
    if boxes.iter().any(|b| b.standing(now, since) == Standing::Waiting) {
        return Next::Stay;
    }
    if stage.is_last {
        return Next::Done;
    }
    let proofs = boxes.iter().filter(|b| b.step == Some(UpdateStep::Proven)).map(|b| b.at);
    let from = proofs.fold(stage.begun_at, Moment::max);
    if boxes.is_empty() || now.since_ms(from) >= stage.wait_ms { Next::Begin } else { Next::Stay }
}

/// Whether so many failed boxes pause a rollout.
#[must_use]
pub const fn pauses(undone: u32, most_undone: u32) -> bool {
    undone >= most_undone
}

/// Whether a box's word is about the telling of `told_at`, and not about an earlier one.
///
/// The same program may be rolled out twice; what failed the first time is not told again.
/// That a program was proven is true whenever it was said.
#[must_use]
pub fn is_about(step: UpdateStep, said_at: Moment, told_at: Moment) -> bool {
    step == UpdateStep::Proven || said_at.since_ms(told_at) >= -SKEW_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use UpdateStep::{Begun, Proven, Ready, Refused, Undone};

    const HOUR_MS: i64 = 3_600_000;

    fn at(hours: i64) -> Moment {
        Moment::from_ms(1_800_000_000_000 + hours * HOUR_MS)
    }

    /// A box with its step, since when, and when it was heard, in hours.
    fn one(step: Option<UpdateStep>, since: i64, heard: i64) -> BoxNow {
        BoxNow { step, at: at(since), heard_at: at(heard), aside: false }
    }

    #[test]
    fn a_stage_is_over_by_proofs_and_time_and_silence_holds_up_nothing() {
        let aside = BoxNow { aside: true, ..one(Some(Undone), 1, 100) };
        // What is in the stage, hours since it began (heard at hour 100), and what follows.
        let table: &[(&str, Vec<BoxNow>, i64, bool, Next)] = &[
            ("nobody is in it", vec![], 0, false, Next::Begin),
            ("nobody is in the last", vec![], 0, true, Next::Done),
            ("told", vec![one(None, 0, 100)], 100, false, Next::Stay),
            ("fetched", vec![one(Some(Ready), 0, 100)], 100, false, Next::Stay),
            ("tries", vec![one(Some(Begun), 0, 100)], 100, true, Next::Stay),
            ("proven a moment ago", vec![one(Some(Proven), 100, 100)], 100, false, Next::Stay),
            ("proven a day ago", vec![one(Some(Proven), 76, 100)], 100, false, Next::Begin),
            ("proven before it began", vec![one(Some(Proven), -9, 100)], 23, false, Next::Stay),
            (
                "the last proof counts",
                vec![one(Some(Proven), 9, 9), one(Some(Proven), 90, 9)],
                100,
                false,
                Next::Stay,
            ),
            ("the last stage is not watched", vec![one(Some(Proven), 100, 100)], 100, true, Next::Done),
            ("one of two", vec![one(Some(Proven), 0, 100), one(Some(Ready), 0, 99)], 100, false, Next::Stay),
            (
                "the other is silent",
                vec![one(Some(Proven), 0, 100), one(None, 0, 75)],
                100,
                false,
                Next::Begin,
            ),
            ("heard a day ago", vec![one(Some(Proven), 0, 100), one(None, 0, 76)], 100, false, Next::Stay),
            ("all are silent", vec![one(None, 0, 0)], 100, false, Next::Begin),
            ("left aside", vec![one(Some(Proven), 1, 100), aside], 100, false, Next::Begin),
            (
                "failed, and more may",
                vec![one(Some(Proven), 1, 100), one(Some(Refused), 1, 100)],
                100,
                false,
                Next::Begin,
            ),
        ];
        for (what, boxes, now, is_last, wanted) in table {
            let stage = StageNow { begun_at: at(0), is_last: *is_last, wait_ms: 24 * HOUR_MS };
            assert_eq!(next(&stage, boxes, at(*now), at(-1)), *wanted, "{what}");
        }
        let quick = StageNow { begun_at: at(0), is_last: false, wait_ms: 0 };
        assert_eq!(next(&quick, &[one(Some(Proven), 0, 0)], at(0), at(-1)), Next::Begin);
    }

    #[test]
    fn a_hub_that_has_just_begun_to_listen_calls_nobody_silent() {
        let long_ago = one(Some(Ready), 0, 0);
        let now = at(100);
        assert_eq!(long_ago.standing(now, now.plus_ms(-LISTEN_MS + 1)), Standing::Waiting);
        assert_eq!(long_ago.standing(now, now.plus_ms(-LISTEN_MS)), Standing::Silent);
    }

    #[test]
    fn nobody_new_begins_while_it_is_not_running_and_nothing_is_taken_back() {
        use RolloutState::{Done, Paused, Running, Stopped};
        for (state, told) in [(Running, true), (Done, true), (Paused, false), (Stopped, false)] {
            let given = [None, Some(Ready), Some(Begun), Some(Proven), Some(Refused), Some(Undone)];
            let given = given.map(|step| state.gives(step));
            assert_eq!(given, [told, told, true, true, false, false], "{state:?}");
            assert_eq!(RolloutState::parse(state.as_str()), Some(state));
        }
        assert!(pauses(1, 1) && pauses(3, 2) && !pauses(0, 1) && !pauses(1, 2));
    }

    #[test]
    fn what_a_box_said_of_an_earlier_telling_does_not_count() {
        let told = at(10);
        for (step, said, counts) in [
            (Undone, at(9), false),
            (Refused, told.plus_ms(-SKEW_MS - 1), false),
            (Undone, told.plus_ms(-SKEW_MS), true),
            (Begun, at(11), true),
            (Proven, at(1), true),
        ] {
            assert_eq!(is_about(step, said, told), counts, "{step:?} {said}");
        }
    }
}
