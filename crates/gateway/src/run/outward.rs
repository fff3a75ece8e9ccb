//! Starting what keeps the ways out: links of VLANs, asking for addresses, trying.

use super::{GatewayError, House, part};
use crate::again::Again;
use crate::clock::Clock;
use crate::config::{Config, UplinkKind};
use crate::kernel::linux::Linux;
use crate::kernel::{Kernel as _, leased};
use crate::ways::dial::{Dial, Heard};
use crate::ways::watch::{Answers, Watch};
use crate::ways::{self, Lease};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

/// Makes the links of VLANs, of ways out and of segments.
pub(super) fn vlans(config: &Config, kernel: &mut Linux) -> Result<(), GatewayError> {
    // A way out that cannot be made is told of and tried again; the place goes on without it.
    for (name, below, id) in config.lines().filter_map(|l| l.uplink.vlan_link()) {
        if let Err(error) = kernel.ensure_vlan(name, below, id) {
            tracing::error!(name, %error, "the VLAN of a way out; has this kernel the module 8021q?");
        }
    }
    for line in config.lines().filter(|l| l.uplink.kind != UplinkKind::System) {
        let wire = line.uplink.wire();
        if kernel.index(wire).is_some() {
            kernel.switch_on(wire)?;
        }
    }
    for segment in &config.segments {
        if let (Some(below), Some(id)) = (&segment.below, segment.vlan) {
            kernel.ensure_vlan(&segment.interface, below, id).map_err(|e| {
                let why = format!("{}: {e}; a VLAN needs the kernel's module 8021q", segment.interface);
                part("a segment's link")(io::Error::other(why))
            })?;
        }
    }
    Ok(())
}

/// What is heard of ways, by number.
pub(super) struct Ears {
    told: mpsc::Receiver<(usize, Heard)>,
    last: BTreeMap<usize, Heard>,
}

/// Asking providers for addresses, for ways out that need it.
pub(super) fn dial(
    config: &Config,
    exe: &Path,
    clock: &Clock,
    (tasks, failed): (&TaskTracker, &mpsc::Sender<&'static str>),
    again: &Again,
) -> Ears {
    let (tell, told) = mpsc::channel(8);
    for (line, way) in config.lines().enumerate() {
        let dial = Dial {
            line,
            uplink: way.uplink.clone(),
            data: config.data.clone(),
            exe: exe.to_owned(),
            tell: tell.clone(),
            clock: clock.clone(),
            failed: failed.clone(),
        };
        let (tell, again) = (tell.clone(), again.clone());
        tasks.spawn(async move {
            if let Err(error) = dial.run(again).await {
                tracing::error!(%error, line, "a way out cannot be asked for its address");
                let _ = tell.send((line, Heard { lease: None, trouble: Some(error.to_string()) })).await;
            }
        });
    }
    Ears { told, last: BTreeMap::new() }
}

/// Puts addresses in force while the box has not enrolled yet, which needs a way to the hub; never ends.
pub(super) async fn at_first(config: &Config, kernel: &mut Linux, ears: &mut Ears) {
    for (line, way) in config.lines().enumerate().filter(|(_, l)| l.uplink.kind == UplinkKind::Static) {
        put(config, kernel, line, &Lease::written(way.uplink));
    }
    while let Some((line, heard)) = ears.told.recv().await {
        if let Some(lease) = &heard.lease {
            put(config, kernel, line, lease);
        }
        ears.last.insert(line, heard);
    }
    std::future::pending().await
}

fn put(config: &Config, kernel: &mut Linux, line: usize, lease: &Lease) {
    let Some(way) = config.lines().nth(line) else { return };
    if let Err(error) = config.check_uplink(&way.uplink.interface, &lease.addresses) {
        tracing::error!(%error, "what the provider gave is refused");
        return;
    }
    if let Err(error) = leased::set(kernel, line, way.uplink, lease) {
        tracing::error!(%error, line, "the first address of a way out");
    }
    if let Err(error) = ways::write_servers(&config.resolv_conf(), &lease.dns) {
        tracing::warn!(%error, "the provider's servers for names");
    }
}

/// Hands what is heard of ways to the supervisor.
pub(super) fn follow(house: &House, mut ears: Ears) {
    let (supervisor, stop) = (house.supervisor.clone(), house.stop.clone());
    house.tasks.spawn(async move {
        for (line, heard) in ears.last {
            supervisor.leased(line, heard.lease, heard.trouble).await;
        }
        let on = async {
            while let Some((line, heard)) = ears.told.recv().await {
                supervisor.leased(line, heard.lease, heard.trouble).await;
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = on => {}
        }
    });
}

/// Trying the ways out where there are two.
pub(super) fn watch(house: &House) -> watch::Receiver<Answers> {
    let (tell, answers) = watch::channel(Answers::default());
    let watching = Watch {
        config: house.config.clone(),
        desired: house.desired.clone(),
        supervisor: house.supervisor.clone(),
        clock: house.clock.clone(),
    };
    house.tasks.spawn(watching.run(tell, house.stop.clone()));
    answers
}

/// What tells this box from others: the hardware address of its uplink.
pub(super) fn box_name(uplink: &str) -> String {
    std::fs::read_to_string(format!("/sys/class/net/{uplink}/address")).unwrap_or_default()
}
