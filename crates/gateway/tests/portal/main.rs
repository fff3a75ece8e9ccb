//! The portal over real sockets, with a door that needs no kernel.

mod abuse;
mod captive;
mod hours;
mod house;
mod look;
mod names;
mod people;
mod reports;
mod ways;
