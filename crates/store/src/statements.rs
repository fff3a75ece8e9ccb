//! Every statement of every noun, so that a test can show each to both databases.

/// Names the statements of a noun and lists them as `STATEMENTS`.
///
/// `statements! { /// What it does. FIND = "SELECT ..."; }` makes `const FIND: &str`.
#[macro_export]
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$meta])* const $name: &str = $text;)+
        /// The statements of this noun, by name.
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

/// The nouns and their statements.
pub const ALL: &[(&str, &[(&str, &str)])] = &[
    ("access", crate::access::STATEMENTS),
    ("access_point", crate::access_point::STATEMENTS),
    ("account", crate::account::STATEMENTS),
    ("acme_order", crate::acme_order::STATEMENTS),
    ("audit", crate::audit::STATEMENTS),
    ("certificate", crate::certificate::STATEMENTS),
    ("claim", crate::claim::STATEMENTS),
    ("desired", crate::desired::STATEMENTS),
    ("diagnostic", crate::diagnostic::STATEMENTS),
    ("disconnect", crate::disconnect::STATEMENTS),
    ("gateway", crate::gateway::STATEMENTS),
    ("gateway_run", crate::gateway_run::STATEMENTS),
    ("journal", crate::journal::STATEMENTS),
    ("line", crate::line::STATEMENTS),
    ("migrations", crate::migrations::STATEMENTS),
    ("session", crate::session::STATEMENTS),
    ("setting", crate::setting::STATEMENTS),
    ("area", crate::area::STATEMENTS),
    ("boundary", crate::boundary::STATEMENTS),
    ("category", crate::category::STATEMENTS),
    ("site", crate::site::STATEMENTS),
    ("import", crate::import::STATEMENTS),
    ("idempotency", crate::idempotency::STATEMENTS),
    ("sign_in_failure", crate::sign_in_failure::STATEMENTS),
    ("staff", crate::staff::STATEMENTS),
    ("staff_session", crate::staff_session::STATEMENTS),
    ("token", crate::token::STATEMENTS),
    ("tunnel", crate::tunnel::STATEMENTS),
    ("clue", crate::clue::STATEMENTS),
    ("hot", crate::hot::STATEMENTS),
    ("outage", crate::outage::STATEMENTS),
    ("release", crate::release::STATEMENTS),
    ("report", crate::report::STATEMENTS),
    ("pack", crate::pack::STATEMENTS),
    ("roll_hour", crate::roll_hour::STATEMENTS),
    ("rollout", crate::rollout::STATEMENTS),
    ("unsettled", crate::unsettled::STATEMENTS),
    ("voucher", crate::voucher::STATEMENTS),
    ("watching", crate::watching::STATEMENTS),
];
