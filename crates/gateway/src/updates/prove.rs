//! What a program on trial has to show: that nothing at the place is worse than before.

use super::slots::Trial;
use super::{Parts, broken};

/// How often it is looked, milliseconds.
const LOOK_MS: i64 = 5_000;
/// It has to be well for this part of its time, and this long at most, milliseconds.
const WELL: (u64, i64) = (4, 60_000);

/// Looks until all has been well for a while, or the time is over; the error says what was not.
pub(super) async fn watch(parts: &Parts, trial: &Trial) -> Result<(), String> {
    let clock = &parts.clock;
    let began = clock.mono_ms();
    let whole_ms = i64::try_from(trial.prove_ms).unwrap_or(i64::MAX);
    let well_ms = i64::try_from(trial.prove_ms / WELL.0).unwrap_or(i64::MAX).min(WELL.1);
    let mut well_since = None;
    loop {
        let now = clock.mono_ms();
        let wrong = worse(parts, trial).await;
        match wrong {
            None => {
                let since = *well_since.get_or_insert(now);
                if clock.mono_ms().saturating_sub(since) >= well_ms {
                    return Ok(());
                }
            }
            Some(why) => {
                well_since = None;
                if clock.mono_ms().saturating_sub(began) >= whole_ms {
                    return Err(why);
                }
                tracing::info!(why, "on trial: not well yet");
            }
        }
        clock.sleep_ms(LOOK_MS.min(well_ms.max(1))).await;
    }
}

/// What is worse than before, in English.
async fn worse(parts: &Parts, trial: &Trial) -> Option<String> {
    let hub = parts.hub.borrow().clone();
    // The program came from the hub: one that does not hear it cannot be mended from afar.
    if hub.at.is_none() || hub.trouble.is_some() {
        let why = hub.trouble.unwrap_or_else(|| "no answer yet".to_owned());
        return Some(format!("the hub is not heard: {why}"));
    }
    if parts.desired.borrow().is_none() {
        return Some("no desired state is in force".to_owned());
    }
    let now = broken(&parts.config, &parts.clock).await;
    now.into_iter().find(|(key, _)| !trial.before.contains(key)).map(|(_, sentence)| sentence)
}
