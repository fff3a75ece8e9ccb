//! Who is online, as the resolver knows it: asked of the main process, kept a while.
//!
//! When the main process is away the last known answer stands, so that people online
//! keep what they have. Somebody never seen counts as not admitted.

use crate::clock::Clock;
use crate::status;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// How long "is online" is believed, in milliseconds.
const IN_MS: i64 = 20_000;
/// How long "is not online" is believed: somebody may press the button at any moment.
const OUT_MS: i64 = 1_000;
/// How long the main process may take.
const ASK_MS: i64 = 300;
/// Devices that are remembered.
const MOST: usize = 4_096;

/// Remembers who is online.
#[derive(Debug)]
pub struct Online {
    known: Mutex<BTreeMap<IpAddr, (bool, i64)>>,
    clock: Clock,
}

impl Online {
    /// Knows nobody yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Online { known: Mutex::default(), clock }
    }

    /// What is believed of the device at `ip` at `now_ms`; nothing when it has to be asked.
    pub fn known(&self, ip: IpAddr, now_ms: i64) -> Option<bool> {
        if ip.is_loopback() {
            return Some(true);
        }
        let (online, at) = *self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&ip)?;
        (now_ms.saturating_sub(at) < if online { IN_MS } else { OUT_MS }).then_some(online)
    }

    /// Whether the device at `ip` is online, or the box itself.
    pub async fn is_in(&self, ip: IpAddr, socket: &Path) -> bool {
        let now = self.clock.mono_ms();
        if let Some(online) = self.known(ip, now) {
            return online;
        }
        let last = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&ip).copied();
        let asked = self.clock.at_most(ASK_MS, status::is_online(socket, ip)).await.flatten();
        let online = asked.unwrap_or(last.is_some_and(|(online, _)| online));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(ip, (online, now));
        online
    }
}
