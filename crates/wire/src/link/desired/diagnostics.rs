//! The section that asks a box a few questions, each once.

use kulkul_model::Moment;
use kulkul_model::diagnostic::DiagnosticId;
use serde::{Deserialize, Serialize};

/// A box is asked at most this much at a time.
pub const MOST_ASKS: usize = 8;

/// What staff ask.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DiagnosticsSection {
    /// Asks that are not over, oldest first; those that were answered stay until then.
    pub asks: Vec<DiagnosticAsk>,
}

/// One ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosticAsk {
    /// Its id; a box does each once.
    pub id: DiagnosticId,
    /// What; a kind of a newer version is refused by an older box.
    pub kind: String,
    /// The address or name that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Not begun after this.
    pub until: Moment,
}
