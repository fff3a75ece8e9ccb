//! One row of an answer, read by column name or index.

use crate::{Json, StoreError};
use kulkul_model::Moment;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Row as _};
use std::fmt::Display;
use std::sync::Arc;

/// One row of either database.
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

/// A column's name or its index.
pub trait Index: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> + Display + Copy {}
impl<T: ColumnIndex<SqliteRow> + ColumnIndex<PgRow> + Display + Copy> Index for T {}

/// A type that a column can be read as.
pub trait Column: Sized {
    /// Reads the column; `Option` of a type reads null as none.
    ///
    /// # Errors
    /// `Column` when it is missing, null or of another type, `Value` when out of range.
    fn read(row: &Row, at: impl Index) -> Result<Self, StoreError>;
}

macro_rules! columns {
    ($($type:ty),*) => { $(
        impl Column for Option<$type> {
            fn read(row: &Row, at: impl Index) -> Result<Self, StoreError> {
                match row {
                    Row::Sqlite(r) => r.try_get::<Option<$type>, _>(at),
                    Row::Postgres(r) => r.try_get::<Option<$type>, _>(at),
                }
                .map_err(|e| StoreError::Column { column: at.to_string(), source: Arc::new(e) })
            }
        }
        impl Column for $type {
            fn read(row: &Row, at: impl Index) -> Result<Self, StoreError> {
                // The SQLite driver reads a null as 0 or as an empty text when not asked for an Option.
                <Option<$type>>::read(row, at)?.ok_or_else(|| StoreError::Value {
                    column: at.to_string(),
                    reason: "null where a value belongs".to_owned(),
                })
            }
        }
    )* };
}

columns!(bool, i64, f64, String, Vec<u8>, Json);

fn in_range<T: TryFrom<i64>>(value: i64, at: impl Index) -> Result<T, StoreError> {
    T::try_from(value)
        .map_err(|_| StoreError::Value { column: at.to_string(), reason: format!("{value} is out of range") })
}

macro_rules! integers {
    ($($type:ty),*) => { $(
        impl Column for $type {
            fn read(row: &Row, at: impl Index) -> Result<Self, StoreError> {
                in_range(i64::read(row, at)?, at)
            }
        }
        impl Column for Option<$type> {
            fn read(row: &Row, at: impl Index) -> Result<Self, StoreError> {
                <Option<i64>>::read(row, at)?.map(|v| in_range(v, at)).transpose()
            }
        }
    )* };
}

integers!(u8, u16, u32, u64, i32);

impl Column for Moment {
    fn read(row: &Row, at: impl Index) -> Result<Self, StoreError> {
        i64::read(row, at).map(Moment::from_ms)
    }
}

impl Column for Option<Moment> {
    fn read(row: &Row, at: impl Index) -> Result<Self, StoreError> {
        Ok(<Option<i64>>::read(row, at)?.map(Moment::from_ms))
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &Row, at: impl Index) -> Result<Self, StoreError> {
        <[u8; N]>::try_from(<Vec<u8>>::read(row, at)?).map_err(|v| StoreError::Value {
            column: at.to_string(),
            reason: format!("{} bytes where {N} belong", v.len()),
        })
    }
}

impl Row {
    /// The column as the type that is asked for.
    ///
    /// # Errors
    /// `Column` when it is missing, null or of another type, `Value` when out of range.
    pub fn get<T: Column>(&self, at: impl Index) -> Result<T, StoreError> {
        T::read(self, at)
    }

    /// A text column read by a rule, such as `row.read("code", AreaCode::parse)`.
    ///
    /// # Errors
    /// As `get`, and `Value` when the rule refuses the text.
    pub fn read<T, E: Display>(
        &self,
        at: impl Index,
        rule: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        let text: String = self.get(at)?;
        rule(&text).map_err(|e| StoreError::Value { column: at.to_string(), reason: e.to_string() })
    }

    /// A text column that may be null, read by a rule.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_optional<T, E: Display>(
        &self,
        at: impl Index,
        rule: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.get(at)?;
        text.map(|t| rule(&t))
            .transpose()
            .map_err(|e| StoreError::Value { column: at.to_string(), reason: e.to_string() })
    }

    /// A text column that names a variant, such as `row.named("stage", Stage::parse)`.
    ///
    /// # Errors
    /// As `get`, and `Value` when no variant has the name.
    pub fn named<T>(&self, at: impl Index, rule: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        self.read(at, |text| rule(text).ok_or_else(|| format!("\"{text}\" is not a known name")))
    }
}
