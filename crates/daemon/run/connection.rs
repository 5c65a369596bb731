//! One TCP connection of a session: what is read goes into the session, what is queued goes out in order.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use palisade_bgp::message::MessageKind;
use palisade_rib::{Chunk, PeerIndex};
use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::traffic::Traffic;

/// Octets asked of the kernel at a time.
const READ_OCTETS: usize = 1 << 16;
/// Slices given to the kernel at a time.
const WRITE_SLICES: usize = 64;
/// Octets waiting here from which on nothing more is taken from the session's queue.
const ENOUGH_WAITING: usize = 1 << 18;
/// How long a connection that is being closed may take to send its last message.
const LINGER: Duration = Duration::from_secs(2);

/// A connection and what waits to be written to it.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    traffic: Arc<Traffic>,
    waiting: VecDeque<Bytes>,
    /// Octets that were ever put into `waiting`, and that have left it.
    queued: u64,
    written: u64,
    /// Where in that stream each chunk ends, with the octets its queue counts for it.
    chunks: VecDeque<(u64, usize)>,
}

impl Connection {
    /// A connection whose traffic is counted there.
    pub(crate) fn new(stream: TcpStream, traffic: Arc<Traffic>) -> Self {
        // Messages are batched here already; waiting for more would only delay a KEEPALIVE.
        if let Err(fault) = SockRef::from(&stream).set_tcp_nodelay(true) {
            tracing::debug!(%fault, "TCP_NODELAY could not be set");
        }
        Connection {
            stream,
            traffic,
            waiting: VecDeque::new(),
            queued: 0,
            written: 0,
            chunks: VecDeque::new(),
        }
    }

    /// Our end's address.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.stream.local_addr().ok()
    }

    /// Waits until there is something to read, or the end of the stream.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
    }

    /// Reads what has come, once; 0 is the end of the stream.
    pub(crate) fn read(&self, input: &mut BytesMut) -> io::Result<usize> {
        input.reserve(READ_OCTETS);
        let count = self.stream.try_read_buf(input)?;
        self.traffic.received.count_octets(count);
        Ok(count)
    }

    /// Queues a message.
    pub(crate) fn queue(&mut self, message: Bytes) {
        if let Some(kind) = MessageKind::of(&message) {
            self.traffic.sent.count_messages(kind, 1);
        }
        self.push(message);
    }

    fn push(&mut self, octets: Bytes) {
        self.queued += octets.len() as u64;
        self.waiting.push_back(octets);
    }

    /// Queues what of a chunk is for `member`.
    pub(crate) fn queue_chunk(&mut self, chunk: &Chunk, member: PeerIndex) {
        self.traffic.sent.count_messages(MessageKind::Update, chunk.messages_for(member));
        chunk.slices_for(member).for_each(|slice| self.push(slice));
        self.chunks.push_back((self.queued, chunk.len()));
    }

    pub(crate) fn wants_more(&self) -> bool {
        self.queued - self.written < ENOUGH_WAITING as u64
    }

    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The queue's count for chunks that have left.
    pub(crate) fn take_written_chunks(&mut self) -> usize {
        let mut octets = 0;
        while let Some((_, chunk)) = self.chunks.pop_front_if(|(end, _)| *end <= self.written) {
            octets += chunk;
        }
        octets
    }

    /// Waits until the kernel takes something.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
    }

    /// Writes what the kernel takes now.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            let slices: Vec<IoSlice<'_>> =
                self.waiting.iter().take(WRITE_SLICES).map(|slice| IoSlice::new(slice)).collect();
            let count = self.stream.try_write_vectored(&slices)?;
            self.advance(count);
        }
        Ok(())
    }

    fn advance(&mut self, mut count: usize) {
        self.written += count as u64;
        self.traffic.sent.count_octets(count);
        while let Some(first) = self.waiting.front_mut() {
            if count < first.len() {
                first.advance(count);
                return;
            }
            count -= first.len();
            self.waiting.pop_front();
        }
        // All is written: what a burst needed is not kept.
        self.waiting.shrink_to(WRITE_SLICES);
    }

    /// Sends what waits, for a moment at most, and closes.
    pub(crate) async fn close(mut self) {
        let last_words = async {
            while let Some(slice) = self.waiting.pop_front() {
                self.stream.write_all(&slice).await?;
            }
            self.stream.shutdown().await
        };
        match tokio::time::timeout(LINGER, last_words).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => tracing::debug!(%fault, "closing a connection"),
            Err(_) => tracing::debug!("a connection was closed before its last message could be sent"),
        }
    }
}
