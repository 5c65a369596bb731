//! A conversation's socket: connects, sends, reads, and comes again where the connection breaks off.
//!
//! Everything has a time: finding and connecting, each answer, and the whole. What is answered stays answered when a
//! connection breaks, and the rest is asked on the next, a few times, with growing pauses; a server that talks nonsense
//! is not asked again.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout_at};

use super::dialogue::{Dialogue, DialogueFault, Limits};
use super::framing::Answer;
use super::question::Question;

/// The port of whois, where none is said.
pub(crate) const WHOIS_PORT: u16 = 43;
/// How long finding a server and connecting to it may take.
const CONNECT: Duration = Duration::from_secs(15);
/// Connections that are made for one errand.
const MOST_CONNECTIONS: u32 = 4;
/// The pause before the second connection, shorter in tests; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 1_000 });
/// Octets read at a time.
const CHUNK: usize = 64 * 1024;

/// A server: its name or address, and the port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Server {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
}

/// A text that names no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ServerError {
    /// There is no name in it.
    #[error("no server's name")]
    Host,
    /// What follows the colon is no port.
    #[error("not a port")]
    Port,
}

impl Server {
    /// Reads `host`, `host:port`, `address` or `[address]:port`.
    pub(crate) fn parse(text: &str, default_port: u16) -> Result<Self, ServerError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or(ServerError::Host)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| ServerError::Host)?;
                (
                    host,
                    if rest.is_empty() {
                        None
                    } else {
                        Some(rest.strip_prefix(':').ok_or(ServerError::Port)?)
                    },
                )
            }
            None if text.parse::<std::net::Ipv6Addr>().is_ok() => (text, None),
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let fits = |octet: u8| octet.is_ascii_alphanumeric() || b".-_:".contains(&octet);
        if host.is_empty() || host.len() > 253 || !host.bytes().all(fits) {
            return Err(ServerError::Host);
        }
        let port = match port {
            None => default_port,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(ServerError::Port)?,
        };
        Ok(Server { host: host.to_ascii_lowercase(), port })
    }
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, ServerError> {
        Server::parse(text, WHOIS_PORT)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Why not everything was answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WhoisError {
    /// No connection could be made.
    #[error("{server} can't be reached: {fault}")]
    Unreachable {
        /// The server.
        server: Server,
        /// What the system says.
        fault: io::Error,
    },
    /// The connection was lost, again and again.
    #[error("{server} breaks the connection off: {fault}")]
    Lost {
        /// The server.
        server: Server,
        /// What the system says.
        fault: io::Error,
    },
    /// The server does not speak the protocol, or not in time.
    #[error("{server}: {fault}")]
    Dialogue {
        /// The server.
        server: Server,
        /// What it does wrong.
        fault: DialogueFault,
    },
    /// All together took too long.
    #[error("{server} has not answered everything within {} s", .after.as_secs())]
    TooSlow {
        /// The server.
        server: Server,
        /// How long that is.
        after: Duration,
    },
}

/// Who wants something to be asked.
pub(crate) trait Asker {
    /// A question that was not handed out yet. Answers may lead to further ones.
    fn next_question(&mut self) -> Option<Question>;
    /// Takes an answer.
    fn take(&mut self, question: Question, answer: Answer);
}

/// Has a server answer all that is asked.
pub(crate) async fn ask(
    server: &Server,
    limits: Limits,
    whole: Duration,
    asker: &mut impl Asker,
) -> Result<(), WhoisError> {
    let mut errand = Errand { server, limits, until: Instant::now() + whole, whole, unanswered: Vec::new() };
    let mut pause = FIRST_PAUSE;
    let mut connections = 1;
    loop {
        let before = Instant::now();
        match errand.connection(asker).await {
            Err(WhoisError::Lost { .. }) if connections < MOST_CONNECTIONS => {
                let left = errand.until.saturating_duration_since(before);
                sleep(pause.min(left)).await;
                connections += 1;
                pause *= 2;
            }
            other => return other,
        }
    }
}

/// What is asked of one server, over several connections if need be.
struct Errand<'a> {
    server: &'a Server,
    limits: Limits,
    until: Instant,
    whole: Duration,
    /// What the last connection left without an answer.
    unanswered: Vec<Question>,
}

impl Errand<'_> {
    async fn connection(&mut self, asker: &mut impl Asker) -> Result<(), WhoisError> {
        let mut stream = self.connect().await?;
        let mut dialogue = Dialogue::new(self.limits, Instant::now());
        self.unanswered.drain(..).for_each(|question| dialogue.ask(question));
        let ended = self.converse(&mut stream, &mut dialogue, asker).await;
        if ended.is_ok() {
            // Whether it hears that makes no difference.
            drop(stream.write_all(b"!q\n").await);
        }
        self.unanswered = dialogue.into_unanswered();
        ended
    }

    async fn connect(&self) -> Result<TcpStream, WhoisError> {
        let Server { host, port } = self.server;
        let until = self.until.min(Instant::now() + CONNECT);
        let connecting = TcpStream::connect((host.as_str(), *port));
        let late = || Err(io::Error::new(io::ErrorKind::TimedOut, "no answer"));
        let connected = timeout_at(until.into(), connecting).await.unwrap_or_else(|_| late());
        let unreachable = |fault| WhoisError::Unreachable { server: self.server.clone(), fault };
        let stream = connected.map_err(unreachable)?;
        // Questions are small, and each should leave at once.
        drop(stream.set_nodelay(true));
        Ok(stream)
    }

    async fn converse(
        &self,
        stream: &mut TcpStream,
        dialogue: &mut Dialogue,
        asker: &mut impl Asker,
    ) -> Result<(), WhoisError> {
        let lost = |fault| WhoisError::Lost { server: self.server.clone(), fault };
        let faulty = |fault| WhoisError::Dialogue { server: self.server.clone(), fault };
        let mut octets = vec![0; CHUNK];
        loop {
            std::iter::from_fn(|| asker.next_question()).for_each(|question| dialogue.ask(question));
            if dialogue.is_idle() {
                return Ok(());
            }
            let out = dialogue.transmit(Instant::now());
            let until = dialogue.deadline().map_or(self.until, |deadline| deadline.min(self.until));
            let exchange = async {
                stream.write_all(&out).await?;
                stream.read(&mut octets).await
            };
            match timeout_at(until.into(), exchange).await {
                Ok(Ok(0)) => return Err(lost(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => dialogue.receive(octets.get(..read.map_err(lost)?).unwrap_or_default()),
                Err(_) if Instant::now() >= self.until => return Err(self.too_slow()),
                Err(_) => {}
            }
            while let Some((question, answer)) = dialogue.next_answer(Instant::now()).map_err(faulty)? {
                asker.take(question, answer);
            }
            dialogue.check(Instant::now()).map_err(faulty)?;
            if Instant::now() >= self.until {
                return Err(self.too_slow());
            }
        }
    }

    fn too_slow(&self) -> WhoisError {
        WhoisError::TooSlow { server: self.server.clone(), after: self.whole }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

    use palisade_bgp::{Asn, Family};

    use super::super::question::{Query, Sources};
    use super::*;

    #[test]
    fn servers_are_read_as_people_write_them() {
        for (text, host, port) in [
            ("whois.example.net", "whois.example.net", 43),
            ("Whois.Example.Net:4343", "whois.example.net", 4343),
            ("192.0.2.1:43", "192.0.2.1", 43),
            ("2001:db8::1", "2001:db8::1", 43),
            ("[2001:db8::1]", "2001:db8::1", 43),
            ("[2001:db8::1]:4343", "2001:db8::1", 4343),
        ] {
            assert_eq!(text.parse(), Ok(Server { host: host.into(), port }), "{text}");
        }
        assert_eq!("[2001:db8::1]:9".parse::<Server>().unwrap().to_string(), "[2001:db8::1]:9");
        for (text, error) in [
            ("", ServerError::Host),
            (":43", ServerError::Host),
            ("a b", ServerError::Host),
            ("[x]:1", ServerError::Host),
            ("[2001:db8::1", ServerError::Host),
            ("a:", ServerError::Port),
            ("a:0", ServerError::Port),
            ("a:65536", ServerError::Port),
            ("a:b", ServerError::Port),
            ("[2001:db8::1]43", ServerError::Port),
        ] {
            assert_eq!(text.parse::<Server>(), Err(error), "{text}");
        }
    }

    /// Asks for the prefixes of some AS numbers.
    struct Few {
        asns: std::ops::Range<u32>,
        told: Vec<(u32, Answer)>,
    }

    impl Asker for Few {
        fn next_question(&mut self) -> Option<Question> {
            let query = Query::Routes(Asn(self.asns.next()?), Family::Ipv4);
            Some(Question { query, sources: Sources::default() })
        }

        fn take(&mut self, question: Question, answer: Answer) {
            let Query::Routes(Asn(asn), _) = question.query else { panic!("nobody asked for {question:?}") };
            self.told.push((asn, answer));
        }
    }

    /// What comes of asking a server that does this with each of its connections in turn.
    async fn asked(
        whole: Duration,
        serve: impl Fn(usize, &mut std::net::TcpStream) + Send + 'static,
    ) -> (Result<(), WhoisError>, Few) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server: Server = listener.local_addr().unwrap().to_string().parse().unwrap();
        std::thread::spawn(move || {
            for (at, stream) in listener.incoming().flatten().enumerate() {
                let mut stream = stream;
                serve(at, &mut stream);
            }
        });
        let mut few = Few { asns: 1..4, told: Vec::new() };
        let limits = Limits { window: 8, answer_octets: 1000, answer: Duration::from_secs(1) };
        (ask(&server, limits, whole, &mut few).await, few)
    }

    fn send(stream: &mut std::net::TcpStream, octets: &[u8]) {
        use std::io::{Read, Write};
        // It reads what it is asked first: a socket closed with octets unread is reset.
        let mut questions = [0; 1000];
        drop(stream.read(&mut questions).and_then(|_| stream.write_all(octets)));
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn what_is_answered_stays_answered_when_the_connection_breaks() {
        let (result, few) = asked(PATIENCE, |at, stream| match at {
            0 => send(stream, b"C\nC\nC\n"),
            _ => send(stream, b"C\nC\nD\nA1\nxC\n"),
        })
        .await;
        result.unwrap();
        assert_eq!(few.told, [(1, Answer::Done), (2, Answer::NotFound), (3, Answer::Data(b"x".to_vec()))]);
    }

    #[tokio::test]
    async fn a_server_that_always_breaks_off_is_given_up() {
        let (result, few) = asked(PATIENCE, |_, stream| send(stream, b"C\nC\nA10\nxx")).await;
        assert!(matches!(result, Err(WhoisError::Lost { .. })), "{result:?}");
        assert_eq!(few.told, []);
    }

    #[tokio::test]
    async fn a_server_that_drips_octets_is_given_up() {
        let drip = |_, stream: &mut std::net::TcpStream| {
            send(stream, b"C\nC\nA900\n");
            (0..60).for_each(|_| {
                use std::io::Write;
                std::thread::sleep(Duration::from_millis(50));
                drop(stream.write_all(b"x"));
            });
        };
        let (result, few) = asked(PATIENCE, drip).await;
        assert!(
            matches!(result, Err(WhoisError::Dialogue { fault: DialogueFault::Silent(_), .. })),
            "{result:?}"
        );
        assert_eq!(few.told, []);
    }

    #[tokio::test]
    async fn all_together_has_a_time() {
        let slow = |_, stream: &mut std::net::TcpStream| {
            std::thread::sleep(Duration::from_millis(700));
            send(stream, b"C\nC\n");
            (0..3).for_each(|_| {
                use std::io::Write;
                std::thread::sleep(Duration::from_millis(700));
                drop(stream.write_all(b"C\n"));
            });
        };
        let (result, _) = asked(Duration::from_secs(2), slow).await;
        assert!(matches!(result, Err(WhoisError::TooSlow { .. })), "{result:?}");
    }
}
