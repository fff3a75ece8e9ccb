//! What an import would write, worked out before anything is written.

use kulkul_model::Refusal;
use kulkul_model::area::{Area, AreaCode};
use kulkul_model::category::Category;
use kulkul_model::geometry::Shape;
use kulkul_model::site::Site;
use kulkul_store::import::Staged;
use kulkul_store::{StoreError, Tx, area, boundary, category, site};
use serde::{Deserialize, Serialize};

/// One row to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "noun", rename_all = "snake_case")]
pub enum Write {
    /// An area; after its parent.
    Area(Area),
    /// A shape; after its area.
    Boundary {
        /// The area's code.
        area: AreaCode,
        /// Its shape.
        shape: Shape,
    },
    /// A category.
    Category(Category),
    /// A site; after its area and category.
    Site(Site),
}

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
        self.rows
            .iter()
            .zip(0..)
            .map(|((new, old), seq)| {
                let before = old.as_ref().map(json).transpose()?;
                Ok(Staged { seq, noun: new.noun().to_owned(), body: json(new)?, before })
            })
            .collect()
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|e| StoreError::Value { column: "body".to_owned(), reason: e.to_string() })
}

impl Write {
    /// The table that the row is of.
    #[must_use]
    pub const fn noun(&self) -> &'static str {
        match self {
            Write::Area(_) => "area",
            Write::Boundary { .. } => "boundary",
            Write::Category(_) => "category",
            Write::Site(_) => "site",
        }
    }

    /// The row's key.
    #[must_use]
    pub fn object(&self) -> &str {
        match self {
            Write::Area(a) => a.code.as_str(),
            Write::Boundary { area, .. } => area.as_str(),
            Write::Category(c) => c.key.as_str(),
            Write::Site(s) => s.code.as_str(),
        }
    }

    /// Reads a staged row.
    ///
    /// # Errors
    /// `Value` when it is not one that `Plan::staged` wrote.
    pub fn read(staged: &str) -> Result<Self, StoreError> {
        serde_json::from_str(staged)
            .map_err(|e| StoreError::Value { column: "body".to_owned(), reason: e.to_string() })
    }

    /// Writes the row.
    ///
    /// # Errors
    /// `StoreError` of the database.
    pub async fn apply(&self, tx: &mut Tx) -> Result<(), StoreError> {
        match self {
            Write::Area(row) => area::put(tx, row).await,
            Write::Boundary { area, shape } => boundary::put(tx, area, shape).await,
            Write::Category(row) => category::put(tx, row).await,
            Write::Site(row) => site::put(tx, row).await,
        }
    }
}
