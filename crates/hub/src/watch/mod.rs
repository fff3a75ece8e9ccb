//! Watch: what every place gives now and gave before.

pub mod board;
pub mod events;
