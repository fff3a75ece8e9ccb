//! Answers about names that are not answered: under the name itself, and when somebody looks one up.

use super::{Ask, Page, Portal};
use crate::portal::{Door, form, hosts};
use http::StatusCode;

/// The longest name that is looked up, in bytes.
const LONGEST: usize = 253;

impl<D: Door> Portal<D> {
    /// The page under a blocked name; nothing for all other names.
    pub(super) fn under_a_blocked_name(&self, ask: &Ask<'_>, host: &str) -> Option<Page> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let why = self.0.filtered.as_ref()?.why(name)?;
        let at =
            hosts::portal_host(ask.face.host.as_deref(), ask.at.local.ip(), ask.face.lan4, ask.face.port);
        let page = self.view(ask).blocked(&why, &format!("http://{at}"));
        Some(self.page(ask, StatusCode::FORBIDDEN, page.into()))
    }

    /// `/names`: looks a name up, for whoever got no page.
    pub(super) fn names(&self, ask: &Ask<'_>) -> Page {
        let Some(filtered) = &self.0.filtered else {
            return self.say(ask, StatusCode::NOT_FOUND, "not-found");
        };
        let name = form::field(ask.query, "name").unwrap_or_default();
        let name = name.trim();
        // Somebody may have pasted an address.
        let name = name.split_once("://").map_or(name, |(_, rest)| rest);
        let name = name.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let name = if name.len() > LONGEST { "" } else { name };
        let page = self.view(ask).look_up(name, filtered.why(name).as_ref());
        self.page(ask, StatusCode::OK, page.into())
    }
}
