//! Access: who is online at which place, and ending it.
//!
//! A device is known here by a keyed digest, never by its address and never by a person.

pub mod session_api;
pub mod session_pages;
pub mod sessions;

pub use session_pages::routes;
