//! The commands, one file each: its arguments, its help, and what it calls.

#[cfg(feature = "hub")]
pub mod check;
#[cfg(feature = "sim")]
pub mod demo;
#[cfg(feature = "hub")]
pub mod enrol;
#[cfg(feature = "hub")]
pub mod export;
#[cfg(feature = "sim")]
pub mod fleet;
#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(feature = "hub")]
pub mod hub;
#[cfg(feature = "hub")]
pub mod import;
#[cfg(feature = "hub")]
pub mod keys;
#[cfg(feature = "hub")]
pub mod migrate;
#[cfg(feature = "hub")]
pub mod orders;
#[cfg(feature = "hub")]
pub mod staff;
#[cfg(feature = "hub")]
pub mod token;
