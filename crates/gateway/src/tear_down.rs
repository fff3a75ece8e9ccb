//! Taking a box down: what a stopped daemon leaves enforcing on purpose goes away.

use crate::config::Config;
use crate::kernel::linux::Linux;
use crate::kernel::{Kernel as _, sysctl};
use crate::run::GatewayError;
use crate::supervisor;
use kulkul_wire::netlink::queues::Queue;
use kulkul_wire::ruleset;

/// Removes table and queues and puts the kernel's settings back: nobody is captured or let through any more.
///
/// # Errors
/// `GatewayError` when the kernel refuses.
pub fn tear_down(config: &Config) -> Result<(), GatewayError> {
    let mut kernel = Linux::open()?;
    kernel.load(&ruleset::teardown())?;
    let places = config.segments.iter().map(|s| s.interface.as_str());
    let uplinks = config.lines().map(|l| l.uplink.interface.as_str());
    for on in uplinks.chain([supervisor::TOGETHER]).chain(places) {
        if kernel.index(on).is_none() {
            continue;
        }
        if config.segments.len() > 1 && on != supervisor::TOGETHER {
            // Where nothing was shared there is nothing to end.
            let _ = kernel.shape(on, &[Queue::NotThrough]);
        }
        // A queue that was put there by somebody else is not ours to remove.
        if !kernel.classes(on)?.is_empty() {
            kernel.shape(on, &[Queue::NoRoot])?;
            if let Err(error) = kernel.join_packets(on, true) {
                tracing::info!(%error, on, "packets stay single");
            }
        }
    }
    kernel.lead(&[], &[])?;
    kernel.steer(false)?;
    for route in kernel.defaults()?.into_iter().filter(|r| r.ours) {
        kernel.drop_default(&route)?;
    }
    sysctl::restore(&config.data);
    Ok(())
}
