//! The runtime that commands run on, and the signals that stop them.

use crate::ending::{Failure, Outcome};
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a command's work on all cores.
///
/// # Errors
/// What the work gives, or that the machine has no room for threads.
pub fn run(work: impl Future<Output = Outcome>) -> Outcome {
    // Two TLS providers in one program make rustls panic; ours is chosen here, once.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|e| Failure::unable(e, "free some memory or raise the limit of threads"))?.block_on(work)
}

/// Runs a command's work on one thread, for programs that should stay small.
///
/// # Errors
/// What the work gives, or that the machine has no room for a thread.
pub fn run_small(work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Failure::unable(e, "free some memory or raise the limit of threads"))?.block_on(work)
}

/// Waits for Ctrl-C, or for the signal by which a service manager stops a service.
///
/// # Errors
/// The system refuses to tell of signals.
pub async fn stop_signal() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        biased;
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
