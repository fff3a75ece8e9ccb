//! Journal intake: prove, keep, and only then acknowledge.
//!
//! Entries are proven outside the writer, kept and dispatched within it, a few hundred
//! to a write. What does not fit is kept aside for the operator, never dropped.

use super::signed::store_problem;
use super::{Keys, Known, access_points, certificates, diagnostics, sessions, tunnel, updates};
use crate::Hub;
use crate::access::book;
use crate::voice::reports;
use crate::watch::intake;
use crate::web::problem::Problem;
use kulkul_model::gateway::GatewayId;
use kulkul_model::site::SiteCode;
use kulkul_model::{Moment, Refusal};
use kulkul_proof::{Chain, Head, NotProven, Opened, Verdict, Verifier};
use kulkul_store::journal::Standing;
use kulkul_store::{Lane, StoreError, Tx, audit, gateway, journal};
use kulkul_wire::link::{Entry, JournalAnswer, Stamp, sealed};
use std::sync::Arc;

/// Entries of one write: about 10 ms of the writer.
const WRITE: usize = 128;

/// Why a journal was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The database.
    #[error("taking a journal: {0}")]
    Store(#[from] StoreError),
    /// The gateway has no chain, or its key is none.
    #[error("taking a journal: {0}")]
    Chain(&'static str),
    /// Another hub moved the chain on.
    #[error("taking a journal: the chain was moved on by another hub")]
    Moved,
}

/// What stopped the batch before its end.
enum Stopped {
    Gap { expected: u64 },
    Wrong { sealed: Vec<u8>, why: String },
}

/// Takes a batch and answers through which entry the hub holds the journal.
///
/// # Errors
/// 409 with `expected` when entries are missing; 422 when one does not fit (it is kept
/// aside); 413 or 400 when the batch cannot be cut into entries.
pub async fn take(hub: &Hub, gateway: &Arc<Known>, body: &[u8]) -> Result<JournalAnswer, Problem> {
    let mut chain = gateway.chain.lock().await;
    let values = sealed::sequence(body);
    let held = match chain.take() {
        Some(held) => held,
        None => read_chain(hub, gateway).await.map_err(|e| problem(&e))?,
    };
    let mut next = held.clone();
    let mut accepted = Vec::new();
    let mut stopped = None;
    for value in values.as_deref().unwrap_or_default() {
        match next.take(value) {
            Verdict::Accept(opened) => accepted.push((*opened, value.to_vec())),
            Verdict::Duplicate { .. } => {}
            Verdict::Gap { expected } => stopped = Some(Stopped::Gap { expected }),
            Verdict::Broken { why, .. } => stopped = Some(wrong(value, why)),
            Verdict::NotProven { why } => stopped = Some(wrong(value, why)),
        }
        if stopped.is_some() {
            break;
        }
    }
    let reached = next.head().seq;
    // Only what is committed may be acknowledged; the chain in memory follows the database.
    keep(hub, gateway, &held, accepted).await.map_err(|e| problem(&e))?;
    *chain = Some(next);
    drop(chain);
    if let Err(malformed) = values {
        stopped = Some(wrong(body, NotProven::Malformed(malformed)));
    }
    match stopped {
        None => Ok(JournalAnswer { held_through: reached }),
        Some(Stopped::Gap { expected }) => {
            let refusal = Refusal::new(409, "journal-gap").with("expected", expected);
            Err(Problem::from(refusal).member("expected", expected).member("held_through", reached))
        }
        Some(Stopped::Wrong { sealed, why }) => {
            set_aside(hub, gateway, sealed, &why).await.map_err(|e| store_problem(&e))?;
            let refusal = Refusal::new(422, "journal-broken").with("why", &why);
            Err(Problem::from(refusal).member("expected", reached + 1).member("held_through", reached))
        }
    }
}

fn wrong(sealed: &[u8], why: impl ToString) -> Stopped {
    Stopped::Wrong { sealed: sealed.to_vec(), why: why.to_string() }
}

fn problem(error: &NotTaken) -> Problem {
    match error {
        NotTaken::Store(e) => store_problem(e),
        NotTaken::Moved => Problem::fault_with(http::StatusCode::SERVICE_UNAVAILABLE, error).retry_after(1),
        NotTaken::Chain(_) => Problem::fault(error),
    }
}

async fn read_chain(hub: &Hub, gateway: &Known) -> Result<Chain, NotTaken> {
    let mut tx = hub.store().reader().await?;
    let head = journal::head(&mut tx, &gateway.id).await?.ok_or(NotTaken::Chain("there is none"))?;
    let key = Verifier::new(&head.signer).map_err(|_| NotTaken::Chain("its key is none"))?;
    Ok(Chain::new(&gateway.id, key, Head { seq: head.seq, hash: head.hash }))
}

/// Commits what was accepted, in order, a bounded number to a write.
async fn keep(
    hub: &Hub,
    gateway: &Arc<Known>,
    held: &Chain,
    accepted: Vec<(Opened, Vec<u8>)>,
) -> Result<(), NotTaken> {
    if accepted.is_empty() {
        return Ok(());
    }
    let keys = hub.fleet().keys().map_err(|_| NotTaken::Chain("the hub's keys are gone"))?;
    let now = hub.clock().now();
    let moves = accepted.iter().any(|(o, _)| o.entry.as_ref().is_some_and(updates::told::moves));
    let mut at = Standing { seq: held.head().seq, hash: held.head().hash, signer: held.key().public() };
    let mut rest = accepted;
    while !rest.is_empty() {
        let later = rest.split_off(rest.len().min(WRITE));
        let work = Work {
            gateway: gateway.id.clone(),
            site: gateway.site.clone(),
            keys: Arc::clone(&keys),
            from: at,
            domain: hub.config().portal.domain.clone(),
            entries: std::mem::replace(&mut rest, later),
            now,
        };
        at = hub.store().write(Lane::Journal, move |tx| Box::pin(async move { work.run(tx).await })).await?;
    }
    if at.signer != held.key().public()
        && let Ok(key) = Verifier::new(&at.signer)
    {
        gateway.set_key(key);
    }
    if moves {
        hub.fleet().rollouts.notify_one();
    }
    Ok(())
}

/// One write's share of a batch.
struct Work {
    gateway: GatewayId,
    site: SiteCode,
    keys: Arc<Keys>,
    /// The regency's domain for portals.
    domain: Option<String>,
    from: Standing,
    entries: Vec<(Opened, Vec<u8>)>,
    now: Moment,
}

impl Work {
    async fn run(self, tx: &mut Tx) -> Result<Standing, NotTaken> {
        let mut to = self.from;
        for (opened, sealed) in &self.entries {
            (to.seq, to.hash) = (opened.head.seq, opened.head.hash);
            journal::insert(tx, &self.gateway, &opened.header, sealed, self.now).await?;
            let Some(entry) = &opened.entry else { continue };
            if let Entry::KeyRotated(key) = entry
                && Verifier::new(key).is_ok()
            {
                to.signer = *key;
                gateway::rekey(tx, &self.gateway, &key.0).await?;
            }
            self.dispatch(tx, opened, entry).await?;
        }
        // The condition on the old number keeps two hubs from moving one chain.
        if !journal::advance(tx, &self.gateway, self.from.seq, &to).await? {
            return Err(NotTaken::Moved);
        }
        Ok(to)
    }

    /// Hands an entry to the rooms that it concerns, within the same write.
    async fn dispatch(&self, tx: &mut Tx, opened: &Opened, entry: &Entry) -> Result<(), StoreError> {
        let stamp: Stamp = opened.header.stamp;
        if let Entry::Anchor(anchor) = entry {
            journal::anchor(tx, &self.gateway, &anchor.at).await?;
        }
        updates::told::entry(tx, (&self.site, &self.gateway), (stamp.wall, self.now), entry).await?;
        // A new kernel or program shows at the box's next start, not at its enrolment.
        if let Entry::Started(started) = entry {
            gateway::set_capabilities(tx, &self.gateway, &started.capabilities).await?;
        }
        let whose = (&self.site, &self.gateway);
        certificates::entry(tx, self.domain.as_deref(), whose, self.now, entry).await?;
        intake::entry(tx, (&self.site, &self.gateway), self.now, stamp.wall, entry).await?;
        access_points::entry(tx, &self.site, stamp.wall.unwrap_or(self.now), entry).await?;
        diagnostics::entry(tx, &self.gateway, self.now, entry).await?;
        tunnel::entry(tx, &self.gateway, stamp.wall.unwrap_or(self.now), entry).await?;
        let told = (opened.head.seq, stamp, self.now);
        reports::entry(tx, (&self.site, &self.gateway), told, entry).await?;
        sessions::entry(tx, &self.keys, (&self.site, &self.gateway), stamp, entry).await?;
        book::entry(tx, &self.keys, (&self.site, &self.gateway), (stamp, self.now), entry).await
    }
}

async fn set_aside(hub: &Hub, gateway: &Known, sealed: Vec<u8>, why: &str) -> Result<(), StoreError> {
    let now = hub.clock().now();
    let (id, site, why) = (gateway.id.clone(), gateway.site.clone(), why.to_owned());
    tracing::warn!(gateway = %id, %site, why, "a journal does not fit; kept aside");
    hub.store()
        .write(Lane::Journal, move |tx| {
            Box::pin(async move {
                if !journal::set_aside(tx, &id, &sealed, &why, now).await? {
                    return Ok(());
                }
                let after = serde_json::json!({ "site": site, "why": why }).to_string();
                let entry = audit::Entry {
                    at: now,
                    who: format!("gateway:{id}"),
                    act: "set_aside".to_owned(),
                    noun: "journal".to_owned(),
                    object: id.to_string(),
                    before: None,
                    after: Some(after),
                };
                audit::append(tx, &entry).await.map(drop)
            })
        })
        .await
}
