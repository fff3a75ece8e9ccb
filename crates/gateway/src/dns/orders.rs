//! What the resolver works by: its settings with the sets of names that they name, open.

use super::filter::Filter;
use super::settings::Settings;

/// Settings and what was opened for them.
#[derive(Debug)]
pub struct Orders {
    /// The settings.
    pub settings: Settings,
    /// Which names are not answered.
    pub filter: Filter,
    /// Tells these orders from earlier ones.
    pub number: u64,
}

impl Orders {
    /// Opens what the settings name; reads from the disk what `earlier` has not open.
    #[must_use]
    pub fn open(settings: Settings, earlier: Option<&Orders>) -> Self {
        let filter = Filter::open(&settings.filter, earlier.map(|e| &e.filter));
        Orders { settings, filter, number: earlier.map_or(0, |e| e.number) + 1 }
    }
}
