//! Setting what a way out was given: addresses and default routes.

use super::{Kernel, KernelError};
use crate::config::{Uplink, UplinkKind};
use crate::ways::Lease;
use ipnet::IpNet;
use kulkul_wire::netlink::ways::{DefaultRoute, MAIN};

/// The metric of routes that the box sets in the main table; the way's number is added.
const OWN: u32 = 100;

/// Puts a lease in force; `line` is the way's number.
///
/// Nothing is done while its interface is not there.
///
/// # Errors
/// `KernelError` when the kernel refused.
pub fn set(kernel: &mut dyn Kernel, line: usize, uplink: &Uplink, lease: &Lease) -> Result<(), KernelError> {
    let (name, kind) = (uplink.interface.as_str(), uplink.kind);
    let Some(index) = kernel.index(name).filter(|_| kind != UplinkKind::System) else { return Ok(()) };
    let metric = OWN.saturating_add(u32::try_from(line).unwrap_or(0));
    for net in &lease.addresses {
        kernel.ensure_address(name, *net)?;
    }
    if kind == UplinkKind::Dhcp {
        // What an earlier run was given is somebody else's by now.
        let stale = |n: &IpNet| matches!(n, IpNet::V4(_)) && !lease.addresses.contains(n);
        for gone in kernel.addresses(name)?.into_iter().filter(stale) {
            kernel.drop_address(name, gone)?;
        }
    }
    let routes = kernel.defaults()?;
    // Over PPP the link itself leads on.
    let dialled = (kind == UplinkKind::Pppoe).then_some((false, None));
    let routers = lease.routers.iter().map(|r| (r.is_ipv6(), Some(*r)));
    let wanted: Vec<DefaultRoute> = routers
        .chain(dialled)
        .map(|(six, gateway)| DefaultRoute {
            six,
            table: MAIN,
            interface: index,
            gateway,
            metric,
            ours: true,
        })
        .collect();
    for route in wanted.iter().filter(|r| !routes.contains(r)) {
        kernel.put_default(route)?;
    }
    let ours = |r: &&DefaultRoute| r.table == MAIN && r.ours && r.metric == metric;
    let is_kept = |r: &DefaultRoute| wanted.iter().any(|w| w.six == r.six);
    for stale in routes.iter().filter(ours).filter(|r| !is_kept(r)) {
        kernel.drop_default(stale)?;
    }
    Ok(())
}
