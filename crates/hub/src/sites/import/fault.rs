//! What is wrong with a file: row, column, value, and how to mend it.

use crate::web::{Lang, Words};
use kulkul_model::Refusal;

/// Faults that are kept; more are only counted.
const KEPT: usize = 1_000;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Fault {
    /// The row as a spreadsheet numbers it, or the GeoJSON feature; 0 for the whole file.
    pub row: u64,
    /// The line of a text file, where it is another number than the row.
    pub line: u64,
    /// The column; empty for the whole file or row.
    pub column: String,
    /// The value as it stands in the file, cut to 60 characters.
    pub value: String,
    /// Which rule says no; its words are `refusal-<code>`.
    pub why: Refusal,
}

impl Fault {
    /// A fault of the whole file.
    #[must_use]
    pub fn file(why: Refusal) -> Self {
        Fault { row: 0, line: 0, column: String::new(), value: String::new(), why }
    }

    /// A fault of the header row.
    #[must_use]
    pub fn header(row: u64, column: &str, why: Refusal) -> Self {
        Fault { row, line: row, column: column.to_owned(), value: String::new(), why }
    }

    /// A fault of a whole row.
    #[must_use]
    pub fn row(row: u64, line: u64, why: Refusal) -> Self {
        Fault { row, line, column: String::new(), value: String::new(), why }
    }

    /// One line for a person; `file` is the file's name.
    #[must_use]
    pub fn text(&self, file: &str, words: &Words, lang: Lang) -> String {
        let mut place = vec![file.to_owned()];
        if self.row > 0 {
            place.push(words.with(lang, "import-row", &[("n", self.row.to_string().into())]));
        }
        if self.line != self.row && self.line > 0 {
            place.push(words.with(lang, "import-line", &[("n", self.line.to_string().into())]));
        }
        if !self.column.is_empty() {
            place.push(words.with(lang, "import-column", &[("name", self.column.as_str().into())]));
        }
        if !self.value.is_empty() {
            // A fault is one line, whatever the cell holds; nothing in it may steer a terminal.
            let value = self.value.replace(char::is_control, " ");
            place.push(words.with(lang, "import-value", &[("value", value.into())]));
        }
        format!("{}: {}", place.join(", "), self.why_text(words, lang))
    }

    /// The rule's sentence alone.
    #[must_use]
    pub fn why_text(&self, words: &Words, lang: Lang) -> String {
        sentence(&self.why, words, lang)
    }
}

/// The words of a refusal of the register's rules.
#[must_use]
pub fn sentence(why: &Refusal, words: &Words, lang: Lang) -> String {
    // Numbers go in as text: a coordinate must not be grouped or rounded by the language's habits.
    let args: Vec<(&str, fluent_bundle::FluentValue<'_>)> =
        why.args.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
    words.with(lang, &format!("refusal-{}", why.code), &args)
}

/// All that is wrong with a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    kept: Vec<Fault>,
    count: usize,
}

impl Faults {
    /// Adds a fault.
    pub fn add(&mut self, mut fault: Fault) {
        self.count += 1;
        if self.kept.len() < KEPT {
            if fault.value.chars().count() > 60 {
                fault.value = fault.value.chars().take(59).chain(['…']).collect();
            }
            self.kept.push(fault);
        }
    }

    /// How many there are, kept or not.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The first thousand, in the order of rows.
    #[must_use]
    pub fn kept(&self) -> &[Fault] {
        &self.kept
    }

    /// Puts them into the order of rows, keeping that of columns.
    pub fn sort(&mut self) {
        self.kept.sort_by_key(|f| f.row);
    }

    /// Takes over the faults of another list.
    pub fn extend(&mut self, other: Faults) {
        self.count += other.count - other.kept.len();
        for fault in other.kept {
            self.add(fault);
        }
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        let mut faults = Faults::default();
        faults.add(fault);
        faults
    }
}
