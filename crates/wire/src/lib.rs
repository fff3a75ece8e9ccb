//! kulkul-wire
pub mod minutes;
