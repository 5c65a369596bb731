//! RFC 4271 s8.1.1 and s8.1.3: a peer whose sessions fail again and again is damped by a rest after each failure that doubles from
//! one to the next (DampPeerOscillations, IdleHoldTimer), whichever end connects. While a session rests, it neither connects
//! nor takes a connection.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use palisade_bgp::Asn;
use palisade_bgp::session::{Action, ConnectionId, Session, SessionConfig, State};

/// The rest after so many failures in a row, at most; jitter takes up to a quarter off (s10).
const RESTS_S: [u64; 10] = [1, 2, 4, 8, 16, 32, 64, 120, 120, 120];

/// What a peer does that fails.
const FAILURES: [(&str, &[u8]); 3] = [
    ("an OPEN of another version", &OPEN_OF_VERSION_3),
    ("a NOTIFICATION", &NOTIFICATION),
    ("octets that are no message", &[0; 19]),
];
const OPEN_OF_VERSION_3: [u8; 29] = {
    let mut open = [0xff; 29];
    (open[16], open[17], open[18], open[19]) = (0, 29, 1, 3);
    open
};
const NOTIFICATION: [u8; 21] = {
    let mut notification = [0xff; 21];
    (notification[16], notification[17], notification[18]) = (0, 21, 3);
    (notification[19], notification[20]) = (6, 5);
    notification
};

#[test]
fn each_failure_in_a_row_is_followed_by_twice_the_rest_up_to_a_limit() {
    for passive in [false, true] {
        for (what, octets) in FAILURES {
            let mut now = Instant::now();
            let (mut session, id) = started(passive, now);
            for (failures, rest_s) in (1..).zip(RESTS_S) {
                fail(&mut session, id, octets, now);
                let place = format!("failure {failures}, {what}, passive: {passive}");
                assert_eq!((session.state(), session.failures()), (State::Idle, failures), "{place}");
                let until = session.next_attempt().unwrap();
                let rest = (until - now).as_millis() as u64;
                assert!((rest_s * 750..=rest_s * 1000).contains(&rest), "{rest} ms, {place}");
                // It takes nothing and does nothing until then.
                assert!(!session.accepts_incoming(), "{place}");
                session.handle_timeout(until - Duration::from_millis(1));
                assert_eq!((session.state(), session.poll_action()), (State::Idle, None), "{place}");
                now = until;
                session.handle_timeout(now);
                assert!(session.accepts_incoming(), "{place}");
            }
        }
    }
}

fn started(passive: bool, now: Instant) -> (Session, ConnectionId) {
    let config = SessionConfig {
        passive,
        ..SessionConfig::new(Asn(64_500), Ipv4Addr::new(192, 0, 2, 1), Asn(64_501))
    };
    let mut session = Session::new(config, 7);
    session.start(now);
    (session, if passive { ConnectionId::Incoming } else { ConnectionId::Outgoing })
}

/// A connection opens, these octets come, and it is closed.
fn fail(session: &mut Session, id: ConnectionId, octets: &[u8], now: Instant) {
    if id == ConnectionId::Outgoing {
        assert_eq!(session.poll_action(), Some(Action::Connect));
    }
    session.connected(id, now);
    assert_eq!(session.state(), State::OpenSent);
    session.input(id).extend_from_slice(octets);
    while session.next_event(now).is_some() {}
    assert_eq!(session.poll_action(), Some(Action::Close(id)));
    session.connection_closed(id, now);
}
