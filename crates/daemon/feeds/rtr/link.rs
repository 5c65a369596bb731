//! The connection to a cache: TCP, or TLS over it.
//!
//! Files of certificates are read for each connection, so that renewed ones count from the next on.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::config::{Cache, Tls};

/// How long it may take to find the host and to reach it, and again to agree on TLS.
const CONNECT: Duration = Duration::from_secs(15);
/// When a silent connection is asked whether it is still there. A cache says nothing for an hour on end.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// What a conversation is had over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects to a cache. An error says what was tried.
pub(super) async fn connect(cache: &Cache) -> io::Result<Box<dyn Stream>> {
    let slow = |what: &str| io::Error::new(io::ErrorKind::TimedOut, format!("{what} took too long"));
    let connected = timeout(CONNECT, TcpStream::connect((cache.host.as_str(), cache.port))).await;
    let stream = connected.map_err(|_| slow("connecting"))??;
    stream.set_nodelay(true)?;
    SockRef::from(&stream)
        .set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4))?;
    let Some(tls) = cache.tls.clone() else { return Ok(Box::new(stream)) };
    let name = ServerName::try_from(tls.name.clone()).map_err(io::Error::other)?;
    let config = spawn_blocking(move || client_config(&tls)).await.map_err(io::Error::other)??;
    let agreed = timeout(CONNECT, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
    Ok(Box::new(agreed.map_err(|_| slow("agreeing on TLS"))??))
}

fn client_config(tls: &Tls) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match &tls.ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|fault| of(path, fault))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            if let (true, Some(fault)) = (found.certs.is_empty(), found.errors.first()) {
                return Err(io::Error::other(format!("the system's certificates: {fault}")));
            }
            // One that is not understood vouches for nobody.
            roots.add_parsable_certificates(found.certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    match &tls.identity {
        None => Ok(config.with_no_client_auth()),
        Some((certificate, key)) => {
            let chain = certificates(certificate)?;
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|fault| of(key, fault))?;
            config.with_client_auth_cert(chain, secret).map_err(|fault| of(certificate, fault))
        }
    }
}

/// The certificates of a file, of which there is at least one.
fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => Err(of(path, "no certificate in it")),
        read => read.map_err(|fault| of(path, fault)),
    }
}

fn of(path: &Path, fault: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {fault}", path.display()))
}
