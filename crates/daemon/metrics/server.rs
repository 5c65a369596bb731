//! Who reads metrics over HTTP, and how much of the router they may take up: connections, octets of a request, time.
//!
//! `GET /metrics` is all there is. It listens where the configuration says and nowhere by default: what it tells is no secret of
//! the protocol, but an operator's. It has a thread of its own.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, error, warn};

use crate::control::Answering;

/// What Prometheus takes the text for.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How long to rest when there is no descriptor left for another client.
const REST: Duration = Duration::from_millis(200);

/// What clients may take up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Clients at once; another's connection is closed.
    pub(crate) clients: usize,
    /// Octets of a request's head.
    pub(crate) head_octets: usize,
    /// How long a client may take to ask.
    pub(crate) head_within: Duration,
    /// How long a connection may last, whatever it does: a scrape takes a moment.
    pub(crate) connection: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            clients: 8,
            head_octets: 8192,
            head_within: Duration::from_secs(5),
            connection: Duration::from_secs(60),
        }
    }
}

/// The thread that answers.
#[derive(Debug)]
pub(crate) struct MetricsServer {
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl MetricsServer {
    /// Answers from now on at that socket.
    pub(crate) fn start(
        listener: std::net::TcpListener,
        answering: Arc<Answering>,
        limits: Limits,
    ) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        listener.set_nonblocking(true)?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("metrics".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    served = serve(listener, answering, limits) => {
                        let Err(fault) = served;
                        error!(%fault, "metrics can't be listened for");
                    }
                    _ = stopped => {}
                }
            });
        })?;
        Ok(MetricsServer { stop, thread })
    }

    /// Answers nobody any more. Answers that are not whole are cut off.
    pub(crate) async fn stop(self) {
        let MetricsServer { stop, thread } = self;
        let ended = tokio::task::spawn_blocking(move || {
            // A thread that has ended needs not be told to.
            let _ = stop.send(());
            let _ = thread.join();
        });
        let _ = ended.await;
    }
}

async fn serve(
    listener: std::net::TcpListener,
    answering: Arc<Answering>,
    limits: Limits,
) -> io::Result<Infallible> {
    let listener = TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(limits.clients));
    // They end with this task.
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = clients.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let answering = Arc::clone(&answering);
                        clients.spawn(async move {
                            attend(stream, answering, limits).await;
                            drop(place);
                        });
                    }
                    Err(_) => debug!(%from, "a client that asks for metrics was turned away: there are enough"),
                },
                Err(fault) => {
                    warn!(%fault, "a client that asks for metrics could not be accepted");
                    tokio::time::sleep(REST).await;
                }
            },
        }
    }
}

async fn attend(stream: TcpStream, answering: Arc<Answering>, limits: Limits) {
    let service = service_fn(|request| {
        let answering = Arc::clone(&answering);
        async move { Ok::<_, Infallible>(answer(&request, &answering).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_buf_size(limits.head_octets)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(limits.connection, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => debug!(%fault, "a client that asks for metrics"),
        Err(_) => debug!("a client that asks for metrics took too long"),
    }
}

async fn answer(request: &Request<Incoming>, answering: &Answering) -> Response<Full<Bytes>> {
    if request.uri().path() != "/metrics" {
        return said(StatusCode::NOT_FOUND, "metrics are at /metrics\n");
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return said(StatusCode::METHOD_NOT_ALLOWED, "metrics can be read, and that is all\n");
    }
    match answering.metrics().await {
        Ok(text) => said(StatusCode::OK, text),
        Err(refusal) => said(StatusCode::SERVICE_UNAVAILABLE, format!("{refusal}\n")),
    }
}

fn said(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(CONTENT_TYPE));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
    }
    response
}
