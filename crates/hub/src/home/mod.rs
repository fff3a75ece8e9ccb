//! Home: the front page, which answers one question before all others.

pub mod pages;
mod trouble;

pub use trouble::{Trouble, trouble};
