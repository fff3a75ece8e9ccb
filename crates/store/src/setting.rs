//! Settings: single values that the database itself carries, by key.

use crate::{StoreError, Tx, args, statements};
use std::collections::BTreeMap;

statements! {
    /// One value.
    FIND = "SELECT value FROM setting WHERE key = $1";
    /// Writes a value.
    PUT = "INSERT INTO setting (key, value) VALUES ($1, $2)
           ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    /// Values whose keys begin alike, by key.
    UNDER = "SELECT key, value FROM setting WHERE key >= $1 AND key < $2 ORDER BY key LIMIT 10000";
    /// Forgets a value.
    REMOVE = "DELETE FROM setting WHERE key = $1";
    /// Counts a number up.
    BUMP = "INSERT INTO setting (key, value) VALUES ($1, '1')
            ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(setting.value AS BIGINT) + 1 AS TEXT)
            RETURNING value";
}

/// The value of a key, if it was ever set.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    tx.fetch_optional(FIND, args![key]).await?.map(|row| row.get("value")).transpose()
}

/// Sets the value of a key.
///
/// # Errors
/// `StoreError` of the database.
pub async fn put(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(PUT, args![key, value]).await.map(drop)
}

/// All values whose keys begin with `prefix`, by key; at most 10,000.
///
/// # Errors
/// `StoreError` of the database.
pub async fn under(tx: &mut Tx, prefix: &str) -> Result<BTreeMap<String, String>, StoreError> {
    // Every character of a key is below this one.
    let end = format!("{prefix}\u{7f}");
    let rows = tx.fetch_all(UNDER, args![prefix, end.as_str()]).await?;
    rows.iter().map(|row| Ok((row.get("key")?, row.get("value")?))).collect()
}

/// Forgets a value; tells whether there was one.
///
/// # Errors
/// `StoreError` of the database.
pub async fn remove(tx: &mut Tx, key: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(REMOVE, args![key]).await? > 0)
}

/// A counter's value; 0 before it was ever counted up.
///
/// # Errors
/// `Value` when the key holds another thing than a number.
pub async fn counter(tx: &mut Tx, key: &str) -> Result<u64, StoreError> {
    find(tx, key).await?.map_or(Ok(0), |text| number(&text))
}

/// Counts a counter up and gives its new value.
///
/// # Errors
/// `StoreError` of the database.
pub async fn bump(tx: &mut Tx, key: &str) -> Result<u64, StoreError> {
    let text: String = tx.fetch_one(BUMP, args![key]).await?.get("value")?;
    number(&text)
}

fn number(text: &str) -> Result<u64, StoreError> {
    text.parse().map_err(|_| StoreError::Value {
        column: "value".to_owned(),
        reason: format!("\"{text}\" is not a count"),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::on_both;
    use crate::{Lane, StoreError};

    #[tokio::test]
    async fn settings_and_counters_last() {
        on_both(|store| async move {
            let (a, b) = store
                .write(Lane::Page, |tx| {
                    Box::pin(async move {
                        super::put(tx, "colour", "red").await?;
                        super::put(tx, "colour", "blue").await?;
                        Ok::<_, StoreError>((super::bump(tx, "n").await?, super::bump(tx, "n").await?))
                    })
                })
                .await
                .unwrap();
            assert_eq!((a, b), (1, 2));
            let mut tx = store.reader().await.unwrap();
            assert_eq!(super::find(&mut tx, "colour").await.unwrap().as_deref(), Some("blue"));
            let under = super::under(&mut tx, "col").await.unwrap();
            assert_eq!(under.into_iter().collect::<Vec<_>>(), [("colour".to_owned(), "blue".to_owned())]);
            assert_eq!(super::counter(&mut tx, "n").await.unwrap(), 2);
            assert_eq!(super::counter(&mut tx, "m").await.unwrap(), 0);
            assert!(super::counter(&mut tx, "colour").await.is_err());
        })
        .await;
    }
}
