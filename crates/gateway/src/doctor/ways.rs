//! The ways out: their links, how each gets its address, which one is used.

use super::Finding;
use super::box_itself::{has_route, interface};
use crate::config::{Config, Line, UplinkKind};
use crate::status::Status;
use crate::ways::LineState;

/// Every way out, as far as it can be seen from outside the program.
pub(super) fn out(config: &Config, status: Option<&Status>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in config.lines().enumerate() {
        let state = status.and_then(|s| s.ways.get(number));
        findings.extend(one(&line, state));
    }
    findings.extend(status.and_then(|s| in_use(&s.ways)));
    findings
}

fn one(line: &Line<'_>, state: Option<&LineState>) -> Vec<Finding> {
    let uplink = line.uplink;
    let name = &uplink.interface;
    let mut findings = vec![interface(uplink.wire())];
    if let Some((link, below, id)) = uplink.vlan_link()
        && !std::path::Path::new("/sys/class/net").join(link).exists()
    {
        let found = Finding::bad("doctor-vlan-bad", "doctor-vlan-mend");
        findings.push(found.with("interface", link).with("below", below).with("vlan", id));
    }
    let address = state.map(|s| s.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let address = address.filter(|a| !a.is_empty());
    let found = match (has_route(name), uplink.kind) {
        (true, _) => Finding::good("doctor-route-good"),
        (false, UplinkKind::System | UplinkKind::Dhcp) => {
            Finding::bad("doctor-route-bad", "doctor-route-mend")
        }
        (false, UplinkKind::Static) => Finding::bad("doctor-route-bad", "doctor-static-mend"),
        (false, UplinkKind::Pppoe) => Finding::bad("doctor-route-bad", "doctor-pppoe-mend"),
    };
    findings.push(found.with("interface", name));
    let how = match uplink.kind {
        UplinkKind::System => "doctor-way-system",
        UplinkKind::Dhcp => "doctor-way-dhcp",
        UplinkKind::Static => "doctor-way-static",
        UplinkKind::Pppoe => "doctor-way-pppoe",
    };
    findings.extend(address.map(|a| Finding::good(how).with("interface", name).with("address", a)));
    if let Some(why) = state.and_then(|s| s.overlap.as_ref()) {
        findings.push(Finding::bad("doctor-overlap-bad", "doctor-overlap-mend").with("why", why));
    }
    if let Some(why) = state.and_then(|s| s.trouble.as_ref()) {
        let found = Finding::bad("doctor-lease-bad", "doctor-lease-mend");
        findings.push(found.with("interface", name).with("why", why));
    }
    findings
}

/// Which of two ways is used, and whether the other could be.
fn in_use(all: &[LineState]) -> Option<Finding> {
    let [first, second] = all else { return None };
    let found = match (second.in_use, second.answers) {
        (true, _) => Finding::warning("doctor-backup-warning", "doctor-backup-mend"),
        (false, Some(false)) => Finding::warning("doctor-backup-dead", "doctor-backup-dead-mend"),
        (false, _) => Finding::good("doctor-backup-good"),
    };
    Some(
        found
            .with("interface", &first.interface)
            .with("other", &second.interface)
            .with("owner", &second.owner),
    )
}
