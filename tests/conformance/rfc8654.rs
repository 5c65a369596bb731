//! RFC 8654: messages of more than 4,096 octets, either way, by what each end has said of them.

use palisade_bgp::encode::Format;
use palisade_bgp::message::{MAX_EXTENDED_LEN, MAX_LEN, MessageKind};
use palisade_bgp::notification::Notification;
use palisade_bgp::session::{ConnectionId, DownReason, Event, Session, State};
use palisade_bgp::{Family, SessionConfig};

use crate::speaker::{OUT, PLAIN, Speaker, config, message, negotiate, open};

fn both(extended: bool, theirs: bool) -> (SessionConfig, Vec<u8>) {
    let config = SessionConfig { extended_messages: extended, ..config() };
    (config, [&PLAIN[..], if theirs { &[6, 0] } else { &[] }].concat())
}

/// s4: we send long messages to a peer that has said that it takes them; it may send them where we have.
#[test]
fn each_direction_is_as_long_as_its_receiver_has_said() {
    for (ours, theirs, sent, received) in [
        (false, false, MAX_LEN, MAX_LEN),
        // Who does not want them does neither.
        (false, true, MAX_LEN, MAX_LEN),
        (true, false, MAX_LEN, MAX_EXTENDED_LEN),
        (true, true, MAX_EXTENDED_LEN, MAX_EXTENDED_LEN),
    ] {
        let (config, capabilities) = both(ours, theirs);
        let agreed = negotiate(config, &open(&capabilities)).unwrap();
        assert_eq!((agreed.max_sent, agreed.max_received), (sent, received), "{ours} {theirs}");
        assert_eq!(agreed.format(Family::Ipv4), Format { max_message: sent, ..Format::PLAIN });
    }
}

/// The type and the length of a message, and the longest that is taken where we have said nothing, and where we have.
const LENGTHS: [(MessageKind, usize, bool, bool); 12] = [
    (MessageKind::Update, 4096, true, true),
    (MessageKind::Update, 4097, false, true),
    (MessageKind::Update, 65535, false, true),
    (MessageKind::RouteRefresh, 4096, true, true),
    (MessageKind::RouteRefresh, 4097, false, true),
    (MessageKind::Notification, 4096, true, true),
    (MessageKind::Notification, 4097, false, true),
    (MessageKind::Notification, 65535, false, true),
    // s4: OPEN and KEEPALIVE never grow. (An OPEN is out of place here whatever its length: 5/3.)
    (MessageKind::Open, 4097, false, false),
    (MessageKind::Open, 65535, false, false),
    (MessageKind::Keepalive, 4097, false, false),
    (MessageKind::Keepalive, 20, false, false),
];

#[test]
fn a_message_longer_than_we_have_said_is_bad_message_length() {
    for (kind, length, plain, extended) in LENGTHS {
        for (ours, taken) in [(false, plain), (true, extended)] {
            let (config, capabilities) = both(ours, true);
            let mut speaker = Speaker::established(config, &capabilities);
            // A refresh and an UPDATE that ask for nothing: an unknown subtype, an unknown family's routes.
            let mut body = vec![0; length - 19];
            if kind == MessageKind::Update {
                body[2..4].copy_from_slice(&((length - 23) as u16).to_be_bytes());
                let value = ((length - 27) as u16).to_be_bytes();
                body[4..8].copy_from_slice(&[0xd0, 99, value[0], value[1]]);
            }
            speaker.session.input(OUT).extend_from_slice(&message(kind, &body));
            let refusal = match speaker.session.next_event(speaker.now) {
                Some(Event::Down { reason: DownReason::Sent { notification, .. }, .. }) => Some(notification),
                _ => None,
            };
            let expected = Notification::new(1, 2, &(length as u16).to_be_bytes());
            assert_eq!(refusal, (!taken).then_some(expected), "{kind:?} of {length}, {ours}");
        }
    }
}

/// s5: a NOTIFICATION is no longer than the peer takes, whatever it quotes.
#[test]
fn a_notification_is_cut_to_what_the_peer_takes() {
    for (theirs, longest) in [(false, 4096), (true, 5025)] {
        let (config, capabilities) = both(true, theirs);
        let mut speaker = Speaker::established(config, &capabilities);
        // A well-known attribute of 5,000 octets that nobody knows is quoted whole (RFC 4271 s6.3).
        let attribute = [&[0x50, 99, 0x13, 0x88][..], &[7; 5000]].concat();
        let lengths = (attribute.len() as u16).to_be_bytes();
        let body = [&[0, 0], &lengths[..], &attribute, &[8, 10]].concat();
        speaker.session.input(OUT).extend_from_slice(&message(MessageKind::Update, &body));
        assert!(speaker.session.next_event(speaker.now).is_some());
        assert_eq!(speaker.session.state(), State::Idle);
        let said = last(&mut speaker.session, OUT);
        assert_eq!((said.len(), &said[18..21]), (longest.min(21 + attribute.len()), &[3, 3, 2][..]));
    }
}

fn last(session: &mut Session, id: ConnectionId) -> Vec<u8> {
    std::iter::from_fn(|| session.poll_transmit(id)).last().unwrap().to_vec()
}

/// s3: what comes before the OPENs agree is as short as ever.
#[test]
fn nothing_is_long_before_the_opens_agree() {
    let mut speaker = Speaker::open_sent(SessionConfig { extended_messages: true, ..config() });
    let long = message(MessageKind::Update, &vec![0; 4097 - 19]);
    let told = speaker.hear(OUT, &long);
    assert_eq!(told, ["Failed sent message header error: bad message length (1/2)"]);
}
