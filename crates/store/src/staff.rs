//! Staff: the people who run the service.

use crate::{Row, StoreError, Tx, args, statements};
use kulkul_model::Moment;
use kulkul_model::area::AreaCode;
use kulkul_model::staff::Role;

statements! {
    /// One person.
    FIND = "SELECT name, full_name, role, area, password, one_time, password_at_ms, created_at_ms, disabled_at_ms
            FROM staff WHERE name = $1";
    /// Everybody; there are tens of them.
    LIST = "SELECT name, full_name, role, area, password, one_time, password_at_ms, created_at_ms, disabled_at_ms
            FROM staff ORDER BY name LIMIT 1000";
    /// Adds a person; changes no row when the name is taken.
    INSERT = "INSERT INTO staff
              (name, full_name, role, area, password, one_time, password_at_ms, created_at_ms, disabled_at_ms)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (name) DO NOTHING";
    /// Sets a password.
    PASSWORD = "UPDATE staff SET password = $2, one_time = $3, password_at_ms = $4 WHERE name = $1";
    /// Disables a person, or enables again.
    DISABLE = "UPDATE staff SET disabled_at_ms = $2 WHERE name = $1";
    /// Administrators that may sign in.
    ADMINS = "SELECT COUNT(*) AS n FROM staff WHERE role = 'admin' AND disabled_at_ms IS NULL";
}

/// One person of the staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The name to sign in with.
    pub name: String,
    /// The name that others read.
    pub full_name: String,
    /// What the person may do.
    pub role: Role,
    /// Where; none is everywhere.
    pub area: Option<AreaCode>,
    /// A PHC string of argon2id.
    pub password: String,
    /// True while the password is the one that was handed out.
    pub one_time: bool,
    /// When the password was set.
    pub password_at: Moment,
    /// When the person was added.
    pub created_at: Moment,
    /// Since when the person may not sign in.
    pub disabled_at: Option<Moment>,
}

/// One person, if the name is known.
///
/// # Errors
/// `StoreError` of the database.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<Staff>, StoreError> {
    tx.fetch_optional(FIND, args![name]).await?.as_ref().map(read).transpose()
}

/// Everybody, by name.
///
/// # Errors
/// `StoreError` of the database.
pub async fn list(tx: &mut Tx) -> Result<Vec<Staff>, StoreError> {
    tx.fetch_all(LIST, args![]).await?.iter().map(read).collect()
}

/// Adds a person; false when the name is taken.
///
/// # Errors
/// `StoreError` of the database.
pub async fn insert(tx: &mut Tx, staff: &Staff) -> Result<bool, StoreError> {
    let values = args![
        &staff.name,
        &staff.full_name,
        staff.role.as_str(),
        staff.area.as_ref().map(AreaCode::as_str),
        &staff.password,
        staff.one_time,
        staff.password_at,
        staff.created_at,
        staff.disabled_at,
    ];
    Ok(tx.execute(INSERT, values).await? == 1)
}

/// Sets a password; false when there is no such person.
///
/// # Errors
/// `StoreError` of the database.
pub async fn set_password(
    tx: &mut Tx,
    name: &str,
    password: &str,
    one_time: bool,
    now: Moment,
) -> Result<bool, StoreError> {
    Ok(tx.execute(PASSWORD, args![name, password, one_time, now]).await? == 1)
}

/// Disables a person at a moment, or enables again with none; false when there is no such person.
///
/// # Errors
/// `StoreError` of the database.
pub async fn disable(tx: &mut Tx, name: &str, at: Option<Moment>) -> Result<bool, StoreError> {
    Ok(tx.execute(DISABLE, args![name, at]).await? == 1)
}

/// How many administrators may sign in.
///
/// # Errors
/// `StoreError` of the database.
pub async fn admins(tx: &mut Tx) -> Result<u32, StoreError> {
    tx.fetch_one(ADMINS, args![]).await?.get("n")
}

fn read(row: &Row) -> Result<Staff, StoreError> {
    Ok(Staff {
        name: row.get("name")?,
        full_name: row.get("full_name")?,
        role: row.named("role", Role::parse)?,
        area: row.read_optional("area", AreaCode::parse)?,
        password: row.get("password")?,
        one_time: row.get("one_time")?,
        password_at: row.get("password_at_ms")?,
        created_at: row.get("created_at_ms")?,
        disabled_at: row.get("disabled_at_ms")?,
    })
}
