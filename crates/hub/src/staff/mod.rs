//! Staff: who may do what, signing in, API tokens, and the audit of what was done.

pub mod actor;
pub mod api;
pub mod audit_lines;
pub mod audit_pages;
pub mod bearer;
pub mod guard;
pub mod import;
pub mod password;
pub mod people;
pub mod people_pages;
pub mod secret;
pub mod sign_in;
pub mod sign_in_pages;
#[cfg(test)]
mod tests;
pub mod token_pages;
pub mod tokens;

pub use actor::Actor;
pub use bearer::Bearer;
pub use guard::{Signed, Staff};
