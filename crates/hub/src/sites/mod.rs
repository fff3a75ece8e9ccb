//! Sites: the register's public places, as pages and as an API resource.

pub mod api;
pub mod builtin;
pub mod change;
pub mod check;
pub mod console;
pub mod edit;
pub mod export;
pub mod files;
pub mod import;
pub mod lines;
pub mod missing;
pub mod pages;
pub mod register;
pub mod search;
pub mod shown;
pub mod staff_api;
pub mod strip;

pub use edit::{EditError, Patch, edit};
pub use register::{Register, load};
