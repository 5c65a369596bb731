//! One session under a virtual clock, against octets that are written by hand: for tables of what an OPEN leads to, and of what
//! a state does with an event.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use palisade_bgp::message::{HEADER_LEN, MessageKind, keepalive};
use palisade_bgp::negotiated::Negotiated;
use palisade_bgp::notification::Notification;
use palisade_bgp::session::{Action, ConnectionId, DownReason, Event, State};
use palisade_bgp::{Asn, Session, SessionConfig};

/// We are AS64500, and 192.0.2.1.
pub(crate) const OURS: Asn = Asn(64500);
/// The peer is AS64501, and 192.0.2.2.
pub(crate) const THEIRS: Asn = Asn(64501);

/// The connection that we open.
pub(crate) const OUT: ConnectionId = ConnectionId::Outgoing;
/// The connection that the peer opens.
pub(crate) const IN: ConnectionId = ConnectionId::Incoming;

/// An external peer, a hold time of 9 s and 5 s between attempts to connect.
pub(crate) fn config() -> SessionConfig {
    SessionConfig {
        hold_time_s: 9,
        connect_retry_s: 5,
        ..SessionConfig::new(OURS, Ipv4Addr::new(192, 0, 2, 1), THEIRS)
    }
}

/// A message of a type, around a body.
pub(crate) fn message(kind: MessageKind, body: &[u8]) -> Vec<u8> {
    let [high, low] = ((HEADER_LEN + body.len()) as u16).to_be_bytes();
    [&[0xff; 16][..], &[high, low, kind as u8], body].concat()
}

/// The optional parameters of an OPEN with capabilities that are written as code, length and value, in one parameter.
pub(crate) fn parameters(capabilities: &[u8]) -> Vec<u8> {
    let len = capabilities.len() as u8;
    if len == 0 { vec![0] } else { [&[len + 2, 2, len], capabilities].concat() }
}

/// The peer's OPEN, from its optional parameters on.
pub(crate) fn open_with(asn: Asn, id: [u8; 4], parameters: &[u8]) -> Vec<u8> {
    let two_octets = u16::try_from(asn.0).unwrap_or(23456).to_be_bytes();
    message(MessageKind::Open, &[&[4], &two_octets[..], &[0, 9], &id, parameters].concat())
}

/// The peer's OPEN with capabilities.
pub(crate) fn open(capabilities: &[u8]) -> Vec<u8> {
    open_with(THEIRS, [192, 0, 2, 2], &parameters(capabilities))
}

/// Both families, and AS numbers of four octets.
pub(crate) const PLAIN: [u8; 18] = [1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 65, 4, 0, 0, 0xfb, 0xf5];

/// A session, and what time it is.
pub(crate) struct Speaker {
    pub(crate) session: Session,
    pub(crate) now: Instant,
}

impl Speaker {
    pub(crate) fn new(config: SessionConfig) -> Self {
        Speaker { session: Session::new(config, 1), now: Instant::now() }
    }

    /// Started, and asked to connect.
    pub(crate) fn connecting(config: SessionConfig) -> Self {
        let mut speaker = Speaker::new(config);
        speaker.session.start(speaker.now);
        assert_eq!(speaker.session.poll_action(), Some(Action::Connect));
        speaker
    }

    /// Its OPEN is sent over the connection that it opened.
    pub(crate) fn open_sent(config: SessionConfig) -> Self {
        let mut speaker = Speaker::connecting(config);
        speaker.session.connected(OUT, speaker.now);
        while speaker.session.poll_transmit(OUT).is_some() {}
        speaker
    }

    /// A session with a peer whose OPEN has these capabilities.
    pub(crate) fn established(config: SessionConfig, capabilities: &[u8]) -> Self {
        let mut speaker = Speaker::open_sent(config);
        speaker.hear(OUT, &open(capabilities));
        speaker.hear(OUT, &keepalive());
        assert_eq!(speaker.session.state(), State::Established);
        speaker.said(OUT);
        speaker
    }

    /// What is told once octets were read.
    pub(crate) fn hear(&mut self, id: ConnectionId, octets: &[u8]) -> Vec<String> {
        self.session.input(id).extend_from_slice(octets);
        self.told()
    }

    /// What there is to be told.
    pub(crate) fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(event) = self.session.next_event(self.now) {
            told.push(in_words(&event));
        }
        told
    }

    /// What is said on a connection: the messages' types, and what NOTIFICATIONs say.
    pub(crate) fn said(&mut self, id: ConnectionId) -> Vec<String> {
        std::iter::from_fn(|| self.session.poll_transmit(id)).map(|message| said(&message)).collect()
    }

    /// What the caller is to do, some of which it does.
    pub(crate) fn done(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.session.poll_action()).map(|action| format!("{action:?}")).collect()
    }

    /// Some time passes.
    pub(crate) fn pass(&mut self, time: Duration) -> Vec<String> {
        self.now += time;
        self.session.handle_timeout(self.now);
        self.told()
    }
}

/// What comes of our configuration and an OPEN.
pub(crate) fn negotiate(config: SessionConfig, open: &[u8]) -> Result<Negotiated, Notification> {
    let mut speaker = Speaker::open_sent(config);
    speaker.session.input(OUT).extend_from_slice(open);
    speaker.session.input(OUT).extend_from_slice(&keepalive());
    match speaker.session.next_event(speaker.now) {
        Some(Event::Established(negotiated)) => Ok(negotiated),
        Some(Event::Failed(DownReason::Sent { notification, .. })) => Err(notification),
        other => panic!("{other:?}"),
    }
}

fn said(message: &[u8]) -> String {
    match MessageKind::from_octet(message[18]) {
        Some(MessageKind::Notification) => Notification::decode(&message[HEADER_LEN..]).to_string(),
        kind => format!("{:?}", kind.unwrap()).to_uppercase(),
    }
}

fn in_words(event: &Event<'_>) -> String {
    match event {
        Event::Established(_) => "Established".into(),
        Event::Update(_) => "Update".into(),
        Event::RouteRefresh(family) => format!("RouteRefresh {family}"),
        Event::RefreshBegins(family) => format!("RefreshBegins {family}"),
        Event::RefreshEnds(family) => format!("RefreshEnds {family}"),
        Event::RefreshIgnored(_) => "RefreshIgnored".into(),
        Event::Down { reason, retained } => match retained {
            [false, false] => format!("Down {}", without_octets(reason)),
            kept => format!("Down {}, keeping {kept:?}", without_octets(reason)),
        },
        Event::Failed(reason) => format!("Failed {}", without_octets(reason)),
    }
}

/// The octets that were the cause have tables of their own.
fn without_octets(reason: &DownReason) -> String {
    let text = reason.to_string();
    text.split_once(", because of").map_or(text.clone(), |(why, _)| why.into())
}
