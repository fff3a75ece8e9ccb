//! Why a name is not answered here: which list has it, of which date, and where to object.
//!
//! Asks the sets where they lie, so that the page costs no memory while nobody opens it.

use crate::dns::filter::{Filter, Verdict};
use crate::dns::lists::InForce;
use kulkul_model::Moment;
use kulkul_wire::blocklist::tidy;
use kulkul_wire::link::desired::Text;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Says of a name why it is not answered.
pub struct Filtered {
    in_force: watch::Receiver<Arc<InForce>>,
    data: PathBuf,
    opened: Mutex<Option<(Arc<InForce>, Arc<Filter>)>>,
}

/// Why a name is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The name.
    pub name: String,
    /// The list that has it; none where the place itself has named it.
    pub list: Option<Listed>,
}

/// The list that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What it is called.
    pub name: Text,
    /// When its makers dated it.
    pub dated: Moment,
    /// Where somebody who disagrees turns to.
    pub appeal: Text,
}

impl Filtered {
    /// Follows what is in force; the sets lie in `data`.
    #[must_use]
    pub fn new(in_force: watch::Receiver<Arc<InForce>>, data: PathBuf) -> Self {
        Filtered { in_force, data, opened: Mutex::default() }
    }

    /// Why `name` is not answered; nothing where it is, and for what is no name.
    #[must_use]
    pub fn why(&self, name: &str) -> Option<Why> {
        let name = tidy(name.trim()).ok()?;
        let (in_force, filter) = self.filter();
        let Verdict::Blocked(key) = filter.verdict(&name) else { return None };
        let list = in_force.lists.iter().find(|held| held.list.key == key).map(|held| Listed {
            name: held.list.name.clone(),
            dated: held.list.dated,
            appeal: held.list.appeal.clone(),
        });
        Some(Why { name, list })
    }

    fn filter(&self) -> (Arc<InForce>, Arc<Filter>) {
        let now = self.in_force.borrow().clone();
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        match opened.as_ref() {
            Some((of, filter)) if Arc::ptr_eq(of, &now) => (now, filter.clone()),
            _ => {
                let filter = Arc::new(Filter::lying(&now.settings(&self.data)));
                *opened = Some((now.clone(), filter.clone()));
                (now, filter)
            }
        }
    }
}
