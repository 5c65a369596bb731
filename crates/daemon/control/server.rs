//! Who asks, and how much of the router they may take up: places for clients, octets of a request, time.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::yield_now;
use tokio::time::timeout;
use tracing::debug;

use super::answer::{Line, Refusal};
use super::answering::{Answering, Lines};
use super::request::Request;
use super::socket::Claim;
use crate::service::{Attendant, Service};

/// Octets of an answer that are put together before they are written. A line more, at most.
const WRITTEN_AT_ONCE: usize = 16 * 1024;

/// What clients may take up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Clients at once; another is told to come again.
    pub(crate) clients: usize,
    /// Octets of a request, its newline included.
    pub(crate) request_octets: usize,
    /// How long a client may take to ask.
    pub(crate) request_within: Duration,
    /// How long a client may read nothing of what it is told: as long as somebody looks at a page of it.
    pub(crate) stalled: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            clients: 128,
            request_octets: 4096,
            request_within: Duration::from_secs(5),
            stalled: Duration::from_secs(300),
        }
    }
}

/// Who answers.
#[derive(Debug)]
pub(crate) struct Server {
    service: Service,
    claim: Claim,
}

impl Server {
    /// Answers from now on at the socket that was claimed.
    pub(crate) fn start(claim: Claim, answering: Answering, limits: Limits) -> io::Result<Self> {
        let attendant = Attending { answering, limits };
        Ok(Server {
            service: Service::start("control", claim.listener()?, limits.clients, attendant)?,
            claim,
        })
    }

    /// Where it can be asked.
    pub(crate) fn socket(&self) -> &Path {
        self.claim.path()
    }

    /// Has the socket stay when it stops, for the next router to know that there was one.
    pub(crate) fn bequeath(&mut self) {
        self.claim.bequeath();
    }

    /// Answers nobody any more, and removes the socket. Answers that are not whole are cut off.
    pub(crate) async fn stop(self) {
        let Server { service, claim } = self;
        service.stop().await;
        // Others may hold the lock that this takes.
        let _ = tokio::task::spawn_blocking(move || drop(claim)).await;
    }
}

struct Attending {
    answering: Answering,
    limits: Limits,
}

impl Attendant for Attending {
    type Listening = UnixListener;

    async fn attend(&self, stream: UnixStream) {
        attend(stream, &self.answering, self.limits).await;
    }

    /// There is room for one line in a new socket; who does not get it finds the answer cut off.
    fn turn_away(&self, stream: &UnixStream) {
        let refusal = Refusal::new("busy", "too many ask at once").help("ask again in a moment");
        let _ = stream.try_write(&octets(&Line::Error(refusal)));
    }
}

async fn attend(mut stream: UnixStream, answering: &Answering, limits: Limits) {
    let request =
        match timeout(limits.request_within, request(&mut stream, limits.request_octets)).await {
            Ok(Ok(request)) => request,
            Ok(Err(fault)) => return debug!(%fault, "a client of the control socket went before it asked"),
            Err(_) => Err(Refusal::new("too-late", "no request came in time")
                .help("send a line of JSON, and a newline")),
        };
    let mut speaker = Speaker { stream, waiting: Vec::new(), stalled: limits.stalled };
    if let Err(fault) = answering.answer(request, &mut speaker).await {
        debug!(%fault, "a client of the control socket did not hear all of its answer");
    }
}

/// Reads a request's line.
async fn request(stream: &mut UnixStream, most: usize) -> io::Result<Result<Request, Refusal>> {
    let mut line = Vec::new();
    let mut read = [0; 1024];
    loop {
        let count = stream.read(&mut read).await?;
        line.extend_from_slice(&read[..count]);
        if let Some(end) = line.iter().position(|octet| *octet == b'\n') {
            line.truncate(end);
            break;
        }
        if count == 0 {
            break;
        }
        if line.len() >= most {
            let words = format!("a request has {most} octets at most, its newline included");
            return Ok(Err(Refusal::new("bad-request", words)));
        }
    }
    Ok(Request::parse(&line))
}

/// A client's ear.
struct Speaker {
    stream: UnixStream,
    waiting: Vec<u8>,
    stalled: Duration,
}

impl Lines for Speaker {
    async fn say(&mut self, line: &Line) -> io::Result<()> {
        self.waiting.extend_from_slice(&octets(line));
        if self.waiting.len() >= WRITTEN_AT_ONCE { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> io::Result<()> {
        let mut rest = self.waiting.as_slice();
        while !rest.is_empty() {
            let written = timeout(self.stalled, self.stream.write(rest)).await;
            match written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => rest = &rest[count..],
            }
        }
        self.waiting.clear();
        // Others may have but a line to hear.
        yield_now().await;
        Ok(())
    }
}

fn octets(line: &Line) -> Vec<u8> {
    // Lines have string keys and no maps but of strings, so that this can't fail.
    let mut octets = serde_json::to_vec(line).unwrap_or_default();
    octets.push(b'\n');
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::super::answer::EndLine;

    #[tokio::test]
    async fn who_does_not_read_is_given_up_and_has_taken_no_memory() {
        let (stream, _deaf) = UnixStream::pair().unwrap();
        let mut speaker = Speaker { stream, waiting: Vec::new(), stalled: Duration::from_millis(50) };
        let fault = loop {
            if let Err(fault) = speaker.say(&Line::End(EndLine::default())).await {
                break fault;
            }
            assert!(speaker.waiting.len() < WRITTEN_AT_ONCE);
        };
        assert_eq!(fault.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_request_ends_with_its_line_its_client_or_its_limit() {
        for (sent, is_understood) in [
            (&b"{\"ask\":\"summary\"}\nand more"[..], true),
            (b"{\"ask\":\"summary\"}", true),
            (b"", false),
            (b"\xff\xfe\n", false),
            (b"{\"ask\":\"routes\",\"prefx\":\"::/0\"}\n", false),
            (&[b'['; 4096], false),
        ] {
            let (mut stream, mut client) = UnixStream::pair().unwrap();
            client.write_all(sent).await.unwrap();
            client.shutdown().await.unwrap();
            let read = request(&mut stream, 4096).await.unwrap();
            assert_eq!(read.is_ok(), is_understood, "{read:?}");
        }
    }
}
