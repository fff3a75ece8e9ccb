//! Vouchers: made in batches, shown once on a sheet, taken back one by one or all.

use crate::Hub;
use crate::entropy;
use crate::fleet::follower;
use crate::staff::Actor;
use crate::staff::actor::noted;
use crate::web::Problem;
use crate::web::problem::NotWritten;
use kulkul_model::admission::{FindingKind, Token16};
use kulkul_model::site::SiteCode;
use kulkul_model::voucher::{Terms, VoucherCode};
use kulkul_model::{Moment, Refusal};
use kulkul_proof::slow;
use kulkul_store::access::{self, Finding, Holder};
use kulkul_store::voucher::{self, Batch, Fresh};
use kulkul_store::{Lane, StoreError, Tx, audit};

/// The most vouchers of one batch.
pub const MOST: u32 = 500;
/// Vouchers of one write: the writer is never held for long.
const WRITE: usize = 50;
/// The longest label, characters.
pub const LONGEST_LABEL: usize = 80;

/// What somebody orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatch {
    /// What staff call it.
    pub label: String,
    /// The one place where they let in, and then also while its box is on its own; none is everywhere.
    pub site: Option<SiteCode>,
    /// How many.
    pub count: u32,
    /// What each gives.
    pub terms: Terms,
}

/// A batch that was just made; the only time that its codes are known.
#[derive(Clone, Debug)]
pub struct Made {
    /// What is stored.
    pub batch: Batch,
    /// The codes, in the order of the sheet.
    pub codes: Vec<VoucherCode>,
}

#[derive(Debug, thiserror::Error)]
enum HashError {
    #[error("making vouchers: {0}")]
    Slow(#[from] slow::NoSlowHash),
    #[error("making vouchers: the work was dropped")]
    Dropped,
}

/// Makes a batch.
///
/// # Errors
/// `voucher-count`, `voucher-label`, `voucher-over`, those of `Terms::check`, `site-unknown`, `not-operator`, `not-your-area`.
pub async fn make(hub: &Hub, by: &Actor, new: NewBatch) -> Result<Made, Problem> {
    let now = hub.clock().now();
    super::may(hub, by, new.site.as_ref()).await?;
    let label = new.label.trim().to_owned();
    if !(1..=MOST).contains(&new.count) {
        return Err(Refusal::new(422, "voucher-count").with("most", MOST).into());
    }
    if label.chars().count() > LONGEST_LABEL || label.chars().any(char::is_control) {
        return Err(Refusal::new(422, "voucher-label").with("most", LONGEST_LABEL).into());
    }
    if new.terms.begin_before <= now {
        return Err(Refusal::new(422, "voucher-over").into());
    }
    new.terms.check()?;
    let codes =
        (0..new.count).map(|_| entropy::draw().map(|b| VoucherCode::from_bits(u64::from_be_bytes(b))));
    let codes: Vec<VoucherCode> = codes.collect::<Result<_, _>>()?;
    let batch = Batch {
        id: hex::encode(entropy::draw::<8>()?),
        label,
        site: new.site,
        terms: new.terms,
        vouchers: new.count,
        made_at: now,
        made_by: by.who.clone(),
    };
    let salt = match &batch.site {
        Some(site) => Some(salt(hub, site, now).await?),
        None => None,
    };
    let fresh = digests(hub, &codes, salt).await?;
    let mut entry = by.did(now, "make", "voucher_batch", &batch.id);
    entry.after = noted(&told(&batch));
    let kept = batch.clone();
    hub.store()
        .write(Lane::Page, move |tx| {
            Box::pin(async move {
                voucher::insert_batch(tx, &kept).await?;
                audit::append(tx, &entry).await.map(drop)
            })
        })
        .await?;
    let mut position = 1;
    for part in fresh.chunks(WRITE) {
        let (id, part, from) = (batch.id.clone(), part.to_vec(), position);
        position += u32::try_from(part.len()).unwrap_or(0);
        hub.store()
            .write(Lane::Page, move |tx| Box::pin(async move { voucher::insert(tx, &id, from, &part).await }))
            .await?;
    }
    if let Some(site) = &batch.site {
        follower::refresh_sites(hub, std::slice::from_ref(site)).await?;
    }
    Ok(Made { batch, codes })
}

fn told(batch: &Batch) -> serde_json::Value {
    serde_json::json!({
        "label": batch.label, "site": batch.site, "vouchers": batch.vouchers, "lasts_ms": batch.terms.lasts_ms,
        "begin_before": batch.terms.begin_before, "devices": batch.terms.devices,
    })
}

/// The salt of a place's offline digests; drawn at the first batch.
async fn salt(hub: &Hub, site: &SiteCode, now: Moment) -> Result<Token16, Problem> {
    let (site, drawn) = (site.clone(), Token16(entropy::draw()?));
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            if let Some(held) = voucher::salt(tx, &site).await? {
                return Ok::<_, StoreError>(held);
            }
            voucher::put_salt(tx, &site, drawn, now).await?;
            Ok(drawn)
        })
    });
    Ok(write.await?)
}

/// The digests of codes, made away from the threads that answer requests.
async fn digests(hub: &Hub, codes: &[VoucherCode], salt: Option<Token16>) -> Result<Vec<Fresh>, Problem> {
    let keys = hub.fleet().keys().map_err(|e| Problem::fault(&e))?;
    let ids = codes.iter().map(|_| entropy::draw().map(Token16)).collect::<Result<Vec<_>, _>>()?;
    let codes = codes.to_vec();
    let work = move || {
        let one = |(code, id): (&VoucherCode, Token16)| {
            let offline = salt.map(|salt| slow::voucher(code, salt)).transpose()?;
            Ok(Fresh { id, digest: keys.voucher_hash(code), offline })
        };
        codes.iter().zip(ids).map(one).collect::<Result<Vec<_>, HashError>>()
    };
    let made = tokio::task::spawn_blocking(work).await.unwrap_or(Err(HashError::Dropped));
    made.map_err(|e| Problem::fault(&e))
}

/// What is to be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// One voucher.
    One(Token16),
    /// All of a batch.
    Batch(String),
}

/// Takes a voucher or a batch back; who is online by it is disconnected. Tells how many vouchers.
///
/// # Errors
/// `voucher-unknown`, `voucher-revoked` when there is nothing left to take back, `not-operator`, `not-your-area`.
pub async fn revoke(hub: &Hub, by: &Actor, which: Which) -> Result<u64, Problem> {
    let now = hub.clock().now();
    let unknown = || Refusal::new(404, "voucher-unknown");
    let mut tx = hub.store().reader().await?;
    let batch = match &which {
        Which::One(id) => voucher::find(&mut tx, *id).await?.map(|v| v.batch),
        Which::Batch(id) => voucher::find_batch(&mut tx, id).await?,
    };
    drop(tx);
    let batch = batch.ok_or_else(unknown)?;
    super::may(hub, by, batch.site.as_ref()).await?;
    let object = match &which {
        Which::One(id) => id.to_string(),
        Which::Batch(id) => id.clone(),
    };
    let noun = if matches!(which, Which::One(_)) { "voucher" } else { "voucher_batch" };
    let (entry, who) = (by.did(now, "revoke", noun, object), by.who.clone());
    let write = hub.store().write(Lane::Page, move |tx| {
        Box::pin(async move {
            let (count, ids) = match &which {
                Which::One(id) => (u64::from(voucher::revoke(tx, *id, now, &who).await?), vec![*id]),
                Which::Batch(id) => {
                    let all = voucher::list(tx, id, 0, MOST).await?;
                    (voucher::revoke_batch(tx, id, now, &who).await?, all.into_iter().map(|v| v.id).collect())
                }
            };
            if count == 0 {
                return Err(NotWritten::from(Refusal::new(409, "voucher-revoked")));
            }
            audit::append(tx, &entry).await?;
            let mut sites = Vec::new();
            for id in ids {
                sites.extend(super::sessions::end_all_of(tx, Holder::Voucher(id), now, &who).await?);
            }
            Ok((count, sites))
        })
    });
    let (count, mut sites) = write.await?;
    sites.extend(batch.site);
    follower::refresh_sites(hub, &sites).await?;
    Ok(count)
}

/// A box was revoked: what it could let in by itself is void, and staff read that it wants replacing.
///
/// # Errors
/// `StoreError` of the database.
pub async fn void(tx: &mut Tx, site: &SiteCode, salt: Token16, now: Moment) -> Result<u64, StoreError> {
    let count = voucher::void(tx, site, now, "gateway-revoked").await?;
    if voucher::salt(tx, site).await?.is_some() {
        voucher::put_salt(tx, site, salt, now).await?;
    }
    if count > 0 {
        let finding = Finding {
            id: format!("void.{site}.{}", now.ms()),
            kind: FindingKind::Void,
            holder: None,
            session: None,
            other_session: None,
            other_site: None,
            site: site.clone(),
            at: now,
            found_at: now,
            detail: count.to_string(),
            seen_at: None,
            seen_by: None,
        };
        access::put_finding(tx, &finding).await?;
    }
    Ok(count)
}
