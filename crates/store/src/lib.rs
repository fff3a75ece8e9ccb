//! The only SQL of kulkul: an engine over SQLite and PostgreSQL, one file per noun.
//!
//! The engine is `engine` (opening, reading), `writer` (the one task that
//! writes), `tx`, `args` and `row` (what a statement takes and gives),
//! `dialect` (all that differs between the two databases) and `migrations`.
//! Every other file is a noun: free functions over `&mut Tx` and the statements
//! they use, which `statements` lists for the test that prepares them all.
//! Nothing here knows a rule of the programme; rules live in model and hub.
#![warn(missing_docs)]

pub mod access;
pub mod access_point;
pub mod account;
pub mod acme_order;
pub mod area;
pub mod args;
pub mod audit;
pub mod boundary;
pub mod category;
pub mod certificate;
pub mod claim;
pub mod clue;
pub mod desired;
pub mod diagnostic;
mod dialect;
pub mod disconnect;
mod engine;
mod error;
pub mod gateway;
pub mod gateway_run;
pub mod hot;
pub mod idempotency;
pub mod import;
pub mod journal;
pub mod line;
pub mod migrations;
pub mod outage;
pub mod pack;
pub mod release;
pub mod report;
pub mod roll_hour;
pub mod rollout;
mod row;
pub mod session;
pub mod setting;
pub mod sign_in_failure;
pub mod site;
pub mod staff;
pub mod staff_session;
pub mod statements;
#[cfg(feature = "testing")]
pub mod testing;
pub mod token;
pub mod tunnel;
mod tx;
pub mod unsettled;
pub mod voucher;
pub mod watching;
mod writer;

pub use args::Json;
pub use engine::Store;
pub use error::StoreError;
pub use row::Row;
pub use tx::Tx;
pub use writer::{Lane, WriteTimes};
