//! Sim: simulated gateways that speak the real link, and the world that they live in.
//!
//! Serves `kulkul demo`, `kulkul fleet` and tests. Hub and gateway never know of it.

pub mod diary;
pub mod dice;
pub mod register;
pub mod tempo;
pub mod world;
