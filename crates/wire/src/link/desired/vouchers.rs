//! The vouchers of one place that work while the hub does not answer.
//!
//! Codes are not in it: each voucher is a slow-hashed digest under the place's salt
//! (`kulkul_proof::voucher`), so that a stolen list lets nobody in.

use crate::link::bytes::Blob;
use kulkul_model::Moment;
use kulkul_model::admission::Token16;
use kulkul_model::voucher::Terms;
use serde::{Deserialize, Serialize};

/// The most vouchers of one place; the section stays well below its limit of 1 MB.
pub const MOST: usize = 20_000;
/// Bytes of one digest.
const DIGEST: usize = 16;

/// What the box knows of its place's vouchers.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VouchersSection {
    /// The place's salt; none where no voucher works offline.
    pub salt: Option<Token16>,
    /// Vouchers with the same terms.
    pub batches: Vec<OfflineBatch>,
}

/// Vouchers with the same terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflineBatch {
    /// How long each lasts from its first use, milliseconds.
    pub lasts_ms: u64,
    /// Until when they may be begun.
    pub begin_before: Moment,
    /// Devices online by one at a time.
    pub devices: u16,
    /// Rate to one device, kbit/s.
    #[serde(default)]
    pub down_kbps: Option<u32>,
    /// Rate from one device, kbit/s.
    #[serde(default)]
    pub up_kbps: Option<u32>,
    /// Their digests, 16 bytes each.
    pub digests: Blob,
    /// Which of them were begun, by place in `digests`, and when, as far as the hub knew.
    #[serde(default)]
    pub begun: Vec<(u32, Moment)>,
}

/// A voucher that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfflineVoucher {
    /// What it gives.
    pub terms: Terms,
    /// When it was begun, as far as the hub knew.
    pub begun: Option<Moment>,
}

impl VouchersSection {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.batches.iter().map(|b| b.digests.0.len() / DIGEST).sum()
    }

    /// The voucher with this digest; all are compared, so that the time tells nothing.
    #[must_use]
    pub fn find(&self, digest: Token16) -> Option<OfflineVoucher> {
        let mut found = None;
        for batch in &self.batches {
            for (i, one) in batch.digests.0.chunks_exact(DIGEST).take(MOST).enumerate() {
                let differs = one.iter().zip(digest.0).fold(0, |acc, (a, b)| acc | (a ^ b));
                if differs == 0 {
                    found = Some((batch, u32::try_from(i).unwrap_or(u32::MAX)));
                }
            }
        }
        let (batch, at) = found?;
        let terms = Terms {
            lasts_ms: batch.lasts_ms,
            begin_before: batch.begin_before,
            devices: batch.devices,
            down_kbps: batch.down_kbps,
            up_kbps: batch.up_kbps,
        };
        Some(OfflineVoucher { terms, begun: batch.begun.iter().find(|b| b.0 == at).map(|b| b.1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::SECTION_LIMIT;

    fn batch(n: usize) -> OfflineBatch {
        OfflineBatch {
            lasts_ms: 3_600_000,
            begin_before: Moment::from_ms(9),
            devices: 2,
            down_kbps: None,
            up_kbps: Some(512),
            digests: Blob((0..n).flat_map(|i| [(i >> 8) as u8; 8].into_iter().chain([i as u8; 8])).collect()),
            begun: vec![(3, Moment::from_ms(5))],
        }
    }

    #[test]
    fn a_voucher_is_found_by_its_digest_with_its_terms() {
        let section = VouchersSection { salt: Some(Token16([1; 16])), batches: vec![batch(2), batch(600)] };
        assert_eq!(section.count(), 602);
        let digest = |hi: u8, lo: u8| Token16(std::array::from_fn(|i| if i < 8 { hi } else { lo }));
        let found = section.find(digest(0, 3)).unwrap();
        assert_eq!((found.terms.devices, found.begun), (2, Some(Moment::from_ms(5))));
        assert_eq!(section.find(digest(2, 87)).unwrap().begun, None);
        assert_eq!(section.find(digest(2, 88)), None);
        assert_eq!(VouchersSection::default().find(digest(0, 0)), None);
    }

    #[test]
    fn as_many_as_there_may_be_fit_and_what_is_left_out_has_a_default() {
        let section = VouchersSection { salt: None, batches: vec![batch(MOST)] };
        let text = serde_json::to_vec(&section).unwrap();
        assert!(text.len() < SECTION_LIMIT / 2, "{}", text.len());
        assert_eq!(serde_json::from_slice::<VouchersSection>(&text).unwrap(), section);
        assert_eq!(serde_json::from_str::<VouchersSection>("{}").unwrap(), VouchersSection::default());
    }
}
