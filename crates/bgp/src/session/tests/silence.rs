//! Peers that say nothing, or read nothing (RFC 4271 s6.5, RFC 9687): who is given up, when, and who is not.

use super::*;

#[test]
fn two_speakers_come_up_and_stay_up_in_silence() {
    let mut pair = quiet_pair(1);
    assert_eq!(pair.sessions[0].negotiated().unwrap().hold_time_s, 9);
    assert_eq!(pair.sessions[0].negotiated().unwrap().families, [true; 2]);
    assert!(pair.sessions[1].negotiated().unwrap().four_octet_as);
    pair.run(24 * 3600);
    assert_eq!(pair.log, [["Established"], ["Established"]]);
}

#[test]
fn without_a_hold_time_nobody_needs_to_speak() {
    let [a, b] = configs();
    let mut pair = Pair::new([a, SessionConfig { hold_time_s: 0, ..b }], 3);
    pair.start();
    assert!(pair.run_until_up(60));
    assert!(pair.sessions.iter().all(|session| session.next_timeout().is_none()));
    pair.fall_silent();
    pair.run(3600);
    assert!(pair.is_up());
}

#[test]
fn silence_for_the_hold_time_ends_the_session() {
    let mut pair = quiet_pair(7);
    let before = pair.seconds();
    pair.fall_silent();
    pair.run(8);
    while pair.log[0].len() == 1 && pair.seconds() < before + 20 {
        pair.run(1);
    }
    assert!(pair.seconds() - before <= 10);
    assert_eq!(pair.log[0][1], "Down sent hold timer expired (4/0)");
    assert!(pair.run_until_up(60));
}

#[test]
fn a_peer_that_never_reads_is_given_up() {
    let (mut session, now) = in_state(State::Established);
    let keepalive = crate::message::keepalive();
    let mut at = now;
    for _ in 0..200 {
        // It speaks, but our KEEPALIVEs stay where they are.
        session.input(ConnectionId::Outgoing).extend_from_slice(&keepalive);
        match session.next_event(at) {
            Some(Event::Down { reason: DownReason::Sent { notification, .. }, .. }) => {
                assert_eq!(notification, Violation::SendHoldTimerExpired.into());
                assert!((480..500).contains(&at.duration_since(now).as_secs()));
                return;
            }
            other => assert!(other.is_none()),
        }
        at += Duration::from_secs(5);
        session.handle_timeout(at);
    }
    panic!("still up");
}

#[test]
fn a_peer_that_takes_updates_slowly_is_not_given_up() {
    let (mut session, mut at) = in_state(State::Established);
    for _ in 0..1000 {
        session.input(ConnectionId::Outgoing).extend_from_slice(&crate::message::keepalive());
        assert!(session.next_event(at).is_none());
        at += Duration::from_secs(5);
        session.sent(at);
        session.handle_timeout(at);
    }
    assert_eq!(session.state(), State::Established);
}

#[test]
fn a_message_that_waits_for_us_is_no_silence() {
    let (mut session, now) = in_state(State::Established);
    session.input(ConnectionId::Outgoing).extend_from_slice(&crate::message::keepalive());
    session.handle_timeout(now + Duration::from_secs(10));
    assert_eq!(session.state(), State::Established);
    // Half of one is.
    let (mut session, now) = in_state(State::Established);
    session.input(ConnectionId::Outgoing).extend_from_slice(&crate::message::keepalive()[..18]);
    session.handle_timeout(now + Duration::from_secs(10));
    assert_eq!(session.state(), State::Idle);
}

#[test]
fn a_peer_that_does_not_answer_our_open_is_given_up_even_without_a_hold_time() {
    let (mut session, now) = in_state(State::OpenSent);
    session.handle_timeout(now + Duration::from_secs(241));
    assert!(
        matches!(session.next_event(now), Some(Event::Failed(DownReason::Sent { notification: n, .. })) if n.code == 4)
    );
    let (mut session, now) = in_state(State::OpenSent);
    let open = SessionConfig { hold_time_s: 0, ..configs()[1].clone() }
        .open(OwnRestart::default())
        .encode()
        .unwrap();
    session.input(ConnectionId::Outgoing).extend_from_slice(&open);
    assert!(session.next_event(now).is_none());
    session.handle_timeout(now + Duration::from_secs(241));
    assert!(
        matches!(session.next_event(now), Some(Event::Failed(DownReason::Sent { notification: n, .. })) if n.code == 4)
    );
}
