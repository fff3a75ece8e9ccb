//! What boxes are told of vouchers, disconnects and accounts that changed.

use kulkul_model::Moment;
use kulkul_model::session::WayIn;
use kulkul_model::site::SiteCode;
use kulkul_model::voucher::Terms;
use kulkul_store::{StoreError, Tx, account, disconnect, voucher};
use kulkul_wire::link::Blob;
use kulkul_wire::link::desired::{
    AccessSection, MOST_VOUCHERS, OfflineBatch, RevokedAccount, RevokedSection, RevokedSession,
    VouchersSection,
};

/// The most disconnects, and the most changed accounts, that a box is told of.
const MOST: u32 = 1_000;
/// How long a box remembers an account: changes before that need not be told.
pub const REMEMBERED_MS: i64 = 30 * 24 * 3_600_000;

/// The section `revoked` of a place.
///
/// # Errors
/// `StoreError` of the database.
pub async fn revoked(
    tx: &mut Tx,
    site: &SiteCode,
    access: &AccessSection,
    now: Moment,
) -> Result<RevokedSection, StoreError> {
    let ended = disconnect::of_site(tx, site, now, MOST).await?;
    let changed = match access.ways_in.contains(&WayIn::Account) {
        true => account::changed(tx, now.plus_ms(-REMEMBERED_MS), MOST).await?,
        false => Vec::new(),
    };
    Ok(RevokedSection {
        devices: Vec::new(),
        sessions: ended.into_iter().map(|(session, until)| RevokedSession { session, until }).collect(),
        accounts: changed.into_iter().map(|(account, since)| RevokedAccount { account, since }).collect(),
    })
}

/// The section `vouchers` of a place; empty where vouchers are no way in.
///
/// # Errors
/// `StoreError` of the database.
pub async fn vouchers(
    tx: &mut Tx,
    site: &SiteCode,
    access: &AccessSection,
    now: Moment,
) -> Result<VouchersSection, StoreError> {
    if !access.ways_in.contains(&WayIn::Voucher) {
        return Ok(VouchersSection::default());
    }
    let limit = u32::try_from(MOST_VOUCHERS).unwrap_or(u32::MAX);
    let mut section = VouchersSection { salt: voucher::salt(tx, site).await?, batches: Vec::new() };
    let mut last = String::new();
    for one in voucher::offline(tx, site, now, limit).await? {
        let Some(digest) = one.offline else { continue };
        if one.batch.id != last {
            last.clone_from(&one.batch.id);
            section.batches.push(empty(&one.batch.terms));
        }
        let Some(batch) = section.batches.last_mut() else { continue };
        if let Some(begun) = one.begun {
            batch.begun.push((u32::try_from(batch.digests.0.len() / 16).unwrap_or(u32::MAX), begun));
        }
        batch.digests.0.extend_from_slice(&digest.0);
    }
    Ok(section)
}

fn empty(terms: &Terms) -> OfflineBatch {
    OfflineBatch {
        lasts_ms: terms.lasts_ms,
        begin_before: terms.begin_before,
        devices: terms.devices,
        down_kbps: terms.down_kbps,
        up_kbps: terms.up_kbps,
        digests: Blob::default(),
        begun: Vec::new(),
    }
}
