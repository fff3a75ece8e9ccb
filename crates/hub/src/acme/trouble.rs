//! Why no certificate came: a kind for words in both languages, and what was said.

use super::dns::DnsError;
use crate::fleet::certificates::authority::NotIssued;
use instant_acme::Error;
use kulkul_model::Moment;
use kulkul_store::StoreError;
use kulkul_wire::dns::update::NotDone;

/// Why no certificate came.
#[derive(Debug, thiserror::Error)]
pub enum NotCertified {
    /// The request is not one, or for other names.
    #[error("{0}")]
    Request(String),
    /// The authority does not answer, or not as one.
    #[error("the authority does not answer: {0}")]
    Silent(String),
    /// The authority says that enough was ordered.
    #[error("the authority gives no more for now: {0}")]
    Enough(String),
    /// The authority refuses.
    #[error("the authority refuses: {0}")]
    Refused(String),
    /// The authority did not see that the name is the hub's.
    #[error("the authority did not see that the name is the hub's: {0}")]
    Unproven(String),
    /// The text could not be set.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// Something of the hub's own.
    #[error("{0}")]
    Here(String),
    /// It waits for its turn: no failure.
    #[error("it waits for its turn until {0}")]
    Turn(Moment),
}

impl NotCertified {
    /// The kind, which words in both languages have as a key.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            NotCertified::Request(_) => "request",
            NotCertified::Silent(_) => "silent",
            NotCertified::Enough(_) => "enough",
            NotCertified::Refused(_) => "refused",
            NotCertified::Unproven(_) => "unproven",
            NotCertified::Dns(dns) => match dns {
                DnsError::Silent { .. } => "dns-silent",
                DnsError::NotDone { cause, .. } => match cause {
                    NotDone::UnknownKey | NotDone::WrongKey | NotDone::Unsigned => "dns-key",
                    NotDone::Clock => "dns-clock",
                    _ => "dns-refused",
                },
                DnsError::Key { .. } => "dns-key",
                DnsError::Name(_) => "request",
                DnsError::Hook { .. } => "hook",
                DnsError::Entropy(_) => "here",
            },
            NotCertified::Here(_) => "here",
            NotCertified::Turn(_) => "turn",
        }
    }

    /// Whether every other name would meet the same.
    #[must_use]
    pub const fn is_everybodys(&self) -> bool {
        !matches!(
            self,
            NotCertified::Request(_)
                | NotCertified::Unproven(_)
                | NotCertified::Refused(_)
                | NotCertified::Turn(_)
                | NotCertified::Dns(DnsError::Name(_))
        )
    }
}

impl From<Error> for NotCertified {
    fn from(error: Error) -> Self {
        let Error::Api(problem) = &error else { return NotCertified::Silent(error.to_string()) };
        let kind = problem.r#type.as_deref().unwrap_or_default();
        let kind = kind.strip_prefix("urn:ietf:params:acme:error:").unwrap_or(kind);
        let said = match (&problem.detail, problem.subproblems.is_empty()) {
            (Some(detail), true) => format!("{detail} ({kind})"),
            _ => error.to_string(),
        };
        match kind {
            "rateLimited" => NotCertified::Enough(said),
            "serverInternal" => NotCertified::Silent(said),
            "dns" | "unauthorized" | "incorrectResponse" | "connection" | "tls" => {
                NotCertified::Unproven(said)
            }
            _ => NotCertified::Refused(said),
        }
    }
}

impl From<NotIssued> for NotCertified {
    fn from(error: NotIssued) -> Self {
        match error {
            NotIssued::Made(_) => NotCertified::Here(error.to_string()),
            _ => NotCertified::Request(error.to_string()),
        }
    }
}

impl From<StoreError> for NotCertified {
    fn from(error: StoreError) -> Self {
        NotCertified::Here(error.to_string())
    }
}
