//! What the hub says when it says no (RFC 9457), read leniently.

use super::LinkError;
use kulkul_model::Moment;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    expected: Option<u64>,
    #[serde(default)]
    now: Option<Moment>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

/// A refusal of this status with this body; whatever the body is, it becomes one.
pub(super) fn read(status: u16, body: &[u8]) -> LinkError {
    let problem = serde_json::from_slice(body).unwrap_or(Problem {
        code: String::new(),
        detail: String::from_utf8_lossy(body.get(..200).unwrap_or(body)).into_owned(),
        expected: None,
        now: None,
        rest: BTreeMap::new(),
    });
    let Problem { code, detail, expected, now, rest } = problem;
    let said = |value| match value {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let about = rest.into_iter().filter_map(|(name, value)| Some((name, said(value)?))).collect();
    LinkError::Refused { status, code, detail, expected, now, about }
}
