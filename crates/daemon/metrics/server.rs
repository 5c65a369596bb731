//! Who reads metrics over HTTP, and how much of the router they may take up: connections, octets of a request, time.
//!
//! `GET /metrics` is all there is. It listens where the configuration says and nowhere by default: what it tells is no secret of
//! the protocol, but an operator's. It has a thread of its own.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tracing::debug;

use crate::control::Answering;
use crate::service::{Attendant, Service};

/// What Prometheus takes the text for.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

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

/// Answers metrics' clients at a socket from now on.
pub(crate) fn serve(
    listener: std::net::TcpListener,
    answering: Arc<Answering>,
    limits: Limits,
) -> io::Result<Service> {
    Service::start("metrics", listener, limits.clients, Attending { answering, limits })
}

struct Attending {
    answering: Arc<Answering>,
    limits: Limits,
}

impl Attendant for Attending {
    type Listening = TcpListener;

    async fn attend(&self, stream: TcpStream) {
        attend(stream, &self.answering, self.limits).await;
    }

    fn turn_away(&self, stream: &TcpStream) {
        let from = stream.peer_addr().ok();
        debug!(?from, "a client that asks for metrics was turned away: there are enough");
    }
}

async fn attend(stream: TcpStream, answering: &Arc<Answering>, limits: Limits) {
    let service = service_fn(|request| {
        let answering = Arc::clone(answering);
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
