//! Areas: the regency's tree, as pages and as an API resource.

pub mod api;
pub mod pages;
