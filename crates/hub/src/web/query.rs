//! Query strings: strict for the API, lenient for pages.
//!
//! A type of the query is a plain struct with `#[serde(default)]`; `flatten` is not
//! allowed in it, since its fields' names would not be known.

use super::problem::{Fault, Problem};
use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Visitor, value::Error};

/// A query in which every parameter must be known and well formed: else 400.
#[derive(Clone, Debug)]
pub struct Strict<T>(pub T);

/// A query in which unknown parameters are ignored, and empty ones are absent.
#[derive(Clone, Debug)]
pub struct Lenient<T>(pub T);

/// Reads only the names of a struct's fields.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("only names are read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(serde::de::Error::custom("only names are read"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The names of the parameters that `T` reads.
fn names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    let _ = T::deserialize(Names(&mut fields));
    fields
}

/// The known parameters that have a value, as a new query; the first unknown name.
fn sift(query: &str, known: &[&str]) -> (String, Option<String>) {
    let mut kept = form_urlencoded::Serializer::new(String::new());
    let mut unknown = None;
    for (k, v) in form_urlencoded::parse(query.as_bytes()) {
        if known.contains(&k.as_ref()) {
            if !v.is_empty() {
                kept.append_pair(&k, &v);
            }
        } else if k != "lang" && unknown.is_none() {
            unknown = Some(k.into_owned());
        }
    }
    (kept.finish(), unknown)
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let bad = |text: &str| Problem::status(StatusCode::BAD_REQUEST).and(fault(text, names::<T>()));
    let uri: Uri = format!("/?{query}").parse().map_err(|e: http::uri::InvalidUri| bad(&e.to_string()))?;
    Query::<T>::try_from_uri(&uri).map(|Query(t)| t).map_err(|e| {
        // The rejection's own text begins with a fixed sentence; its source names the parameter.
        let text = e.to_string();
        bad(text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text))
    })
}

/// What is wrong with a value, from a reader's text such as ``state: unknown variant `x` ``.
fn fault(text: &str, known: &[&str]) -> Fault {
    let (name, detail) =
        text.split_once(": ").filter(|(name, _)| known.contains(name)).unwrap_or(("query", text));
    let choices = detail
        .strip_prefix("unknown variant ")
        .and_then(|rest| rest.split_once(", expected "))
        .map(|(_, choices)| choices.trim_start_matches("one of ").replace('`', ""));
    match choices {
        Some(choices) => Fault::new(name, "query-choice").with("name", name).with("choices", choices),
        None => Fault::new(name, "query-value").with("name", name).with("detail", detail),
    }
}

/// The fields of a form's body; empty ones are absent, unknown ones ignored.
///
/// # Errors
/// 400 when a field cannot be read.
pub fn form<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let (fields, _) = sift(&String::from_utf8_lossy(body), names::<T>());
    read(&fields)
}

/// One field of a form's body.
#[must_use]
pub fn value(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body).find(|(k, _)| k == name).map(|(_, v)| v.into_owned())
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Strict<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let known = names::<T>();
        let (query, unknown) = sift(parts.uri.query().unwrap_or(""), known);
        if let Some(name) = unknown {
            let nearest = known
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(&name, a).total_cmp(&strsim::jaro_winkler(&name, b)));
            let fault = match nearest {
                Some(nearest) => {
                    Fault::new(name.clone(), "query-unknown").with("name", &name).with("nearest", nearest)
                }
                None => Fault::new(name.clone(), "query-none").with("name", &name),
            };
            return Err(Problem::status(StatusCode::BAD_REQUEST).and(fault));
        }
        read(&query).map(Strict)
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Lenient<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (query, _) = sift(parts.uri.query().unwrap_or(""), names::<T>());
        read(&query).map(Lenient)
    }
}
