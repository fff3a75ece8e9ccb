//! The captive portal: the page on which a person agrees and gets online.
//!
//! Serves the place's network only. It never claims success to a device that is not
//! online, never sends anybody to an address that it did not check, and answers with
//! its pages only under its own names. Roles as in RFC 8952: it is the user portal
//! and, over TLS, the API server (RFC 8908); the supervisor is the enforcement.

mod answer;
pub mod blocked;
pub mod crowd;
pub mod desk;
pub mod face;
pub mod form;
pub mod hosts;
pub mod listen;
pub mod look;
pub mod own_certificate;
pub mod pages;
pub mod standing;
pub mod tls;
pub mod token;

pub use answer::{At, Extras, Portal};
pub use face::Face;

use crate::supervisor::{Admission, Supervisor, Who};
use kulkul_model::Refusal;
use kulkul_model::session::Session;
use std::net::IpAddr;

/// Whom the portal asks about devices, and asks to let them in or out.
pub trait Door: Clone + Send + Sync + 'static {
    /// The device behind an address and its session.
    fn who(&self, ip: IpAddr) -> impl Future<Output = Option<Who>> + Send;
    /// Lets a device in; answers after its packets pass.
    fn admit(&self, ask: Admission) -> impl Future<Output = Result<Session, Refusal>> + Send;
    /// Ends the session of the device behind an address.
    fn log_out(&self, ip: IpAddr) -> impl Future<Output = Result<(), Refusal>> + Send;
}

impl Door for Supervisor {
    async fn who(&self, ip: IpAddr) -> Option<Who> {
        Supervisor::who(self, ip).await
    }

    async fn admit(&self, ask: Admission) -> Result<Session, Refusal> {
        Supervisor::admit(self, ask).await
    }

    async fn log_out(&self, ip: IpAddr) -> Result<(), Refusal> {
        Supervisor::log_out(self, ip).await
    }
}
