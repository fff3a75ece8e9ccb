//! Block lists on the box: fetched by digest, made into sets, kept for the next start.
//!
//! A list that is too large, has another digest or is no list is refused with an entry
//! in the journal, and the last good one of its key stays. Until a new one is ready the
//! old one is in force; where there is no hub, what lies on the disk is.

mod make;
#[cfg(test)]
mod tests;

pub use make::{NotTaken, measure, most_names};

use super::settings::{FilterSettings, ListSettings};
use crate::clock::Clock;
use crate::journal::Journal;
use kulkul_wire::link::desired::{BlockList, Desired, FilterSection};
use kulkul_wire::link::{Digest, Entry, Event};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Lists of one place at most.
const MOST: usize = 16;
/// The wait before the first and the longest before any further try, in milliseconds.
const WAIT_MS: (i64, i64) = (5_000, 600_000);
/// How long a set that is not in force any more stays for a resolver that starts, in milliseconds.
const LINGER_MS: i64 = 10_000;
/// What is in force, in the lists' directory.
const FILE: &str = "in-force.json";

/// Fetches a list's text to a file; what is there already is the beginning of it.
pub type Fetch =
    Arc<dyn Fn(BlockList, PathBuf) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// What is filtered now.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InForce {
    /// Lists whose sets lie ready.
    pub lists: Vec<Held>,
    /// Names that are answered whatever a list says.
    pub allow: Vec<String>,
    /// Names that are not answered beside those of the lists.
    pub block: Vec<String>,
    /// Refuses known ways around the resolver.
    pub strict: bool,
    /// Sends search engines' names to their protected ones.
    pub safe_search: bool,
}

/// A list whose set lies ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What the hub says of it.
    pub list: BlockList,
    /// Names in it.
    pub names: u64,
}

impl InForce {
    /// What a resolver is told, with the sets in `data`.
    #[must_use]
    pub fn settings(&self, data: &Path) -> FilterSettings {
        let dir = directory(data);
        let list = |held: &Held| ListSettings { key: held.list.key.clone(), path: set(&dir, &held.list) };
        FilterSettings {
            lists: self.lists.iter().map(list).collect(),
            allow: self.allow.clone(),
            block: self.block.clone(),
            strict: self.strict,
            safe_search: self.safe_search,
        }
    }
}

fn directory(data: &Path) -> PathBuf {
    data.join("lists")
}

/// The same text read in another form is another set.
fn set(dir: &Path, list: &BlockList) -> PathBuf {
    dir.join(format!("{}.{:?}.set", list.sha256, list.format).to_lowercase())
}

fn text(dir: &Path, list: &BlockList) -> PathBuf {
    dir.join(format!("{}.text", list.sha256))
}

/// Keeps the place's lists as its desired state wants them.
pub struct Lists {
    dir: PathBuf,
    fetch: Option<Fetch>,
    journal: Journal,
    clock: Clock,
    tell: watch::Sender<Arc<InForce>>,
    /// Lists that were refused: they are not fetched again.
    refused: BTreeSet<Digest>,
    most_names: u64,
}

impl Lists {
    /// Puts what lies in `data` into force. Without `fetch` nothing new comes.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn open(data: &Path, fetch: Option<Fetch>, journal: Journal, clock: Clock) -> io::Result<Self> {
        let dir = directory(data);
        std::fs::create_dir_all(&dir)?;
        let kept = std::fs::read(dir.join(FILE)).ok();
        let mut kept: InForce = kept.and_then(|k| serde_json::from_slice(&k).ok()).unwrap_or_default();
        kept.lists.retain(|held| set(&dir, &held.list).exists());
        let (tell, _) = watch::channel(Arc::new(kept));
        let most_names = most_names();
        Ok(Lists { dir, fetch, journal, clock, tell, refused: BTreeSet::new(), most_names })
    }

    /// What is in force, and changes of that.
    #[must_use]
    pub fn in_force(&self) -> watch::Receiver<Arc<InForce>> {
        self.tell.subscribe()
    }

    /// Follows the desired state until `stop`.
    pub async fn run(mut self, mut desired: watch::Receiver<Option<Arc<Desired>>>, stop: CancellationToken) {
        let mut wait_ms = WAIT_MS.0;
        loop {
            let wanted = desired.borrow_and_update().as_ref().map(|d| d.filter.clone());
            let settled = match &wanted {
                Some(wanted) => {
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => return,
                        settled = self.settle(wanted) => settled,
                    }
                }
                None => true,
            };
            let pause_ms = if settled { LINGER_MS } else { wait_ms };
            wait_ms = if settled { WAIT_MS.0 } else { (wait_ms * 2).min(WAIT_MS.1) };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = desired.changed() => {
                    if changed.is_err() { return }
                    continue;
                }
                () = self.clock.sleep_ms(pause_ms) => {}
            }
            if settled {
                self.sweep(wanted.as_ref());
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    changed = desired.changed() => if changed.is_err() { return },
                }
            }
        }
    }

    /// Does what can be done now; false when something has to be tried again.
    async fn settle(&mut self, wanted: &FilterSection) -> bool {
        let held: BTreeMap<(Digest, String), Held> = {
            let now = self.tell.borrow();
            now.lists.iter().map(|h| ((h.list.sha256, format!("{:?}", h.list.format)), h.clone())).collect()
        };
        let of = |list: &BlockList| held.get(&(list.sha256, format!("{:?}", list.format)));
        // What lies ready is in force at once, and the last good one where its successor is missing.
        let mut lists: BTreeMap<usize, Held> = BTreeMap::new();
        let mut missing = Vec::new();
        for (i, list) in wanted.lists.iter().take(MOST).enumerate() {
            if let Some(ready) = of(list) {
                lists.insert(i, Held { list: list.clone(), names: ready.names });
                continue;
            }
            if let Some(last) = self.tell.borrow().lists.iter().find(|h| h.list.key == list.key) {
                lists.insert(i, last.clone());
            }
            if !self.refused.contains(&list.sha256) {
                missing.push((i, list.clone()));
            }
        }
        self.put(wanted, &lists);
        let mut settled = true;
        for (i, list) in missing {
            let others = lists.iter().filter(|(j, _)| **j != i).map(|(_, h)| h.names).sum();
            match self.bring(&list, others).await {
                Ok(names) => {
                    tracing::info!(list = list.key, names, "a block list is ready");
                    lists.insert(i, Held { list: list.clone(), names });
                    self.put(wanted, &lists);
                    self.note(Event::ListTaken { list: list.key, names }).await;
                }
                Err(NotTaken::Later(why)) => {
                    tracing::debug!(list = list.key, why, "a block list is not there yet");
                    settled = false;
                }
                Err(refused) => {
                    tracing::error!(list = list.key, error = %refused, "a block list is refused; the last good one stays");
                    self.refused.insert(list.sha256);
                    // A part that was fetched is worth nothing either.
                    let _ = std::fs::remove_file(text(&self.dir, &list));
                    let reason = refused.to_string();
                    self.note(Event::ListRefused { list: list.key, reason }).await;
                }
            }
        }
        settled
    }

    async fn bring(&self, list: &BlockList, others: u64) -> Result<u64, NotTaken> {
        let Some(fetch) = &self.fetch else { return Err(NotTaken::Later("there is no hub".to_owned())) };
        make::check(list, &self.dir)?;
        let (text, set) = (text(&self.dir, list), set(&self.dir, list));
        fetch(list.clone(), text.clone()).await.map_err(NotTaken::Later)?;
        let (of, most) = (list.clone(), self.most_names.saturating_sub(others));
        let made = tokio::task::spawn_blocking(move || make::make(&of, &text, &set, most)).await;
        made.map_err(|e| NotTaken::Later(e.to_string()))?
    }

    /// Puts lists and the place's own names into force and keeps that for the next start.
    fn put(&self, wanted: &FilterSection, lists: &BTreeMap<usize, Held>) {
        let next = InForce {
            lists: lists.values().cloned().collect(),
            allow: wanted.allow.clone(),
            block: wanted.block.clone(),
            strict: wanted.strict,
            safe_search: wanted.safe_search,
        };
        if *self.tell.borrow().as_ref() == next {
            return;
        }
        let kept = serde_json::to_vec(&next).map_err(io::Error::from).and_then(|text| {
            let fresh = self.dir.join("in-force.new");
            std::fs::write(&fresh, text)?;
            std::fs::rename(fresh, self.dir.join(FILE))
        });
        if let Err(error) = kept {
            tracing::error!(%error, "what is filtered is not kept for the next start");
        }
        self.tell.send_replace(Arc::new(next));
    }

    /// Removes what is neither in force nor being fetched.
    fn sweep(&self, wanted: Option<&FilterSection>) {
        let now = self.tell.borrow().clone();
        let coming = wanted.into_iter().flat_map(|w| w.lists.iter().map(|l| text(&self.dir, l)));
        let keep: BTreeSet<PathBuf> =
            now.lists.iter().map(|h| set(&self.dir, &h.list)).chain(coming).collect();
        for file in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let path = file.path();
            if path.file_name() != Some(FILE.as_ref()) && !keep.contains(&path) {
                // One that stays costs room and is tried again.
                let _ = std::fs::remove_file(path);
            }
        }
    }

    async fn note(&self, event: Event) {
        if let Err(error) = self.journal.append(Entry::Event(event)).await {
            tracing::error!(%error, "an event is not recorded");
        }
    }
}
