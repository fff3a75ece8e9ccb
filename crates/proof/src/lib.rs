//! Proof: what is signed, who signed it, and whether it fits together.
//!
//! Used by gateways, the hub and the verifier of a stranger alike. No input or
//! output, no clock, no randomness: seeds, salts and moments come in as values.
#![warn(missing_docs)]

pub mod chain;
pub mod entry;
pub mod hub_keys;
pub mod key_file;
pub mod local_code;
pub mod manifest;
pub mod release;
pub mod request;
pub mod sign;
pub mod slow;

pub use chain::{Chain, Head, Opened, Verdict};
pub use entry::seal;
pub use hub_keys::{KeyRing, KeyTrouble};
pub use request::{Incoming, Outgoing, Refused};
pub use sign::{NotProven, Signer, Verifier};
