//! Beats: the sign of life of a gateway. In memory only; nothing waits for the disk.

use super::known::{Known, LastBeat};
use crate::Hub;
use crate::watch::live;
use crate::web::problem::Problem;
use kulkul_model::Refusal;
use kulkul_wire::link::beat::MINUTES_LIMIT;
use kulkul_wire::link::{Beat, BeatAnswer};

/// Takes a beat and answers with the time and the newest desired state.
///
/// # Errors
/// 422 when it carries more minutes than a beat may.
pub fn arrived(hub: &Hub, gateway: &Known, beat: &Beat) -> Result<BeatAnswer, Problem> {
    if beat.minutes.len() > MINUTES_LIMIT {
        return Err(Refusal::new(422, "beat-too-long").with("most", MINUTES_LIMIT).into());
    }
    let now = hub.clock().now();
    gateway.set_last(LastBeat {
        at: now,
        people: beat.people,
        desired: beat.desired,
        journal_head: beat.journal_head,
    });
    live::beat(hub, &gateway.site, &gateway.id, beat);
    let keys = hub.fleet().keys().map_err(|e| Problem::fault(&e))?.digest();
    Ok(BeatAnswer { now, desired: gateway.newest(), keys: Some(keys) })
}
