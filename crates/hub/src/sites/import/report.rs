//! What an import did, or what is wrong with its file, in words.

use super::fault::{Faults, sentence};
use crate::web::{Lang, Words};
use kulkul_model::Refusal;
use std::fmt;

/// Faults that are printed; more are only counted.
const SHOWN: usize = 50;

/// The summary of one import.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What the file holds, as on the command line.
    pub kind: &'static str,
    /// The file's name.
    pub file_name: String,
    /// Whether it was only checked.
    pub dry_run: bool,
    /// Rows below the header.
    pub rows: usize,
    /// Rows that are new.
    pub added: usize,
    /// Rows that change one.
    pub changed: usize,
    /// Rows that change nothing.
    pub unchanged: usize,
    /// What the reader should know, as codes with arguments.
    pub notes: Vec<Refusal>,
    /// What is wrong; when there is anything, nothing was written.
    pub faults: Faults,
}

impl Report {
    /// Lines for a person.
    #[must_use]
    pub fn text(&self, words: &Words, lang: Lang) -> String {
        let number = |n: usize| fluent_bundle::FluentValue::from(n);
        let mut lines: Vec<String> =
            self.faults.kept().iter().take(SHOWN).map(|f| f.text(&self.file_name, words, lang)).collect();
        let unseen = self.faults.count().saturating_sub(SHOWN);
        if unseen > 0 {
            lines.push(words.with(lang, "import-more", &[("n", number(unseen))]));
        }
        if self.faults.count() > 0 {
            lines.push(words.with(
                lang,
                "import-refused",
                &[("file", self.file_name.as_str().into()), ("n", number(self.faults.count()))],
            ));
            return lines.join("\n");
        }
        let key = if self.dry_run { "import-would" } else { "import-done" };
        lines.push(words.with(
            lang,
            key,
            &[
                ("file", self.file_name.as_str().into()),
                ("added", number(self.added)),
                ("changed", number(self.changed)),
                ("unchanged", number(self.unchanged)),
            ],
        ));
        lines.extend(self.notes.iter().map(|note| sentence(note, words, lang)));
        lines.join("\n")
    }

    /// The figures as JSON, for the audit.
    pub(super) fn json(&self) -> String {
        serde_json::json!({
            "kind": self.kind,
            "rows": self.rows,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
        })
        .to_string()
    }
}

impl fmt::Display for Report {
    /// The English text, for errors that reach a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Words::load() {
            Ok(words) => f.write_str(&self.text(&words, Lang::En)),
            Err(_) => write!(f, "{}: {} faults", self.file_name, self.faults.count()),
        }
    }
}
