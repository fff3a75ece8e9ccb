//! The gateway: the box at the place, between its network and its uplink.

pub mod journal;
