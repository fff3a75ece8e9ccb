//! Migrations: one text for both databases, applied once, never changed afterwards.
//!
//! One file per room. A room that needs another table later adds a file with
//! the next number; a text that was applied and then changed is an error.

use crate::{Lane, Store, StoreError, Tx, args, statements};
use sha2::{Digest as _, Sha256};

/// A migration's name and text.
pub type Migration = (&'static str, &'static str);

/// All migrations, in the order in which they are applied.
pub const ALL: &[Migration] = &[
    ("0001_register", include_str!("migrations/0001_register.sql")),
    ("0002_staff", include_str!("migrations/0002_staff.sql")),
    ("0003_fleet", include_str!("migrations/0003_fleet.sql")),
    ("0004_watch", include_str!("migrations/0004_watch.sql")),
    ("0005_import", include_str!("migrations/0005_import.sql")),
    ("0006_report", include_str!("migrations/0006_report.sql")),
    ("0007_disconnect", include_str!("migrations/0007_disconnect.sql")),
    ("0008_hands", include_str!("migrations/0008_hands.sql")),
    ("0009_certificate", include_str!("migrations/0009_certificate.sql")),
    ("0010_line", include_str!("migrations/0010_line.sql")),
    ("0011_access", include_str!("migrations/0011_access.sql")),
    ("0012_diagnostic", include_str!("migrations/0012_diagnostic.sql")),
    ("0013_release", include_str!("migrations/0013_release.sql")),
    ("0014_tunnel", include_str!("migrations/0014_tunnel.sql")),
    ("0015_acme", include_str!("migrations/0015_acme.sql")),
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
    name TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL
) {strict};";

statements! {
    /// What was applied, in order.
    APPLIED = "SELECT name, digest FROM migration ORDER BY name";
    /// Notes that a migration was applied.
    NOTE = "INSERT INTO migration (name, digest) VALUES ($1, $2)";
}

impl Store {
    /// Names the migrations that this database still lacks; changes nothing.
    ///
    /// # Errors
    /// `Unavailable`, or what the database says.
    pub async fn lacking(&self) -> Result<Vec<String>, StoreError> {
        let mut tx = self.reader().await?;
        // A database without the table has had no migration at all.
        let applied = tx.fetch_all(APPLIED, args![]).await.unwrap_or_default();
        let applied = applied.iter().map(|row| row.get("name")).collect::<Result<Vec<String>, _>>()?;
        let lacking = ALL.iter().filter(|(name, _)| !applied.iter().any(|a| a == name));
        Ok(lacking.map(|(name, _)| (*name).to_owned()).collect())
    }

    /// Brings the database to this program's tables; gives the names applied now.
    ///
    /// # Errors
    /// `Migration` when a text was changed after it was applied, when the database
    /// is newer than this program, or when the database refuses a text.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        self.write(Lane::Job, |tx| Box::pin(apply(tx, ALL))).await
    }
}

/// Applies what is missing of `all`, within one transaction.
///
/// # Errors
/// As `Store::migrate`; nothing is applied then.
async fn apply(tx: &mut Tx, all: &[Migration]) -> Result<Vec<String>, StoreError> {
    tx.migrate_alone().await?;
    tx.define("migration", TABLE).await?;
    let wrong = |name: &str, reason: &str| {
        Err(StoreError::Migration { name: name.to_owned(), reason: reason.to_owned() })
    };
    let mut applied = Vec::new();
    for row in tx.fetch_all(APPLIED, args![]).await? {
        let (name, digest): (String, String) = (row.get("name")?, row.get("digest")?);
        match all.iter().find(|(n, _)| *n == name) {
            None => return wrong(&name, "was applied by a newer kulkul; use that one, or restore a backup"),
            Some((_, text)) if digest_of(text) != digest => {
                return wrong(&name, "was changed after it was applied to this database");
            }
            Some(_) => applied.push(name),
        }
    }
    let mut fresh = Vec::new();
    for (name, text) in all.iter().filter(|(n, _)| !applied.iter().any(|a| a == n)) {
        tx.define(name, text).await?;
        tx.execute(NOTE, args![*name, digest_of(text)]).await?;
        fresh.push((*name).to_owned());
    }
    Ok(fresh)
}

fn digest_of(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::on_both;

    #[tokio::test]
    async fn migrations_are_applied_once_and_never_changed() {
        on_both(|store| async move {
            assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());
            let changed: Vec<Migration> =
                ALL.iter().map(|(n, _)| (*n, "CREATE TABLE other (a BIGINT) {strict};")).collect();
            let error = store.write(Lane::Job, move |tx| Box::pin(async move { apply(tx, &changed).await }));
            let error = error.await.unwrap_err().to_string();
            assert!(error.contains("0001_register: was changed"), "{error}");
            let error = store.write(Lane::Job, |tx| Box::pin(apply(tx, &[]))).await.unwrap_err();
            assert!(error.to_string().contains("newer kulkul"), "{error}");
        })
        .await;
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_nothing() {
        on_both(|store| async move {
            let all: Vec<Migration> = ALL
                .iter()
                .copied()
                .chain([("9999_bad", "CREATE TABLE half (a BIGINT) {strict}; CREATE TABEL x;")])
                .collect();
            let error = store
                .write(Lane::Job, move |tx| Box::pin(async move { apply(tx, &all).await }))
                .await
                .unwrap_err();
            assert!(error.to_string().starts_with("migration 9999_bad"), "{error}");
            let mut tx = store.reader().await.unwrap();
            assert!(tx.execute("SELECT a FROM half", args![]).await.is_err());
        })
        .await;
    }
}
