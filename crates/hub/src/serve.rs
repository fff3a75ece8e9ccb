//! Serving: sockets, TLS, bounds on connections, and stopping within ten seconds.

use crate::Hub;
use crate::acme::{PROOF_PROTOCOL, own};
use crate::admin::Socket;
use crate::clock::within;
use crate::config::{Config, Tls};
use crate::open_files;
use crate::web::Peer;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Connections at once to `/metrics`, `/healthz` and `/readyz`.
const ADMIN_CONNECTIONS: usize = 64;

/// The hub cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("cannot use {path}: {detail}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

/// Bound sockets, ready to serve.
pub struct Server {
    hub: Hub,
    public: TcpListener,
    admin: TcpListener,
    tls: Option<TlsAcceptor>,
    link: Option<(TcpListener, TlsAcceptor)>,
}

impl Server {
    /// Binds the addresses of the hub's settings; port 0 takes a free one.
    ///
    /// # Errors
    /// `ServeError` names the address or the file.
    pub async fn bind(hub: &Hub) -> Result<Self, ServeError> {
        let config = hub.config();
        let tls = match hub.own_certificate() {
            Some(own) => Some(
                own.handshake()
                    .acceptor()
                    .map_err(|e| ServeError::Tls { path: config.data.join("keys"), detail: e.to_string() })?,
            ),
            None => config.tls.as_ref().map(acceptor).transpose()?,
        };
        let public = listen(config.listen).await?;
        let admin = listen(config.admin_listen).await?;
        let link = match config.link.listen {
            None => None,
            Some(address) => {
                let (cert, key) = (config.link.cert.clone(), config.link.key.clone());
                let tls = Tls { cert, key, acme: false };
                Some((listen(address).await?, acceptor(&tls)?))
            }
        };
        Ok(Server { hub: hub.clone(), public, admin, tls, link })
    }

    /// The address of pages, API and link.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.public.local_addr().unwrap_or(self.hub.config().listen)
    }

    /// The address of `/metrics`, `/healthz` and `/readyz`.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.local_addr().unwrap_or(self.hub.config().admin_listen)
    }

    /// Serves until the hub is told to stop, then lets running answers finish for 10 s at most.
    pub async fn run(self) {
        let connections = TaskTracker::new();
        let hub = self.hub;
        match Socket::bind(&hub.config().data) {
            Ok(socket) => drop(hub.tasks().spawn(socket.serve(hub.clone()))),
            // The service goes on; only commands beside it cannot reach it.
            Err(error) => tracing::warn!(%error, "commands of the command line cannot reach this hub"),
        }
        let certified = hub.clone();
        hub.tasks().spawn(async move {
            certified.stop().run_until_cancelled(own::run(&certified)).await;
        });
        let most = open_files::make_room(hub.config().limits.connections);
        let room = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        // Watchers of the hub get in however many people are there.
        let own = Arc::new(Semaphore::new(ADMIN_CONNECTIONS));
        let admin = accept(&hub, self.admin, None, hub.admin_router(), &connections, &own);
        let public = accept(&hub, self.public, self.tls, hub.router(), &connections, &room);
        let link = async {
            if let Some((listener, tls)) = self.link {
                accept(&hub, listener, Some(tls), hub.router(), &connections, &room).await;
            }
        };
        tokio::join!(admin, public, link);
        connections.close();
        hub.tasks().close();
        let rest = async {
            connections.wait().await;
            hub.tasks().wait().await;
        };
        if within(STOP_WITHIN, rest).await.is_none() {
            tracing::warn!(
                connections = connections.len(),
                tasks = hub.tasks().len(),
                "stopped before all were done"
            );
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|cause| ServeError::Listen { address, cause })
}

fn acceptor(tls: &Tls) -> Result<TlsAcceptor, ServeError> {
    let wrong = |path: &PathBuf, detail: String| ServeError::Tls { path: path.clone(), detail };
    let certs: Vec<_> = CertificateDer::pem_file_iter(&tls.cert)
        .and_then(Iterator::collect)
        .map_err(|e| wrong(&tls.cert, e.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|e| wrong(&tls.key, e.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(&tls.cert, e.to_string()))?
        .with_no_client_auth()
        .with_single_cert(certs, key)
        .map_err(|e| wrong(&tls.cert, e.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(
    hub: &Hub,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    connections: &TaskTracker,
    room: &Arc<Semaphore>,
) {
    loop {
        let next = async {
            let permit = Arc::clone(room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = hub.stop().cancelled() => return,
            next = next => next,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Mostly: no file descriptors left. Waiting lets others finish.
                tracing::warn!(%error, "cannot accept a connection");
                let _ = within(Duration::from_millis(50), std::future::pending::<()>()).await;
                continue;
            }
        };
        let (hub, tls, router) = (hub.clone(), tls.clone(), router.clone());
        connections.spawn(async move {
            hub.metrics().connections.inc();
            connection(&hub, stream, from.ip(), tls, router).await;
            hub.metrics().connections.dec();
            drop(permit);
        });
    }
}

async fn connection(hub: &Hub, stream: TcpStream, from: IpAddr, tls: Option<TlsAcceptor>, router: Router) {
    let patience = Duration::from_secs(hub.config().limits.head_seconds);
    let _ = stream.set_nodelay(true);
    match tls {
        None => {
            // Before the first bytes the protocol is not known, and no timer of hyper runs.
            let mut first = [0; 3];
            let Some(Ok(n)) = within(patience, stream.peek(&mut first)).await else { return };
            let http2 = n == 3 && &first == b"PRI";
            speak(hub, stream, from, http2, router).await;
        }
        Some(tls) => {
            let Some(Ok(stream)) = within(patience, tls.accept(stream)).await else { return };
            let protocol = stream.get_ref().1.alpn_protocol();
            if protocol == Some(PROOF_PROTOCOL) {
                return;
            }
            let http2 = protocol == Some(b"h2");
            speak(hub, stream, from, http2, router).await;
        }
    }
}

async fn speak<S>(hub: &Hub, stream: S, from: IpAddr, http2: bool, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = builder(hub.config(), http2);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(from));
        router.clone().oneshot(request)
    });
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        biased;
        () = hub.stop().cancelled() => None,
        ended = serving.as_mut() => Some(ended),
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            serving.as_mut().graceful_shutdown();
            within(STOP_WITHIN, serving).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%from, error, "connection ended");
    }
}

fn builder(config: &Config, http2: bool) -> auto::Builder<TokioExecutor> {
    let limits = &config.limits;
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.head_seconds))
        .max_buf_size(limits.head_bytes.max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(100)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}
