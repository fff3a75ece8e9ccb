//! Values that a statement takes: one list for both databases.

use crate::StoreError;
use kulkul_model::Moment;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo, PgValueFormat, PgValueRef, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Arguments as _, Decode, Type};

/// JSON text for a `{json}` column; the database may rewrite spaces and the order of keys.
///
/// What is hashed or signed is stored as bytes, never here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(pub String);

/// One value of a statement; a null keeps its type, which PostgreSQL wants to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// For `{bool}`.
    Bool(Option<bool>),
    /// For `BIGINT`.
    Int(Option<i64>),
    /// For `DOUBLE PRECISION`.
    Real(Option<f64>),
    /// For `TEXT`.
    Text(Option<String>),
    /// For `{bytes}`.
    Bytes(Option<Vec<u8>>),
    /// For `{json}`.
    Json(Option<Json>),
}

/// Makes a list of values: `args![code.as_str(), at, None::<i64>]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { ::std::vec::Vec::<$crate::args::Value>::from([$($crate::args::Bind::value($value)),*]) };
}

/// A type that can be given to a statement.
pub trait Bind {
    /// The null of this type.
    const NULL: Value;
    /// The value.
    fn value(self) -> Value;
}

macro_rules! bind {
    ($($type:ty => $variant:ident, $name:ident -> $made:expr;)*) => { $(
        impl Bind for $type {
            const NULL: Value = Value::$variant(None);
            fn value(self) -> Value {
                let $name = self;
                Value::$variant(Some($made))
            }
        }
    )* };
}

bind! {
    bool => Bool, v -> v;
    i64 => Int, v -> v;
    i32 => Int, v -> i64::from(v);
    u8 => Int, v -> i64::from(v);
    u16 => Int, v -> i64::from(v);
    u32 => Int, v -> i64::from(v);
    // A count that has outgrown 63 bits does not exist; the end of the range stands for it.
    u64 => Int, v -> i64::try_from(v).unwrap_or(i64::MAX);
    Moment => Int, v -> v.ms();
    f64 => Real, v -> v;
    &str => Text, v -> v.to_owned();
    String => Text, v -> v;
    &String => Text, v -> v.clone();
    &[u8] => Bytes, v -> v.to_vec();
    Vec<u8> => Bytes, v -> v;
    &Vec<u8> => Bytes, v -> v.clone();
    Json => Json, v -> v;
}

impl<const N: usize> Bind for [u8; N] {
    const NULL: Value = Value::Bytes(None);
    fn value(self) -> Value {
        Value::Bytes(Some(self.to_vec()))
    }
}

impl<const N: usize> Bind for &[u8; N] {
    const NULL: Value = Value::Bytes(None);
    fn value(self) -> Value {
        Value::Bytes(Some(self.to_vec()))
    }
}

impl<T: Bind> Bind for Option<T> {
    const NULL: Value = T::NULL;
    fn value(self) -> Value {
        self.map_or(T::NULL, Bind::value)
    }
}

/// The highest `$n` in a statement.
///
/// SQLite binds a missing value as null without a word, so the count is checked here.
fn places(statement: &str) -> usize {
    let mut highest = 0;
    for part in statement.split('$').skip(1) {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        if let Some(n) = part.get(..digits).and_then(|d| d.parse::<usize>().ok()) {
            highest = highest.max(n);
        }
    }
    highest
}

fn check(statement: &'static str, values: &[Value]) -> Result<(), StoreError> {
    let (wanted, given) = (places(statement), values.len());
    if wanted == given { Ok(()) } else { Err(StoreError::Arguments { statement, wanted, given }) }
}

fn encoding(statement: &'static str) -> impl Fn(BoxDynError) -> StoreError {
    move |e| StoreError::statement(statement, sqlx::Error::Encode(e))
}

macro_rules! into_arguments {
    ($name:ident, $arguments:ty) => {
        pub(crate) fn $name(statement: &'static str, values: Vec<Value>) -> Result<$arguments, StoreError> {
            check(statement, &values)?;
            let mut out = <$arguments>::default();
            for value in values {
                match value {
                    Value::Bool(v) => out.add(v),
                    Value::Int(v) => out.add(v),
                    Value::Real(v) => out.add(v),
                    Value::Text(v) => out.add(v),
                    Value::Bytes(v) => out.add(v),
                    Value::Json(v) => out.add(v),
                }
                .map_err(encoding(statement))?;
            }
            Ok(out)
        }
    };
}

into_arguments!(for_sqlite, SqliteArguments);
into_arguments!(for_postgres, PgArguments);

// JSON in SQLite is text; in PostgreSQL it is JSONB, whose binary form is the
// byte 1 and then the text (src/backend/utils/adt/jsonb.c, jsonb_recv).
const JSONB: Oid = Oid(3802);

impl Type<Sqlite> for Json {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <String as Type<Sqlite>>::compatible(ty)
    }
}

impl Encode<'_, Sqlite> for Json {
    fn encode_by_ref(&self, buf: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode_by_ref(&self.0, buf)
    }
}

impl Decode<'_, Sqlite> for Json {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Json(<String as Decode<'_, Sqlite>>::decode(value)?))
    }
}

impl Type<Postgres> for Json {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSONB)
    }
    fn compatible(ty: &PgTypeInfo) -> bool {
        ty.oid() == Some(JSONB)
    }
}

impl Encode<'_, Postgres> for Json {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buf.push(1);
        buf.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Json {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let bytes = value.as_bytes()?;
        let text = match value.format() {
            PgValueFormat::Binary => bytes.strip_prefix(&[1]).ok_or("JSONB of an unknown version")?,
            PgValueFormat::Text => bytes,
        };
        Ok(Json(String::from_utf8(text.to_vec())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted() {
        assert_eq!(places("SELECT 1"), 0);
        assert_eq!(places("SELECT $1, $12, $3"), 12);
        assert_eq!(places("SELECT '$', $2"), 2);
        assert!(check("SELECT $1", &args![1i64]).is_ok());
        assert!(check("SELECT $1", &args![]).is_err());
        assert!(check("SELECT $1", &args![1i64, None::<&str>]).is_err());
    }

    #[test]
    fn a_null_keeps_its_type() {
        assert_eq!(args![None::<&str>, None::<Moment>], vec![Value::Text(None), Value::Int(None)]);
    }
}
