//! The tunnel to the data centre: whether it is up, and what to do where it is not.

use super::Finding;
use crate::status::Status;

/// What the running program says of it; nothing where none is ordered.
pub(super) fn all(status: Option<&Status>) -> Option<Finding> {
    let state = &status?.tunnel;
    if !state.ordered {
        return None;
    }
    let at = state.at.map_or_else(|| state.endpoint.clone(), |at| at.to_string());
    let found = match (&state.trouble, state.up) {
        (_, true) => Finding::good("doctor-tunnel-good").with("seconds", state.handshake_s.unwrap_or(0)),
        (Some(why), false) => {
            Finding::bad("doctor-tunnel-trouble", "doctor-tunnel-trouble-mend").with("why", why)
        }
        (None, false) => Finding::bad("doctor-tunnel-bad", "doctor-tunnel-mend"),
    };
    Some(found.with("at", at).with("key", &state.public_key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tunnel::TunnelState;
    use serde_json::json;

    fn said(tunnel: TunnelState) -> Option<(&'static str, Option<&'static str>)> {
        let mut status: Status = serde_json::from_value(json!({
            "version": "0.1.0", "since": null, "now": null, "site": null, "place": null, "desired": null,
            "hub": {}, "people": 0, "minute": null, "usage": null, "certificate_until": null, "journal_head": 0
        }))
        .unwrap();
        status.tunnel = tunnel;
        all(Some(&status)).map(|f| (f.key, f.mend))
    }

    #[test]
    fn one_that_is_down_says_what_to_do_and_one_that_is_not_ordered_is_no_matter() {
        assert_eq!(said(TunnelState::default()), None);
        let ordered = TunnelState { ordered: true, ..TunnelState::default() };
        assert_eq!(said(ordered.clone()), Some(("doctor-tunnel-bad", Some("doctor-tunnel-mend"))));
        let odd = TunnelState { trouble: Some("no /dev/net/tun".to_owned()), ..ordered.clone() };
        assert_eq!(said(odd), Some(("doctor-tunnel-trouble", Some("doctor-tunnel-trouble-mend"))));
        let up = TunnelState { up: true, handshake_s: Some(9), ..ordered };
        assert_eq!(said(up), Some(("doctor-tunnel-good", None)));
    }
}
