//! Accounts: names and slow-hashed secrets by which people are let in anywhere.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::account::AccountName;
use kulkul_model::admission::Token16;

/// The columns of an account that are read, in a statement.
macro_rules! columns {
    () => {
        "id, name, label, secret, devices, session_ms, down_kbps, up_kbps, expires_at_ms, made_at_ms, made_by,
         changed_at_ms, disabled_at_ms"
    };
}

statements! {
    /// Keeps an account whose name is free.
    INSERT = "INSERT INTO account (id, name, label, secret, devices, session_ms, down_kbps, up_kbps,
                  expires_at_ms, made_at_ms, made_by, changed_at_ms)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10)
              ON CONFLICT (name) DO NOTHING";
    /// The account with this name.
    FIND_NAME = concat!("SELECT ", columns!(), " FROM account WHERE name = $1");
    /// The account with this id.
    FIND = concat!("SELECT ", columns!(), " FROM account WHERE id = $1");
    /// Accounts after a name, by name; an empty beginning filters nothing.
    LIST = concat!("SELECT ", columns!(), " FROM account
        WHERE name > $1 AND ($2 = '' OR (name >= $2 AND name < $3)) ORDER BY name LIMIT $4");
    /// Gives an account another secret.
    SET_SECRET = "UPDATE account SET secret = $2, changed_at_ms = $3 WHERE id = $1";
    /// Disables an account, or enables it again.
    SET_DISABLED = "UPDATE account SET disabled_at_ms = $2, changed_at_ms = $3 WHERE id = $1";
    /// Accounts that were disabled or got another secret since a moment, newest first.
    CHANGED = "SELECT id, changed_at_ms FROM account WHERE changed_at_ms > $1 AND changed_at_ms > made_at_ms
               ORDER BY changed_at_ms DESC, id LIMIT $2";
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: Token16,
    /// Its name.
    pub name: AccountName,
    /// What staff wrote about it.
    pub label: String,
    /// The secret's argon2id string.
    pub secret: String,
    /// Devices online by it at a time.
    pub devices: u16,
    /// The longest that a session by it lasts, milliseconds; none takes the place's.
    pub session_ms: Option<u64>,
    /// Rate to one device, kbit/s.
    pub down_kbps: Option<u32>,
    /// Rate from one device, kbit/s.
    pub up_kbps: Option<u32>,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// When it was made.
    pub made_at: Moment,
    /// By whom.
    pub made_by: String,
    /// When its secret or standing last changed.
    pub changed_at: Moment,
    /// When it was disabled.
    pub disabled_at: Option<Moment>,
}

/// Keeps an account; false when its name is taken.
///
/// # Errors
/// `StoreError` of the database.
pub async fn insert(tx: &mut Tx, a: &Account) -> Result<bool, StoreError> {
    let values = args![
        a.id.to_string(),
        a.name.as_str(),
        &a.label,
        &a.secret,
        a.devices,
        a.session_ms,
        a.down_kbps,
        a.up_kbps,
        a.expires_at,
        a.made_at,
        &a.made_by,
    ];
    Ok(tx.execute(INSERT, values).await? > 0)
}

/// The account with this name.
///
/// # Errors
/// `StoreError` of the database.
pub async fn by_name(tx: &mut Tx, name: &AccountName) -> Result<Option<Account>, StoreError> {
    tx.fetch_optional(FIND_NAME, args![name.as_str()]).await?.as_ref().map(read).transpose()
}

/// The account with this id.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, id: Token16) -> Result<Option<Account>, StoreError> {
    tx.fetch_optional(FIND, args![id.to_string()]).await?.as_ref().map(read).transpose()
}

/// Up to `limit` accounts after a name whose names begin so, by name.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(tx: &mut Tx, after: &str, begins: &str, limit: u32) -> Result<Vec<Account>, StoreError> {
    let end = format!("{begins}\u{7f}");
    tx.fetch_all(LIST, args![after, begins, end.as_str(), limit]).await?.iter().map(read).collect()
}

/// Gives an account another secret.
///
/// # Errors
/// `StoreError` of the database.
pub async fn set_secret(tx: &mut Tx, id: Token16, secret: &str, now: Moment) -> Result<(), StoreError> {
    tx.execute(SET_SECRET, args![id.to_string(), secret, now]).await.map(drop)
}

/// Disables an account, or enables it again.
///
/// # Errors
/// `StoreError` of the database.
pub async fn set_disabled(tx: &mut Tx, id: Token16, disabled: bool, now: Moment) -> Result<(), StoreError> {
    tx.execute(SET_DISABLED, args![id.to_string(), disabled.then_some(now), now]).await.map(drop)
}

/// Accounts that changed after `since`, newest first, at most `limit`.
///
/// # Errors
/// `StoreError` of the database.
pub async fn changed(tx: &mut Tx, since: Moment, limit: u32) -> Result<Vec<(Token16, Moment)>, StoreError> {
    let rows = tx.fetch_all(CHANGED, args![since, limit]).await?;
    rows.iter().map(|r| Ok((r.read("id", Token16::parse)?, r.get("changed_at_ms")?))).collect()
}

fn read(row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        id: row.read("id", Token16::parse)?,
        name: row.read("name", AccountName::parse)?,
        label: row.get("label")?,
        secret: row.get("secret")?,
        devices: u16::try_from(row.get::<u32>("devices")?).unwrap_or(u16::MAX),
        session_ms: row.get("session_ms")?,
        down_kbps: row.get("down_kbps")?,
        up_kbps: row.get("up_kbps")?,
        expires_at: row.get("expires_at_ms")?,
        made_at: row.get("made_at_ms")?,
        made_by: row.get("made_by")?,
        changed_at: row.get("changed_at_ms")?,
        disabled_at: row.get("disabled_at_ms")?,
    })
}
