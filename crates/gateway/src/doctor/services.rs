//! The gateway's own programs: the main process, rules, dnsmasq, resolver, portal.

use super::{Finding, date};
use crate::clock::Clock;
use crate::config::Config;
use crate::dns::upstream;
use crate::portal::own_certificate;
use crate::portal::tls::TlsError;
use crate::status::Status;
use crate::{dhcp, kept};
use kulkul_wire::dns::RecordType;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A certificate that ends within this is a reason to look, in milliseconds: 14 days.
const SOON_MS: i64 = 14 * 86_400_000;
const PATIENCE_MS: i64 = 3_000;

/// Whether the main process answers.
pub(super) fn program(status: Option<&Status>) -> Finding {
    match status {
        Some(_) => Finding::good("doctor-program-good"),
        None => Finding::bad("doctor-program-bad", "doctor-program-mend"),
    }
}

/// Whether public people are let in just now; that they are not may be as it should be.
pub(super) fn hours(status: Option<&Status>) -> Option<Finding> {
    let hours = status?.hours?;
    let until = hours.until.map(super::clock_time);
    Some(match (hours.open, until) {
        (true, _) => Finding::good("doctor-hours-open"),
        (false, Some(until)) => Finding::good("doctor-hours-closed").with("until", until),
        (false, None) => Finding::warning("doctor-hours-never", "doctor-hours-mend"),
    })
}

/// Whether a full line is shared evenly.
pub(super) fn share(status: Option<&Status>) -> Option<Finding> {
    let line = status?.share?;
    let good = Finding::good("doctor-share-good");
    Some(if line.shared { good } else { Finding::warning("doctor-share-warning", "doctor-share-mend") })
}

/// Whether nft works and our table is there.
pub(super) async fn rules() -> Finding {
    let asked = tokio::process::Command::new("nft")
        .args(["list", "table", "inet", "kulkul"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .await;
    let why = match asked {
        Ok(done) if done.status.success() => return Finding::good("doctor-rules-good"),
        Ok(done) => String::from_utf8_lossy(&done.stderr).lines().next().unwrap_or_default().to_owned(),
        Err(error) => format!("nft: {error}"),
    };
    Finding::bad("doctor-rules-bad", "doctor-rules-mend").with("why", why)
}

/// Whether dnsmasq runs; nothing where no segment serves addresses.
pub(super) fn dnsmasq(config: &Config) -> Option<Finding> {
    config.segments.iter().any(|s| s.dhcp).then(|| {
        let program = dhcp::program(&config.data);
        match kept::running(&program.pid_file, &program.mark) {
            Some(_) => Finding::good("doctor-dnsmasq-good"),
            None => Finding::bad("doctor-dnsmasq-bad", "doctor-dnsmasq-mend"),
        }
    })
}

/// Whether there are addresses left to give; one finding for each segment that has nearly none.
///
/// Somebody may take them all on purpose, or the network is too small for its people.
pub(super) fn addresses_left(config: &Config, clock: &Clock) -> Vec<Finding> {
    let leases = std::fs::read_to_string(dhcp::lease_file(&config.data)).unwrap_or_default();
    dhcp::given(&config.segments, &leases, clock.now().seconds())
        .filter(|(_, held, room)| dhcp::is_scarce(*held, *room))
        .map(|(segment, held, room)| {
            Finding::warning("doctor-leases-warning", "doctor-leases-mend")
                .with("segment", &segment.name)
                .with("held", held)
                .with("room", room)
        })
        .collect()
}

/// Whether our resolver answers a name that it knows itself.
pub(super) async fn resolver(config: &Config, clock: &Clock) -> Finding {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, config.dns.port));
    match upstream::ask(&vec![here].into(), "localhost.", RecordType::A, clock).await {
        Ok(_) => Finding::good("doctor-resolver-good"),
        Err(_) => Finding::bad("doctor-resolver-bad", "doctor-resolver-mend"),
    }
}

/// Whether the portal's page opens from the box itself.
pub(super) async fn portal(config: &Config, clock: &Clock) -> Finding {
    let port = config.portal.http_port;
    let page = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        std::io::Result::Ok(head)
    };
    let why = match clock.at_most(PATIENCE_MS, Box::pin(page)).await {
        Some(Ok(head)) if head.ends_with(b" 200") => {
            return Finding::good("doctor-portal-good");
        }
        Some(Ok(head)) => String::from_utf8_lossy(&head).into_owned(),
        Some(Err(error)) => error.to_string(),
        None => "no answer".to_owned(),
    };
    Finding::bad("doctor-portal-bad", "doctor-portal-mend").with("why", why).with("port", port)
}

/// Whether the box belongs to a place.
pub(super) fn claim(config: &Config, status: Option<&Status>) -> Finding {
    match status.and_then(|s| s.site.as_ref()) {
        Some(site) => Finding::good("doctor-claim-good").with("site", site),
        None if config.claim.is_some() => Finding::warning("doctor-claim-warning", "doctor-hub-mend"),
        None => Finding::bad("doctor-claim-bad", "doctor-claim-mend"),
    }
}

/// Whether the portal's certificate can be used; having none is all right.
pub(super) fn certificate(config: &Config, clock: &Clock) -> Finding {
    let given = config.portal.files();
    let mend = if given.is_some() { "doctor-certificate-mend" } else { "doctor-certificate-hub-mend" };
    let Some(files) = given.or_else(|| own_certificate::files(&config.data)) else {
        return Finding::good("doctor-certificate-none");
    };
    match files.load(clock.wall()) {
        Ok(ready) if ready.until.since_ms(clock.now()) < SOON_MS => {
            Finding::warning("doctor-certificate-warning", mend).with("until", date(ready.until))
        }
        Ok(ready) => Finding::good("doctor-certificate-good").with("until", date(ready.until)),
        Err(TlsError::NotNow { to, .. }) => {
            Finding::bad("doctor-certificate-warning", mend).with("until", date(to))
        }
        Err(TlsError::OtherName(name)) => Finding::bad("doctor-certificate-name", mend).with("name", name),
        Err(_) => Finding::bad("doctor-certificate-bad", mend),
    }
}
