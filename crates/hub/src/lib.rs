//! The hub: the central service, one or several processes over one database.
//!
//! A room per noun; each has its rules that need the store, `pages.rs` and
//! `api.rs`. `web` turns requests into calls of the rooms and answers into bytes.

pub mod access;
pub mod acme;
pub mod admin;
pub mod areas;
pub mod clock;
pub mod config;
pub mod console;
pub mod entropy;
pub mod fleet;
pub mod health;
pub mod home;
pub mod hub;
pub mod map;
pub mod metrics;
pub mod open_files;
pub mod outbound;
pub mod serve;
pub mod sites;
pub mod staff;
pub mod voice;
pub mod watch;
pub mod web;

pub use clock::Clock;
pub use config::Config;
pub use hub::{Hub, StartError};
