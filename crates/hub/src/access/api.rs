//! `/api/v1/vouchers`: batches, vouchers, and what of their use does not fit.

use super::shown::{BatchOut, FindingOut, VoucherOut};
use super::vouchers::{self, NewBatch, Which};
use crate::Hub;
use crate::staff::Bearer;
use crate::web::idempotency::Secret;
use crate::web::list::Cursor;
use crate::web::{Body, Limit, List, Problem, Strict};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use kulkul_model::admission::Token16;
use kulkul_model::site::SiteCode;
use kulkul_model::voucher::{Terms, VoucherCode};
use kulkul_model::{Moment, Refusal};
use kulkul_store::{access, voucher};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The API's resource `vouchers`.
pub fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(batch))
        .routes(routes!(list))
        .routes(routes!(revoke))
        .routes(routes!(list_batches))
        .routes(routes!(revoke_batch))
        .routes(routes!(findings))
        .routes(routes!(see))
}

/// What somebody orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchIn {
    /// What staff call it.
    #[serde(default)]
    pub label: String,
    /// The one place where they let in, and then also while its box is on its own; null is everywhere.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub site: Option<SiteCode>,
    /// How many, 1 to 500.
    pub count: u32,
    /// How long each lasts from its first use.
    pub minutes: u64,
    /// Until when they may be begun; 90 days unless said otherwise.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub begin_before: Option<Moment>,
    /// Devices online by one at a time, 1 unless said otherwise.
    #[serde(default)]
    pub devices: Option<u16>,
    /// Rate to one device, kbit/s; null takes the place's.
    #[serde(default)]
    pub down_kbps: Option<u32>,
    /// Rate from one device, kbit/s.
    #[serde(default)]
    pub up_kbps: Option<u32>,
}

/// How long a batch may be begun unless somebody says otherwise, milliseconds: 90 days.
pub const BEGIN_MS: i64 = 90 * 24 * 3_600_000;

impl BatchIn {
    /// As the rules take it, at `now`.
    #[must_use]
    pub fn order(self, now: Moment) -> NewBatch {
        NewBatch {
            label: self.label,
            site: self.site,
            count: self.count,
            terms: Terms {
                lasts_ms: self.minutes.saturating_mul(60_000),
                begin_before: self.begin_before.unwrap_or_else(|| now.plus_ms(BEGIN_MS)),
                devices: self.devices.unwrap_or(1),
                down_kbps: self.down_kbps,
                up_kbps: self.up_kbps,
            },
        }
    }
}

/// A batch that was just made.
#[derive(Serialize, utoipa::ToSchema)]
struct MadeOut {
    batch: BatchOut,
    /// The codes, in the order of the sheet; shown now and never again.
    codes: Vec<String>,
}

/// Makes vouchers; the answer holds their codes, which are shown once.
#[utoipa::path(post, path = "/vouchers:batch", request_body = BatchIn,
    responses((status = 201, body = MadeOut), (status = 401), (status = 403), (status = 404), (status = 422)))]
async fn batch(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Body(new): Body<BatchIn>,
) -> Result<Response, Problem> {
    let made = vouchers::make(&hub, &by, new.order(hub.clock().now())).await?;
    let out = MadeOut {
        batch: BatchOut::of(&hub, &made.batch),
        codes: made.codes.iter().map(VoucherCode::shown).collect(),
    };
    let mut response = (StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(out)).into_response();
    response.extensions_mut().insert(Secret);
    Ok(response)
}

#[derive(Deserialize, Default, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only of this batch.
    batch: Option<String>,
    #[param(value_type = Option<u16>)]
    limit: Limit,
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Lists vouchers by batch and place on the sheet; their codes are known to nobody.
#[utoipa::path(get, path = "/vouchers", params(Asked),
    responses((status = 200, body = List<VoucherOut>), (status = 400), (status = 401)))]
async fn list(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<Asked>,
) -> Result<Json<List<VoucherOut>>, Problem> {
    let cursor = asked.cursor.map(|c| c.0).unwrap_or_default();
    let (after, position) = cursor.split_once(' ').unwrap_or_default();
    let position = position.parse().unwrap_or(0);
    let most = u32::from(asked.limit.0) + 1;
    let mut tx = hub.store().reader().await?;
    let found = match &asked.batch {
        Some(batch) => voucher::list(&mut tx, batch, position, most).await?,
        None => voucher::list_all(&mut tx, (after, position), most).await?,
    };
    drop(tx);
    let page = List::of(found, asked.limit, |v| format!("{} {}", v.batch.id, v.position));
    let now = hub.clock().now();
    let items = page.items.into_iter().map(|v| VoucherOut::of(&hub, v, now)).collect();
    Ok(Json(List { items, next: page.next }))
}

/// Takes a voucher back; who is online by it is disconnected.
#[utoipa::path(post, path = "/vouchers/{id}/revoke", params(("id" = String, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
async fn revoke(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = Token16::parse(&id).map_err(|_| Refusal::new(404, "voucher-unknown"))?;
    vouchers::revoke(&hub, &by, Which::One(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, Default, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct BatchesAsked {
    /// Only of this site.
    #[param(value_type = Option<String>)]
    site: Option<SiteCode>,
    #[param(value_type = Option<u16>)]
    limit: Limit,
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Where a list goes on after a moment and id.
pub(super) fn cursor_of(at: Moment, id: &str) -> String {
    format!("{} {id}", at.ms())
}

/// What `cursor_of` wrote.
pub(super) fn read_cursor(text: &str) -> Option<(Moment, String)> {
    let (ms, id) = text.split_once(' ')?;
    Some((Moment::from_ms(ms.parse().ok()?), id.to_owned()))
}

/// Lists batches, the newest first.
#[utoipa::path(get, path = "/voucher-batches", params(BatchesAsked),
    responses((status = 200, body = List<BatchOut>), (status = 400), (status = 401)))]
async fn list_batches(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<BatchesAsked>,
) -> Result<Json<List<BatchOut>>, Problem> {
    let before = asked.cursor.and_then(|c| read_cursor(&c.0)).unwrap_or_else(voucher::newest);
    let most = u32::from(asked.limit.0) + 1;
    let mut tx = hub.store().reader().await?;
    let found = voucher::list_batches(&mut tx, asked.site.as_ref(), &before, most).await?;
    drop(tx);
    let page = List::of(found, asked.limit, |b| cursor_of(b.made_at, &b.id));
    let items = page.items.iter().map(|b| BatchOut::of(&hub, b)).collect();
    Ok(Json(List { items, next: page.next }))
}

/// Takes a whole batch back.
#[utoipa::path(post, path = "/voucher-batches/{id}/revoke", params(("id" = String, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
async fn revoke_batch(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    vouchers::revoke(&hub, &by, Which::Batch(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, Default, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct FindingsAsked {
    /// `true` lists those that were seen too.
    all: bool,
    #[param(value_type = Option<u16>)]
    limit: Limit,
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Lists uses of vouchers and accounts that do not fit, the newest first.
#[utoipa::path(get, path = "/access-findings", params(FindingsAsked),
    responses((status = 200, body = List<FindingOut>), (status = 400), (status = 401)))]
async fn findings(
    State(hub): State<Hub>,
    _reader: Bearer,
    Strict(asked): Strict<FindingsAsked>,
) -> Result<Json<List<FindingOut>>, Problem> {
    let before = asked.cursor.and_then(|c| read_cursor(&c.0)).unwrap_or_else(access::newest);
    let mut tx = hub.store().reader().await?;
    let found = access::findings(&mut tx, &before, asked.all, u32::from(asked.limit.0) + 1).await?;
    drop(tx);
    let page = List::of(found, asked.limit, |f| cursor_of(f.found_at, &f.id));
    let items = page.items.into_iter().map(|f| FindingOut::of(&hub, f)).collect();
    Ok(Json(List { items, next: page.next }))
}

/// Marks a finding as seen.
#[utoipa::path(post, path = "/access-findings/{id}/see", params(("id" = String, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
async fn see(
    State(hub): State<Hub>,
    Bearer(by): Bearer,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    super::finding_pages::mark(&hub, &by, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
