//! The portal as the gateway runs it: listeners, certificate, and what it announces.

use super::crowd::Crowd;
use super::face::{Box as Here, Face};
use super::tls::{self, Ready, Tls};
use super::token::TokenKey;
use super::{Door, Portal, listen};
use crate::clock::Clock;
use crate::config::Config;
use crate::words::Words;
use kulkul_wire::captive;
use kulkul_wire::link::desired::Desired;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the certificate's files and dates are looked at, in milliseconds.
const LOOK_MS: i64 = 30_000;

/// The portal's parts, ready to run; the other rooms follow `captive` and `tls`.
pub struct Parts {
    /// The URI that DHCP and router advertisements announce; none without a valid certificate.
    pub captive: watch::Receiver<Option<String>>,
    /// The certificate as it is now.
    pub tls: Tls,
    ready: watch::Sender<Option<Ready>>,
    announce: watch::Sender<Option<String>>,
    plain: tokio::net::TcpListener,
    secure: tokio::net::TcpListener,
}

impl Parts {
    /// Opens both ports and looks at the certificate for the first time.
    ///
    /// # Errors
    /// When a port is taken.
    pub fn open(config: &Config, clock: &Clock) -> io::Result<Self> {
        let (ready, seen) = watch::channel(look(config, clock));
        let (announce, captive) = watch::channel(uri(config, ready.borrow().as_ref()));
        Ok(Parts {
            captive,
            tls: Tls::new(seen),
            ready,
            announce,
            plain: listen::bind(config.portal.http_port)?,
            secure: listen::bind(config.portal.https_port)?,
        })
    }

    /// Serves until `stop`.
    pub async fn run<D: Door>(
        self,
        door: D,
        config: Arc<Config>,
        desired: watch::Receiver<Option<Arc<Desired>>>,
        clock: Clock,
        stop: CancellationToken,
    ) {
        let words = Arc::new(Words::builtin());
        let here = Here {
            host: config.portal.host.clone(),
            lan4: config.segments.iter().find_map(|s| s.address4).map(|n| IpAddr::V4(n.addr())),
            // Devices come by port 80; the firewall sends them on to ours.
            port: 80,
        };
        let draw = {
            let words = words.clone();
            move |desired: Option<&Desired>| match desired {
                Some(desired) => Face::of(desired, &words, &here),
                None => Face::plain(&words, &here),
            }
        };
        let Some(first) = draw(desired.borrow().as_deref()) else {
            tracing::error!("the regency's time zone is missing from this build");
            return;
        };
        let (show, face) = watch::channel(Arc::new(first));
        let mut random = [0; 32];
        if let Err(error) = getrandom::fill(&mut random) {
            tracing::error!(%error, "no randomness, so no portal");
            return;
        }
        let portal = Portal::new(door, face, words, clock.clone(), TokenKey::new(random));
        let crowd = Crowd::new(listen::MOST, listen::MOST_EACH);
        let serve = |listener, tls| {
            listen::serve(listener, portal.clone(), tls, crowd.clone(), clock.clone(), stop.clone())
        };
        tokio::select! {
            biased;
            _ = async { tokio::join!(serve(self.plain, None), serve(self.secure, Some(self.tls))) } => {}
            () = follow_desired(desired, show, draw) => {}
            () = follow_certificate(&config, &clock, &self.ready, &self.announce) => {}
        }
    }
}

/// Draws the face anew with every desired state; never returns.
async fn follow_desired(
    mut desired: watch::Receiver<Option<Arc<Desired>>>,
    show: watch::Sender<Arc<Face>>,
    draw: impl Fn(Option<&Desired>) -> Option<Face>,
) {
    while desired.changed().await.is_ok() {
        let next = draw(desired.borrow_and_update().as_deref());
        if let Some(face) = next {
            show.send_replace(Arc::new(face));
        }
    }
    std::future::pending::<()>().await;
}

/// Looks at the certificate's files and dates again and again; never returns.
async fn follow_certificate(
    config: &Config,
    clock: &Clock,
    ready: &watch::Sender<Option<Ready>>,
    announce: &watch::Sender<Option<String>>,
) {
    let mut seen = changed_at(config);
    loop {
        clock.sleep_ms(LOOK_MS).await;
        let now = changed_at(config);
        let over = ready.borrow().as_ref().is_some_and(|r| clock.wall().is_some_and(|n| n > r.until));
        if now != seen || over || ready.borrow().is_none() {
            seen = now;
            ready.send_replace(look(config, clock));
            let next = uri(config, ready.borrow().as_ref());
            announce.send_if_modified(|uri| {
                let differs = *uri != next;
                *uri = next;
                differs
            });
        }
    }
}

fn look(config: &Config, clock: &Clock) -> Option<Ready> {
    let (cert, key) = (config.portal.cert.as_ref()?, config.portal.key.as_ref()?);
    tls::load(cert, key, clock.wall())
        .inspect_err(|error| tracing::warn!(%error, "the portal is plain HTTP"))
        .ok()
}

fn uri(config: &Config, ready: Option<&Ready>) -> Option<String> {
    ready.and(config.portal.host.as_deref()).map(captive::api_uri)
}

fn changed_at(config: &Config) -> [Option<SystemTime>; 2] {
    let of = |path: Option<&Path>| path.and_then(|p| p.metadata().ok()?.modified().ok());
    [of(config.portal.cert.as_deref()), of(config.portal.key.as_deref())]
}
