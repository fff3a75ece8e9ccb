//! The line, names, the hub, and the time.

use super::Finding;
use crate::clock::Clock;
use crate::config::Config;
use crate::dns::settings::FilterSettings;
use crate::dns::{Settings, upstream};
use crate::probe::{Targets, ping};
use kulkul_model::Moment;
use kulkul_wire::dns::RecordType;
use std::error::Error as _;

const PATIENCE_MS: i64 = 8_000;
/// A clock that is off by more than this is a reason to look, in seconds.
const APART_S: i64 = 120;
/// More lost packets than this are a reason to look, in percent.
const LOSS_PERCENT: u32 = 20;

/// Whether names outside can be looked up.
pub(super) async fn names(config: &Config, clock: &Clock) -> Finding {
    let targets = Targets::of(config, None);
    let servers = Settings::of(config, None, FilterSettings::default()).servers();
    let name = targets.name.unwrap_or_else(|| ".".to_owned());
    let kind = if name == "." { RecordType::NS } else { RecordType::A };
    match upstream::ask(&servers, &name, kind, clock).await {
        Ok(_) => Finding::good("doctor-names-good"),
        Err(error) => Finding::bad("doctor-names-bad", "doctor-names-mend").with("why", error),
    }
}

/// Whether the outside anchors answer pings.
pub(super) async fn line(config: &Config, clock: &Clock) -> Finding {
    let [a, b] = Targets::of(config, None).anchors;
    let (a, b) = tokio::join!(ping::five(a, None, clock), ping::five(b, None, clock));
    let (sent, lost) = (u32::from(a.sent) + u32::from(b.sent), u32::from(a.lost) + u32::from(b.lost));
    let rtt_us = [a.rtt_us, b.rtt_us].into_iter().filter(|us| *us > 0).min().unwrap_or(0);
    let found = if sent > 0 && lost == sent {
        Finding::bad("doctor-line-bad", "doctor-line-mend")
    } else if lost * 100 > sent * LOSS_PERCENT {
        Finding::warning("doctor-line-warning", "doctor-line-mend")
    } else {
        Finding::good("doctor-line-good")
    };
    found.with("rtt", rtt_us.div_ceil(1000)).with("lost", lost).with("sent", sent)
}

/// What the hub says, and how far its clock is from ours.
pub(super) struct HubFound {
    pub(super) reached: Finding,
    pub(super) seconds_apart: Option<i64>,
}

/// Whether the hub is reached, is who it says, and what time it has.
pub(super) async fn hub(config: &Config, clock: &Clock) -> HubFound {
    let bad = |key, mend, why: String| HubFound {
        reached: Finding::bad(key, mend).with("why", why),
        seconds_apart: None,
    };
    let client = match client(config) {
        Ok(client) => client,
        Err(why) => return bad("doctor-hub-certificate-bad", "doctor-hub-certificate-mend", why),
    };
    let url = format!("{}/healthz", config.hub.trim_end_matches('/'));
    match clock.at_most(PATIENCE_MS, Box::pin(client.get(url).send())).await {
        Some(Ok(answer)) => {
            let date =
                answer.headers().get(http::header::DATE).and_then(|d| d.to_str().ok()).and_then(read_date);
            let seconds_apart = date.map(|hub| hub.since_ms(clock.now()) / 1000);
            HubFound { reached: Finding::good("doctor-hub-good"), seconds_apart }
        }
        Some(Err(error)) => {
            let mut why = error.to_string();
            let mut inner = error.source();
            while let Some(cause) = inner {
                why = cause.to_string();
                inner = cause.source();
            }
            if why.contains("certificate") {
                bad("doctor-hub-certificate-bad", "doctor-hub-certificate-mend", why)
            } else {
                bad("doctor-hub-bad", "doctor-hub-mend", why)
            }
        }
        None => bad("doctor-hub-bad", "doctor-hub-mend", "no answer".to_owned()),
    }
}

fn client(config: &Config) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    if let Some(path) = &config.hub_ca {
        let pem = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| e.to_string())?;
        builder = builder.tls_certs_only(authorities);
    }
    builder.build().map_err(|e| e.to_string())
}

/// Reads an HTTP date (RFC 9110, section 5.6.7): `Tue, 24 Nov 2026 06:32:00 GMT`.
fn read_date(text: &str) -> Option<Moment> {
    let mut parts = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|m| *m == month)? + 1;
    Moment::parse(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

/// Whether the box knows what time it is.
pub(super) fn clock(clock: &Clock, seconds_apart: Option<i64>) -> Finding {
    match seconds_apart.map(i64::abs) {
        _ if !clock.is_set() => Finding::bad("doctor-clock-bad", "doctor-clock-mend"),
        Some(apart) if apart > APART_S => {
            Finding::warning("doctor-clock-warning", "doctor-clock-mend").with("seconds", apart)
        }
        _ => Finding::good("doctor-clock-good"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_is_read() {
        let date = read_date("Tue, 24 Nov 2026 06:32:00 GMT").unwrap();
        assert_eq!(date.to_string(), "2026-11-24T06:32:00Z");
        assert_eq!(read_date("yesterday"), None);
        assert_eq!(read_date("Tue, 24 Foo 2026 06:32:00 GMT"), None);
    }
}
