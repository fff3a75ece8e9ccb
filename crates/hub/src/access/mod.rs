//! Access: the ways in beside the click, and who is in.
//!
//! Vouchers and accounts are checked here when a box asks, and booked when its journal
//! tells of them; what does not fit becomes a finding and is never silently lost.
//! Codes and secrets are shown once and never stored: only digests are.

pub mod account_api;
pub mod account_pages;
pub mod accounts;
pub mod admit;
pub mod api;
pub mod book;
pub mod finding_pages;
pub mod sections;
pub mod session_api;
pub mod session_pages;
pub mod sessions;
pub mod settle;
pub mod shown;
pub mod voucher_pages;
pub mod vouchers;

use crate::Hub;
use crate::staff::Actor;
use crate::web::Problem;
use axum::Router;
use kulkul_model::Refusal;
use kulkul_model::area::AreaCode;
use kulkul_model::site::SiteCode;
use kulkul_store::{Tx, area, site};

/// Console pages about access.
pub fn routes() -> Router<Hub> {
    Router::new()
        .merge(voucher_pages::routes())
        .merge(finding_pages::routes())
        .merge(account_pages::routes())
        .merge(session_pages::routes())
}

/// The area that somebody must look after to act at a site, or everywhere.
async fn ground(tx: &mut Tx, code: Option<&SiteCode>) -> Result<AreaCode, Problem> {
    match code {
        Some(code) => {
            let unknown = || Refusal::new(404, "site-unknown").with("site", code);
            site::find(tx, code).await?.map(|s| s.area).ok_or_else(|| unknown().into())
        }
        None => {
            let root = area::all(tx).await?.into_iter().find(|a| a.parent.is_none());
            root.map(|a| a.code).ok_or_else(|| Refusal::new(404, "area-unknown").with("area", "-").into())
        }
    }
}

/// Whether somebody may act at a site, or everywhere.
async fn may(hub: &Hub, by: &Actor, code: Option<&SiteCode>) -> Result<(), Problem> {
    let area = ground(&mut hub.store().reader().await?, code).await?;
    Ok(by.may_operate(&area)?)
}
