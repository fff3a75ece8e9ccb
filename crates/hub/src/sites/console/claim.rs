//! Claims of one place: issuing one, whose code is shown once, and taking one back.

use super::edit::{Shown, edit_page};
use super::find;
use super::form::{SiteForm, Wrong};
use crate::Hub;
use crate::fleet::claims::{self, Issued};
use crate::staff::Signed;
use crate::web::{Page, Problem};
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use kulkul_model::site::SiteCode;
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ClaimForm {
    hours: Option<u32>,
}

/// The address of a step that is over, opened again: by the language link, or from the history.
pub(super) async fn back(Path(code): Path<String>) -> Result<Redirect, Problem> {
    let code = SiteCode::parse(&code).map_err(|_| Problem::not_found())?;
    Ok(Redirect::to(&format!("/console/sites/{code}")))
}

pub(super) async fn issue(
    State(hub): State<Hub>,
    Path(code): Path<String>,
    on: Page,
    Signed(staff, form): Signed<ClaimForm>,
) -> Result<Response, Problem> {
    let site = find(&hub, &code).await?;
    staff.actor.may_operate(&site.area)?;
    let life_ms = form.hours.map(|h| i64::from(h) * 3_600_000);
    let Issued { code, claim, hub_root } =
        claims::issue(&hub, site.code.clone(), staff.actor.who.clone(), life_ms).await?;
    let hub_url = hub.config().public_url.clone();
    let shown = Shown {
        qr: crate::web::qr::svg(&format!(
            "kulkul:enrol?hub={hub_url}&claim={}&root={hub_root}",
            code.shown()
        )),
        code: code.shown(),
        hub: hub_url,
        hub_root,
        until: claim.expires_at,
    };
    let form = SiteForm::of(&site);
    edit_page(&hub, &staff, on, &site, form, Some(shown), false, Wrong::default()).await
}

pub(super) async fn withdraw(
    State(hub): State<Hub>,
    Path((code, id)): Path<(String, String)>,
    Signed(staff, _): Signed<ClaimForm>,
) -> Result<Response, Problem> {
    let site = find(&hub, &code).await?;
    staff.actor.may_operate(&site.area)?;
    claims::withdraw(&hub, site.code.clone(), id, staff.actor.who.clone()).await?;
    Ok(Redirect::to(&format!("/console/sites/{}", site.code)).into_response())
}
