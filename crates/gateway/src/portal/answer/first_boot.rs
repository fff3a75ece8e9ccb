//! Answers of a box that belongs to no place yet: the code on it, the way out, the claim.

use super::{Ask, Page, Portal, device};
use crate::first_boot::{FirstBoot, Shut, WayOut};
use crate::link::NotEnrolled;
use crate::portal::pages::Visit;
use crate::portal::{Door, form};
use http::StatusCode;
use std::sync::Arc;

impl<D: Door> Portal<D> {
    /// Every request to the box's own name; `sent` is the form of a POST.
    pub(super) async fn at_first_boot(
        &self,
        ask: &Ask<'_>,
        boot: &Arc<FirstBoot>,
        path: &str,
        sent: Option<&str>,
    ) -> Page {
        let who = self.0.door.who(ask.ip).await;
        let device = device(who.as_ref(), ask.ip);
        let field = |name: &str| sent.and_then(|body| form::field(body, name)).unwrap_or_default();
        let first = boot.is_first();
        let home = if first { "/" } else { "/setup" };
        let mut visit =
            Visit { hub: boot.hub().to_owned(), first, challenge: boot.challenge(), ..Visit::default() };
        let pass = field("pass");
        let status = match (path, sent.is_some()) {
            ("/" | "/setup" | "/status", false) => StatusCode::OK,
            (_, false) => return self.see_other(ask, home, &[]),
            ("/setup", true) => match boot.unlock(&field("code"), device) {
                Ok(pass) => {
                    visit.pass = Some(pass);
                    StatusCode::OK
                }
                Err(shut) => {
                    let fault = match shut {
                        Shut::TooMany => "first-boot-too-many",
                        Shut::Wrong if first => "first-boot-wrong-code",
                        Shut::Wrong => "first-boot-wrong-answer",
                    };
                    visit.fault = Some(self.0.words.text(ask.lang, fault).to_owned());
                    StatusCode::FORBIDDEN
                }
            },
            _ if !boot.holds(&pass, device) => {
                visit.fault = Some(self.0.words.text(ask.lang, "first-boot-again").to_owned());
                StatusCode::FORBIDDEN
            }
            (path, true) => {
                visit.pass = Some(pass);
                return self.set_up(ask, boot, path, &field, visit).await;
            }
        };
        self.page(ask, status, self.view(ask).first_boot(&visit).into())
    }

    /// What somebody does who has the pass.
    async fn set_up(
        &self,
        ask: &Ask<'_>,
        boot: &Arc<FirstBoot>,
        path: &str,
        field: &(dyn Fn(&str) -> String + Sync),
        mut visit: Visit,
    ) -> Page {
        let mut status = StatusCode::OK;
        match path {
            "/setup/test" => visit.findings = Some(boot.examine().await),
            "/setup/way-out" => {
                visit.way = WayOut {
                    kind: field("kind"),
                    vlan: field("vlan"),
                    address4: field("address4"),
                    gateway4: field("gateway4"),
                    dns: field("dns"),
                    user: field("user"),
                    password: field("password"),
                };
                match boot.set_way_out(&visit.way) {
                    Ok(()) => {
                        boot.begin_anew();
                        return self.told(ask, "first-boot-way-heading", "first-boot-way-kept");
                    }
                    Err(error) => {
                        status = StatusCode::UNPROCESSABLE_ENTITY;
                        let args = [("why", error.to_string())];
                        let args = args.each_ref().map(|(name, value)| (*name, value.as_str()));
                        visit.fault = Some(self.0.words.with(ask.lang, "first-boot-way-wrong", &args));
                    }
                }
            }
            "/setup/claim" if visit.first => match boot.claim(&field("claim")).await {
                Ok(site) => {
                    boot.begin_anew();
                    let line = self.0.words.with(ask.lang, "first-boot-claimed", &[("site", site.as_str())]);
                    let page =
                        self.view(ask).message("first-boot-claimed-heading", vec![line], "portal-retry");
                    return self.page(ask, StatusCode::OK, page.into());
                }
                Err(error) => {
                    status = StatusCode::UNPROCESSABLE_ENTITY;
                    visit.fault = Some(self.why_not_claimed(ask, &error));
                }
            },
            _ => return self.see_other(ask, "/", &[]),
        }
        self.page(ask, status, self.view(ask).first_boot(&visit).into())
    }

    /// Why a claim did not do, in words for whoever stands beside the box.
    fn why_not_claimed(&self, ask: &Ask<'_>, error: &NotEnrolled) -> String {
        let code = match error {
            NotEnrolled::Refused(e) | NotEnrolled::Later(e) => e.code(),
            NotEnrolled::NoClaim | NotEnrolled::State(_) => "",
        };
        let word = match code {
            "claim-unknown" => "first-boot-claim-unknown",
            "claim-used" => "first-boot-claim-used",
            "claim-expired" | "claim-withdrawn" => "first-boot-claim-over",
            "enrol-too-often" => "first-boot-claim-often",
            _ => "first-boot-claim-trouble",
        };
        self.0.words.with(ask.lang, word, &[("why", &error.to_string())])
    }

    fn told(&self, ask: &Ask<'_>, heading: &'static str, line: &str) -> Page {
        let line = self.0.words.text(ask.lang, line).to_owned();
        let page = self.view(ask).message(heading, vec![line], "portal-retry");
        self.page(ask, StatusCode::OK, page.into())
    }
}
