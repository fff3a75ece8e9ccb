//! What an import would write, worked out before anything is written.

use kulkul_model::Refusal;
use kulkul_store::StoreError;
use kulkul_store::import::Staged;
pub use kulkul_store::import::Write;

/// All rows to write, in an order that never points at a row that is not there yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The rows, with what stood there before.
    pub rows: Vec<(Write, Option<Write>)>,
    /// Rows of the file that change nothing.
    pub unchanged: usize,
    /// What a reader of the summary should know.
    pub notes: Vec<Refusal>,
}

impl Plan {
    /// Plans one row, unless it says what already stands there.
    pub fn put(&mut self, new: Write, old: Option<Write>) {
        if old.as_ref() == Some(&new) {
            self.unchanged += 1;
        } else {
            self.rows.push((new, old));
        }
    }

    /// Rows that are new.
    #[must_use]
    pub fn added(&self) -> usize {
        self.rows.iter().filter(|(_, old)| old.is_none()).count()
    }

    /// Rows that change one.
    #[must_use]
    pub fn changed(&self) -> usize {
        self.rows.iter().filter(|(_, old)| old.is_some()).count()
    }

    /// The rows as they are staged.
    ///
    /// # Errors
    /// `Value` when a row has no JSON, which a number that is not finite would cause.
    pub fn staged(&self) -> Result<Vec<Staged>, StoreError> {
        self.rows.iter().zip(0..).map(|((new, old), seq)| new.staged(seq, old.as_ref())).collect()
    }
}
