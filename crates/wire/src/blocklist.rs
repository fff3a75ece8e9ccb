//! Lists of names that are not answered: their texts, and the compact set made of them.
//!
//! A text is read line by line and never held; a set is sorted 63-bit digests of names,
//! six bytes each, in one file of which only a filter and an index stay in memory. How
//! the file is laid out is in `set`, and why in docs/decisions/0009. Nothing here opens a
//! file: texts, scratch space and sets come in as values.

mod build;
mod name;
mod set;
mod text;

pub use build::Builder;
pub use name::{NotAName, Trail, tidy};
pub use set::{At, Header, Set, SetError, glimpse};
pub use text::{Report, read};

use serde::{Deserialize, Serialize};

/// What an entry of a list takes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reach {
    /// The name alone.
    Itself,
    /// All names below it, without itself: `*.` of a response policy zone.
    Below,
    /// The name and all below it: `*.` of a plain list.
    Both,
}

impl Reach {
    const fn bits(self) -> u64 {
        match self {
            Reach::Itself => 1,
            Reach::Below => 2,
            Reach::Both => 3,
        }
    }
}

#[cfg(test)]
mod tests;
