//! Answers about coming in: by a click, a voucher, an account, or because the device has
//! a session at another place.
//!
//! A form counts only with the token of the device that it was shown to and today's terms.
//! What a voucher or an account is worth is decided by `Access`, who comes in by the supervisor.

use super::{Ask, Page, Portal, device};
use crate::portal::pages::{Fault, Typed, Welcoming};
use crate::portal::{Door, form, hosts};
use crate::supervisor::{Admission, Pass, Who};
use http::StatusCode;
use kulkul_model::Refusal;
use kulkul_model::session::{Mac, WayIn};

/// How long the first page waits for what the hub says of a session elsewhere, milliseconds.
const ROAM_MS: i64 = 250;

impl<D: Door> Portal<D> {
    /// `POST /accept`, `/voucher`, `/account`: lets the device in, or shows the page again with what is wrong.
    pub(super) async fn come_in(&self, ask: &Ask<'_>, way_in: WayIn, body: &str) -> Page {
        let who = self.0.door.who(ask.ip).await;
        let to = form::field(body, "to").and_then(|to| hosts::checked(&to));
        let typed = Typed {
            code: form::field(body, "code").unwrap_or_default(),
            name: form::field(body, "name").unwrap_or_default(),
        };
        let token = form::field(body, "token").unwrap_or_default();
        let terms = form::field(body, "terms").and_then(|t| t.parse::<u32>().ok());
        let again = |status: StatusCode, news: Option<&str>, fault: Option<Fault>| {
            let token = self.0.key.issue(device(who.as_ref(), ask.ip), self.0.clock.now());
            let more = Welcoming { to: to.as_deref(), news, fault, typed: typed.clone() };
            self.page(ask, status, self.view(ask).welcome(&token, &more).into())
        };
        let sound = self.0.key.holds(&token, device(who.as_ref(), ask.ip), self.0.clock.now());
        // Consent is to the terms that were on the page, so they must be today's.
        if !sound || terms != Some(ask.face.terms_version) {
            let news = self.0.words.text(ask.lang, "portal-expired");
            return again(StatusCode::FORBIDDEN, Some(news), None);
        }
        let done = match self.pass(ask, (way_in, who.as_ref()), &typed, body).await {
            Ok(pass) => self.0.door.admit(self.admission(ask, way_in, terms, pass)).await,
            Err(refusal) => Err(refusal),
        };
        match done {
            Ok(_) => {
                let onward: Vec<(&str, &str)> = to.iter().map(|to| ("to", to.as_str())).collect();
                self.see_other(ask, "/status", &onward)
            }
            // The ways in changed since the page was shown.
            Err(refusal) if refusal.code == "way-in-closed" => {
                again(StatusCode::FORBIDDEN, Some(self.0.words.text(ask.lang, "portal-way-closed")), None)
            }
            Err(refusal) => match self.fault(ask, &refusal) {
                Some(text) => {
                    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::FORBIDDEN);
                    again(status, None, Some(Fault { way_in, text }))
                }
                None => self.refused(ask, &refusal),
            },
        }
    }

    /// What lets the device in this way; none for a click, which needs nothing.
    async fn pass(
        &self,
        ask: &Ask<'_>,
        (way_in, who): (WayIn, Option<&Who>),
        typed: &Typed,
        body: &str,
    ) -> Result<Option<Pass>, Refusal> {
        if way_in == WayIn::ClickThrough {
            return Ok(None);
        }
        let closed = || Refusal::new(403, "way-in-closed");
        let access = self.0.access.as_ref().filter(|_| ask.face.has(way_in)).ok_or_else(closed)?;
        let mac = who.map(|w| w.mac).ok_or_else(|| Refusal::new(409, "device-unknown"))?;
        let terms = Some(ask.face.terms_version);
        let pass = match way_in {
            WayIn::Voucher => access.voucher(mac, &typed.code, terms).await?,
            WayIn::Account => {
                let secret = form::field(body, "secret").unwrap_or_default();
                access.account(mac, &typed.name, secret, terms).await?
            }
            _ => return Err(closed()),
        };
        Ok(Some(pass))
    }

    pub(super) fn admission(
        &self,
        ask: &Ask<'_>,
        way_in: WayIn,
        terms: Option<u32>,
        pass: Option<Pass>,
    ) -> Admission {
        Admission { ip: ask.ip, way_in, terms, language: ask.lang.code().to_owned(), pass }
    }

    /// What is wrong with a voucher or an account, in words; none for everything else.
    fn fault(&self, ask: &Ask<'_>, refusal: &Refusal) -> Option<String> {
        let named = ["voucher-", "account-"].iter().any(|p| refusal.code.starts_with(p));
        let code = match refusal.code {
            "admit-too-often" | "hub-silent" => refusal.code,
            code if named => code,
            _ => return None,
        };
        let args: Vec<(&str, &str)> = refusal.args.iter().map(|(n, v)| (*n, v.as_str())).collect();
        Some(self.0.words.with(ask.lang, &format!("portal-fault-{code}"), &args))
    }

    /// Lets a device in that has a session at another place; whether it is online then.
    ///
    /// The hub's answer is waited for a moment only; one that comes later counts at the next page.
    pub(super) async fn roams(&self, ask: &Ask<'_>, mac: Mac) -> bool {
        let Some(access) = &self.0.access else { return false };
        let here = ask.face.terms_version;
        let asked = Box::pin(access.roam(mac, Some(here)));
        let Some(roaming) = self.0.clock.at_most(ROAM_MS, asked).await.flatten() else { return false };
        let terms = roaming.terms.or(Some(here));
        let admission = self.admission(ask, roaming.pass.way_in, terms, Some(roaming.pass));
        let done = self.0.door.admit(admission).await;
        done.inspect_err(|r| tracing::debug!(code = r.code, "a session elsewhere does not go on here"))
            .is_ok()
    }
}
