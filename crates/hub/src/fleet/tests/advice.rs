//! When to renew by the authority's advice (ARI, RFC 9773), asked of a fake that says that it is one.
//!
//! Debian's authority for tests gives no advice yet; this one gives nothing else.

use super::*;
use crate::fleet::certificates;
use axum::Router;
use axum::extract::Path;
use axum::routing::{get, post};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use kulkul_store::certificate;
use kulkul_wire::link::CertificateRequest;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use serde_json::json;
use std::sync::{Arc, Mutex};

/// What the fake was asked, and the window that it says.
#[derive(Clone, Default)]
struct Fake {
    window: Arc<Mutex<(String, String)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Serves over TLS by a CA in a file; gives the directory's address.
    async fn serve(&self, ca: &std::path::Path) -> String {
        let (root, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        std::fs::write(ca, params.self_signed(&root).unwrap().pem()).unwrap();
        let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let own = own.signed_by(&key, &Issuer::new(params, root)).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let (acceptor, router) = (tokio_rustls::TlsAcceptor::from(Arc::new(config)), self.router(&base));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                let service = TowerToHyperService::new(router.clone());
                tokio::spawn(async move {
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    builder.serve_connection(TokioIo::new(stream), service).await.ok();
                });
            }
        });
        format!("{base}/dir")
    }

    fn router(&self, base: &str) -> Router {
        let at = |path: &str| format!("{base}{path}");
        let directory = json!({
            "newNonce": at("/nonce"), "newAccount": at("/account"), "newOrder": at("/order"),
            "renewalInfo": at("/advice"), "meta": {"website": "this is a fake"},
        });
        let (account, fake) = (at("/account/1"), self.clone());
        let nonce = [("replay-nonce", "bm9uY2U")];
        let advice = async move |Path(id): Path<String>| {
            fake.asked.lock().unwrap().push(id);
            let (start, end) = fake.window.lock().unwrap().clone();
            let said = json!({"suggestedWindow": {"start": start, "end": end}});
            ([("retry-after", "21600")], axum::Json(said))
        };
        Router::new()
            .route("/dir", get(async move || axum::Json(directory)))
            .route("/nonce", get(async move || (nonce, "")))
            .route("/account", post(async move || (StatusCode::CREATED, [("location", account)], "{}")))
            .route("/advice/{id}", get(advice))
    }

    fn say(&self, start: Moment, end: Moment) {
        *self.window.lock().unwrap() = (start.to_string(), end.to_string());
    }
}

#[tokio::test]
async fn a_portal_is_renewed_when_the_authority_advises() {
    on_a_hub(|h| async move {
        let mut b = h.enrolled(1, "BJ-001").await;
        let host = format!("bj-001.{PORTALS}");
        let params = CertificateParams::new(vec![host]).unwrap();
        let csr = params.serialize_request(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let entry = b.seal(&Entry::CertificateRequest(CertificateRequest { csr }));
        h.deliver(&b.enrolled.gateway, &[entry.bytes.as_slice()]).await;
        assert_eq!(certificates::round(&h.hub).await.unwrap(), 1);

        let dir = tempfile::tempdir().unwrap();
        let (fake, mut config) = (Fake::default(), h.hub.config().clone());
        config.data = dir.path().to_owned();
        config.acme.ca = Some(dir.path().join("ca.pem"));
        config.acme.directory = fake.serve(&dir.path().join("ca.pem")).await;
        config.acme.hook = Some("/bin/true".into());
        let held = async || {
            let mut tx = h.hub.store().reader().await.unwrap();
            certificate::find(&mut tx, &b.enrolled.gateway).await.unwrap().unwrap()
        };
        let (authority, now, of) = (config.acme.directory.clone(), h.now(), held().await);
        // As if that authority had issued it.
        let told = h.hub.store().write(Lane::Page, move |tx| {
            Box::pin(async move {
                tx.execute("UPDATE certificate SET authority = $1", args![authority]).await?;
                certificate::advised(tx, &of, of.due_at, now).await
            })
        });
        told.await.unwrap();
        let hub = Hub::start(config, h.hub.clock().clone(), h.hub.store().clone()).unwrap();
        hub.fleet().keys().unwrap();
        certificates::settle(&hub).await.unwrap();
        let day = |n: i64| now.plus_ms(n * 86_400_000);
        fake.say(day(40), day(41));
        assert_eq!(certificates::round(&hub).await.unwrap(), 0);
        let first = held().await;
        assert!(day(40) <= first.due_at && first.due_at <= day(41), "{}", first.due_at);
        // The library counts from its own clock, and loses a moment on the way.
        let early_ms = now.plus_ms(21_600_000).since_ms(first.advice_at.unwrap());
        assert!((0..10_000).contains(&early_ms), "asked again when it said, not {early_ms} ms before");
        let id = fake.asked.lock().unwrap().last().unwrap().clone();
        assert!(id.split('.').count() == 2 && id.len() > 20, "the key's id and the serial number: {id}");

        // The same window leaves the moment; nobody is asked before it is time.
        h.hand.set(now.plus_ms(21_590_000));
        certificates::round(&hub).await.unwrap();
        assert_eq!(fake.asked.lock().unwrap().len(), 1);
        h.hand.set(now.plus_ms(21_600_000));
        certificates::round(&hub).await.unwrap();
        let due_at = held().await.due_at;
        assert_eq!((fake.asked.lock().unwrap().len(), due_at), (2, first.due_at));
        // The authority will revoke it soon: the window lies behind, and it is due at once.
        fake.say(day(-2), day(-1));
        h.hand.set(now.plus_ms(2 * 21_600_000));
        certificates::round(&hub).await.unwrap();
        assert!(held().await.due_at < now, "{}", held().await.due_at);
        // The fake issues nothing: the place keeps what it has.
        certificates::round(&hub).await.unwrap();
        let after = held().await;
        assert!(after.trouble.is_some() && after.chain == first.chain, "{:?}", after.trouble);
    })
    .await;
}
