//! Two machines that speak to each other under a clock of the tests' own, or one alone, to whom the test speaks.

use std::net::Ipv4Addr;
use std::time::Duration;

use self::pair::{Pair, Rng};
use super::*;
use crate::as_path::Asn;
use crate::capability::{AddPath, AddPathFamily, Capability};
use crate::encode::{self, Format};
use crate::message::{MessageKind, Refresh, finish, route_refresh, start};
use crate::nlri::Path;
use crate::notification::Notification;
use crate::prefix::Family;
use crate::prefix::Net;
use crate::sample::{TEN, attribute, body, mandatory, origin, path};

mod pair;
mod silence;
mod states;

fn config(asn: u32, peer: u32) -> SessionConfig {
    let id = Ipv4Addr::from_bits(0xc000_0200 + (asn & 0xff));
    SessionConfig { hold_time_s: 9, connect_retry_s: 5, ..SessionConfig::new(Asn(asn), id, Asn(peer)) }
}

fn configs() -> [SessionConfig; 2] {
    [config(64500, 64501), config(64501, 64500)]
}

/// A pair of which only the first one connects, up.
fn quiet_pair(seed: u64) -> Pair {
    let [a, b] = configs();
    let mut pair = Pair::new([a, SessionConfig { passive: true, ..b }], seed);
    pair.start();
    assert!(pair.run_until_up(5));
    pair
}

fn message(kind: MessageKind, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let at = start(kind, &mut out);
    out.extend(body);
    finish(at, &mut out);
    out
}

/// A session taken by hand to a state, over the connection that it opened.
fn in_state(state: State) -> (Session, Instant) {
    let now = Instant::now();
    let mut session = Session::new(configs()[0].clone(), 1);
    session.start(now);
    assert_eq!(session.poll_action(), Some(Action::Connect));
    session.connected(ConnectionId::Outgoing, now);
    let open = configs()[1].open(OwnRestart::default()).encode().unwrap();
    let steps = [(State::OpenConfirm, open), (State::Established, crate::message::keepalive().to_vec())];
    for (reached, octets) in steps {
        if state >= reached {
            session.input(ConnectionId::Outgoing).extend_from_slice(&octets);
            while session.next_event(now).is_some() {}
        }
    }
    assert_eq!(session.state(), state);
    while session.poll_transmit(ConnectionId::Outgoing).is_some() {}
    (session, now)
}

fn sent(session: &mut Session) -> Vec<String> {
    let mut sent = Vec::new();
    while let Some(message) = session.poll_transmit(ConnectionId::Outgoing) {
        sent.push(match MessageKind::from_octet(message[18]).unwrap() {
            MessageKind::Notification => Notification::decode(&message[19..]).to_string(),
            kind => format!("{kind:?}"),
        });
    }
    sent
}

#[test]
fn simultaneous_opens_leave_one_connection_whatever_the_timing() {
    for seed in 1..=400 {
        let mut pair = Pair::new(configs(), seed);
        pair.delay = Duration::from_millis(1 + seed % 200);
        pair.shred = seed % 2 == 0;
        pair.start();
        assert!(pair.run_until_up(120), "{seed}: {:?} {:?}", pair.states(), pair.log);
        pair.run(60);
        assert!(pair.is_up(), "{seed}: {:?}", pair.log);
        assert_eq!(pair.open_wires(), 1, "{seed}");
    }
}

#[test]
fn of_two_connections_the_one_of_the_higher_identifier_stays() {
    let opened_by = |configs: [SessionConfig; 2]| {
        let mut pair = Pair::new(configs, 5);
        pair.delay = Duration::ZERO;
        pair.start();
        assert!(pair.run_until_up(5), "{:?}", pair.log);
        assert!(pair.log.iter().all(|log| log.len() == 1), "{:?}", pair.log);
        pair.sessions.iter().map(|s| s.negotiated().unwrap().connection).collect::<Vec<_>>()
    };
    let [a, b] = configs();
    let (higher, lower) = (ConnectionId::Outgoing, ConnectionId::Incoming);
    assert_eq!(opened_by([a.clone(), b.clone()]), [lower, higher]);
    let first_higher = SessionConfig { router_id: Ipv4Addr::new(250, 0, 0, 1), ..a.clone() };
    assert_eq!(opened_by([first_higher, b.clone()]), [higher, lower]);
    // Of equal identifiers, that of the higher AS (RFC 6286).
    let namesake = SessionConfig { router_id: b.router_id, ..a };
    assert_eq!(opened_by([namesake, b]), [lower, higher]);
}

#[test]
fn lost_connections_come_back_and_ups_and_downs_alternate() {
    for seed in 1..=60 {
        let mut pair = Pair::new(configs(), seed);
        pair.shred = seed % 3 == 0;
        pair.start();
        let mut rng = Rng(seed);
        for _ in 0..20 {
            pair.run(rng.below(12));
            pair.lose_connections();
        }
        assert!(pair.run_until_up(300), "{seed}: {:?}", pair.states());
        for log in &pair.log {
            let changes: Vec<&str> = log
                .iter()
                .filter_map(|line| ["Est", "Dow"].into_iter().find(|word| line.starts_with(word)))
                .collect();
            assert!(changes.iter().enumerate().all(|(at, word)| *word == ["Est", "Dow"][at % 2]), "{log:?}");
        }
    }
}

#[test]
fn updates_arrive_whole_and_in_order_however_they_are_cut() {
    for seed in 1..=20 {
        let mut pair = quiet_pair(seed);
        pair.shred = true;
        let nets = |from: u32| (from..from + 900).map(|n| Net::<u32>::new(n << 8, 24));
        let block = [origin(), path()].concat();
        let hop = "192.0.2.1".parse::<std::net::IpAddr>().unwrap().into();
        let mut wire = Vec::new();
        encode::announcements(&block, hop, nets(0x0a_0000).map(Path::from), Format::PLAIN, &mut wire)
            .unwrap();
        encode::withdrawals(nets(0x0b_0000).map(Path::from), Format::PLAIN, &mut wire);
        pair.write(0, &wire);
        pair.run(30);
        let announced = nets(0x0a_0000).map(|net| net.to_string());
        let wanted: Vec<String> = announced.chain(nets(0x0b_0000).map(|net| format!("-{net}"))).collect();
        assert!(pair.heard[1] == wanted, "{seed}: {}", pair.heard[1].len());
        assert!(pair.is_up());
    }
}

/// What a side announces and withdraws in the form that its session agreed on.
fn two_paths(pair: &Pair, side: usize) -> Vec<u8> {
    let format = pair.sessions[side].negotiated().unwrap().format(Family::Ipv4);
    let net = Net::<u32>::new(10 << 24, 8);
    let paths = || [1, 2].into_iter().map(|path_id| Path { path_id, net });
    let hop = "192.0.2.1".parse::<std::net::IpAddr>().unwrap().into();
    let mut wire = Vec::new();
    encode::announcements(&[origin(), path()].concat(), hop, paths(), format, &mut wire).unwrap();
    encode::withdrawals(paths(), format, &mut wire);
    wire
}

#[test]
fn path_identifiers_travel_one_way_where_only_that_way_was_agreed() {
    let [a, b] = configs();
    let can = |send, receive| [AddPath { send, receive }, AddPath::OFF];
    let a = SessionConfig { add_path: can(true, true), ..a };
    let b = SessionConfig { passive: true, add_path: can(false, true), ..b };
    let mut pair = Pair::new([a, b], 11);
    pair.start();
    assert!(pair.run_until_up(5));
    for side in [0, 1] {
        let wire = two_paths(&pair, side);
        pair.write(side, &wire);
    }
    pair.run(5);
    assert_eq!(pair.heard[1], ["10.0.0.0/8 #1", "10.0.0.0/8 #2", "-10.0.0.0/8 #1", "-10.0.0.0/8 #2"]);
    assert_eq!(pair.heard[0], ["10.0.0.0/8", "10.0.0.0/8", "-10.0.0.0/8", "-10.0.0.0/8"]);
    assert!(pair.is_up());
}

#[test]
fn an_open_lists_add_path_once_and_only_where_something_is_on() {
    let add_path = |config: SessionConfig| -> Vec<Capability> {
        let capabilities = config.open(OwnRestart::default()).capabilities.into_iter();
        capabilities.filter(|capability| capability.code() == 69).collect()
    };
    let [send, both] = [false, true].map(|receive| AddPath { send: true, receive });
    let six = AddPathFamily { afi: 2, safi: 1, can: both };
    let four = AddPathFamily { afi: 1, safi: 1, can: send };
    assert_eq!(add_path(config(1, 2)), []);
    let one = SessionConfig { add_path: [AddPath::OFF, both], ..config(1, 2) };
    assert_eq!(add_path(one), [Capability::AddPath(vec![six])]);
    let two = SessionConfig { add_path: [send, both], ..config(1, 2) };
    assert_eq!(add_path(two.clone()), [Capability::AddPath(vec![four, six])]);
    let only_six = SessionConfig { families: vec![Family::Ipv6], ..two };
    assert_eq!(add_path(only_six), [Capability::AddPath(vec![six])]);
}

#[test]
fn a_stopped_session_says_why_and_stays_down_until_it_is_started() {
    let mut pair = quiet_pair(9);
    let now = pair.now;
    pair.sessions[0].stop(now, Cease::AdministrativeShutdown("new power supply".into()));
    pair.run(600);
    let cease = "cease: administrative shutdown (6/2) \"new power supply\"";
    assert_eq!(pair.log[0][1..], [format!("Down sent {cease}")]);
    assert_eq!(pair.log[1][1..], [format!("Down received {cease}")]);
    assert_eq!(pair.states(), [State::Idle, State::Active]);
    let now = pair.now;
    pair.sessions[0].start(now);
    assert!(pair.run_until_up(10));
}

#[test]
fn a_restart_needs_no_rest() {
    let mut pair = quiet_pair(9);
    let now = pair.now;
    pair.sessions[0].stop(now, Cease::AdministrativeReset(String::new()));
    pair.sessions[0].start(now);
    // The peer rests for a second after a Cease.
    assert!(pair.run_until_up(10), "{:?} {:?}", pair.log, pair.states());
}

#[test]
fn speakers_that_never_agree_ask_each_other_less_and_less() {
    let mut pair = Pair::new([config(64500, 64501), config(64502, 64500)], 11);
    pair.start();
    pair.run(3600);
    assert!(pair.log[0].iter().all(|line| line.starts_with("Failed")), "{:?}", pair.log[0]);
    let refused = "Failed sent OPEN message error: bad peer AS (2/2), because of ";
    assert!(pair.log[0].iter().any(|line| line.starts_with(refused)), "{:?}", pair.log[0]);
    let attempts = pair.attempts[0] + pair.attempts[1];
    assert!((10..150).contains(&attempts), "{attempts}");
}

#[test]
fn a_peer_that_refuses_connections_is_asked_once_in_a_while() {
    let mut pair = Pair::new(configs(), 13);
    let now = pair.now;
    pair.sessions[0].start(now);
    pair.run(100);
    assert!((20..=28).contains(&pair.attempts[0]), "{}", pair.attempts[0]);
    assert_eq!(pair.log[0].len(), 0);
}

#[test]
fn two_passive_ends_wait_for_each_other() {
    let mut pair = Pair::new(configs().map(|config| SessionConfig { passive: true, ..config }), 15);
    pair.start();
    pair.run(3600);
    assert_eq!((pair.states(), pair.attempts), ([State::Active; 2], [0, 0]));
}

#[test]
fn a_malformed_update_ends_the_session_and_a_milder_fault_does_not() {
    let mut pair = quiet_pair(17);
    let bad_med = [mandatory(), attribute(0x80, 4, &[1])].concat();
    pair.write(0, &message(MessageKind::Update, &body(&[], &bad_med, TEN)));
    pair.run(1);
    assert_eq!(pair.heard[1], ["-10.0.0.0/8"]);
    pair.write(0, &message(MessageKind::Update, &body(&[], &mandatory(), &[33])));
    pair.run(1);
    // Whoever reads the log sees what was wrong: the message but for its marker.
    let message = "003002000000184001010040020a02020000fbf40000fbf5400304c000020121";
    let down = "Down sent UPDATE message error: invalid network field (3/10), because of 32 octets: ";
    assert_eq!(pair.log[1][1], format!("{down}{message}"));
    assert_eq!(pair.log[0][1], "Down received UPDATE message error: invalid network field (3/10)");
    assert!(pair.run_until_up(10));
}

#[test]
fn route_refresh_asks_for_a_family_that_was_negotiated() {
    let mut pair = quiet_pair(19);
    pair.write(0, &route_refresh(Refresh::Request, Family::Ipv6));
    pair.write(0, &message(MessageKind::RouteRefresh, &[0, 25, 0, 70]));
    pair.write(0, &message(MessageKind::RouteRefresh, &[0, 1, 9, 1]));
    pair.run(1);
    let passed_over =
        ["RefreshIgnored AFI 25, SAFI 70, subtype 0", "RefreshIgnored AFI 1, SAFI 1, subtype 9"];
    assert_eq!(pair.log[1][1..], ["RouteRefresh IPv6", passed_over[0], passed_over[1]]);
    assert!(pair.is_up());
}
