//! An upstream that is asked over TLS, played by the test with a certificate of its own CA.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use kulkul_gateway::clock::Clock;
use kulkul_gateway::dns::upstream::{AskError, Question, Upstreams};
use kulkul_gateway::dns::{Server, Servers};
use kulkul_wire::dns::{self, RecordType, ResponseCode, Wants, address_record};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Answers every name with one address; closes each connection after `questions`. Counts connections.
async fn upstream(ca: &Path, name: &str, questions: u32) -> (SocketAddr, Arc<AtomicU32>) {
    let authority = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    std::fs::write(ca, params.self_signed(&authority).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, authority);
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (at, met) = (listener.local_addr().unwrap(), Arc::new(AtomicU32::new(0)));
    let count = met.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                for _ in 0..questions {
                    let Ok(length) = stream.read_u16().await else { return };
                    let mut question = vec![0; usize::from(length)];
                    stream.read_exact(&mut question).await.unwrap();
                    let ask = dns::read_ask(&question).unwrap();
                    let record = address_record(&ask.name, "203.0.113.7".parse().unwrap(), 300).unwrap();
                    let answer = dns::answer(&ask, ResponseCode::NoError, &[record], &[], 65_535);
                    stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                    stream.write_all(&answer).await.unwrap();
                    stream.flush().await.unwrap();
                }
            });
        }
    });
    (at, met)
}

const QUESTION: Question<'static> = Question {
    name: "example.org.",
    kind: RecordType::A,
    wants: Wants { dnssec: false, unchecked: false, authentic: false },
};

fn servers(at: SocketAddr, name: &str, ca: &Path) -> Servers {
    Servers { all: vec![Server { at, tls: Some(name.to_owned()) }], ca: Some(ca.to_owned()) }
}

#[tokio::test]
async fn a_connection_serves_many_questions_and_is_made_anew_when_it_was_closed() {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    let (at, met) = upstream(&ca, "dns.test", 3).await;
    let (asks, clock) = (Upstreams::default(), Clock::machine());
    let servers = servers(at, "dns.test", &ca);
    for n in 1..=7_u32 {
        let answer = asks.ask(&servers, QUESTION, &clock).await.unwrap();
        assert_eq!(answer.addresses().next(), Some("203.0.113.7".parse().unwrap()), "{n}");
        assert_eq!(met.load(Ordering::SeqCst), n.div_ceil(3), "{n}");
    }
}

#[tokio::test]
async fn another_name_and_another_ca_are_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (ca, other) = (dir.path().join("ca.pem"), dir.path().join("other.pem"));
    let (at, met) = upstream(&ca, "dns.test", 3).await;
    upstream(&other, "dns.test", 3).await;
    let (asks, clock) = (Upstreams::default(), Clock::machine());
    for servers in [servers(at, "evil.test", &ca), servers(at, "dns.test", &other)] {
        let refused = asks.ask(&servers, QUESTION, &clock).await;
        assert!(matches!(refused, Err(AskError::Silent)), "{refused:?}");
    }
    assert_eq!(met.load(Ordering::SeqCst), 0);
}
