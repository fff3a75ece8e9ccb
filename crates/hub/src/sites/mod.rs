//! Sites: the register's public places, as pages and as an API resource.

pub mod api;
pub mod change;
pub mod console;
pub mod missing;
pub mod pages;
pub mod search;
pub mod shown;
pub mod staff_api;
