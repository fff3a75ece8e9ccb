//! The web core: from a request to a room's function, and from its answer to bytes.
//!
//! Rooms give `routes()`; this folder holds what all of them share: languages,
//! words, layout, problems, the page cache, bounds. It knows no noun.

pub mod assets;
pub mod body;
pub mod cache;
pub mod compress;
pub mod figures;
pub mod front;
pub mod idempotency;
pub mod language;
pub mod layout;
pub mod list;
pub mod peer;
pub mod problem;
pub mod qr;
pub mod query;
pub mod router;
pub mod words;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod words_test;

pub use body::Body;
pub use language::Lang;
pub use layout::{Page, page};
pub use list::{Limit, List};
pub use peer::Peer;
pub use problem::Problem;
pub use query::{Lenient, Strict};
pub use words::{W, Words};
