//! Lists of the API: `{items, next}`, paged by key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize};

/// The most items of one answer.
pub const MOST: u16 = 1000;

/// One page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The items, in the order of their keys.
    pub items: Vec<T>,
    /// What to give as `cursor` for the next page; null on the last.
    pub next: Option<Cursor>,
}

/// How many items an answer may hold: 1 to 1000, 100 unless asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub u16);

impl Default for Limit {
    fn default() -> Self {
        Limit(100)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let n = u16::deserialize(d)?;
        if (1..=MOST).contains(&n) {
            Ok(Limit(n))
        } else {
            Err(serde::de::Error::custom(format!("1 … {MOST}")))
        }
    }
}

/// The key of the last item seen; opaque to clients.
#[derive(Clone, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String)]
pub struct Cursor(pub String);

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        URL_SAFE_NO_PAD
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(Cursor)
            .ok_or_else(|| serde::de::Error::custom("not a cursor of this API"))
    }
}

impl<T> List<T> {
    /// Makes a page from up to `limit + 1` items: the one too many says that more follow.
    #[must_use]
    pub fn of(mut items: Vec<T>, limit: Limit, key: impl Fn(&T) -> String) -> Self {
        let more = items.len() > usize::from(limit.0);
        items.truncate(usize::from(limit.0));
        let next = if more { items.last().map(|i| Cursor(key(i))) } else { None };
        List { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_says_that_more_follow() {
        let list = List::of(vec![1, 2, 3], Limit(2), ToString::to_string);
        assert_eq!((list.items.as_slice(), list.next), (&[1, 2][..], Some(Cursor("2".to_owned()))));
        assert_eq!(List::of(vec![1, 2], Limit(2), ToString::to_string).next, None);
        let cursor: Cursor =
            serde_json::from_str(&serde_json::to_string(&Cursor("BJ-001".into())).unwrap()).unwrap();
        assert_eq!(cursor.0, "BJ-001");
        for bad in ["0", "1001", "-1"] {
            assert!(serde_json::from_str::<Limit>(bad).is_err(), "{bad}");
        }
    }
}
