//! Wiring: starts the box's parts in the order in which they need each other.
//!
//! The kernel comes first, so that people who were online stay so; then what they
//! need at once (names, portal); then measuring and the link. Nothing here decides.

mod names;
mod outward;
mod portal;
mod program;
mod tunnel;

use crate::access::{self, Access};
use crate::access_points::{self, AccessPoints};
use crate::again::Again;
use crate::clock::Clock;
use crate::config::Config;
use crate::connections;
use crate::diagnostics::Diagnostics;
use crate::firewall;
use crate::kernel::linux::Linux;
use crate::kernel::neighbours::Listener;
use crate::kernel::{Kernel as _, KernelError, features, sysctl};
use crate::link::{self, Link};
use crate::portal::blocked::Filtered;
use crate::portal::{Extras, desk::Desk, tls};
use crate::status::{self, HubSeen};
use crate::supervisor::{self, Can, Parts, Supervisor, SupervisorError};
use crate::tunnel::TunnelState;
use crate::updates;
use crate::ways::watch::Answers;
use crate::{chance, journal::Journal, probe::Probe};
use kulkul_model::gateway::Capabilities;
use kulkul_model::measurement::{Minute, UsageMinute};
use kulkul_wire::link::{Desired, Entry, Started};
use std::io;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long stopping may take, milliseconds.
const STOP_MS: i64 = 10_000;

/// Why the box could not start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The supervisor could not bring kernel and sessions together.
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A part could not start.
    #[error("{part}: {source}")]
    Part {
        /// Which.
        part: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The link to the hub.
    #[error(transparent)]
    Link(#[from] link::LinkError),
    /// The box's records of who it is.
    #[error(transparent)]
    Identity(#[from] link::StateError),
    /// The box could not enrol.
    #[error(transparent)]
    Enrol(#[from] link::NotEnrolled),
    /// The program was built without something that it needs.
    #[error("this build lacks {0}")]
    Build(&'static str),
}

fn part(part: &'static str) -> impl Fn(io::Error) -> GatewayError {
    move |source| GatewayError::Part { part, source }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Somebody stopped it.
    Stopped,
    /// It is to begin anew: settings were changed at the place.
    Again,
}

/// What the parts share.
struct House {
    config: Arc<Config>,
    clock: Clock,
    journal: Journal,
    supervisor: Supervisor,
    desired: watch::Receiver<Option<Arc<Desired>>>,
    failed: mpsc::Sender<&'static str>,
    tasks: TaskTracker,
    stop: CancellationToken,
    again: Again,
}

/// Runs the box until `stop`; the kernel goes on enforcing afterwards.
///
/// The resolver's process is started from this program's file, as `files` names it.
///
/// # Errors
/// `GatewayError` when a part that people need cannot start.
pub async fn run(
    config: Config,
    files: updates::Files,
    stop: CancellationToken,
) -> Result<Ended, GatewayError> {
    let clock = Clock::machine();
    std::fs::create_dir_all(&config.data).map_err(part("the data directory"))?;
    let mut kernel = Linux::open()?;
    prepare(&config, &mut kernel)?;
    let capabilities = features::detect();
    tracing::info!(has = capabilities.named(true), lacks = capabilities.named(false), "the kernel");
    let again = Again::new(stop.clone());
    let (tasks, (failed, failures)) = (TaskTracker::new(), mpsc::channel(16));
    let mut ears = outward::dial(&config, &files.exe, &clock, (&tasks, &failed), &again);
    let met = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(Ended::Stopped),
        met = meet(&config, &capabilities, &clock) => met?.map(|(client, identity)| (client, Arc::new(identity))),
        () = outward::at_first(&config, &mut kernel, &mut ears) => None,
    };
    let journal = match &met {
        Some((_, identity)) => link::open_journal(&config.data, identity, &clock)?,
        None => Journal::in_memory(),
    };
    let runs = updates::Running::of(&config.data, &files.exe);
    if let Err(error) = journal
        .append(Entry::Started(Started {
            capabilities: capabilities.clone(),
            program: runs.release.as_ref().map(|r| r.sha256),
        }))
        .await
    {
        tracing::error!(%error, "the start is not recorded");
    }
    let places = config.segments.iter().flat_map(|s| s.networks()).collect();
    let (log, teller) = connections::Log::new(config.data.clone(), places, clock.clone(), journal.clone());
    let parts = Parts {
        config: config.clone(),
        clock: clock.clone(),
        kernel: Box::new(kernel),
        listener: Some(Listener::open()?),
        journal: journal.clone(),
        ids: chance::session_ids(),
        can: Can::from(&capabilities),
        teller,
    };
    let (supervisor, actor) = supervisor::start(parts, stop.clone())?;
    let (desired_tx, desired) = watch::channel(None);
    let house = House {
        config: Arc::new(config),
        clock: clock.clone(),
        journal,
        supervisor,
        desired,
        failed,
        tasks,
        stop: stop.clone(),
        again,
    };
    house.tasks.spawn(log.run(stop.clone()));
    outward::follow(&house, ears);
    let asked =
        Diagnostics::new(house.config.clone(), house.desired.clone(), house.journal.clone(), clock.clone());
    house.tasks.spawn(asked.run(stop.clone()));
    let first_boot = portal::first_boot(&house, met.is_some(), &capabilities)?;
    let (in_force, blocked) = names::start(&house, files.exe.clone(), met.as_ref())?;
    let (radios, radios_seen) = AccessPoints::new(
        house.config.clone(),
        house.desired.clone(),
        house.supervisor.clone(),
        house.clock.clone(),
    );
    let tunnel = tunnel::start(&house).await?;
    let (minutes, answers) = (measure(&house, radios), outward::watch(&house));
    let access = access(&house, met.as_ref()).map_err(part("vouchers and accounts"))?;
    // Without a hub nobody would ever read a report.
    let desk = Desk::open(&house.config.data, house.journal.clone(), clock.clone());
    let desk = met.is_some().then(|| Arc::new(desk));
    let filtered = Some(Arc::new(Filtered::new(in_force.clone(), house.config.data.clone())));
    let tls = portal::portal(
        &house,
        Extras { desk, minutes: Some(minutes.clone()), filtered, access: Some(access.clone()), first_boot },
    )?;
    portal::addresses(&house, &tls);
    let (seen_tx, seen) = watch::channel(HubSeen::default());
    house.tasks.spawn(access.keep(seen.clone(), stop.clone()));
    let running = program::start(&house, files, met.as_ref(), seen.clone());
    let told = (minutes.clone(), answers, radios_seen, tunnel);
    report(&house, (Some(tls), capabilities), (in_force, blocked), told, (seen, running));
    // Without a hub the senders live on, so that those who follow them wait for ever.
    let _alone = match met {
        Some((client, identity)) => {
            connect(&house, client, identity, minutes, desired_tx, seen_tx);
            None
        }
        None => Some((desired_tx, seen_tx)),
    };
    note_failures(&house, failures);
    tracing::info!("the gateway is up");
    stop.cancelled().await;
    house.tasks.close();
    if clock.at_most(STOP_MS, house.tasks.wait()).await.is_none() {
        tracing::warn!("some parts did not stop in time");
    }
    // The supervisor comes last: what the others journal on their way out goes through it.
    let _ = clock.at_most(STOP_MS, actor).await;
    Ok(if house.again.is_wanted() { Ended::Again } else { Ended::Stopped })
}

/// The hub and who this box is to it; a new box with a claim enrols first, for as long as
/// the hub cannot be reached. One without a claim serves the place by itself.
async fn meet(
    config: &Config,
    capabilities: &Capabilities,
    clock: &Clock,
) -> Result<Option<(link::Client, link::Identity)>, GatewayError> {
    let known = link::identity(&config.data)?;
    if known.is_none() && config.claim.is_none() {
        if config.alone {
            tracing::warn!("this box is on its own, as gateway.toml says: nothing is delivered");
        } else {
            tracing::warn!("this box belongs to no place yet: its first page asks for the code on it");
        }
        return Ok(None);
    }
    let client = link::Client::new(&config.hub, config.hub_ca.as_deref(), config.allow_plain, clock)?;
    if let Some(identity) = known {
        return Ok(Some((client, identity)));
    }
    let identity = link::enrol(&client, config, capabilities, &hardware(), clock).await?;
    Ok(Some((client, identity)))
}

/// What lets people in by vouchers and accounts; without a hub by what lies here alone.
fn access(house: &House, met: Option<&(link::Client, Arc<link::Identity>)>) -> io::Result<Access> {
    Access::open(access::Parts {
        hub: met.map(|(client, identity)| access::over(client.clone(), identity.clone())),
        desired: house.desired.clone(),
        clock: house.clock.clone(),
        data: house.config.data.clone(),
        salts: chance::bytes,
    })
}

/// The machine's maker and product, as far as it tells.
fn hardware() -> String {
    let name = |file: &str| {
        let text = std::fs::read_to_string(format!("/sys/class/dmi/id/{file}")).unwrap_or_default();
        text.trim().to_owned()
    };
    format!("{} {}", name("sys_vendor"), name("product_name")).trim().to_owned()
}

/// The link: beats, the desired state, the journal's way to the hub.
fn connect(
    house: &House,
    client: link::Client,
    identity: Arc<link::Identity>,
    minutes: Minutes,
    desired: watch::Sender<Option<Arc<Desired>>>,
    seen: watch::Sender<HubSeen>,
) {
    let (supervisor, counted) = (house.supervisor.clone(), house.supervisor.clone());
    let apply: link::Apply = Arc::new(move |desired| {
        let supervisor = supervisor.clone();
        Box::pin(async move { supervisor.apply(desired).await })
    });
    let link = Link {
        client,
        identity,
        journal: house.journal.clone(),
        apply,
        people: Arc::new(move || counted.people()),
        minutes,
        desired: Arc::new(desired),
        seen: Arc::new(seen),
        clock: house.clock.clone(),
        data: house.config.data.clone(),
    };
    house.tasks.spawn(link.run(house.stop.clone()));
}

/// Settings of the kernel and addresses of the place's interfaces.
fn prepare(config: &Config, kernel: &mut Linux) -> Result<(), GatewayError> {
    let places: Vec<&str> = config.segments.iter().map(|s| s.interface.as_str()).collect();
    // Never forward without the table: until the supervisor has brought it up to date, nobody is let through.
    if kernel.digest()?.is_none() {
        kernel.load(
            &firewall::policy(config, &crate::orders::Orders::default(), &[], false, false).text(&[]),
        )?;
    }
    outward::vlans(config, kernel)?;
    let uplinks: Vec<&str> = config.lines().map(|l| l.uplink.interface.as_str()).collect();
    let wanted = sysctl::wanted(&uplinks, &places);
    for (path, error) in sysctl::set(&config.data, &wanted) {
        tracing::info!(path, %error, "a setting of the kernel stays as it is");
    }
    for segment in &config.segments {
        for net in segment.networks() {
            kernel.ensure_address(&segment.interface, net)?;
        }
    }
    Ok(())
}

type Minutes = watch::Receiver<Option<(Minute, UsageMinute)>>;

/// The minute's measurement.
fn measure(house: &House, radios: AccessPoints) -> Minutes {
    let (tell, minutes) = watch::channel(None);
    let probe = Probe {
        config: house.config.clone(),
        desired: house.desired.clone(),
        totals: house.supervisor.usage(),
        journal: house.journal.clone(),
        clock: house.clock.clone(),
        kept: house.config.data.join("minutes.jsonl"),
        name: outward::box_name(house.config.uplink.wire()),
        radios,
    };
    house.tasks.spawn(probe.run(tell, house.stop.clone()));
    minutes
}

/// The socket that `kulkul gateway status` asks.
fn report(
    house: &House,
    (tls, capabilities): (Option<tls::Tls>, Capabilities),
    (filter, blocked): names::Told,
    (minutes, answers, radios, tunnel): (
        Minutes,
        watch::Receiver<Answers>,
        access_points::Seen,
        watch::Receiver<TunnelState>,
    ),
    (hub, running): (watch::Receiver<HubSeen>, watch::Receiver<updates::Running>),
) {
    let source = status::Source {
        supervisor: house.supervisor.clone(),
        journal: house.journal.clone(),
        minutes,
        answers,
        radios,
        tunnel,
        desired: house.desired.clone(),
        hub,
        running,
        tls,
        capabilities: Arc::new(capabilities),
        filter,
        blocked,
        clock: house.clock.clone(),
        since: house.clock.wall(),
        data: house.config.data.clone(),
    };
    let (data, stop) = (house.config.data.clone(), house.stop.clone());
    house.tasks.spawn(async move {
        if let Err(error) = status::serve(&data, source, stop).await {
            tracing::error!(%error, "the status socket");
        }
    });
}

/// Journals that a part failed and was started again.
fn note_failures(house: &House, mut failures: mpsc::Receiver<&'static str>) {
    let (journal, stop) = (house.journal.clone(), house.stop.clone());
    house.tasks.spawn(async move {
        loop {
            let failed = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                failed = failures.recv() => failed,
            };
            let Some(part) = failed else { return };
            let event = kulkul_wire::link::Event::PartRestarted { part: part.to_owned() };
            if let Err(error) = journal.append(kulkul_wire::link::Entry::Event(event)).await {
                tracing::warn!(%error, part, "a restart was not recorded");
            }
        }
    });
}
