//! Keeps the resolver's process running and its settings current.
//!
//! The main process holds the sockets and hands them down: while a resolver is
//! replaced, questions wait in them instead of being refused.

use super::counts::Today;
use super::lists::InForce;
use super::serve::Sockets;
use super::{Settings, TOLD_SOCKET, Told};
use crate::again::Again;
use crate::clock::Clock;
use crate::config::Config;
use crate::kept::{self, Change, Program};
use crate::supervisor::Supervisor;
use kulkul_wire::link::desired::Desired;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use tokio::net::UnixDatagram;
use tokio::process::Command;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Runs `exe gateway resolver --data DIR` until the run ends, and restarts it when it ends.
///
/// `failed` is told each time that the resolver ended by itself.
///
/// # Errors
/// When the port cannot be opened or the settings cannot be written.
pub async fn keep(
    exe: PathBuf,
    config: Arc<Config>,
    (mut desired, mut filter): (watch::Receiver<Option<Arc<Desired>>>, watch::Receiver<Arc<InForce>>),
    clock: Clock,
    failed: mpsc::Sender<&'static str>,
    again: Again,
) -> io::Result<()> {
    let told = config.clone();
    let now = move |desired: &mut watch::Receiver<Option<Arc<Desired>>>,
                    filter: &mut watch::Receiver<Arc<InForce>>| {
        let filter = filter.borrow_and_update().settings(&told.data);
        Settings::of(&told, desired.borrow_and_update().as_deref(), filter)
    };
    let current = now(&mut desired, &mut filter);
    current.write(&config.data)?;
    let sockets = Sockets::open(config.dns.port)?;
    let data = config.data.clone();
    let program = Program {
        name: "resolver",
        pid_file: config.data.join("resolver.pid"),
        mark: format!("resolver\0--data\0{}", config.data.display()),
        overlap: true,
    };
    let make = move || -> io::Result<Command> {
        let (udp, tcp) = sockets.handles()?;
        let mut command = Command::new(&exe);
        command.args(["gateway", "resolver", "--data"]).arg(&data);
        command.stdin(Stdio::from(udp)).stdout(Stdio::from(tcp)).stderr(Stdio::inherit());
        Ok(command)
    };
    let (change, changes) = mpsc::channel(4);
    let follow = async {
        let mut last = current;
        loop {
            let changed = tokio::select! {
                biased;
                changed = desired.changed() => changed,
                changed = filter.changed() => changed,
            };
            if changed.is_err() {
                break;
            }
            let next = now(&mut desired, &mut filter);
            if next != last {
                match next.write(&config.data) {
                    Ok(()) => {
                        // A full queue already holds a reload that will read this file.
                        let _ = change.try_send(Change::Reload);
                        last = next;
                    }
                    Err(error) => tracing::warn!(%error, "resolver: settings not written"),
                }
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        () = kept::keep(program, make, changes, clock, failed, again) => {}
        () = follow => {}
    }
    Ok(())
}

/// Takes what the resolver tells where it belongs: the walled garden to the supervisor, counts to `blocked`.
///
/// `day` is the local day, none while the clock is unset.
///
/// # Errors
/// When the socket cannot be made.
pub async fn learn(
    data: &Path,
    supervisor: Supervisor,
    blocked: watch::Sender<Today>,
    day: impl Fn() -> Option<String>,
    stop: CancellationToken,
) -> io::Result<()> {
    let path = data.join(TOLD_SOCKET);
    // One that an earlier run left behind is in the way.
    let _ = std::fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path)?;
    let mut buffer = [0; 8192];
    loop {
        let length = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            got = socket.recv(&mut buffer) => got?,
        };
        match serde_json::from_slice::<Told>(buffer.get(..length).unwrap_or_default()) {
            Ok(Told::Learned { name, addresses, ttl_s }) => supervisor.walled(&name, addresses, ttl_s).await,
            Ok(Told::Blocked(new)) => blocked.send_modify(|today| today.add(&new, day())),
            Err(error) => tracing::debug!(%error, "the resolver tells what is not understood"),
        }
    }
}
