//! Actors: whoever does something that the audit names, and what they may do.

use kulkul_model::area::AreaCode;
use kulkul_model::staff::Role;
use kulkul_model::{Moment, Refusal};
use kulkul_store::audit;
use serde::Serialize;

/// A person of the staff, an API token, or the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The name in the audit: `staff:ayu`, `token:6f1c09ab`, `cli`.
    pub who: String,
    /// What it may do.
    pub role: Role,
    /// Where; none is everywhere.
    pub area: Option<AreaCode>,
}

impl Actor {
    /// The command line, which may do everything: whoever runs it owns the data directory.
    #[must_use]
    pub fn command_line() -> Self {
        Actor { who: "cli".to_owned(), role: Role::Admin, area: None }
    }

    /// Whether the area is within what this actor looks after; codes of areas nest by their dots.
    #[must_use]
    pub fn looks_after(&self, area: &AreaCode) -> bool {
        self.area.as_ref().is_none_or(|own| {
            area.as_str()
                .strip_prefix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// May change sites and issue claims in this area.
    ///
    /// # Errors
    /// `not-operator` for an auditor, `not-your-area` elsewhere.
    pub fn may_operate(&self, area: &AreaCode) -> Result<(), Refusal> {
        if !self.role.may_operate() {
            return Err(Refusal::new(403, "not-operator"));
        }
        if !self.looks_after(area) {
            return Err(Refusal::new(403, "not-your-area").with("area", area));
        }
        Ok(())
    }

    /// May manage staff and tokens.
    ///
    /// # Errors
    /// `not-admin`.
    pub fn may_administer(&self) -> Result<(), Refusal> {
        if self.role.may_administer() { Ok(()) } else { Err(Refusal::new(403, "not-admin")) }
    }

    /// An audit entry for something this actor did at `now`; never give it a secret.
    #[must_use]
    pub fn did(&self, now: Moment, act: &str, noun: &str, object: impl ToString) -> audit::Entry {
        audit::Entry {
            at: now,
            who: self.who.clone(),
            act: act.to_owned(),
            noun: noun.to_owned(),
            object: object.to_string(),
            before: None,
            after: None,
        }
    }
}

/// A value as the audit keeps it.
#[must_use]
pub fn noted(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_and_an_area_bound_what_is_allowed() {
        let area = |t: &str| AreaCode::parse(t).unwrap();
        let actor = |role, own: Option<&str>| Actor { who: "staff:x".into(), role, area: own.map(area) };
        let table = [
            (Role::Auditor, None, "51.03.01.1002", Some("not-operator")),
            (Role::Operator, None, "51.03.01.1002", None),
            (Role::Operator, Some("51.03.01"), "51.03.01.1002", None),
            (Role::Operator, Some("51.03.01"), "51.03.01", None),
            (Role::Operator, Some("51.03.01"), "51.03.011", Some("not-your-area")),
            (Role::Operator, Some("51.03.01"), "51.03.02.1002", Some("not-your-area")),
            (Role::Admin, Some("51.03.02"), "51.03.01", Some("not-your-area")),
        ];
        for (role, own, at, want) in table {
            assert_eq!(actor(role, own).may_operate(&area(at)).err().map(|r| r.code), want, "{own:?} {at}");
        }
        assert!(actor(Role::Operator, None).may_administer().is_err());
    }
}
