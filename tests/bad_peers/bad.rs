//! Peers that misbehave, each in its own way and as fast as it can.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::said::{self, IPV4_UNICAST};
use crate::wire::{self, NOTIFICATION, UPDATE, message};
use crate::world::{BAD, HOLD_TIME_S, Speaker, connect};

/// Connections that one opens and says nothing on.
const SILENT_CONNECTIONS: usize = 200;
/// How long a peer that was turned away waits before it tries again: not at all, or the host runs out of ports.
const BREATH: Duration = Duration::from_millis(5);

/// A way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Comes up, and ends the connection, again and again.
    Flaps,
    /// Announces the same prefixes anew without end.
    Floods,
    /// Comes up, and then sends an UPDATE an octet a second.
    Trickles,
    /// Speaks in time and never reads.
    NeverReads,
    /// Sends octets that are no messages.
    Garbage,
    /// Says that a message is longer than any can be, and sends that much.
    Oversize,
    /// Announces ever more prefixes.
    TooManyPrefixes,
    /// Sends an OPEN and no more.
    OpensAndIsSilent,
    /// Answers every OPEN with a NOTIFICATION.
    Notifies,
    /// Opens connections and says nothing on any.
    ConnectsAndIsSilent,
}

impl Way {
    pub(crate) const ALL: [Way; 10] = [
        Way::Flaps,
        Way::Floods,
        Way::Trickles,
        Way::NeverReads,
        Way::Garbage,
        Way::Oversize,
        Way::TooManyPrefixes,
        Way::OpensAndIsSilent,
        Way::Notifies,
        Way::ConnectsAndIsSilent,
    ];

    /// Whether it is one that fails again and again, so that it is to be let in less and less often.
    pub(crate) fn is_to_be_damped(self) -> bool {
        matches!(self, Way::Flaps | Way::Garbage | Way::Oversize | Way::Notifies)
    }
}

/// Losses that are forgiven before there is a rest after each.
pub(crate) const FORGIVEN: usize = 3;

/// How often it was tried, and how often the router took it for a session: it sent its OPEN.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    pub(crate) made: AtomicUsize,
    pub(crate) taken: AtomicUsize,
}

/// Plays one until the runtime ends.
pub(crate) async fn play(way: Way, speaker: Speaker, port: u16, attempts: Arc<Attempts>) {
    loop {
        attempts.made.fetch_add(1, Ordering::Relaxed);
        // However it ends, it begins again.
        let _ = attempt(way, &speaker, port, &attempts).await;
        sleep(BREATH).await;
    }
}

async fn attempt(way: Way, speaker: &Speaker, port: u16, attempts: &Attempts) -> io::Result<()> {
    if way == Way::ConnectsAndIsSilent {
        return connect_many(speaker, port, attempts).await;
    }
    let mut stream = connect(speaker.address, port).await?;
    is_taken(&mut stream, attempts).await?;
    match way {
        Way::Garbage => return write_on(&mut stream, &garbage()).await,
        Way::Oversize => return write_on(&mut stream, &oversize()).await,
        Way::OpensAndIsSilent => {
            stream.write_all(&wire::open(speaker.asn, HOLD_TIME_S, speaker.address, &IPV4_UNICAST)).await?;
            return read_on(&mut stream).await;
        }
        Way::Notifies => {
            return stream.write_all(&message(NOTIFICATION, &[2, 2])).await;
        }
        _ => {}
    }
    let hello =
        [wire::open(speaker.asn, HOLD_TIME_S, speaker.address, &IPV4_UNICAST), said::keepalive()].concat();
    stream.write_all(&hello).await?;
    match way {
        Way::Flaps => read_some(&mut stream).await,
        Way::Floods => flood(stream, speaker).await,
        Way::Trickles => trickle(&mut stream, speaker).await,
        Way::NeverReads => never_read(&mut stream, speaker).await,
        Way::TooManyPrefixes => announce_ever_more(stream, speaker).await,
        _ => Ok(()),
    }
}

/// The router's OPEN comes, unless it turns the connection away.
async fn is_taken(stream: &mut TcpStream, attempts: &Attempts) -> io::Result<()> {
    let mut header = [0; 19];
    stream.read_exact(&mut header).await?;
    attempts.taken.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

async fn connect_many(speaker: &Speaker, port: u16, attempts: &Attempts) -> io::Result<()> {
    let mut held = Vec::new();
    loop {
        attempts.made.fetch_add(1, Ordering::Relaxed);
        let mut stream = connect(speaker.address, port).await?;
        if timeout(BREATH, is_taken(&mut stream, attempts)).await.is_ok() {
            held.push(stream);
        }
        held.truncate(SILENT_CONNECTIONS);
        sleep(BREATH).await;
    }
}

async fn write_on(stream: &mut TcpStream, octets: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(octets).await?;
    }
}

async fn read_some(stream: &mut TcpStream) -> io::Result<()> {
    stream.read(&mut [0; 4096]).await.map(drop)
}

async fn read_on(stream: &mut TcpStream) -> io::Result<()> {
    let mut room = vec![0; 1 << 16];
    while stream.read(&mut room).await? > 0 {}
    Ok(())
}

/// Reads what it is sent beside what it writes.
async fn beside_reading(
    stream: TcpStream,
    writes: impl AsyncFnOnce(&mut tokio::net::tcp::OwnedWriteHalf) -> io::Result<()>,
) -> io::Result<()> {
    let (mut input, mut output) = stream.into_split();
    let reads = async {
        let mut room = vec![0; 1 << 16];
        while input.read(&mut room).await? > 0 {}
        Ok(())
    };
    tokio::select! {
        read = reads => read,
        written = writes(&mut output) => written,
    }
}

async fn flood(stream: TcpStream, speaker: &Speaker) -> io::Result<()> {
    let prefixes: Vec<[u8; 3]> = (0..250).map(|at| [BAD, speaker.number as u8, at]).collect();
    beside_reading(stream, async |output| {
        for community in 0_u32.. {
            let octets = said::announce(speaker.asn, speaker.address, community, &prefixes);
            output.write_all(&octets).await?;
        }
        Ok(())
    })
    .await
}

async fn announce_ever_more(stream: TcpStream, speaker: &Speaker) -> io::Result<()> {
    beside_reading(stream, async |output| {
        for round in 0_u32.. {
            let [_, high, middle, low] = round.to_be_bytes();
            // Sixteen million of them, which no limit lets in.
            let prefixes: Vec<[u8; 3]> = (0..=255)
                .map(|at| [60 + high % 32 + speaker.number as u8, middle.wrapping_add(low), at])
                .collect();
            output.write_all(&said::announce(speaker.asn, speaker.address, round, &prefixes)).await?;
        }
        Ok(())
    })
    .await
}

async fn trickle(stream: &mut TcpStream, speaker: &Speaker) -> io::Result<()> {
    let octets = said::announce(speaker.asn, speaker.address, 1, &[[BAD, speaker.number as u8, 0]]);
    for octet in octets {
        stream.write_all(&[octet]).await?;
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn never_read(stream: &mut TcpStream, speaker: &Speaker) -> io::Result<()> {
    let own: Vec<[u8; 3]> = (0..100).map(|at| [BAD, speaker.number as u8, at]).collect();
    stream.write_all(&said::announce(speaker.asn, speaker.address, 1, &own)).await?;
    loop {
        stream.write_all(&said::keepalive()).await?;
        sleep(Duration::from_secs(1)).await;
    }
}

fn garbage() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let octets = (0..8192).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    });
    octets.collect()
}

/// A header that promises 65,535 octets, and as many.
fn oversize() -> Vec<u8> {
    [&[0xff; 18][..], &[UPDATE], &[0; 65_516]].concat()
}
