//! Answers about the place itself: taking a report, and the code on its wall.

use super::{Ask, Page, Portal, device};
use crate::portal::desk::Said;
use crate::portal::pages::Draft;
use crate::portal::{Door, form};
use http::StatusCode;
use kulkul_model::report::{ReportKind, plain};
use kulkul_model::site::SiteCode;

/// The largest report form, in bytes: 1,000 characters of four bytes, each written `%f0`.
pub(super) const LARGEST_REPORT: usize = 16 * 1024;

impl<D: Door> Portal<D> {
    /// `/report`: the form.
    pub(super) async fn report_form(&self, ask: &Ask<'_>) -> Page {
        if self.0.desk.is_none() {
            return self.say(ask, StatusCode::NOT_FOUND, "not-found");
        }
        let who = self.0.door.who(ask.ip).await;
        let token = self.0.key.issue(device(who.as_ref(), ask.ip), self.0.clock.now());
        // A link may choose the kind beforehand.
        let kind = form::field(ask.query, "kind").as_deref().and_then(ReportKind::parse);
        let page = self.view(ask).report(&token, Draft { kind, ..Draft::default() });
        self.page(ask, StatusCode::OK, page.into())
    }

    /// `POST /report`: takes it, or shows the form again with what is wrong.
    pub(super) async fn report(&self, ask: &Ask<'_>, body: &str) -> Page {
        let Some(desk) = &self.0.desk else { return self.say(ask, StatusCode::NOT_FOUND, "not-found") };
        let who = self.0.door.who(ask.ip).await;
        let device = device(who.as_ref(), ask.ip);
        let kind = form::field(body, "kind").as_deref().and_then(ReportKind::parse);
        let text = plain(&form::field(body, "text").unwrap_or_default());
        let sound =
            self.0.key.holds(&form::field(body, "token").unwrap_or_default(), device, self.0.clock.now());
        let (status, fault) = match kind {
            _ if !sound => (StatusCode::FORBIDDEN, "portal-report-again"),
            None => (StatusCode::UNPROCESSABLE_ENTITY, "portal-report-choose"),
            Some(ReportKind::Other) if text.is_empty() => {
                (StatusCode::UNPROCESSABLE_ENTITY, "portal-report-say")
            }
            Some(kind) => {
                let said = Said { kind, text: text.clone(), language: ask.lang.code().to_owned() };
                match desk.take(device, said).await {
                    Ok(number) => return self.see_other(ask, &format!("/report/{number}"), &[]),
                    Err(refusal) => {
                        let status =
                            StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
                        let fault = match refusal.code {
                            "reports-many" => "portal-report-many",
                            "reports-full" => "portal-report-full",
                            _ => "portal-report-not-kept",
                        };
                        (status, fault)
                    }
                }
            }
        };
        let token = self.0.key.issue(device, self.0.clock.now());
        let page = self.view(ask).report(&token, Draft { kind, text: &text, fault: Some(fault) });
        self.page(ask, status, page.into())
    }

    /// `/report/12`: what somebody who sent it reads; tells nothing that is not in its address.
    pub(super) fn reported(&self, ask: &Ask<'_>, number: &str) -> Page {
        let digits = number.len() <= 12 && number.bytes().all(|b| b.is_ascii_digit());
        match number.parse::<u64>() {
            Ok(number) if digits => self.page(ask, StatusCode::OK, self.view(ask).reported(number).into()),
            _ => self.say(ask, StatusCode::NOT_FOUND, "not-found"),
        }
    }

    /// `/t/CODE`: the place's own code gets its page, another's a link to the hub's.
    pub(super) async fn at_code(&self, ask: &Ask<'_>, code: &str) -> Page {
        let code = form::decode(code).trim().to_ascii_uppercase();
        let Ok(code) = SiteCode::parse(&code) else {
            return self.say(ask, StatusCode::NOT_FOUND, "not-found");
        };
        if ask.face.code.as_ref() != Some(&code) {
            return self.page(ask, StatusCode::NOT_FOUND, self.view(ask).elsewhere(&code).into());
        }
        let online = self.0.door.who(ask.ip).await.is_some_and(|w| w.session.is_some());
        let verdict = self.verdict();
        self.page(ask, StatusCode::OK, self.view(ask).here(&code, verdict, online).into())
    }
}
