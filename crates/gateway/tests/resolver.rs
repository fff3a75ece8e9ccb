//! The resolver between a device and an upstream that the test plays itself.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use kulkul_gateway::clock::Clock;
use kulkul_gateway::dns::serve::Sockets;
use kulkul_gateway::dns::{Orders, Over, Resolver, Server, Settings, serve};
use kulkul_wire::dns::{self, Record, RecordType, ResponseCode, Sent, address_record};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// An upstream that knows a few names and counts what it is asked.
struct Upstream {
    at: SocketAddr,
    asked: Arc<AtomicU32>,
}

fn records(name: &str) -> Vec<Record> {
    let record = |ip: &str| address_record(name, ip.parse().unwrap(), 300).unwrap();
    match name {
        "public.example." => vec![record("203.0.113.7")],
        "rebind.example." => vec![record("10.77.0.1"), record("203.0.113.8")],
        "many.example." => (1..=200).map(|n| record(&format!("203.0.113.{n}"))).collect(),
        _ => Vec::new(),
    }
}

fn said(question: &[u8], limit: usize) -> Vec<u8> {
    let ask = dns::read_ask(question).unwrap();
    match ask.name.as_str() {
        "gone.example." => dns::answer(&ask, ResponseCode::NXDomain, &[], &[], limit),
        name => dns::answer(&ask, ResponseCode::NoError, &records(name), &[], limit),
    }
}

impl Upstream {
    /// `lies` first sends two answers that somebody else might have forged.
    async fn start(lies: bool) -> Upstream {
        // The port must be free for both; another test may hold it for one.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let at = udp.local_addr().unwrap();
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            loop {
                let (length, peer) = udp.recv_from(&mut buffer).await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let good = said(&buffer[..length], 1232);
                if lies {
                    let ask = dns::read_ask(&buffer[..length]).unwrap();
                    let forged = [address_record(&ask.name, "198.51.100.66".parse().unwrap(), 300).unwrap()];
                    let mut wrong_id = dns::answer(&ask, ResponseCode::NoError, &forged, &[], 1232);
                    wrong_id[0] ^= 0x55;
                    udp.send_to(&wrong_id, peer).await.unwrap();
                    // Right id, but not the spelling that was asked for.
                    let mut wrong_case = dns::answer(&ask, ResponseCode::NoError, &forged, &[], 1232);
                    for byte in &mut wrong_case[13..16] {
                        *byte ^= 0x20;
                    }
                    udp.send_to(&wrong_case, peer).await.unwrap();
                }
                udp.send_to(&good, peer).await.unwrap();
            }
        });
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = tcp.accept().await.unwrap();
                let length = stream.read_u16().await.unwrap();
                let mut question = vec![0; usize::from(length)];
                stream.read_exact(&mut question).await.unwrap();
                let answer = said(&question, 65_535);
                stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                stream.write_all(&answer).await.unwrap();
            }
        });
        Upstream { at, asked }
    }
}

fn settings(upstreams: &[SocketAddr]) -> Arc<Settings> {
    Arc::new(Settings {
        networks: ["10.77.0.1/16", "fd77::1/64"].map(|n| n.parse().unwrap()).into(),
        own_names: vec!["portal.test.".to_owned()],
        upstreams: upstreams.iter().map(|at| Server::plain(*at)).collect(),
        ..Settings::default()
    })
}

fn resolver(upstreams: &[SocketAddr]) -> (Resolver, watch::Sender<Arc<Orders>>) {
    let (told, seen) = watch::channel(Arc::new(Orders::open((*settings(upstreams)).clone(), None)));
    (Resolver::new(seen, Clock::machine()), told)
}

const STRANGER: &str = "10.77.0.9:4000";
const BOX: &str = "127.0.0.1:4000";

async fn asked(
    resolver: &Resolver,
    peer: &str,
    name: &str,
    kind: RecordType,
    over: Over,
) -> (dns::Answer, usize) {
    let (sent, question): (Sent, Vec<u8>) = dns::ask(name, kind, 0xfeed_beef).unwrap();
    let bytes = resolver.answer(&question, peer.parse().unwrap(), over).await.unwrap();
    (dns::read_answer(&bytes, &sent).unwrap(), bytes.len())
}

#[tokio::test]
async fn an_answer_is_fetched_once_and_kept() {
    let upstream = Upstream::start(false).await;
    let (resolver, _told) = resolver(&[upstream.at]);
    for _ in 0..3 {
        let (answer, _) = asked(&resolver, STRANGER, "Public.Example.", RecordType::A, Over::Udp).await;
        assert_eq!(answer.addresses().next(), Some("203.0.113.7".parse().unwrap()));
    }
    let (gone, _) = asked(&resolver, STRANGER, "gone.example.", RecordType::A, Over::Udp).await;
    assert_eq!(gone.code, ResponseCode::NXDomain);
    asked(&resolver, STRANGER, "gone.example.", RecordType::A, Over::Udp).await;
    assert_eq!(upstream.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn forged_answers_are_passed_over() {
    let upstream = Upstream::start(true).await;
    let (resolver, _told) = resolver(&[upstream.at]);
    let (answer, _) = asked(&resolver, STRANGER, "public.example.", RecordType::A, Over::Udp).await;
    let addresses: Vec<_> = answer.addresses().map(|ip| ip.to_string()).collect();
    assert_eq!(addresses, ["203.0.113.7"]);
}

#[tokio::test]
async fn before_admission_answers_are_few_kinds_and_small() {
    let upstream = Upstream::start(false).await;
    let (resolver, _told) = resolver(&[upstream.at]);
    let (text, _) = asked(&resolver, STRANGER, "public.example.", RecordType::TXT, Over::Udp).await;
    assert_eq!((text.code, text.records.len()), (ResponseCode::NoError, 0));
    assert_eq!(upstream.asked.load(Ordering::SeqCst), 0, "not even asked for");
    for over in [Over::Udp, Over::Tcp] {
        let (cut, length) = asked(&resolver, STRANGER, "many.example.", RecordType::A, over).await;
        assert!(cut.truncated && length <= 512, "{over:?} {length}");
    }
    let (whole, _) = asked(&resolver, BOX, "many.example.", RecordType::A, Over::Tcp).await;
    assert_eq!(whole.records.len(), 200, "fetched by TCP since it was cut in UDP");
    let mut answered = 0;
    let (_, question) = dns::ask("public.example.", RecordType::A, 1).unwrap();
    for _ in 0..100 {
        answered +=
            usize::from(resolver.answer(&question, STRANGER.parse().unwrap(), Over::Udp).await.is_some());
    }
    assert!((5..=40).contains(&answered), "{answered} of 100 at once");
}

#[tokio::test]
async fn outside_names_never_point_inside_unless_listed() {
    let upstream = Upstream::start(false).await;
    let (resolver, told) = resolver(&[upstream.at]);
    let (answer, _) = asked(&resolver, BOX, "rebind.example.", RecordType::A, Over::Udp).await;
    assert_eq!(answer.addresses().collect::<Vec<_>>(), ["203.0.113.8".parse::<std::net::IpAddr>().unwrap()]);
    let mut listed = (*settings(&[upstream.at])).clone();
    listed.private_names = vec!["example.".to_owned()];
    let next = Orders::open(listed, Some(&told.borrow()));
    told.send_replace(Arc::new(next));
    let (answer, _) = asked(&resolver, BOX, "many.example.", RecordType::A, Over::Udp).await;
    assert!(answer.truncated);
}

#[tokio::test]
async fn own_names_are_answered_and_strangers_from_elsewhere_are_not() {
    let (resolver, _told) = resolver(&[]);
    for (kind, ip) in [(RecordType::A, "10.77.0.1"), (RecordType::AAAA, "fd77::1")] {
        let (answer, _) = asked(&resolver, STRANGER, "Portal.Test", kind, Over::Udp).await;
        assert_eq!(answer.addresses().next(), Some(ip.parse().unwrap()));
    }
    let (_, question) = dns::ask("portal.test.", RecordType::A, 1).unwrap();
    assert!(resolver.answer(&question, "203.0.113.9:53".parse().unwrap(), Over::Udp).await.is_none());
    let (failed, _) = asked(&resolver, STRANGER, "public.example.", RecordType::A, Over::Udp).await;
    assert_eq!(failed.code, ResponseCode::ServFail, "no server is known");
}

#[tokio::test]
async fn a_second_server_is_asked_when_the_first_is_silent() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let upstream = Upstream::start(false).await;
    let (resolver, _told) = resolver(&[silent.local_addr().unwrap(), upstream.at]);
    let (answer, _) = asked(&resolver, STRANGER, "public.example.", RecordType::A, Over::Udp).await;
    assert_eq!(answer.code, ResponseCode::NoError);
}

#[tokio::test]
async fn real_sockets_answer_over_udp_and_tcp_and_survive_rubbish() {
    let upstream = Upstream::start(false).await;
    let (resolver, _told) = resolver(&[upstream.at]);
    let sockets = Sockets::open(0).unwrap();
    let port = sockets.udp.local_addr().unwrap().as_socket().unwrap().port();
    let (clock, stop) = (Clock::machine(), CancellationToken::new());
    let serving = tokio::spawn(serve::serve(sockets, resolver, clock.clone(), stop.clone()));
    let device = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    device.connect(("127.0.0.1", port)).await.unwrap();
    for rubbish in [&b""[..], b"x", &[0xff; 600], &[0; 12]] {
        device.send(rubbish).await.unwrap();
    }
    let (sent, question) = dns::ask("public.example.", RecordType::A, 0xabc_def0).unwrap();
    device.send(&question).await.unwrap();
    let mut buffer = [0; 2048];
    let answer = async {
        loop {
            let length = device.recv(&mut buffer).await.unwrap();
            if let Some(answer) = dns::read_answer(&buffer[..length], &sent) {
                return answer;
            }
        }
    };
    assert_eq!(clock.at_most(10_000, Box::pin(answer)).await.unwrap().records.len(), 1);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    for _ in 0..2 {
        stream.write_u16(u16::try_from(question.len()).unwrap()).await.unwrap();
        stream.write_all(&question).await.unwrap();
        let length = stream.read_u16().await.unwrap();
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await.unwrap();
        assert!(dns::read_answer(&answer, &sent).is_some());
    }
    stop.cancel();
    serving.await.unwrap().unwrap();
}
