//! PeeringDB's API, asked one question at a time.
//!
//! A question blocks for as long as the answer takes, [`TIMEOUT`] at most, so it is asked in a thread that may wait. What
//! comes back is read as it comes, and no further than [`MAX_OCTETS`]; of it only what was asked for is taken.
//!
//! It does not know when it may ask again: an [`ApiError`] says what the server said about that, and [`super::round`] obeys.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use palisade_bgp::Asn;
use ureq::http::{Response, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::facts::NetworkFacts;
use super::networks::{self, DumpError};
use crate::config::PeeringDbApi;

/// How long an answer may take, from the name's resolution to its last octet.
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);

/// Octets that an answer may have, unpacked: two hundred networks with all that can be said of them have a tenth.
pub(super) const MAX_OCTETS: u64 = 16 << 20;

/// Octets that a key may have.
const MAX_KEY: u64 = 1024;

/// The fields that are asked for.
const FIELDS: &str = "asn,irr_as_set,info_prefixes4,info_prefixes6,info_never_via_route_servers,status";

/// Something to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// What is said of these networks.
    Networks(Vec<Asn>),
    /// Which networks stay away from route servers.
    NeverViaRs,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// It was asked too often (RFC 6585 s4).
    #[error("it is asked too often")]
    TooOften {
        /// How long to stay away, where it says that.
        retry_after: Option<Duration>,
    },
    /// It takes no questions from us.
    #[error("it refuses to answer (HTTP status {0}): is the key right?")]
    Refused(u16),
    /// It is in trouble, or there is no API there.
    #[error("it does not answer (HTTP status {0})")]
    Status(u16),
    /// It can't be reached, or is too slow.
    #[error("it can't be reached: {0}")]
    Unreachable(#[from] ureq::Error),
    /// It answers with more than [`MAX_OCTETS`].
    #[error("its answer has more than {} MiB", MAX_OCTETS >> 20)]
    TooLarge,
    /// It answers with something else.
    #[error("its answer can't be used: {0}")]
    Answer(#[from] DumpError),
    /// The file with the key can't be read.
    #[error("the key in {} can't be read: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl ApiError {
    /// How long to stay away, where the server says that.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            ApiError::TooOften { retry_after } => *retry_after,
            _ => None,
        }
    }
}

/// A server that can be asked.
#[derive(Clone, Debug)]
pub(super) struct Api {
    agent: Agent,
    url: String,
    key_file: Option<PathBuf>,
}

impl Api {
    /// A server; it is not asked anything yet.
    pub(super) fn new(settings: &PeeringDbApi) -> Self {
        Api::with_timeout(settings, TIMEOUT)
    }

    /// The same, with less patience.
    pub(super) fn with_timeout(settings: &PeeringDbApi, timeout: Duration) -> Self {
        let is_https = settings.url.starts_with("https:");
        let tls = if is_https { tls() } else { TlsConfig::builder().build() };
        let config = Agent::config_builder()
            .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            // Whoever is sent from a server that proved who it is does not go on to one that can't.
            .https_only(is_https)
            .max_redirects(3)
            .timeout_global(Some(timeout))
            .tls_config(tls)
            .build();
        Api { agent: config.into(), url: settings.url.clone(), key_file: settings.key_file.clone() }
    }

    /// Asks, and waits for the answer.
    pub(super) fn ask(&self, question: &Question) -> Result<NetworkFacts, ApiError> {
        let mut request = self.agent.get(self.address(question)).header(header::ACCEPT, "application/json");
        if let Some(key) = self.key()? {
            request = request.header(header::AUTHORIZATION, format!("Api-Key {key}"));
        }
        let mut response = request.call()?;
        match response.status().as_u16() {
            200 => {}
            429 => return Err(ApiError::TooOften { retry_after: retry_after(&response) }),
            status @ (401 | 403) => return Err(ApiError::Refused(status)),
            status => return Err(ApiError::Status(status)),
        }
        let facts = read(response.body_mut())?;
        Ok(facts
            .iter()
            .filter(|(asn, network)| match question {
                Question::Networks(asked) => asked.contains(asn),
                Question::NeverViaRs => network.never_via_rs,
            })
            .map(|(asn, network)| (asn, network.clone()))
            .collect())
    }

    fn address(&self, question: &Question) -> String {
        match question {
            Question::Networks(asns) => {
                let list: Vec<String> = asns.iter().map(|Asn(number)| number.to_string()).collect();
                format!("{}/net?asn__in={}&fields={FIELDS}", self.url, list.join(","))
            }
            Question::NeverViaRs => {
                format!("{}/net?info_never_via_route_servers=1&fields={FIELDS}", self.url)
            }
        }
    }

    /// The key, which is read each time: so a new one counts at once.
    fn key(&self) -> Result<Option<String>, ApiError> {
        let Some(path) = &self.key_file else { return Ok(None) };
        let failed = |source| ApiError::Key { path: path.clone(), source };
        let mut text = String::new();
        File::open(path).and_then(|file| file.take(MAX_KEY).read_to_string(&mut text)).map_err(failed)?;
        let key = text.trim();
        let plain = !key.is_empty() && key.bytes().all(|octet| octet.is_ascii_graphic());
        let not_a_key = || io::Error::new(io::ErrorKind::InvalidData, "that is no key");
        if plain { Ok(Some(key.to_owned())) } else { Err(failed(not_a_key())) }
    }
}

/// What the system trusts, by the one cryptography that is built in.
fn tls() -> TlsConfig {
    let trusted = rustls_native_certs::load_native_certs().certs;
    let trusted: Vec<_> = trusted.iter().map(|one| Certificate::from_der(one).to_owned()).collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&trusted))
        .unversioned_rustls_crypto_provider(provider)
        .build()
}

fn read(body: &mut Body) -> Result<NetworkFacts, ApiError> {
    // What is counted here is what a small compressed answer may unpack to.
    let mut octets = body.with_config().limit(u64::MAX).reader().take(MAX_OCTETS);
    let outcome = networks::read(&mut octets);
    match outcome {
        Err(_) if octets.limit() == 0 => Err(ApiError::TooLarge),
        outcome => Ok(outcome?),
    }
}

/// RFC 9110 s10.2.3. A date, which PeeringDB does not send, is taken as no word.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}
