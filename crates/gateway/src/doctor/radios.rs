//! Access points: whether they answer, and whether one is a router of its own.

use super::{Finding, clock_time};
use crate::access_points::Shown;
use crate::status::Status;
use crate::status::radios::names;

/// What the last minute found; nothing where none are registered.
pub(super) fn all(status: Option<&Status>) -> Vec<Finding> {
    let all = status.map(|s| s.access_points.as_slice()).unwrap_or_default();
    if all.is_empty() {
        return Vec::new();
    }
    let missing: Vec<&Shown> = all.iter().filter(|s| !s.answers).collect();
    let since = missing.iter().filter_map(|s| s.lost_since).min().map(clock_time).unwrap_or_default();
    let named = names(missing.iter().copied());
    let mut found = vec![match missing.len() {
        0 => Finding::good("doctor-radios-good").with("known", all.len()),
        n if n == all.len() => Finding::bad("doctor-radios-bad", "doctor-radios-mend").with("since", since),
        _ => Finding::warning("doctor-radios-warning", "doctor-radios-mend").with("missing", named),
    }];
    // Somebody who is online by the access point's own hardware address is behind it.
    let routers = names(all.iter().filter(|s| s.router));
    if !routers.is_empty() {
        found.push(Finding::warning("doctor-router-warning", "doctor-router-mend").with("names", routers));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;
    use kulkul_model::session::Mac;
    use serde_json::json;

    fn said(all: &[(&str, bool, bool)]) -> Vec<(Grade, &'static str)> {
        let one = |(name, answers, router): &(&str, bool, bool)| Shown {
            mac: Mac([2; 6]),
            name: (*name).to_owned(),
            address: None,
            answers: *answers,
            lost_since: None,
            router: *router,
        };
        let mut status: Status = serde_json::from_value(json!({
            "version": "0.1.0", "since": null, "now": null, "site": null, "place": null, "desired": null,
            "hub": {}, "people": 0, "minute": null, "usage": null, "certificate_until": null, "journal_head": 0
        }))
        .unwrap();
        status.access_points = all.iter().map(one).collect();
        super::all(Some(&status)).into_iter().map(|f| (f.grade, f.key)).collect()
    }

    #[test]
    fn one_that_is_missing_is_named_and_a_router_is_warned_of() {
        assert_eq!(said(&[]), []);
        assert_eq!(said(&[("a", true, false)]), [(Grade::Good, "doctor-radios-good")]);
        assert_eq!(
            said(&[("a", true, true), ("b", false, false)]),
            [(Grade::Warning, "doctor-radios-warning"), (Grade::Warning, "doctor-router-warning")]
        );
        assert_eq!(said(&[("a", false, false)]), [(Grade::Bad, "doctor-radios-bad")]);
    }
}
