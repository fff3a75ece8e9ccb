//! Delivering the journal: in order, in bounded batches, at a bounded rate.

use super::{Link, LinkError, Patience};

/// A batch stays under this, bytes: the hub answers it soon, and others get their turn.
const BATCH: usize = 256 * 1024;
/// A pause after each batch, milliseconds; with `BATCH` the rate of a backlog.
const PAUSE_MS: i64 = 500;

/// Delivers until the hub refuses this box for good.
pub(super) async fn run(link: &Link) -> LinkError {
    let mut heads = link.journal.heads();
    let mut patience = Patience::new(1_000, 120_000);
    let mut next = link.journal.held() + 1;
    let mut last_refused = 0;
    loop {
        if heads.borrow_and_update().lt(&next) {
            // An error means that the journal is closed: then nothing will ever come.
            if heads.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            // What happens together travels together.
            link.clock.sleep_ms(PAUSE_MS).await;
            continue;
        }
        let batch = match link.journal.unsent(next, BATCH).await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::error!(%error, "the journal cannot be read");
                patience.wait(&link.clock).await;
                continue;
            }
        };
        let body = batch.iter().flat_map(|s| s.sealed.iter().copied()).collect();
        match link.client.journal(&link.identity, body).await {
            Ok(answer) => {
                patience.calm();
                link.heard();
                link.held(answer.held_through);
                if let Err(error) = link.journal.held_through(answer.held_through).await {
                    tracing::error!(%error, "what the hub holds is not noted");
                }
                next = answer.held_through + 1;
                link.clock.sleep_ms(PAUSE_MS).await;
            }
            Err(error) if error.is_final() => return error,
            Err(LinkError::Refused { status: 409, expected: Some(expected), .. }) => {
                // A hub restored from a backup knows less than it acknowledged.
                tracing::warn!(expected, "the hub asks for entries again");
                if expected == next {
                    patience.wait(&link.clock).await;
                }
                next = expected.max(1);
            }
            Err(LinkError::Refused { status: 422, expected: Some(expected), detail, .. }) => {
                tracing::error!(expected, detail, "the hub refuses an entry; a gap is sent in its place");
                if last_refused == expected {
                    patience.wait(&link.clock).await;
                }
                last_refused = expected;
                link.journal.refuse(expected).await;
                next = expected;
            }
            Err(error) => {
                tracing::debug!(%error, "the journal was not delivered");
                link.trouble(&error);
                patience.wait(&link.clock).await;
            }
        }
    }
}
