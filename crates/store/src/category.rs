//! Categories of sites: what a place is, what it is planned to get.

use crate::import::{self, Write};
use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::category::{Category, CategoryKey};

statements! {
    /// Writes a category, whether it was there or not.
    PUT = "INSERT INTO category (key, prefix, name_id, name_en, rank, within, down_kbps, up_kbps, hides_presence)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           ON CONFLICT (key) DO UPDATE SET prefix = excluded.prefix, name_id = excluded.name_id,
               name_en = excluded.name_en, rank = excluded.rank, within = excluded.within,
               down_kbps = excluded.down_kbps, up_kbps = excluded.up_kbps,
               hides_presence = excluded.hides_presence";
    /// All categories: about ten.
    ALL = "SELECT key, prefix, name_id, name_en, rank, within, down_kbps, up_kbps, hides_presence
           FROM category ORDER BY rank, key";
}

/// Writes a category, new or changed.
///
/// # Errors
/// `is_duplicate` when another category has its prefix.
pub async fn put(tx: &mut Tx, category: &Category) -> Result<(), StoreError> {
    let values = args![
        category.key.as_str(),
        category.prefix.as_str(),
        category.name_id.as_str(),
        category.name_en.as_str(),
        category.rank,
        category.within.as_deref(),
        category.down_kbps,
        category.up_kbps,
        category.hides_presence,
    ];
    tx.execute(PUT, values).await.map(drop)
}

/// All categories by rank.
///
/// # Errors
/// `StoreError` of the database.
pub async fn all(tx: &mut Tx) -> Result<Vec<Category>, StoreError> {
    let stored = tx.fetch_all(ALL, args![]).await?.iter().map(read).collect::<Result<_, _>>()?;
    let pick = |write| if let Write::Category(category) = write { Some(category) } else { None };
    let key = |c: &Category| c.key.to_string();
    let mut all = import::over(tx, "category", ("", u32::MAX), stored, key, pick).await?;
    all.sort_by(|a, b| (a.rank, &a.key).cmp(&(b.rank, &b.key)));
    Ok(all)
}

fn read(row: &Row) -> Result<Category, StoreError> {
    Ok(Category {
        key: row.read("key", CategoryKey::parse)?,
        prefix: row.get("prefix")?,
        name_id: row.get("name_id")?,
        name_en: row.get("name_en")?,
        rank: row.get("rank")?,
        within: row.get("within")?,
        down_kbps: row.get("down_kbps")?,
        up_kbps: row.get("up_kbps")?,
        hides_presence: row.get("hides_presence")?,
    })
}
