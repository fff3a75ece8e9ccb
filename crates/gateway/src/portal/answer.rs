//! From a request to its answer: which page, which status, which headers.

mod first_boot;
mod local;
mod names;
mod standing;
mod ways;

use super::blocked::Filtered;
use super::desk::Desk;
use super::face::Face;
use super::pages::View;
use super::token::{Device, TokenKey};
use super::{Door, form, hosts};
use crate::access::Access;
use crate::clock::Clock;
use crate::first_boot::FirstBoot;
use crate::probe::Minutes;
use crate::supervisor::Who;
use crate::words::{Lang, Words};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use kulkul_model::measurement::Verdict;
use kulkul_model::session::WayIn;
use kulkul_wire::captive;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The largest form that is read, in bytes.
const LARGEST_FORM: usize = 4096;
/// A measurement older than this says nothing of now, milliseconds.
const FRESH_MS: i64 = 180_000;
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
    desk: Option<Arc<Desk>>,
    minutes: Option<Minutes>,
    filtered: Option<Arc<Filtered>>,
    access: Option<Access>,
    first_boot: Option<Arc<FirstBoot>>,
}

/// What a portal has besides its door; a box that is on its own takes no reports.
#[derive(Clone, Default)]
pub struct Extras {
    /// Takes reports.
    pub desk: Option<Arc<Desk>>,
    /// The last minute's measurement.
    pub minutes: Option<Minutes>,
    /// Says why names are not answered.
    pub filtered: Option<Arc<Filtered>>,
    /// Says what vouchers, accounts and sessions elsewhere are worth; a box that is on its own has none.
    pub access: Option<Access>,
    /// Sets the box up, where it belongs to no place yet: nobody is let in then. Else its way out.
    pub first_boot: Option<Arc<FirstBoot>>,
}

/// Welcome pages of the current minute, in pieces between tokens, by language.
#[derive(Default)]
struct Drawn {
    face: Option<Arc<Face>>,
    minute: i64,
    pieces: [Option<Vec<Bytes>>; 2],
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
        extras: Extras,
    ) -> Self {
        let Extras { desk, minutes, filtered, access, first_boot } = extras;
        let drawn = Mutex::default();
        Portal(Arc::new(Inner {
            door,
            face,
            words,
            clock,
            key,
            drawn,
            desk,
            minutes,
            filtered,
            access,
            first_boot,
        }))
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
        if !hosts::is_own(&host, ask.face.host.as_deref(), at.local.ip()) {
            let wanted = parts.uri.path_and_query().map_or("/", |p| p.as_str());
            // The code on the wall leads to the hub: its page about this place is ours too.
            if let Some(code) =
                parts.uri.path().strip_prefix("/t/").filter(|_| hosts::is_at(&host, &ask.face.hub_url))
            {
                let place =
                    hosts::portal_host(ask.face.host.as_deref(), at.local.ip(), ask.face.lan4, ask.face.port);
                return away(&format!("http://{place}/t/{}", form::encode(&form::decode(code))));
            }
            let to = (parts.method == Method::GET).then(|| hosts::asked(&host, wanted)).flatten();
            if let Some(page) = to.as_ref().and_then(|_| self.under_a_blocked_name(&ask, &host)) {
                return page;
            }
            return self.send_to_portal(&ask.face, at, to.as_deref());
        }
        let setup = |boot: &Arc<FirstBoot>| boot.is_first() || parts.uri.path().starts_with("/setup");
        if let Some(boot) = self.0.first_boot.clone().filter(setup) {
            let form = match parts.method == Method::POST {
                false => None,
                true => match self.read_form(&mut ask, &parts.headers, "/", body).await {
                    Ok(form) => Some(form),
                    Err(refused) => return refused,
                },
            };
            return self.at_first_boot(&ask, &boot, parts.uri.path(), form.as_deref()).await;
        }
        match (parts.uri.path(), reads, parts.method == Method::POST) {
            ("/", true, _) => self.front(&ask, false).await,
            ("/status", true, _) => self.front(&ask, true).await,
            ("/privacy", true, _) => self.privacy(&ask).await,
            (captive::PATH, true, _) if at.secure => self.api(&ask).await,
            ("/names", true, _) => self.names(&ask),
            ("/report", true, _) => self.report_form(&ask).await,
            (path @ ("/accept" | "/voucher" | "/account" | "/logout" | "/renew" | "/report"), _, true) => {
                match self.read_form(&mut ask, &parts.headers, path, body).await {
                    Ok(form) => self.posted(&ask, path, &form).await,
                    Err(refused) => refused,
                }
            }
            ("/" | "/status" | "/privacy" | "/names", ..) => self.not_allowed(&ask, "GET, HEAD"),
            ("/accept" | "/voucher" | "/account" | "/logout" | "/renew", true, _) => {
                self.see_other(&ask, "/", &[])
            }
            ("/accept" | "/voucher" | "/account" | "/logout" | "/renew", ..) => {
                self.not_allowed(&ask, "POST")
            }
            ("/report", ..) => self.not_allowed(&ask, "GET, HEAD, POST"),
            (path, true, _) => match (path.strip_prefix("/t/"), path.strip_prefix("/report/")) {
                (Some(code), _) => self.at_code(&ask, code).await,
                (_, Some(number)) => self.reported(&ask, number),
                _ => self.say(&ask, StatusCode::NOT_FOUND, "not-found"),
            },
            _ => self.say(&ask, StatusCode::NOT_FOUND, "not-found"),
        }
    }

    async fn posted(&self, ask: &Ask<'_>, path: &str, form: &str) -> Page {
        match path {
            "/accept" => self.come_in(ask, WayIn::ClickThrough, form).await,
            "/voucher" => self.come_in(ask, WayIn::Voucher, form).await,
            "/account" => self.come_in(ask, WayIn::Account, form).await,
            "/renew" => self.renew(ask, form).await,
            "/report" => self.report(ask, form).await,
            _ => self.log_out(ask, form).await,
        }
    }

    async fn privacy(&self, ask: &Ask<'_>) -> Page {
        let mac = self.0.door.who(ask.ip).await.map(|w| w.mac);
        self.page(ask, StatusCode::OK, self.view(ask).privacy(mac).into())
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

    async fn read_form<B>(
        &self,
        ask: &mut Ask<'_>,
        headers: &HeaderMap,
        path: &str,
        body: B,
    ) -> Result<String, Page>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<std::boxed::Box<dyn std::error::Error + Send + Sync>>,
    {
        if text(headers, "sec-fetch-site").is_some_and(|s| s == "cross-site") {
            return Err(self.see_other(ask, "/", &[]));
        }
        let largest = if path == "/report" { local::LARGEST_REPORT } else { LARGEST_FORM };
        let whole = Box::pin(Limited::new(body, largest).collect());
        match self.0.clock.at_most(FORM_MS, whole).await {
            Some(Ok(form)) => {
                let form = String::from_utf8_lossy(&form.to_bytes()).into_owned();
                ask.lang = form::field(&form, "lang").as_deref().and_then(Lang::parse).unwrap_or(ask.lang);
                Ok(form)
            }
            _ => Err(self.say(ask, StatusCode::PAYLOAD_TOO_LARGE, "too-large")),
        }
    }

    /// A page that says one thing; `what` names its words.
    fn say(&self, ask: &Ask<'_>, status: StatusCode, what: &str) -> Page {
        let heading = format!("portal-{what}-heading");
        let line = self.0.words.text(ask.lang, &format!("portal-{what}")).to_owned();
        let again = matches!(what, "stranger" | "full" | "trouble");
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
        away(&format!("http://{host}/{query}"))
    }

    fn view<'a>(&'a self, ask: &'a Ask<'_>) -> View<'a> {
        let reports = self.0.desk.is_some();
        View { face: &ask.face, words: &self.0.words, lang: ask.lang, now: self.0.clock.wall(), reports }
    }

    /// What the last minute says of the line, while it is not older than a few.
    fn verdict(&self) -> Option<Verdict> {
        let (minute, _) = (*self.0.minutes.as_ref()?.borrow())?;
        let age_ms = self.0.clock.wall()?.since_ms(minute.at);
        (age_ms <= FRESH_MS).then(|| minute.verdict())
    }

    /// The welcome page, drawn once a minute and language.
    fn drawn_welcome(&self, ask: &Ask<'_>, token: &str) -> Bytes {
        let minute = self.0.clock.now().ms().div_euclid(60_000);
        let mut drawn = self.0.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let same = drawn.minute == minute && drawn.face.as_ref().is_some_and(|f| Arc::ptr_eq(f, &ask.face));
        if !same {
            *drawn = Drawn { face: Some(ask.face.clone()), minute, pieces: [None, None] };
        }
        let [id, en] = &mut drawn.pieces;
        let slot = if ask.lang == Lang::Id { id } else { en };
        let pieces = slot
            .get_or_insert_with(|| self.view(ask).welcome_pieces().into_iter().map(Bytes::from).collect());
        let length = pieces.iter().map(|p| p.len() + token.len()).sum();
        let mut page = Vec::with_capacity(length);
        for (n, piece) in pieces.iter().enumerate() {
            if n > 0 {
                page.extend_from_slice(token.as_bytes());
            }
            page.extend_from_slice(piece);
        }
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
        headers.insert(header::CONTENT_SECURITY_POLICY, ask.face.look.policy.clone());
        page
    }
}

/// Sends a captured request on to an address of the portal.
fn away(place: &str) -> Page {
    let mut answer = redirect(StatusCode::FOUND, place);
    // The connection was captured: after admission the same host must be asked anew.
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
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
