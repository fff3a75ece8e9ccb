//! People who come from another place: the hub is asked once whether their session goes on here.
//!
//! Asked beside the page that they look at, never while they wait for it: seldom, few at
//! a time, and not while the hub is silent. Without an answer they come in like others.

use super::hub::Answer;
use super::{Access, Inner};
use crate::supervisor::Pass;
use kulkul_model::session::{Mac, WayIn};
use kulkul_wire::link::Proof;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, watch};

/// A device is asked for once in this time, milliseconds.
pub(super) const EVERY_MS: i64 = 60_000;
/// After a silence nobody is asked for this long, milliseconds.
pub(super) const SILENCE_MS: i64 = 30_000;
/// Devices that are asked for at a time.
const AT_A_TIME: usize = 8;
/// Devices that are remembered; beyond them nobody is asked for.
const MOST: usize = 4_000;

/// A session that goes on here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roaming {
    /// What lets the device in.
    pub pass: Pass,
    /// The terms that were accepted there.
    pub terms: Option<u32>,
}

/// Of whom the hub was asked.
pub(super) struct Asked {
    state: Mutex<State>,
    places: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    /// When, in monotonic time, the hub was silent.
    silent_ms: Option<i64>,
    devices: BTreeMap<Mac, One>,
}

struct One {
    at_ms: i64,
    found: watch::Receiver<Found>,
    /// It was given: a grant is for one session.
    given: bool,
}

/// What became of a question.
#[derive(Clone, Copy)]
enum Found {
    Asking,
    Done(Option<Roaming>),
}

impl Default for Asked {
    fn default() -> Self {
        Asked { state: Mutex::default(), places: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

impl Asked {
    /// Takes note whether the hub answered.
    pub(super) fn heard(&self, answered: bool, mono_ms: i64) {
        self.lock().silent_ms = (!answered).then_some(mono_ms);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Access {
    /// A session that the device has at another place, when it may go on here.
    ///
    /// Whoever stops waiting finds the answer at the next call within a minute; it is given once.
    pub async fn roam(&self, device: Mac, terms: Option<u32>) -> Option<Roaming> {
        let mut found = self.question(device, terms)?;
        found.wait_for(|f| matches!(f, Found::Done(_))).await.ok()?;
        let roaming = self.take(device)?;
        let agreed = roaming.pass.way_in != WayIn::ClickThrough || roaming.terms == terms;
        (agreed && self.0.is_open(roaming.pass.way_in).is_ok()).then_some(roaming)
    }

    /// The question that is asked, or was within the last minute; begins it where it may be.
    fn question(&self, device: Mac, terms: Option<u32>) -> Option<watch::Receiver<Found>> {
        let now_ms = self.0.clock.mono_ms();
        let within = |at_ms: i64, ms| now_ms.saturating_sub(at_ms) < ms;
        let may = self.0.hub.is_some() && self.0.may_roam();
        let mut state = self.0.roaming.lock();
        state.devices.retain(|_, one| within(one.at_ms, EVERY_MS));
        if let Some(one) = state.devices.get(&device) {
            return Some(one.found.clone());
        }
        let silent = state.silent_ms.is_some_and(|at| within(at, SILENCE_MS));
        if !may || silent || state.devices.len() >= MOST {
            return None;
        }
        let place = self.0.roaming.places.clone().try_acquire_owned().ok()?;
        let (tell, found) = watch::channel(Found::Asking);
        state.devices.insert(device, One { at_ms: now_ms, found: found.clone(), given: false });
        drop(state);
        let access = self.clone();
        tokio::spawn(async move {
            let roaming = access.find(device, terms).await;
            tell.send_replace(Found::Done(roaming));
            drop(place);
        });
        Some(found)
    }

    fn take(&self, device: Mac) -> Option<Roaming> {
        let mut state = self.0.roaming.lock();
        let one = state.devices.get_mut(&device).filter(|one| !one.given)?;
        let Found::Done(roaming) = *one.found.borrow() else { return None };
        one.given = true;
        roaming
    }

    async fn find(&self, device: Mac, terms: Option<u32>) -> Option<Roaming> {
        match self.ask(device, terms, Proof::Roam).await {
            Answer::Granted(grant) if self.0.is_open(grant.way_in).is_ok() => {
                let terms = grant.terms;
                Some(Roaming { pass: self.granted(grant).await, terms })
            }
            Answer::Never => {
                self.forget().await;
                None
            }
            _ => None,
        }
    }
}

impl Inner {
    /// Whether there is a way by which somebody could come from another place.
    fn may_roam(&self) -> bool {
        [WayIn::ClickThrough, WayIn::Voucher, WayIn::Account].into_iter().any(|w| self.is_open(w).is_ok())
    }
}
