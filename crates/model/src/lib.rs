//! The pure rules of kulkul: types, names and decisions.
//!
//! Nothing here reads a file, a socket, a clock or a random number: time and
//! ids come in as values, results depend on arguments alone. One file per noun;
//! the nouns are those of GLOSSARY.md.
#![warn(missing_docs)]

pub mod account;
pub mod admission;
pub mod area;
pub mod availability;
pub mod category;
pub mod claim;
pub mod diagnostic;
pub mod facts;
pub mod gateway;
pub mod geometry;
pub mod hours;
pub mod measurement;
pub mod moment;
pub mod outage;
pub mod pulse;
pub mod refusal;
pub mod report;
pub mod rollout;
pub mod rollup;
pub mod session;
pub mod site;
pub mod spelling;
pub mod staff;
pub mod state;
pub mod voucher;

pub use moment::{Moment, Zone};
pub use refusal::Refusal;
