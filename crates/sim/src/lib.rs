//! Sim: simulated gateways that speak the real link, and the world that they live in.
//!
//! Serves `kulkul demo`, `kulkul fleet` and tests. Hub and gateway never know of it.

pub mod caller;
pub mod certificate;
pub mod demo;
pub mod diary;
pub mod dice;
pub mod fleet;
pub mod guests;
pub mod history;
pub mod light;
pub mod office;
pub mod process;
pub mod public_ca;
pub mod register;
pub mod reports;
pub mod stopwatch;
pub mod street;
pub mod tempo;
pub mod world;
