//! Live events: what readers of the event stream are told.

use kulkul_model::site::SiteCode;

/// Something changed that open pages may want to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// These sites look different since the board of this version.
    Sites {
        /// The board's version.
        version: u64,
        /// The sites, sorted.
        codes: Vec<SiteCode>,
    },
}
