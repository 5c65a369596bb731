//! The state machine of RFC 4271 s8.2.2, every state with every event: what is in `rfc4271_machine.txt` is what comes out.
//!
//! Where a change of the machine is meant, `PALISADE_BLESS=1 cargo test --test conformance` writes the table anew, for `git diff` to
//! show.

use std::fmt::Write;
use std::time::Duration;

use palisade_bgp::message::{MessageKind, Refresh, keepalive, route_refresh};
use palisade_bgp::notification::{Cease, Notification};
use palisade_bgp::session::{ConnectionId, State};
use palisade_bgp::{Family, SessionConfig};

use crate::speaker::{IN, OUT, PLAIN, Speaker, config, message, open, open_with};

const TABLE: &str = include_str!("rfc4271_machine.txt");

const HEAD: &str = "\
# What a session does with each event in each state (RFC 4271 s8.2.2). Numbers are those of the events in s8.1; events that the RFC
# makes optional and that Palisade has no use for (DelayOpen, and starts of other kinds) are not there.
#
# A state and an event; the state after it; what is written to the connection, what the caller is asked to do, what it is told.
# Nothing behind the state means that nothing happens. The peer's messages come on the connection that we opened; `Idle` is a session
# that is stopped, `Idle, resting` one that waits after a failure (IdleHoldTimer), `Active, passive` one that never connects itself.
#
# Where the RFC goes from OpenConfirm and Established to Idle because the connection is lost (event 18), to be started again at once
# (AllowAutomaticStart), the session is in Active right away; from the fourth such loss in a row on it rests (DampPeerOscillations).
";

type ComesToBe = fn() -> Speaker;

/// The states, and how a session comes to be in them.
const STATES: [(&str, ComesToBe); 8] = [
    ("Idle", || Speaker::new(config())),
    ("Idle, resting", resting),
    ("Active", active),
    ("Active, passive", passive),
    ("Connect", || Speaker::connecting(config())),
    ("OpenSent", || Speaker::open_sent(config())),
    ("OpenConfirm", open_confirm),
    ("Established", || Speaker::established(config(), &PLAIN)),
];

fn resting() -> Speaker {
    let mut speaker = Speaker::open_sent(config());
    speaker.hear(OUT, &keepalive());
    closed(&mut speaker)
}

fn active() -> Speaker {
    let mut speaker = Speaker::connecting(config());
    speaker.session.connection_closed(OUT, speaker.now);
    speaker
}

fn passive() -> Speaker {
    let mut speaker = Speaker::new(SessionConfig { passive: true, ..config() });
    speaker.session.start(speaker.now);
    speaker
}

fn open_confirm() -> Speaker {
    let mut speaker = Speaker::open_sent(config());
    speaker.hear(OUT, &open(&PLAIN));
    speaker.said(OUT);
    speaker
}

/// What was asked for is done: the connection is closed.
fn closed(speaker: &mut Speaker) -> Speaker {
    let mut closed = Speaker::new(config());
    std::mem::swap(&mut closed, speaker);
    closed.said(OUT);
    closed.done();
    closed.session.connection_closed(OUT, closed.now);
    closed
}

type Happens = fn(&mut Speaker) -> Vec<String>;

/// The events, by the numbers of s8.1 where they have one.
const EVENTS: [(&str, Happens); 23] = [
    ("1 ManualStart", |speaker| {
        speaker.session.start(speaker.now);
        speaker.told()
    }),
    ("2 ManualStop", |speaker| {
        speaker.session.stop(speaker.now, Cease::AdministrativeShutdown(String::new()));
        speaker.told()
    }),
    ("9 ConnectRetryTimer_Expires", |speaker| speaker.pass(Duration::from_secs(5))),
    ("10 HoldTimer_Expires", |speaker| {
        let hold = if speaker.session.state() == State::OpenSent { 240 } else { 9 };
        speaker.pass(Duration::from_secs(hold))
    }),
    ("11 KeepaliveTimer_Expires", |speaker| speaker.pass(Duration::from_secs(3))),
    ("13 IdleHoldTimer_Expires", |speaker| speaker.pass(Duration::from_secs(1))),
    ("SendHoldTimer_Expires (RFC 9687)", send_hold),
    ("16 Tcp_CR_Acked", |speaker| {
        speaker.session.connected(OUT, speaker.now);
        speaker.told()
    }),
    ("17 TcpConnectionConfirmed", |speaker| {
        let welcome = speaker.session.accepts_incoming();
        if welcome {
            speaker.session.connected(IN, speaker.now);
        }
        let mut told = speaker.told();
        told.extend((!welcome).then(|| "it is turned away".into()));
        told
    }),
    ("18 TcpConnectionFails", |speaker| {
        speaker.session.connection_closed(OUT, speaker.now);
        speaker.told()
    }),
    ("19 BGPOpen", |speaker| speaker.hear(OUT, &open(&PLAIN))),
    ("21 BGPHeaderErr", |speaker| speaker.hear(OUT, &[0; 19])),
    ("22 BGPOpenMsgErr", |speaker| speaker.hear(OUT, &open_with(crate::speaker::OURS, [192, 0, 2, 2], &[0]))),
    ("23 OpenCollisionDump", collision),
    ("24 NotifMsgVerErr", |speaker| hear_notification(speaker, Notification::new(2, 1, &[0, 4]))),
    ("25 NotifMsg", |speaker| hear_notification(speaker, Notification::from(&Cease::PeerDeconfigured))),
    ("26 KeepAliveMsg", |speaker| speaker.hear(OUT, &keepalive())),
    ("27 UpdateMsg", |speaker| speaker.hear(OUT, &message(MessageKind::Update, &[0, 0, 0, 0]))),
    ("28 UpdateMsgErr", |speaker| speaker.hear(OUT, &message(MessageKind::Update, &[0, 9, 0, 0]))),
    ("ROUTE-REFRESH (RFC 2918)", |speaker| speaker.hear(OUT, &route_refresh(Refresh::Request, Family::Ipv4))),
    ("a message of an unknown type", |speaker| {
        let mut unknown = message(MessageKind::Update, &[0, 0, 0, 0]);
        unknown[18] = 6;
        speaker.hear(OUT, &unknown)
    }),
    ("a message of 4,097 octets", |speaker| {
        speaker.hear(OUT, &message(MessageKind::Update, &[0; 4097 - 19]))
    }),
    ("half a message", |speaker| speaker.hear(OUT, &keepalive()[..10])),
];

/// The peer speaks and never reads. Nothing of ours leaves before it is given up.
fn send_hold(speaker: &mut Speaker) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..100 {
        told.extend(speaker.hear(OUT, &keepalive()));
        told.extend(speaker.pass(Duration::from_secs(5)));
    }
    told
}

/// The peer's own connection got as far as ours, and its identifier is the higher one: ours is to go (s6.8).
fn collision(speaker: &mut Speaker) -> Vec<String> {
    if !speaker.session.accepts_incoming() {
        return vec!["there is no other connection".into()];
    }
    speaker.session.connected(IN, speaker.now);
    speaker.said(IN);
    let mut told = speaker.hear(IN, &open(&PLAIN));
    told.extend(speaker.said(IN).into_iter().map(|said| format!("on the other connection {said}")));
    told
}

fn hear_notification(speaker: &mut Speaker, notification: Notification) -> Vec<String> {
    speaker.hear(OUT, &notification.encode())
}

/// Whether an event is that of a timer which does not run in a state, so that the state never sees it.
fn does_not_run(state: &str, event: &str) -> bool {
    let runs_in: &[&str] = match event {
        "9 ConnectRetryTimer_Expires" => &["Active", "Connect"],
        "10 HoldTimer_Expires" => &["OpenSent", "OpenConfirm", "Established"],
        "11 KeepaliveTimer_Expires" => &["OpenConfirm", "Established"],
        "13 IdleHoldTimer_Expires" => &["Idle, resting"],
        "SendHoldTimer_Expires (RFC 9687)" => &["Established"],
        _ => return false,
    };
    !runs_in.contains(&state)
}

fn row(name: &str, state: ComesToBe, event: &str, happens: Happens) -> String {
    if does_not_run(name, event) {
        return "the timer does not run".into();
    }
    let mut speaker = state();
    assert_eq!((speaker.told(), speaker.done()), (vec![], vec![]), "{name}");
    let told = happens(&mut speaker);
    let after = speaker.session.state();
    let mut out = format!("{after:?}");
    for id in ConnectionId::ALL {
        let side = if id == IN { " on the peer's connection" } else { "" };
        speaker.said(id).iter().for_each(|said| write!(out, "; says {said}{side}").unwrap());
    }
    speaker.done().iter().for_each(|action| write!(out, "; {action}").unwrap());
    told.iter().for_each(|told| write!(out, "; {told}").unwrap());
    out
}

#[test]
fn every_state_does_with_every_event_what_the_table_says() {
    let mut table = String::from(HEAD);
    for (name, state) in STATES {
        writeln!(table, "\n{name}").unwrap();
        for (event, happens) in EVENTS {
            writeln!(table, "  {event:<33} {}", row(name, state, event, happens)).unwrap();
        }
    }
    if std::env::var_os("PALISADE_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/rfc4271_machine.txt");
        std::fs::write(path, &table).unwrap();
    } else {
        for (came, expected) in table.lines().zip(TABLE.lines()) {
            assert_eq!(came, expected);
        }
        assert_eq!(table.lines().count(), TABLE.lines().count());
    }
}
