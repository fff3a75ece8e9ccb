//! Enrolment: the box shows its claim until the hub answers.

use super::{Client, Identity, LinkError, Patience, StateError, state};
use crate::clock::Clock;
use crate::config::Config;
use kulkul_model::gateway::Capabilities;
use kulkul_wire::link::Enrol;

/// Why the box has not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    /// `claim` is not in the settings.
    #[error(
        "this box has not enrolled: put the code of `kulkul enrol SITE` as claim = \"...\" into gateway.toml"
    )]
    NoClaim,
    /// The hub refuses the claim; another is needed.
    #[error("the claim is refused: {0}")]
    Refused(LinkError),
    /// The hub cannot be reached, or has too much to do.
    #[error(transparent)]
    Later(LinkError),
    /// The box's own records.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Enrols, trying again for as long as the hub cannot be reached.
///
/// # Errors
/// `NotEnrolled` when trying again cannot help.
pub async fn enrol(
    client: &Client,
    config: &Config,
    capabilities: &Capabilities,
    hardware: &str,
    clock: &Clock,
) -> Result<Identity, NotEnrolled> {
    let claim = config.claim.clone().ok_or(NotEnrolled::NoClaim)?;
    let mut patience = Patience::new(2_000, 60_000);
    loop {
        match enrol_once(client, config, &claim, capabilities, hardware).await {
            Err(NotEnrolled::Later(error)) => tracing::warn!(%error, "not enrolled yet"),
            done => return done,
        }
        patience.wait(clock).await;
    }
}

/// Shows a claim to the hub once.
///
/// # Errors
/// `Later` where another try may succeed, else why trying again cannot help.
pub async fn enrol_once(
    client: &Client,
    config: &Config,
    claim: &str,
    capabilities: &Capabilities,
    hardware: &str,
) -> Result<Identity, NotEnrolled> {
    let signer = state::key(&config.data)?;
    let ask = Enrol {
        claim: claim.to_owned(),
        public_key: signer.public(),
        capabilities: capabilities.clone(),
        hardware: hardware.to_owned(),
    };
    let mut answer = client.enrol(&signer, &ask).await;
    if let Err(LinkError::Refused { now: Some(now), .. }) = answer {
        // No root is pinned yet that could sign the time; TLS vouches for this one.
        client.adopt(now);
        answer = client.enrol(&signer, &ask).await;
    }
    match answer {
        Ok(enrolled) => {
            tracing::info!(gateway = %enrolled.gateway, site = %enrolled.site, "enrolled");
            Ok(state::keep(&config.data, signer, enrolled, config.hub_root.as_deref())?)
        }
        Err(error @ LinkError::Refused { status: 403 | 422, .. }) => Err(NotEnrolled::Refused(error)),
        Err(error) => Err(NotEnrolled::Later(error)),
    }
}
