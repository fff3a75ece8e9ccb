//! Wiring of the portal: its face, its certificate, who sets the box up, and how devices hear of it.

use super::{GatewayError, House, hardware, part};
use crate::first_boot::FirstBoot;
use crate::portal::face::Box as Here;
use crate::portal::own_certificate::OwnCertificate;
use crate::portal::{Extras, Face, Portal, crowd::Crowd, listen, tls, token::TokenKey};
use crate::words::Words;
use crate::{advert, chance, dhcp};
use kulkul_model::gateway::Capabilities;
use std::sync::Arc;
use tokio::sync::watch;

/// What sets a box up that belongs to no place yet, and later its way out; none for one that is on its own.
pub(super) fn first_boot(
    house: &House,
    met: bool,
    capabilities: &Capabilities,
) -> Result<Option<Arc<FirstBoot>>, GatewayError> {
    let config = &house.config;
    let (clock, again) = (house.clock.clone(), house.again.clone());
    if config.alone {
        return Ok(None);
    }
    if met {
        let later =
            FirstBoot::later(config.clone(), clock, again).map_err(part("the page of the way out"))?;
        return Ok(Some(Arc::new(later)));
    }
    let boot = FirstBoot::open(config.clone(), capabilities.clone(), hardware(), clock, again)
        .map_err(part("the code of the box"))?;
    Ok(Some(Arc::new(boot)))
}

/// The portal, over HTTP and, with a certificate, over HTTPS.
pub(super) fn portal(house: &House, extras: Extras) -> Result<tls::Tls, GatewayError> {
    let config = &house.config;
    let words = Arc::new(Words::builtin());
    let here = Here {
        host: config.portal.host.clone(),
        lan4: config.segments.iter().find_map(|s| s.address4).map(|n| n.addr().into()),
        port: 80,
    };
    let plain = Face::plain(&words, &here).ok_or(GatewayError::Build("the time zone database"))?;
    let (face_tx, face) = watch::channel(Arc::new(plain));
    let key = TokenKey::new(chance::bytes().map_err(part("the portal's key"))?);
    let portal = Portal::new(house.supervisor.clone(), face, words.clone(), house.clock.clone(), key, extras);
    let crowd = Crowd::new(listen::MOST, listen::MOST_EACH);
    let mut desired = house.desired.clone();
    house.tasks.spawn({
        let stop = house.stop.clone();
        async move {
            loop {
                if let Some(d) = desired.borrow_and_update().as_ref()
                    && let Some(new) = Face::of(d, &words, &here)
                {
                    face_tx.send_replace(Arc::new(new));
                }
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    changed = desired.changed() => if changed.is_err() { return },
                }
            }
        }
    });
    let http = listen::bind(config.portal.http_port).map_err(part("the portal's port"))?;
    let (clock, stop) = (house.clock.clone(), house.stop.clone());
    house.tasks.spawn(listen::serve(http, portal.clone(), None, crowd.clone(), clock.clone(), stop.clone()));
    let (tell, ready) = watch::channel(None);
    house.tasks.spawn(tls::follow(certificate(house), house.clock.clone(), tell, house.stop.clone()));
    let tls = tls::Tls::new(ready);
    let https = listen::bind(config.portal.https_port).map_err(part("the portal's HTTPS port"))?;
    house.tasks.spawn(listen::serve(https, portal, Some(tls.clone()), crowd, clock, stop));
    Ok(tls)
}

/// Where the portal's certificate lies: the operator's own files, or those that the hub's words fill.
fn certificate(house: &House) -> watch::Receiver<Option<tls::Files>> {
    let given = house.config.portal.files();
    let from_hub = given.is_none();
    let (tell, files) = watch::channel(given);
    if from_hub {
        let own = OwnCertificate::new(&house.config.data, house.journal.clone(), house.clock.clone());
        house.tasks.spawn(own.run(house.desired.clone(), tell, house.stop.clone()));
    }
    files
}

/// DHCP and router advertisements; both announce the portal while its certificate is valid.
pub(super) fn addresses(house: &House, tls: &tls::Tls) {
    let (tx, captive) = watch::channel(None);
    let (mut ready, stop) = (tls.ready(), house.stop.clone());
    house.tasks.spawn(async move {
        loop {
            let now = ready.borrow_and_update().as_ref().map(|r| kulkul_wire::captive::api_uri(&r.host));
            tx.send_if_modified(|old| {
                let changed = *old != now;
                *old = now;
                changed
            });
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = ready.changed() => if changed.is_err() { return },
            }
        }
    });
    let (config, clock, stop) = (house.config.clone(), house.clock.clone(), house.stop.clone());
    house.tasks.spawn(advert::run(config.clone(), captive.clone(), clock.clone(), stop.clone()));
    let scarce = dhcp::watch(config.clone(), clock.clone(), house.journal.clone(), stop);
    house.tasks.spawn(scarce);
    let (failed, again) = (house.failed.clone(), house.again.clone());
    house.tasks.spawn(async move {
        if let Err(error) = dhcp::keep(config, captive, clock, failed, again).await {
            tracing::error!(%error, "addresses are not served");
        }
    });
}
