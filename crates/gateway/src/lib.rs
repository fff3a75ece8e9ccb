//! The gateway: the box between a public place's network and its uplink.
//!
//! It goes on without the hub: admission, limits and measuring need nobody else. A
//! supervisor owns all kernel state, the other parts talk to it by messages. Nothing
//! here speaks SQL or imports the hub.

pub mod access;
pub mod access_points;
pub mod advert;
pub mod again;
pub mod chance;
pub mod clock;
pub mod config;
pub mod connections;
pub mod dhcp;
pub mod diagnostics;
pub mod disk;
pub mod dns;
pub mod doctor;
pub mod firewall;
pub mod first_boot;
pub mod journal;
pub mod kept;
pub mod kernel;
pub mod link;
pub mod orders;
pub mod portal;
pub mod probe;
pub mod run;
pub mod sessions;
pub mod shaping;
pub mod status;
pub mod supervisor;
mod tear_down;
pub mod tunnel;
pub mod updates;
pub mod ways;
pub mod words;

pub use run::{Ended, GatewayError, run};
pub use tear_down::tear_down;
