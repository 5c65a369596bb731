//! The least that any BGP daemon could do: accept sessions, frame messages, and copy each UPDATE unread to all others.
//!
//! What it takes is what sockets, the kernel and this harness cost by themselves. It is no route server: it has no table, so
//! that whoever comes late misses what came before, and nobody's routes go when its session does.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::encode;
use crate::hear::{self, Message};
use crate::load;
use crate::member;

const LISTENER: Token = Token(usize::MAX);
const READ_AT_ONCE: usize = 128 * 1024;
/// Pieces that are written with one call.
const PIECES: usize = 64;

struct Session {
    stream: TcpStream,
    gets_updates: bool,
    begun: Vec<u8>,
    queue: VecDeque<Rc<[u8]>>,
    written: usize,
    is_blocked: bool,
}

/// Serves until it is killed. UPDATEs are copied to that address alone, where there is one.
pub(crate) fn serve(listen: SocketAddr, only_to: Option<IpAddr>) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1_024);
    let mut listener = TcpListener::bind(listen)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut sessions: Vec<Option<Session>> = Vec::new();
    let mut scratch = vec![0; READ_AT_ONCE];
    let mut ready: VecDeque<usize> = VecDeque::new();
    loop {
        poll.poll(&mut events, (!ready.is_empty()).then_some(std::time::Duration::ZERO))?;
        for event in &events {
            match event.token() {
                LISTENER => accept(&listener, &poll, &mut sessions, only_to)?,
                Token(number) => {
                    if let Some(Some(session)) = sessions.get_mut(number) {
                        session.is_blocked = false;
                    }
                    if event.is_readable() && !ready.contains(&number) {
                        ready.push_back(number);
                    }
                }
            }
        }
        for _ in 0..ready.len() {
            let Some(number) = ready.pop_front() else { break };
            match read(number, &mut sessions, &mut scratch) {
                Ok(true) => ready.push_back(number),
                Ok(false) => {}
                Err(_) => sessions[number] = None,
            }
        }
        for session in &mut sessions {
            if session.as_mut().is_some_and(|session| flush(session).is_err()) {
                *session = None;
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    poll: &Poll,
    sessions: &mut Vec<Option<Session>>,
    only_to: Option<IpAddr>,
) -> io::Result<()> {
    loop {
        let (mut stream, from) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nodelay(true)?;
        poll.registry().register(
            &mut stream,
            Token(sessions.len()),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        let gets_updates = only_to.is_none_or(|only| only == from.ip());
        let queue = VecDeque::from([Rc::from(open().as_slice())]);
        sessions.push(Some(Session {
            stream,
            gets_updates,
            begun: Vec::new(),
            queue,
            written: 0,
            is_blocked: false,
        }));
    }
}

/// The OPEN of the daemon's AS: a session's, with its AS, capability and identifier put right.
fn open() -> Vec<u8> {
    let mut open = encode::open(0, load::STILL).to_vec();
    let asn = member::TARGET_ASN.to_be_bytes();
    open[20..22].copy_from_slice(&asn[2..]);
    open[24..28].copy_from_slice(&member::TARGET.octets());
    let end = open.len();
    open[end - 4..].copy_from_slice(&asn);
    open
}

/// Reads once and copies what it read; says whether there may be more.
fn read(number: usize, sessions: &mut [Option<Session>], scratch: &mut [u8]) -> io::Result<bool> {
    let Some(Some(session)) = sessions.get_mut(number) else { return Ok(false) };
    let begun = session.begun.len();
    scratch[..begun].copy_from_slice(&session.begun);
    let count = match session.stream.read(&mut scratch[begun..]) {
        Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
        Ok(count) => count,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
        Err(error) => return Err(error),
    };
    let octets = &scratch[..begun + count];
    let mut updates = 0..0;
    let mut at = 0;
    while let Some((message, len)) = hear::message(&octets[at..]).map_err(io::Error::other)? {
        match message {
            Message::Update(_) if updates.is_empty() => updates = at..at + len,
            Message::Update(_) => updates.end = at + len,
            // What stands between UPDATEs cuts the copy in two.
            Message::Open | Message::Keepalive | Message::RouteRefresh(_) | Message::Notification(..) => {
                copy(number, sessions, &octets[updates.clone()]);
                updates = 0..0;
                if let (Message::Open, Some(session)) = (message, &mut sessions[number]) {
                    session.queue.push_back(Rc::from(&*encode::keepalive()));
                }
            }
        }
        at += len;
    }
    copy(number, sessions, &octets[updates]);
    if let Some(session) = &mut sessions[number] {
        session.begun.clear();
        session.begun.extend_from_slice(&octets[at..]);
    }
    Ok(begun + count == scratch.len())
}

fn copy(from: usize, sessions: &mut [Option<Session>], updates: &[u8]) {
    if updates.is_empty() {
        return;
    }
    let piece: Rc<[u8]> = Rc::from(updates);
    for (number, session) in sessions.iter_mut().enumerate() {
        if let Some(session) = session.as_mut().filter(|session| number != from && session.gets_updates) {
            session.queue.push_back(piece.clone());
        }
    }
}

fn flush(session: &mut Session) -> io::Result<()> {
    while !session.queue.is_empty() && !session.is_blocked {
        let mut pieces: Vec<IoSlice<'_>> =
            session.queue.iter().take(PIECES).map(|piece| IoSlice::new(piece)).collect();
        pieces[0] = IoSlice::new(&session.queue[0][session.written..]);
        let mut count = match session.stream.write_vectored(&pieces) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                session.is_blocked = true;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        while let Some(piece) = session.queue.front() {
            let left = piece.len() - session.written;
            if count < left {
                session.written += count;
                break;
            }
            count -= left;
            session.written = 0;
            session.queue.pop_front();
        }
    }
    Ok(())
}
