//! From a request to its answer: which page, which status, which headers.

use super::face::Face;
use super::pages::{STYLE, View};
use super::token::{Device, TokenKey};
use super::{Door, form, hosts};
use crate::clock::Clock;
use crate::supervisor::{Admission, Who};
use crate::words::{Lang, Words};
use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use kulkul_model::Refusal;
use kulkul_model::session::WayIn;
use kulkul_wire::captive::{self, Captive};
use sha2::{Digest as _, Sha256};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The largest form that is read, in bytes.
const LARGEST_FORM: usize = 4096;
/// How long a form may take to arrive.
const FORM_MS: i64 = 10_000;

/// Where a request came from and where it came in.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The device's address.
    pub peer: SocketAddr,
    /// Our address on that connection.
    pub local: SocketAddr,
    /// Whether it came over TLS.
    pub secure: bool,
}

/// The portal's answers; cheap to clone.
#[derive(Clone)]
pub struct Portal<D>(Arc<Inner<D>>);

struct Inner<D> {
    door: D,
    face: watch::Receiver<Arc<Face>>,
    words: Arc<Words>,
    clock: Clock,
    key: TokenKey,
    drawn: Mutex<Drawn>,
    policy: HeaderValue,
}

/// Welcome pages of the current minute, in halves, by language.
#[derive(Default)]
struct Drawn {
    face: Option<Arc<Face>>,
    minute: i64,
    halves: [Option<(Bytes, Bytes)>; 2],
}

/// One request after its parts were read.
struct Ask<'a> {
    at: At,
    ip: IpAddr,
    lang: Lang,
    query: &'a str,
    face: Arc<Face>,
    head: bool,
}

type Page = Response<Full<Bytes>>;

impl<D: Door> Portal<D> {
    /// Makes a portal that shows `face`; `key` signs its forms.
    #[must_use]
    pub fn new(
        door: D,
        face: watch::Receiver<Arc<Face>>,
        words: Arc<Words>,
        clock: Clock,
        key: TokenKey,
    ) -> Self {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Portal(Arc::new(Inner { door, face, words, clock, key, drawn: Mutex::default(), policy }))
    }

    /// Answers one request; never fails, whatever was sent.
    pub async fn answer<B>(&self, request: http::Request<B>, at: At) -> Page
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<std::boxed::Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let face = self.0.face.borrow().clone();
        // The absolute form wins over the Host field (RFC 9112, section 3.2.2).
        let host = parts
            .uri
            .authority()
            .map(|a| a.as_str().to_owned())
            .or_else(|| text(&parts.headers, header::HOST).map(str::to_owned))
            .unwrap_or_default();
        if !hosts::is_own(&host, face.host.as_deref(), at.local.ip()) {
            let wanted = parts.uri.path_and_query().map_or("/", |p| p.as_str());
            let to = (parts.method == Method::GET).then(|| hosts::asked(&host, wanted)).flatten();
            return self.send_to_portal(&face, at, to.as_deref());
        }
        let query = parts.uri.query().unwrap_or_default();
        let lang =
            form::field(query, "lang").as_deref().and_then(Lang::parse).unwrap_or_else(|| {
                match text(&parts.headers, header::ACCEPT_LANGUAGE) {
                    None => face.first,
                    some => Lang::accepted(some),
                }
            });
        let ip = at.peer.ip().to_canonical();
        let head = parts.method == Method::HEAD;
        let mut ask = Ask { at, ip, lang, query, face, head };
        let reads = head || parts.method == Method::GET;
        match (parts.uri.path(), reads, parts.method == Method::POST) {
            ("/", true, _) => self.front(&ask, false).await,
            ("/status", true, _) => self.front(&ask, true).await,
            ("/privacy", true, _) => self.privacy(&ask).await,
            (captive::PATH, true, _) if at.secure => self.api(&ask).await,
            ("/accept", _, true) => match self.read_form(&mut ask, &parts.headers, body).await {
                Ok(form) => self.accept(&ask, &form).await,
                Err(refused) => refused,
            },
            ("/logout", _, true) => match self.read_form(&mut ask, &parts.headers, body).await {
                Ok(form) => self.log_out(&ask, &form).await,
                Err(refused) => refused,
            },
            ("/" | "/status" | "/privacy", ..) => self.not_allowed(&ask, "GET, HEAD"),
            ("/accept" | "/logout", true, _) => self.see_other(&ask, "/", &[]),
            ("/accept" | "/logout", ..) => self.not_allowed(&ask, "POST"),
            _ => self.say(&ask, StatusCode::NOT_FOUND, "not-found"),
        }
    }

    /// `/` and `/status`: the welcome page, or the session's page for who is online.
    async fn front(&self, ask: &Ask<'_>, status: bool) -> Page {
        let who = self.0.door.who(ask.ip).await;
        let to = form::field(ask.query, "to").and_then(|to| hosts::checked(&to));
        let token = self.0.key.issue(device(who.as_ref(), ask.ip), self.0.clock.now());
        if let Some(session) = who.and_then(|w| w.session) {
            let address =
                hosts::portal_host(ask.face.host.as_deref(), ask.at.local.ip(), ask.face.lan4, ask.face.port);
            let page = self.view(ask).online(&session, &token, to.as_deref(), &address);
            return self.page(ask, StatusCode::OK, page.into());
        }
        let gone = !status && form::field(ask.query, "bye").is_some();
        if to.is_none() && !gone {
            return self.page(ask, StatusCode::OK, self.drawn_welcome(ask, &token));
        }
        let news = gone.then(|| self.0.words.text(ask.lang, "portal-logged-out"));
        let page = self.view(ask).welcome(&token, to.as_deref(), news);
        self.page(ask, StatusCode::OK, page.into())
    }

    async fn privacy(&self, ask: &Ask<'_>) -> Page {
        let mac = self.0.door.who(ask.ip).await.map(|w| w.mac);
        self.page(ask, StatusCode::OK, self.view(ask).privacy(mac).into())
    }

    /// RFC 8908: how things stand for the device that asks.
    async fn api(&self, ask: &Ask<'_>) -> Page {
        let session = self.0.door.who(ask.ip).await.and_then(|w| w.session);
        let host = hosts::portal_host(ask.face.host.as_deref(), ask.at.local.ip(), ask.face.lan4, 80);
        let left_ms = session.as_ref().map(|s| s.ends_at.since_ms(self.0.clock.now()).max(0));
        let document = Captive {
            captive: session.is_none(),
            user_portal_url: Some(format!("https://{host}/")),
            venue_info_url: Some(ask.face.place_url.clone()).filter(|u| u.starts_with("https://")),
            can_extend_session: session.is_some().then_some(false),
            seconds_remaining: left_ms.and_then(|ms| u64::try_from(ms / 1000).ok()),
            bytes_remaining: None,
        };
        let mut answer = Response::new(Full::new(Bytes::from(document.to_json())));
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(captive::MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
        answer
    }

    async fn accept(&self, ask: &Ask<'_>, body: &str) -> Page {
        let who = self.0.door.who(ask.ip).await;
        let to = form::field(body, "to").and_then(|to| hosts::checked(&to));
        let token = form::field(body, "token").unwrap_or_default();
        let terms = form::field(body, "terms").and_then(|t| t.parse::<u32>().ok());
        let device = device(who.as_ref(), ask.ip);
        let sound = self.0.key.holds(&token, device, self.0.clock.now());
        // Consent is to the terms that were on the page, so they must be today's.
        if !sound || terms != Some(ask.face.terms_version) {
            let token = self.0.key.issue(device, self.0.clock.now());
            let news = self.0.words.text(ask.lang, "portal-expired");
            let page = self.view(ask).welcome(&token, to.as_deref(), Some(news));
            return self.page(ask, StatusCode::FORBIDDEN, page.into());
        }
        let asked = Admission {
            ip: ask.ip,
            way_in: WayIn::ClickThrough,
            terms,
            language: ask.lang.code().to_owned(),
        };
        match self.0.door.admit(asked).await {
            Ok(_) => {
                let onward: Vec<(&str, &str)> = to.iter().map(|to| ("to", to.as_str())).collect();
                self.see_other(ask, "/status", &onward)
            }
            Err(refusal) => self.refused(ask, &refusal),
        }
    }

    async fn log_out(&self, ask: &Ask<'_>, body: &str) -> Page {
        let who = self.0.door.who(ask.ip).await;
        let token = form::field(body, "token").unwrap_or_default();
        if !self.0.key.holds(&token, device(who.as_ref(), ask.ip), self.0.clock.now()) {
            return self.see_other(ask, "/status", &[]);
        }
        match self.0.door.log_out(ask.ip).await {
            Err(refusal) if refusal.code != "not-online" => self.refused(ask, &refusal),
            _ => self.see_other(ask, "/", &[("bye", "1")]),
        }
    }

    async fn read_form<B>(&self, ask: &mut Ask<'_>, headers: &HeaderMap, body: B) -> Result<String, Page>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<std::boxed::Box<dyn std::error::Error + Send + Sync>>,
    {
        if text(headers, "sec-fetch-site").is_some_and(|s| s == "cross-site") {
            return Err(self.see_other(ask, "/", &[]));
        }
        let whole = Box::pin(Limited::new(body, LARGEST_FORM).collect());
        match self.0.clock.at_most(FORM_MS, whole).await {
            Some(Ok(form)) => {
                let form = String::from_utf8_lossy(&form.to_bytes()).into_owned();
                ask.lang = form::field(&form, "lang").as_deref().and_then(Lang::parse).unwrap_or(ask.lang);
                Ok(form)
            }
            _ => Err(self.say(ask, StatusCode::PAYLOAD_TOO_LARGE, "too-large")),
        }
    }

    fn refused(&self, ask: &Ask<'_>, refusal: &Refusal) -> Page {
        let what = match refusal.code {
            "device-unknown" => "stranger",
            "device-blocked" => "blocked",
            "site-closed" => "closed",
            "site-full" => "full",
            _ => "trouble",
        };
        tracing::debug!(code = refusal.code, "not let in");
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::FORBIDDEN);
        self.say(ask, status, what)
    }

    /// A page that says one thing; `what` names its words.
    fn say(&self, ask: &Ask<'_>, status: StatusCode, what: &str) -> Page {
        let heading = format!("portal-{what}-heading");
        let line = self.0.words.text(ask.lang, &format!("portal-{what}")).to_owned();
        let again = matches!(what, "stranger" | "full" | "trouble" | "closed");
        let back = if again { "portal-retry" } else { "portal-back" };
        let page = self.view(ask).message(&heading, vec![line], back);
        self.page(ask, status, page.into())
    }

    fn not_allowed(&self, ask: &Ask<'_>, allow: &'static str) -> Page {
        let mut page = self.say(ask, StatusCode::METHOD_NOT_ALLOWED, "method");
        page.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        page
    }

    fn see_other(&self, ask: &Ask<'_>, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut place = format!("{path}?lang={}", ask.lang.code());
        for (name, value) in fields {
            place.push_str(&format!("&{name}={}", form::encode(value)));
        }
        redirect(StatusCode::SEE_OTHER, &place)
    }

    /// Sends a device that asked for anything else to the portal; never a success.
    fn send_to_portal(&self, face: &Face, at: At, to: Option<&str>) -> Page {
        let host = hosts::portal_host(face.host.as_deref(), at.local.ip(), face.lan4, face.port);
        let query = to.map(|to| format!("?to={}", form::encode(to))).unwrap_or_default();
        let mut answer = redirect(StatusCode::FOUND, &format!("http://{host}/{query}"));
        // The connection was captured: after admission the same host must be asked anew.
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        answer
    }

    fn view<'a>(&'a self, ask: &'a Ask<'_>) -> View<'a> {
        View { face: &ask.face, words: &self.0.words, lang: ask.lang, now: self.0.clock.wall() }
    }

    /// The welcome page, drawn once a minute and language.
    fn drawn_welcome(&self, ask: &Ask<'_>, token: &str) -> Bytes {
        let minute = self.0.clock.now().ms().div_euclid(60_000);
        let mut drawn = self.0.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let same = drawn.minute == minute && drawn.face.as_ref().is_some_and(|f| Arc::ptr_eq(f, &ask.face));
        if !same {
            *drawn = Drawn { face: Some(ask.face.clone()), minute, halves: [None, None] };
        }
        let [id, en] = &mut drawn.halves;
        let slot = if ask.lang == Lang::Id { id } else { en };
        let (before, after) = slot.get_or_insert_with(|| {
            let (before, after) = self.view(ask).welcome_halves();
            (before.into(), after.into())
        });
        let mut page = Vec::with_capacity(before.len() + token.len() + after.len());
        page.extend_from_slice(before);
        page.extend_from_slice(token.as_bytes());
        page.extend_from_slice(after);
        page.into()
    }

    fn page(&self, ask: &Ask<'_>, status: StatusCode, body: Bytes) -> Page {
        let length = body.len();
        let mut page = Response::new(Full::new(if ask.head { Bytes::new() } else { body }));
        *page.status_mut() = status;
        let headers = page.headers_mut();
        let fixed = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_LANGUAGE, ask.lang.code()),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "same-origin"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.0.policy.clone());
        page
    }
}

fn redirect(status: StatusCode, place: &str) -> Page {
    let mut answer = Response::new(Full::new(Bytes::new()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    if let Ok(place) = HeaderValue::try_from(place) {
        headers.insert(header::LOCATION, place);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

fn device(who: Option<&Who>, ip: IpAddr) -> Device {
    who.map_or(Device::Ip(ip), |w| Device::Mac(w.mac))
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}
