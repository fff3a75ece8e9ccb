//! The audit: who did what to which thing, and what it was before. Append-only.

use crate::{Json, StoreError, Tx, args, statements};
use kulkul_model::Moment;

statements! {
    /// Adds an entry under the next number.
    APPEND = "INSERT INTO audit (id, at_ms, who, act, noun, object, body_before, body_after)
              SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM audit
              RETURNING id";
    /// Entries below a number, newest first.
    LIST = "SELECT id, at_ms, who, act, noun, object, body_before, body_after FROM audit
            WHERE id < $1 ORDER BY id DESC LIMIT $2";
    /// The entries about one thing below a number, newest first.
    LIST_OBJECT = "SELECT id, at_ms, who, act, noun, object, body_before, body_after FROM audit
                   WHERE noun = $1 AND object = $2 AND id < $3 ORDER BY id DESC LIMIT $4";
}

/// One entry of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was done.
    pub at: Moment,
    /// Who did it: `staff:<name>`, `token:<name>`, `cli`, `gateway:<id>`.
    pub who: String,
    /// What was done, a verb: `edit`, `issue`, `revoke`.
    pub act: String,
    /// The kind of thing: a noun of the glossary.
    pub noun: String,
    /// Which one: its key.
    pub object: String,
    /// JSON of what it was before; none when it was not there.
    pub before: Option<String>,
    /// JSON of what it is now; none when it is gone.
    pub after: Option<String>,
}

/// Adds an entry and gives its number; never holds a secret.
///
/// # Errors
/// `StoreError` of the database.
pub async fn append(tx: &mut Tx, entry: &Entry) -> Result<i64, StoreError> {
    let values = args![
        entry.at,
        &entry.who,
        &entry.act,
        &entry.noun,
        &entry.object,
        entry.before.clone().map(Json),
        entry.after.clone().map(Json),
    ];
    tx.fetch_one(APPEND, values).await?.get("id")
}

/// Up to `limit` entries with a number below `below`, newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(tx: &mut Tx, below: i64, limit: u32) -> Result<Vec<(i64, Entry)>, StoreError> {
    tx.fetch_all(LIST, args![below, limit]).await?.iter().map(read).collect()
}

/// Up to `limit` entries about one thing, newest first.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list_object(
    tx: &mut Tx,
    noun: &str,
    object: &str,
    below: i64,
    limit: u32,
) -> Result<Vec<(i64, Entry)>, StoreError> {
    tx.fetch_all(LIST_OBJECT, args![noun, object, below, limit]).await?.iter().map(read).collect()
}

fn read(row: &crate::Row) -> Result<(i64, Entry), StoreError> {
    let json = |at| row.get::<Option<Json>>(at).map(|j| j.map(|j| j.0));
    Ok((
        row.get("id")?,
        Entry {
            at: row.get("at_ms")?,
            who: row.get("who")?,
            act: row.get("act")?,
            noun: row.get("noun")?,
            object: row.get("object")?,
            before: json("body_before")?,
            after: json("body_after")?,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lane;
    use crate::testing::on_both;

    #[tokio::test]
    async fn entries_are_numbered_and_paged_from_the_newest() {
        on_both(|store| async move {
            let entry = |object: &str| Entry {
                at: Moment::from_ms(7),
                who: "staff:ayu".to_owned(),
                act: "edit".to_owned(),
                noun: "site".to_owned(),
                object: object.to_owned(),
                before: None,
                after: Some("{\"name\": \"x\"}".to_owned()),
            };
            for object in ["BJ-001", "BJ-002", "BJ-001"] {
                let entry = entry(object);
                store
                    .write(Lane::Page, move |tx| Box::pin(async move { append(tx, &entry).await }))
                    .await
                    .unwrap();
            }
            let mut tx = store.reader().await.unwrap();
            let ids = |l: Vec<(i64, Entry)>| l.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
            let newest = list(&mut tx, i64::MAX, 2).await.unwrap();
            assert_eq!(newest[0].1, entry("BJ-001"));
            assert_eq!(ids(newest), [3, 2]);
            assert_eq!(ids(list(&mut tx, 2, 10).await.unwrap()), [1]);
            assert_eq!(ids(list_object(&mut tx, "site", "BJ-001", i64::MAX, 10).await.unwrap()), [3, 1]);
        })
        .await;
    }
}
