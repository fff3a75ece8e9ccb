//! Lists that the command line shows: short, the newest or the first.

use crate::Hub;
use kulkul_store::{StoreError, account, voucher};

/// The most lines of a list.
const MOST: u32 = 200;

/// The newest batches of vouchers: id, label, place, how many, how many used.
pub(super) async fn batches(hub: &Hub) -> Result<Vec<[String; 5]>, StoreError> {
    let mut tx = hub.store().reader().await?;
    let mut lines = Vec::new();
    for b in voucher::list_batches(&mut tx, None, &voucher::newest(), MOST).await? {
        let (used, _) = voucher::counts(&mut tx, &b.id).await?;
        let place = b.site.map_or_else(|| "everywhere".to_owned(), |s| s.to_string());
        lines.push([b.id, b.label, place, b.vouchers.to_string(), used.to_string()]);
    }
    Ok(lines)
}

/// Accounts by name: name, note, devices, state.
pub(super) async fn accounts(hub: &Hub) -> Result<Vec<[String; 4]>, StoreError> {
    let now = hub.clock().now();
    let mut tx = hub.store().reader().await?;
    let all = account::list(&mut tx, "", "", MOST).await?;
    let line = |a: account::Account| {
        let over = a.expires_at.is_some_and(|at| at <= now);
        let state = if a.disabled_at.is_some() { "disabled" } else { if over { "over" } else { "open" } };
        [a.name.to_string(), a.label, a.devices.to_string(), state.to_owned()]
    };
    Ok(all.into_iter().map(line).collect())
}
