//! Bytes and values: every format that kulkul speaks, and nothing else.
//!
//! Decoders here are strict and never panic; each is fuzzed. Nothing in this
//! crate reads a file, a socket, a clock or a random number.
#![warn(missing_docs)]

pub mod advert;
pub mod blocklist;
pub mod captive;
pub mod certificate;
pub mod connections;
pub mod dns;
pub mod echo;
pub mod link;
pub mod minutes;
pub mod netlink;
pub mod ruleset;
