//! Writing a plan so that nobody waits for it: staged, decided by one row, moved in batches.
//!
//! Until the deciding step nothing is visible and everything can be dropped. With
//! it every reader sees the whole import, which the store lays over its tables; the
//! batches that follow move rows into the tables and change nothing that is seen. A
//! hub that starts again goes on with `resume`. Edits are refused meanwhile.

use super::plan::{Plan, Write};
use super::{ImportError, Report};
use crate::sites::register;
use kulkul_model::Moment;
use kulkul_model::site::SiteCode;
use kulkul_store::import::{self, Run, Staged};
use kulkul_store::{Lane, Store, StoreError, Tx, audit};

/// Rows in one transaction: few enough that it stays well under 20 ms.
const BATCH: usize = 50;

/// How the deciding step ended.
pub(super) enum Decision {
    /// The import is applied.
    Done,
    /// The register is not the one that was checked; the file must be checked again.
    Moved,
}

/// Writes a plan that was checked against the register of `version`.
pub(super) async fn apply(
    store: &Store,
    plan: &Plan,
    report: &Report,
    who: &str,
    version: u64,
    now: Moment,
) -> Result<Decision, ImportError> {
    let id = format!("{:013}-{version}", now.ms());
    let run = Run {
        id: id.clone(),
        at: now,
        who: who.to_owned(),
        file_name: report.file_name.clone(),
        applying: false,
        summary: report.json(),
    };
    let staged = plan.staged()?;
    store
        .write(Lane::Job, move |tx| {
            Box::pin(async move {
                // Only one import at a time: two could each be sound and together not.
                if !import::all(tx).await?.is_empty() {
                    return Err(ImportError::Busy);
                }
                Ok(import::add(tx, &run).await?)
            })
        })
        .await?;
    let decided = stage_and_decide(store, &id, staged, version).await;
    match decided {
        Ok(true) => {
            finish(store, &id).await?;
            Ok(Decision::Done)
        }
        Ok(false) => {
            discard(store, &id).await?;
            Ok(Decision::Moved)
        }
        Err(e) => {
            // The database's own error matters more than one from tidying up after it; `resume` tidies too.
            let _ = discard(store, &id).await;
            Err(e.into())
        }
    }
}

async fn stage_and_decide(
    store: &Store,
    id: &str,
    staged: Vec<Staged>,
    version: u64,
) -> Result<bool, StoreError> {
    for batch in staged.chunks(BATCH) {
        let (batch, id) = (batch.to_vec(), id.to_owned());
        store
            .write(Lane::Job, move |tx| Box::pin(async move { import::add_rows(tx, &id, &batch).await }))
            .await?;
    }
    let id = id.to_owned();
    store
        .write(Lane::Job, move |tx| {
            Box::pin(async move {
                if register::version(tx).await? != version {
                    return Ok(false);
                }
                import::mark(tx, &id).await?;
                register::changed(tx).await?;
                Ok::<_, StoreError>(true)
            })
        })
        .await
}

/// Moves what is left of a decided import into the tables.
async fn finish(store: &Store, id: &str) -> Result<(), StoreError> {
    loop {
        let id = id.to_owned();
        let more = store.write(Lane::Job, move |tx| Box::pin(async move { batch(tx, &id).await })).await?;
        if !more {
            return Ok(());
        }
    }
}

/// Moves the next rows; false when there were none left and the import is closed.
async fn batch(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    let Some(run) = import::all(tx).await?.into_iter().find(|r| r.id == id) else { return Ok(false) };
    let rows = import::next(tx, id, u32::try_from(BATCH).unwrap_or(u32::MAX)).await?;
    let Some(last) = rows.last().map(|r| r.seq) else {
        let done =
            audit::Entry { after: Some(run.summary.clone()), ..entry(&run, "register", &run.file_name) };
        audit::append(tx, &done).await?;
        import::drop_run(tx, id).await?;
        return Ok(false);
    };
    for row in rows {
        put(tx, &run, row).await?;
    }
    import::drop_rows(tx, id, last).await?;
    Ok(true)
}

async fn put(tx: &mut Tx, run: &Run, row: Staged) -> Result<(), StoreError> {
    Write::read(&row.body)?.apply(tx).await?;
    // New rows are the import's own entry; a changed one must show what it was.
    if row.before.is_some() {
        let changed = entry(run, &row.noun, &row.object);
        audit::append(tx, &audit::Entry { before: row.before, after: Some(row.body), ..changed }).await?;
    }
    Ok(())
}

fn entry(run: &Run, noun: &str, object: &str) -> audit::Entry {
    audit::Entry {
        at: run.at,
        who: run.who.clone(),
        act: "import".to_owned(),
        noun: noun.to_owned(),
        object: object.to_owned(),
        before: None,
        after: None,
    }
}

/// Moves one site's row of a decided import at once, for a write that changes or names that site.
///
/// # Errors
/// `StoreError` of the database.
pub async fn move_now(tx: &mut Tx, site: &SiteCode) -> Result<(), StoreError> {
    let Some((id, row)) = import::waiting(tx, "site", site.as_str()).await? else { return Ok(()) };
    let Some(run) = import::all(tx).await?.into_iter().find(|r| r.id == id) else { return Ok(()) };
    let seq = row.seq;
    put(tx, &run, row).await?;
    import::drop_row(tx, &id, seq).await
}

/// Removes an import that was not decided.
async fn discard(store: &Store, id: &str) -> Result<(), StoreError> {
    loop {
        let id = id.to_owned();
        let more = store
            .write(Lane::Job, move |tx| {
                Box::pin(async move {
                    let rows = import::next(tx, &id, u32::try_from(BATCH).unwrap_or(u32::MAX)).await?;
                    match rows.last() {
                        Some(last) => import::drop_rows(tx, &id, last.seq).await.map(|()| true),
                        None => import::drop_run(tx, &id).await.map(|()| false),
                    }
                })
            })
            .await?;
        if !more {
            return Ok(());
        }
    }
}

/// Finishes or removes imports that a stopped process left behind; for the start of a hub.
///
/// # Errors
/// `StoreError` of the database.
pub async fn resume(store: &Store) -> Result<(), StoreError> {
    let mut tx = store.reader().await?;
    let runs = import::all(&mut tx).await?;
    drop(tx);
    for run in runs {
        if run.applying {
            finish(store, &run.id).await?;
        } else {
            discard(store, &run.id).await?;
        }
    }
    Ok(())
}
