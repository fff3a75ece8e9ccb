//! The namespace street: client, gateway, uplink and hub as network namespaces of one kernel.
//!
//! For tests only. Everything is real but the wires. Names carry the maker's process
//! id, so that what a killed run left behind is found and swept at the next start.
//! Parts that must run inside a namespace are `roles`: the test's own program, started
//! there again with the role in its environment.

pub mod announced;
mod exhaust;
pub mod ground;
pub mod hub;
pub mod layout;
pub mod person;
pub mod roles;
