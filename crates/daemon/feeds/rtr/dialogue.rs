//! The conversation with a cache over one connection: a query, its answer, and the wait for news.
//!
//! ```text
//!   Reset Query, or Serial Query -->
//!                                <-- Cache Response, prefixes and ASPAs, End of Data     Answer::Data
//!                                <-- Cache Reset: the serial is too old                  Answer::Reset
//!                                <-- Error Report 2: it has no data yet                  Answer::NoData
//!                                <-- Serial Notify, at any time: ask again               told(..)
//! ```
//!
//! Every PDU has to come soon after the last, and an answer has an end ([`Patience`]); while nothing was asked,
//! a cache may be silent. The version is settled by the first answer (RFC 8210 s7), and whatever comes in another
//! afterwards is a fault. A fault ends the conversation: what is wrong is reported to the cache where RFC 8210 s12 has
//! a code for it, and the caller learns what to do differently next time.

use std::io;
use std::time::Duration;

use palisade_bgp::Asn;
use rpki::rtr::pdu::{self, ErrorCode, Header};
use rpki::rtr::{Serial, State};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufStream,
};
use tokio::time::{Instant, timeout, timeout_at};

use super::task::WITH_ASPA;
use super::transfer::{Incoming, Transfer};

/// How long a cache is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How long it may pause within an answer.
    pub(super) stall: Duration,
    /// How long an answer may take.
    pub(super) answer: Duration,
}

impl Default for Patience {
    /// Enough for 16 million VRPs over a slow line.
    fn default() -> Self {
        Patience { stall: Duration::from_secs(30), answer: Duration::from_secs(600) }
    }
}

/// How long a report of an error may take; nobody waits for its effect.
const REPORT: Duration = Duration::from_secs(5);
/// The longest PDU (8210bis s5): those of a variable length are read whole.
const LONGEST_PDU: u32 = 65_535;
/// Characters of a cache's own words that are passed on.
const WORDS: usize = 200;
/// Octets of a PDU's header.
const HEADER: u32 = 8;

/// Why a conversation is over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The connection broke, or could not be made.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The cache has closed the connection.
    #[error("the cache closed the connection")]
    Closed,
    /// It is in a version that another was left alone for long enough for.
    #[error("a higher version is tried again")]
    Outdated,
    /// The connection closed before the cache said anything: it may not know the version.
    #[error("the cache closed the connection without an answer to version {0}")]
    Speechless(u8),
    /// An answer began and did not go on.
    #[error("the cache stopped in the middle of an answer")]
    Stalled,
    /// An answer had no end.
    #[error("the cache's answer did not end in time")]
    TooSlow,
    /// No answer came.
    #[error("the cache did not answer in time")]
    NoAnswer,
    /// More entries than anybody has.
    #[error("more entries than are taken")]
    TooMany,
    /// The cache reported an error.
    #[error("the cache reported error {code}{}", if words.is_empty() { String::new() } else { format!(": {words}") })]
    Reported {
        /// Its code (RFC 8210 s12).
        code: u16,
        /// What it said.
        words: String,
    },
    /// The cache does not speak the version, and no lower one that we do.
    #[error("the cache speaks version {0} alone")]
    Version(u8),
    /// The cache spoke in another version than the one settled.
    #[error("version {got} in a conversation of version {settled}")]
    VersionChanged {
        /// What was settled.
        settled: u8,
        /// What came.
        got: u8,
    },
    /// An answer of another session than it began with, or than was asked for.
    #[error("the session changed within an answer")]
    SessionChanged,
    /// Something that can't be.
    #[error("corrupt data: {0}")]
    Corrupt(&'static str),
    /// A PDU that has no place there, or is not known.
    #[error("PDU type {0} where none such belongs")]
    Unexpected(u8),
    /// All of the data, with a withdrawal in it.
    #[error("a withdrawal in the answer to a Reset Query")]
    WithdrawnInReset,
    /// ASPAs as drafts before the twelfth had them.
    #[error("ASPAs of an older draft of version 2")]
    OldAspa,
    /// An ASPA that authorizes nobody.
    #[error("an ASPA of {0} without providers")]
    AspaWithoutProviders(Asn),
}

impl Fault {
    /// Whether it is one that only ASPAs, or the version that has them, bring about.
    pub(super) fn is_of_aspa(&self) -> bool {
        matches!(self, Fault::OldAspa | Fault::AspaWithoutProviders(_))
    }

    /// The code that it is reported to the cache with, where there is one.
    fn code(&self) -> Option<ErrorCode> {
        match self {
            Fault::Version(_) => Some(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION),
            Fault::VersionChanged { .. } => Some(ErrorCode::UNEXPECTED_PROTOCOL_VERSION),
            Fault::SessionChanged | Fault::Corrupt(_) | Fault::WithdrawnInReset => {
                Some(ErrorCode::CORRUPT_DATA)
            }
            Fault::Unexpected(_) => Some(ErrorCode::UNSUPPORTED_PDU_TYPE),
            Fault::OldAspa | Fault::AspaWithoutProviders(_) => Some(ErrorCode::ASPA_PROVIDER_LIST_ERROR),
            Fault::TooMany => Some(ErrorCode::INTERNAL_ERROR),
            _ => None,
        }
    }
}

/// What a query came to.
#[derive(Debug)]
pub(super) enum Answer {
    /// Data.
    Data(Transfer),
    /// The cache can't say what changed since that serial: ask for all.
    Reset,
    /// The cache has no data yet: ask again later.
    NoData,
}

/// A conversation.
pub(super) struct Dialogue<S> {
    stream: BufStream<S>,
    /// The version that is offered, until one is settled.
    version: u8,
    is_settled: bool,
    /// Whether a Serial Notify came that was not acted upon yet.
    is_notified: bool,
    patience: Patience,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialogue<S> {
    /// Over a connection on which nothing was said yet, offering a version.
    pub(super) fn new(stream: S, version: u8, patience: Patience) -> Self {
        let stream = BufStream::with_capacity(64 << 10, 4 << 10, stream);
        Dialogue { stream, version, is_settled: false, is_notified: false, patience }
    }

    /// The version that was settled, or else is offered.
    pub(super) fn version(&self) -> u8 {
        self.version
    }

    /// Asks for what changed since `state`, or for all.
    pub(super) async fn ask(&mut self, state: Option<State>) -> Result<Answer, Fault> {
        let answer = self.answered(state).await;
        if let Err(fault) = &answer
            && let Some(code) = fault.code()
        {
            let report = pdu::Error::new(self.version, code.0, [], fault.to_string());
            let told = async {
                self.stream.write_all(report.as_ref()).await?;
                self.stream.flush().await
            };
            // The conversation is over either way.
            let _ = timeout(REPORT, told).await;
        }
        answer
    }

    /// Waits until the cache says that it has news, or until `deadline`.
    pub(super) async fn told(&mut self, deadline: Instant) -> Result<(), Fault> {
        while !self.is_notified {
            match timeout_at(deadline, self.stream.fill_buf()).await {
                Err(_) => break,
                Ok(Ok([])) => return Err(Fault::Closed),
                Ok(Err(fault)) => return Err(fault.into()),
                Ok(Ok(_)) => {
                    let mut clock = Clock::starts(self.patience);
                    let header = clock.within(self.header()).await?;
                    self.aside(header, &mut clock).await?;
                }
            }
        }
        self.is_notified = false;
        Ok(())
    }

    async fn answered(&mut self, state: Option<State>) -> Result<Answer, Fault> {
        self.is_notified = false;
        self.query(state).await?;
        let mut clock = Clock::starts(self.patience);
        loop {
            let header = match clock.within(self.header()).await {
                Err(Fault::Closed) if !self.is_settled => return Err(Fault::Speechless(self.version)),
                Err(Fault::Stalled) => return Err(Fault::NoAnswer),
                header => header?,
            };
            match header.pdu() {
                pdu::CacheResponse::PDU => {
                    self.settle(header.version())?;
                    clock.within(pdu_of(pdu::CacheResponse::read_payload(header, &mut self.stream))).await?;
                    return self.data(header.session(), state, clock).await.map(Answer::Data);
                }
                pdu::CacheReset::PDU if state.is_some() => {
                    self.settle(header.version())?;
                    clock.within(pdu_of(pdu::CacheReset::read_payload(header, &mut self.stream))).await?;
                    return Ok(Answer::Reset);
                }
                pdu::Error::PDU => {
                    let words = clock.within(self.words(header)).await?;
                    match ErrorCode(header.session()) {
                        ErrorCode::UNSUPPORTED_PROTOCOL_VERSION => {
                            self.lower(header.version())?;
                            self.query(state).await?;
                        }
                        ErrorCode::NO_DATA_AVAILABLE => return Ok(Answer::NoData),
                        ErrorCode(code) => return Err(Fault::Reported { code, words }),
                    }
                }
                _ => self.aside(header, &mut clock).await?,
            }
        }
    }

    async fn query(&mut self, state: Option<State>) -> Result<(), Fault> {
        let (version, stream) = (self.version, &mut self.stream);
        let query = async {
            match state {
                Some(state) => pdu::SerialQuery::new(version, state).write(stream).await?,
                None => pdu::ResetQuery::new(version).write(stream).await?,
            }
            stream.flush().await
        };
        timeout(self.patience.stall, query).await.map_err(|_| Fault::NoAnswer)?.map_err(Fault::Io)
    }

    /// From the Cache Response on, to End of Data. All of it is of one session: the one that was asked for.
    async fn data(
        &mut self,
        session: u16,
        asked: Option<State>,
        mut clock: Clock,
    ) -> Result<Transfer, Fault> {
        if asked.is_some_and(|asked| asked.session() != session) {
            return Err(Fault::SessionChanged);
        }
        let mut incoming = if asked.is_some() { Incoming::delta() } else { Incoming::whole() };
        loop {
            let header = clock.within(self.header()).await?;
            let kind = header.pdu();
            if kind == pdu::SerialNotify::PDU || kind == pdu::Error::PDU {
                self.aside(header, &mut clock).await?;
                continue;
            }
            self.settle(header.version())?;
            if kind == pdu::EndOfData::PDU {
                let end = pdu_of(pdu::EndOfData::read_payload(header, &mut self.stream));
                let end = clock.within(end).await?;
                if end.session() != session {
                    return Err(Fault::SessionChanged);
                }
                let (state, timing, content) = (end.state(), end.timing(), incoming.finish());
                return Ok(Transfer { state, timing, has_aspas: self.version >= WITH_ASPA, content });
            }
            incoming.count()?;
            clock.within(self.entry(header, &mut incoming)).await?;
        }
    }

    async fn entry(&mut self, header: Header, incoming: &mut Incoming) -> Result<(), Fault> {
        let stream = &mut self.stream;
        match header.pdu() {
            pdu::Ipv4Prefix::PDU => {
                incoming.ipv4(&pdu_of(pdu::Ipv4Prefix::read_payload(header, stream)).await?)
            }
            pdu::Ipv6Prefix::PDU => {
                incoming.ipv6(&pdu_of(pdu::Ipv6Prefix::read_payload(header, stream)).await?)
            }
            pdu::Aspa::PDU if self.version >= 2 => {
                let body = self.body(header).await?;
                incoming.aspa(header.session().to_be_bytes()[0], &body)
            }
            // Keys of BGPsec, which nothing here makes use of.
            pdu::RouterKey::PDU if self.version >= 1 => self.body(header).await.map(|_| ()),
            other => Err(Fault::Unexpected(other)),
        }
    }

    /// What a cache may say at any time: that it has news, or that something is wrong. Before a version is settled a
    /// Serial Notify may come in any (RFC 8210 s7).
    async fn aside(&mut self, header: Header, clock: &mut Clock) -> Result<(), Fault> {
        match header.pdu() {
            pdu::SerialNotify::PDU => {
                if self.is_settled {
                    self.settle(header.version())?;
                }
                clock.within(pdu_of(pdu::SerialNotify::read_payload(header, &mut self.stream))).await?;
                self.is_notified = true;
                Ok(())
            }
            pdu::Error::PDU => {
                let words = clock.within(self.words(header)).await?;
                Err(Fault::Reported { code: header.session(), words })
            }
            other => Err(Fault::Unexpected(other)),
        }
    }

    async fn header(&mut self) -> Result<Header, Fault> {
        pdu_of(Header::read(&mut self.stream)).await
    }

    /// The rest of a PDU of a variable length.
    async fn body(&mut self, header: Header) -> Result<Vec<u8>, Fault> {
        match header.length() {
            length @ HEADER..=LONGEST_PDU => {
                let mut body = vec![0; (length - HEADER) as usize];
                pdu_of(self.stream.read_exact(&mut body)).await?;
                Ok(body)
            }
            _ => Err(Fault::Corrupt("a PDU's length")),
        }
    }

    /// What an Error Report says in words, if it does (RFC 8210 s5.11).
    async fn words(&mut self, header: Header) -> Result<String, Fault> {
        fn text(body: &[u8]) -> Option<&[u8]> {
            let (length, rest) = body.split_first_chunk()?;
            let behind = rest.get(u32::from_be_bytes(*length) as usize..)?;
            behind.split_first_chunk::<4>().map(|(_, text)| text)
        }
        let body = self.body(header).await?;
        let text = String::from_utf8_lossy(text(&body).unwrap_or_default());
        Ok(text.chars().take(WORDS).map(|letter| if letter.is_control() { ' ' } else { letter }).collect())
    }

    /// Takes the version of the first answer, and from then on no other.
    fn settle(&mut self, version: u8) -> Result<(), Fault> {
        match version {
            _ if self.is_settled && version != self.version => {
                Err(Fault::VersionChanged { settled: self.version, got: version })
            }
            _ if version > self.version => Err(Fault::Version(version)),
            _ => {
                (self.version, self.is_settled) = (version, true);
                Ok(())
            }
        }
    }

    /// The cache does not know the version, and says which it knows.
    fn lower(&mut self, version: u8) -> Result<(), Fault> {
        if self.is_settled {
            return Err(Fault::VersionChanged { settled: self.version, got: version });
        }
        if version >= self.version {
            return Err(Fault::Version(version));
        }
        self.version = version;
        Ok(())
    }
}

/// How long an answer may go on.
struct Clock {
    end: Instant,
    stall: Duration,
}

impl Clock {
    fn starts(patience: Patience) -> Self {
        Clock { end: Instant::now() + patience.answer, stall: patience.stall }
    }

    /// Waits for a PDU, or a part of one.
    async fn within<T>(&mut self, read: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let now = Instant::now();
        // What is there already would never let the time run out.
        if self.end <= now {
            return Err(Fault::TooSlow);
        }
        let stall = now + self.stall;
        let (deadline, fault) =
            if stall < self.end { (stall, Fault::Stalled) } else { (self.end, Fault::TooSlow) };
        timeout_at(deadline, read).await.unwrap_or(Err(fault))
    }
}

/// Reads a PDU. The crate tells of its faults as I/O errors, as TLS does.
async fn pdu_of<T>(read: impl Future<Output = io::Result<T>>) -> Result<T, Fault> {
    read.await.map_err(|fault| match fault.kind() {
        _ if fault.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => Fault::Io(fault),
        io::ErrorKind::UnexpectedEof => Fault::Closed,
        io::ErrorKind::InvalidData | io::ErrorKind::QuotaExceeded => Fault::Corrupt("a PDU's length"),
        _ => Fault::Io(fault),
    })
}

/// A state in numbers.
pub(super) fn parts(state: State) -> (u16, u32) {
    let serial: Serial = state.serial();
    (state.session(), serial.into())
}
