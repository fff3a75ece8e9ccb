//! The hub: the central service, one or several processes over one database.
//!
//! A room per noun; each has its rules that need the store, `pages.rs` and
//! `api.rs`. `web` turns requests into calls of the rooms and answers into bytes.

pub mod clock;
pub mod map;
pub mod watch;
