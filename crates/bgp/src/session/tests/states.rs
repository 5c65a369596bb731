//! One machine taken by hand from state to state: what each message does in each, and what the session asks of its
//! connections.

use super::*;

/// What each message does in each state.
#[test]
fn the_table_of_states_and_messages() {
    use State::*;
    let open = configs()[1].open(OwnRestart::default()).encode().unwrap();
    let eor = message(MessageKind::Update, &[0, 0, 0, 0]);
    let keepalive = crate::message::keepalive().to_vec();
    let refresh = route_refresh(Refresh::Request, Family::Ipv4).to_vec();
    let cease = Notification::from(&Cease::PeerDeconfigured).encode();
    let unexpected = |state: &str| format!("finite state machine error: unexpected message in {state}");
    let rows: [(State, &[u8], State, String); 15] = [
        (OpenSent, &open, OpenConfirm, "Keepalive".into()),
        (OpenSent, &keepalive, Idle, unexpected("OpenSent (5/1)")),
        (OpenSent, &eor, Idle, unexpected("OpenSent (5/1)")),
        (OpenSent, &refresh, Idle, unexpected("OpenSent (5/1)")),
        (OpenSent, &cease, Idle, String::new()),
        (OpenConfirm, &open, Idle, unexpected("OpenConfirm (5/2)")),
        (OpenConfirm, &keepalive, Established, String::new()),
        (OpenConfirm, &eor, Idle, unexpected("OpenConfirm (5/2)")),
        (OpenConfirm, &refresh, Idle, unexpected("OpenConfirm (5/2)")),
        (OpenConfirm, &cease, Idle, String::new()),
        (Established, &open, Idle, unexpected("Established (5/3)")),
        (Established, &keepalive, Established, String::new()),
        (Established, &eor, Established, String::new()),
        (Established, &refresh, Established, String::new()),
        (Established, &cease, Idle, String::new()),
    ];
    for (from, octets, to, answer) in rows {
        let (mut session, now) = in_state(from);
        session.input(ConnectionId::Outgoing).extend_from_slice(octets);
        while session.next_event(now).is_some() {}
        let kind = octets[18];
        assert_eq!((session.state(), sent(&mut session).concat()), (to, answer), "{from:?} {kind}");
        let close = (to == Idle).then_some(Action::Close(ConnectionId::Outgoing));
        assert_eq!(session.poll_action(), close, "{from:?} {kind}");
    }
}

#[test]
fn the_unexpected_message_is_named_in_the_notification() {
    let (mut session, now) = in_state(State::OpenSent);
    session.input(ConnectionId::Outgoing).extend_from_slice(&crate::message::keepalive());
    let Some(Event::Failed(DownReason::Sent { notification, .. })) = session.next_event(now) else {
        panic!()
    };
    assert_eq!(notification, Violation::Unexpected(1, MessageKind::Keepalive).into());
}

#[test]
fn connections_that_nobody_asked_for_are_closed_again() {
    let now = Instant::now();
    let mut stopped = Session::new(configs()[0].clone(), 1);
    for id in ConnectionId::ALL {
        assert!(!stopped.accepts_incoming());
        stopped.connected(id, now);
        assert_eq!((stopped.poll_transmit(id), stopped.poll_action()), (None, Some(Action::Close(id))));
        stopped.connection_closed(id, now);
    }
    let (mut session, now) = in_state(State::Established);
    assert!(!session.accepts_incoming());
    session.connected(ConnectionId::Incoming, now);
    assert_eq!(session.poll_action(), Some(Action::Close(ConnectionId::Incoming)));
    assert_eq!(session.state(), State::Established);
}

#[test]
fn input_for_a_connection_that_is_gone_is_dropped() {
    let (mut session, now) = in_state(State::Established);
    session.connection_closed(ConnectionId::Outgoing, now);
    assert!(matches!(session.next_event(now), Some(Event::Down { reason: DownReason::ConnectionLost, .. })));
    session.input(ConnectionId::Outgoing).extend_from_slice(&[0; 5000]);
    assert!(session.next_event(now).is_none());
    assert!(session.input(ConnectionId::Outgoing).is_empty());
}

#[test]
fn what_is_left_of_the_input_is_less_than_a_message() {
    let (mut session, now) = in_state(State::Established);
    let eor = message(MessageKind::Update, &[0, 0, 0, 0]);
    let many = [eor.repeat(1000), eor[..22].to_vec()].concat();
    session.input(ConnectionId::Outgoing).extend_from_slice(&many);
    let mut updates = 0;
    while let Some(Event::Update(update)) = session.next_event(now) {
        assert_eq!(update.end_of_rib(), Some(Family::Ipv4));
        updates += 1;
    }
    assert_eq!((updates, session.input(ConnectionId::Outgoing).len()), (1000, 22));
}
