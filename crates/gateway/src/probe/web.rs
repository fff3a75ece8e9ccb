//! One page over plain HTTP, and the address of a name, both past our own cache.
//!
//! Plain on purpose: a provider that puts its own page in front does it there.

use super::elapsed_us;
use crate::clock::Clock;
use crate::dns::{Servers, upstream};
use crate::probe::targets::host_of;
use kulkul_model::measurement::ProbeResult;
use kulkul_wire::dns::RecordType;
use kulkul_wire::link::desired::HttpProbe;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long the page may take in all, in milliseconds.
const PATIENCE_MS: i64 = 5_000;
/// How much of an answer is read, in bytes.
const MOST: u64 = 16 * 1024;

/// The address behind a name, or the address itself; IPv4 first.
pub async fn resolve(host: &str, servers: &Servers, clock: &Clock) -> Option<IpAddr> {
    if let Ok(ip) = host.parse() {
        return Some(ip);
    }
    for kind in [RecordType::A, RecordType::AAAA] {
        let answer = upstream::ask(servers, host, kind, clock).await.ok()?;
        if let Some(ip) = answer.addresses().next() {
            return Some(ip);
        }
    }
    None
}

/// Fetches the page and compares it with what it should be.
///
/// Gives how it went and the time from the first packet to the answer's head, in
/// microseconds; the name's own look-up is not counted in.
pub async fn fetch(page: Option<&HttpProbe>, servers: &Servers, clock: &Clock) -> (ProbeResult, u32) {
    let Some(page) = page else { return (ProbeResult::NotTried, 0) };
    let host = host_of(&page.url);
    let Some(ip) = resolve(host, servers, clock).await else { return (ProbeResult::Silent, 0) };
    let began = clock.mono_us();
    match clock.at_most(PATIENCE_MS, Box::pin(get(&page.url, ip))).await {
        Some(Ok(answer)) if fits(&answer, page) => (ProbeResult::Good, elapsed_us(began, clock)),
        Some(Ok(answer)) if !answer.is_empty() => (ProbeResult::Wrong, 0),
        _ => (ProbeResult::Silent, 0),
    }
}

async fn get(url: &str, ip: IpAddr) -> io::Result<Vec<u8>> {
    let rest = url.strip_prefix("http://").ok_or(io::ErrorKind::InvalidInput)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let after_host = authority.rsplit(']').next().unwrap_or(authority);
    let port = after_host.rsplit_once(':').and_then(|(_, p)| p.parse().ok()).unwrap_or(80);
    let path = if path.is_empty() { "/" } else { path };
    let mut stream = TcpStream::connect(SocketAddr::new(ip, port)).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await?;
    Ok(answer)
}

fn fits(answer: &[u8], page: &HttpProbe) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let status = head.split(' ').nth(1).and_then(|s| s.parse::<u16>().ok());
    // A chunked body begins with its first chunk's length on a line of its own.
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { body.split_once("\r\n").map_or("", |(_, b)| b) } else { body };
    status == Some(page.status) && body.starts_with(&page.begins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn serving(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 1024];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        format!("http://{at}/ok")
    }

    #[tokio::test]
    async fn a_providers_notice_is_not_the_page() {
        let clock = Clock::machine();
        for (answer, status, begins, result) in [
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, "", ProbeResult::Good),
            ("HTTP/1.1 200 OK\r\n\r\nsuccess\n", 200, "success", ProbeResult::Good),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nsuccess\r\n0\r\n\r\n",
                200,
                "success",
                ProbeResult::Good,
            ),
            ("HTTP/1.1 200 OK\r\n\r\n<html>Tagihan belum dibayar", 200, "success", ProbeResult::Wrong),
            ("HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n", 204, "", ProbeResult::Wrong),
            ("rubbish", 204, "", ProbeResult::Wrong),
            ("", 204, "", ProbeResult::Silent),
        ] {
            let page = HttpProbe { url: serving(answer).await, status, begins: begins.to_owned() };
            let (got, us) = fetch(Some(&page), &Servers::default(), &clock).await;
            assert_eq!(got, result, "{answer:?}");
            assert_eq!(us > 0, result == ProbeResult::Good);
        }
        let nobody = HttpProbe { url: "http://127.0.0.1:1/".to_owned(), status: 204, begins: String::new() };
        assert_eq!(fetch(Some(&nobody), &Servers::default(), &clock).await.0, ProbeResult::Silent);
        assert_eq!(fetch(None, &Servers::default(), &clock).await.0, ProbeResult::NotTried);
    }
}
