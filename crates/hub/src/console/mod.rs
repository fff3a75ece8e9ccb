//! The console: what all staff pages share, and its first page.
//!
//! Each noun's console pages are in its own room (`sites::console`, `fleet::console`,
//! `staff`). Nothing here is cached, and nothing changes without a form of our own.

pub mod frame;
pub mod pages;

pub use frame::{Choice, Frame};

use crate::{Hub, access, fleet, sites, staff, voice};
use axum::Router;

/// Every page under `/console`.
pub fn routes() -> Router<Hub> {
    Router::new()
        .merge(pages::routes())
        .merge(staff::sign_in_pages::routes())
        .merge(staff::people_pages::routes())
        .merge(staff::token_pages::routes())
        .merge(staff::audit_pages::routes())
        .merge(sites::console::routes())
        .merge(fleet::console::routes())
        .merge(fleet::certificates::pages::routes())
        .merge(fleet::access_points::pages::routes())
        .merge(fleet::diagnostics::pages::routes())
        .merge(fleet::orders::pages::routes())
        .merge(fleet::tunnel::pages::routes())
        .merge(fleet::updates::pages::routes())
        .merge(voice::console::routes())
        .merge(access::routes())
}
