//! What the console's layout needs to know of the person who is signed in.

use crate::staff::Staff;
use crate::watch::board::Board;
use crate::web::W;
use kulkul_model::area::AreaKind;
use kulkul_model::staff::Role;

/// The person and the session, as templates use them.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The name that others read.
    pub name: String,
    /// What every form carries.
    pub csrf: String,
    /// Where they do it; none is everywhere.
    pub area: Option<String>,
    /// True for those who may change sites and issue claims.
    pub operates: bool,
    /// True for those who manage staff and tokens.
    pub administers: bool,
}

impl From<&Staff> for Frame {
    fn from(staff: &Staff) -> Self {
        Frame {
            name: staff.person.full_name.clone(),
            csrf: staff.csrf(),
            area: staff.actor.area.as_ref().map(ToString::to_string),
            operates: staff.actor.role.may_operate(),
            administers: staff.actor.role.may_administer(),
        }
    }
}

/// One option of a `<select>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What the reader sees.
    pub text: String,
    /// Whether it is selected.
    pub chosen: bool,
}

impl Choice {
    /// Options from values and texts; `chosen` is selected.
    pub fn among(options: impl IntoIterator<Item = (String, String)>, chosen: &str) -> Vec<Choice> {
        options.into_iter().map(|(value, text)| Choice { chosen: value == chosen, value, text }).collect()
    }

    /// The roles.
    #[must_use]
    pub fn roles(w: &W, chosen: &str) -> Vec<Choice> {
        Self::among(Role::ALL.iter().map(|r| (r.as_str().to_owned(), w.of("role", r.as_str()))), chosen)
    }

    /// Districts, and villages under their district, by name.
    #[must_use]
    pub fn areas(board: &Board, chosen: &str, villages_only: bool) -> Vec<Choice> {
        let mut options = Vec::new();
        let districts = board.areas.values().filter(|a| a.kind == AreaKind::District);
        for district in districts {
            if !villages_only {
                options.push((district.code.to_string(), district.name.clone()));
            }
            let villages = board
                .areas
                .values()
                .filter(|a| a.kind == AreaKind::Village && a.parent.as_ref() == Some(&district.code));
            options.extend(villages.map(|v| (v.code.to_string(), format!("{} › {}", district.name, v.name))));
        }
        Self::among(options, chosen)
    }
}
