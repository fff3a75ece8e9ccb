//! Refusals: the rules say no. Each has a stable code, part of the API's contract.

use serde::Serialize;

/// The rules say no; `code` selects the words, `args` fill them.
///
/// The web layer turns it into an RFC 9457 problem with the HTTP status given
/// here and the sentence `refusal-<code>` in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("refused: {code}")]
pub struct Refusal {
    /// Stable, kebab-case, for example `claim-used`.
    pub code: &'static str,
    /// The HTTP status, 400 to 499.
    pub status: u16,
    /// Name and value pairs for the sentence.
    pub args: Vec<(&'static str, String)>,
}

impl Refusal {
    /// Makes a refusal without arguments.
    #[must_use]
    pub const fn new(status: u16, code: &'static str) -> Self {
        Refusal { code, status, args: Vec::new() }
    }

    /// Adds an argument for the sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.push((name, value.to_string()));
        self
    }
}
