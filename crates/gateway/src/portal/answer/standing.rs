//! Answers about the device that asks: its page, and the captive portal API (RFC 8908).

use super::{Ask, Page, Portal, device};
use crate::portal::pages::Welcoming;
use crate::portal::standing::{Opening, Standing, Used};
use crate::portal::{Door, form, hosts};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use kulkul_model::session::WayIn;
use kulkul_model::{Moment, Refusal};
use kulkul_wire::captive::{self, Captive};

/// How often a new session is asked for after the old one has ended, and how long between.
const RENEWALS: u32 = 40;
const RENEWAL_MS: i64 = 50;

impl<D: Door> Portal<D> {
    /// `/` and `/status`: the session's page for who is online, else the way in or why there is none.
    pub(super) async fn front(&self, ask: &Ask<'_>, status: bool) -> Page {
        let who = self.0.door.who(ask.ip).await;
        let to = form::field(ask.query, "to").and_then(|to| hosts::checked(&to));
        let token = self.0.key.issue(device(who.as_ref(), ask.ip), self.0.clock.now());
        let (now, wall) = (self.0.clock.now(), self.0.clock.wall());
        if let Some(who) = &who
            && let Some(session) = &who.session
        {
            let address =
                hosts::portal_host(ask.face.host.as_deref(), ask.at.local.ip(), ask.face.lan4, ask.face.port);
            let standing = Standing::of(&ask.face, who, session, now, wall);
            let roamed = form::field(ask.query, "roamed").is_some();
            let news = roamed.then(|| self.0.words.text(ask.lang, "portal-roamed"));
            let page = self.view(ask).online((session, &standing), &token, (to.as_deref(), news), &address);
            return self.page(ask, StatusCode::OK, page.into());
        }
        if let Opening::Closed(opens) = ask.face.opening(wall) {
            return self.page(ask, StatusCode::OK, self.view(ask).closed(opens).into());
        }
        let mac = who.as_ref().map(|w| w.mac);
        if let Some(used) = ask.face.used_up(who.and_then(|w| w.today)) {
            return self.page(ask, StatusCode::OK, self.used_up(ask, Some(used), None));
        }
        let gone = !status && form::field(ask.query, "bye").is_some();
        if let Some(mac) = mac.filter(|_| !gone)
            && self.roams(ask, mac).await
        {
            return self.see_other(ask, "/status", &[("roamed", "1")]);
        }
        if to.is_none() && !gone {
            return self.page(ask, StatusCode::OK, self.drawn_welcome(ask, &token));
        }
        let news = gone.then(|| self.0.words.text(ask.lang, "portal-logged-out"));
        let more = Welcoming { to: to.as_deref(), news, ..Welcoming::default() };
        let page = self.view(ask).welcome(&token, &more);
        self.page(ask, StatusCode::OK, page.into())
    }

    /// The page of a used day; it starts anew at the place's midnight unless the supervisor says when.
    fn used_up(&self, ask: &Ask<'_>, used: Option<Used>, until: Option<Moment>) -> Bytes {
        let midnight = || self.0.clock.wall().map(|now| ask.face.zone.next_day(now));
        self.view(ask).used_up(used, until.or_else(midnight)).into()
    }

    /// RFC 8908: how things stand for the device that asks.
    pub(super) async fn api(&self, ask: &Ask<'_>) -> Page {
        let (now, wall) = (self.0.clock.now(), self.0.clock.wall());
        let who = self.0.door.who(ask.ip).await;
        let standing = who.as_ref().and_then(|w| {
            let session = w.session.as_ref()?;
            Some(Standing::of(&ask.face, w, session, now, wall))
        });
        let host = hosts::portal_host(ask.face.host.as_deref(), ask.at.local.ip(), ask.face.lan4, 80);
        let document = Captive {
            captive: standing.is_none(),
            user_portal_url: Some(format!("https://{host}/")),
            venue_info_url: Some(ask.face.place_url.clone()).filter(|u| u.starts_with("https://")),
            can_extend_session: standing.map(|s| s.renewable),
            seconds_remaining: standing.and_then(|s| u64::try_from(s.left_ms / 1000).ok()),
            bytes_remaining: standing.and_then(|s| s.bytes_left),
        };
        let mut answer = Response::new(Full::new(Bytes::from(document.to_json())));
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(captive::MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
        answer
    }

    /// `POST /renew`: a session near its limit ends and a new one on the same terms begins.
    pub(super) async fn renew(&self, ask: &Ask<'_>, body: &str) -> Page {
        let who = self.0.door.who(ask.ip).await;
        let token = form::field(body, "token").unwrap_or_default();
        let (now, wall) = (self.0.clock.now(), self.0.clock.wall());
        let sound = self.0.key.holds(&token, device(who.as_ref(), ask.ip), now);
        let near = who.as_ref().is_some_and(|w| {
            w.session.as_ref().is_some_and(|s| Standing::of(&ask.face, w, s, now, wall).renews_now())
        });
        if !sound || !near {
            return self.see_other(ask, "/status", &[]);
        }
        if let Err(refusal) = self.0.door.log_out(ask.ip).await
            && refusal.code != "not-online"
        {
            return self.refused(ask, &refusal);
        }
        let asked = self.admission(ask, WayIn::ClickThrough, Some(ask.face.terms_version), None);
        let mut tries = RENEWALS;
        loop {
            match self.0.door.admit(asked.clone()).await {
                Ok(_) => return self.see_other(ask, "/status", &[]),
                // The end of the old session is on its way to the journal.
                Err(refusal) if refusal.code == "gateway-busy" && tries > 0 => tries -= 1,
                Err(refusal) => return self.refused(ask, &refusal),
            }
            self.0.clock.sleep_ms(RENEWAL_MS).await;
        }
    }

    /// What somebody reads whom the supervisor does not let in.
    pub(super) fn refused(&self, ask: &Ask<'_>, refusal: &Refusal) -> Page {
        tracing::debug!(code = refusal.code, "not let in");
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::FORBIDDEN);
        let moment = |name: &str| {
            let value = refusal.args.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
            value.and_then(|text| Moment::parse(text).ok())
        };
        let what = match refusal.code {
            "site-closed" => {
                let opens = moment("opens").or_else(|| match ask.face.opening(self.0.clock.wall()) {
                    Opening::Closed(opens) => opens,
                    Opening::Open(_) => None,
                });
                return self.page(ask, status, self.view(ask).closed(opens).into());
            }
            "quota-used" => return self.page(ask, status, self.used_up(ask, None, moment("until"))),
            "device-unknown" => "stranger",
            "device-blocked" => "blocked",
            "site-full" => "full",
            _ => "trouble",
        };
        self.say(ask, status, what)
    }
}
