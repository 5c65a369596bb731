//! RFC 4724, RFC 8538 and RFC 9494 in a session: what is said of restarts, what is agreed on, and whose routes are to be kept
//! however it ends. What the table does with them is told elsewhere.

use std::time::Duration;

use palisade_bgp::message::MessageKind;
use palisade_bgp::negotiated::{PeerRestart, Retained};
use palisade_bgp::notification::{Cease, Notification};
use palisade_bgp::session::{Action, Event, GracefulRestart, State};
use palisade_bgp::{Family, SessionConfig};

use crate::speaker::{IN, OUT, PLAIN, Speaker, config, message, negotiate, open};

fn keeping(long_lived_stale_time_s: u32) -> SessionConfig {
    let graceful = GracefulRestart { restart_time_s: 120, long_lived_stale_time_s };
    SessionConfig { graceful_restart: Some(graceful), ..config() }
}

/// Our OPEN.
fn ours(config: SessionConfig, restarting: bool, forwarding: [bool; 2]) -> Vec<u8> {
    let mut speaker = Speaker::connecting(config);
    speaker.session.set_restart(restarting, forwarding);
    speaker.session.connected(OUT, speaker.now);
    speaker.session.poll_transmit(OUT).unwrap().to_vec()
}

/// What we are configured with, what there is to say, and the capabilities that say it.
#[test]
fn what_we_say_of_restarts() {
    let contains = |open: &[u8], part: &[u8]| open.windows(part.len()).any(|octets| octets == part);
    // RFC 4724 s3: R, N, 12 bits of time; a family and F. RFC 8538 s2: we always say N.
    let calm = [64, 10, 0x40, 120, 0, 1, 1, 0, 0, 2, 1, 0];
    assert!(contains(&ours(keeping(0), false, [false; 2]), &calm));
    let back = [64, 10, 0xc0, 120, 0, 1, 1, 0x80, 0, 2, 1, 0];
    assert!(contains(&ours(keeping(0), true, [true, false]), &back));
    // RFC 9494 s3.1: it stands beside the other, and nowhere else.
    let long_lived = [71, 14, 0, 1, 1, 0x80, 1, 0x51, 0x80, 0, 2, 1, 0, 1, 0x51, 0x80];
    assert!(contains(&ours(keeping(86_400), true, [true, false]), &long_lived));
    let none = ours(config(), true, [true; 2]);
    assert!(!contains(&none, &[64, 10]) && !contains(&none, &[71, 14]));
    // As long as its fields can say.
    let graceful = GracefulRestart { restart_time_s: u16::MAX, long_lived_stale_time_s: u32::MAX };
    let most = ours(SessionConfig { graceful_restart: Some(graceful), ..config() }, false, [false; 2]);
    assert!(contains(&most, &[64, 10, 0x4f, 0xff]) && contains(&most, &[0, 2, 1, 0, 0xff, 0xff, 0xff]));
}

const KEPT: Retained = Retained { forwarding: false, long_lived_s: 0, long_lived_forwarding: false };

/// What the peer says besides its families, and what is agreed on of each family's routes.
#[test]
fn what_is_agreed_on() {
    let forwarding = Retained { forwarding: true, ..KEPT };
    let long = Retained { long_lived_s: 3600, ..KEPT };
    let longest = Retained { long_lived_s: 0xff_ffff, long_lived_forwarding: true, ..forwarding };
    type Case = (&'static [&'static [u8]], [Option<Retained>; 2]);
    #[rustfmt::skip]
    let cases: [Case; 10] = [
        // Without families, the peer only says End-of-RIB.
        (&[&[64, 2, 0, 90]], [None, None]),
        (&[&[64, 6, 0, 90, 0, 1, 1, 0]], [Some(KEPT), None]),
        (&[&[64, 10, 0, 90, 0, 2, 1, 0x80, 0, 1, 1, 0x7f]], [Some(KEPT), Some(forwarding)]),
        // Families that we do not route.
        (&[&[64, 10, 0, 90, 0, 1, 2, 0x80, 0, 25, 70, 0x80]], [None, None]),
        // RFC 4724 s3: of several, all but the last are ignored.
        (&[&[64, 6, 0, 10, 0, 1, 1, 0x80], &[64, 6, 0, 90, 0, 2, 1, 0]], [None, Some(KEPT)]),
        (&[&[64, 6, 0, 90, 0, 1, 1, 0], &[71, 7, 0, 1, 1, 0, 0, 0x0e, 0x10]], [Some(long), None]),
        (&[&[64, 6, 0, 90, 0, 1, 1, 0x80], &[71, 7, 0, 1, 1, 0x80, 0xff, 0xff, 0xff]], [Some(longest), None]),
        // RFC 9494 s3.1: a family has to be in both.
        (&[&[64, 6, 0, 90, 0, 1, 1, 0], &[71, 7, 0, 2, 1, 0x80, 0, 0, 9]], [Some(KEPT), None]),
        (&[&[64, 2, 0, 90], &[71, 7, 0, 1, 1, 0, 0, 0x0e, 0x10]], [None, None]),
        (&[&[64, 6, 0, 90, 0, 1, 1, 0], &[71, 0]], [Some(KEPT), None]),
    ];
    for (said, families) in cases {
        let capabilities = [&PLAIN[..], &said.concat()].concat();
        let agreed = negotiate(keeping(86_400), &open(&capabilities)).unwrap();
        let expected = PeerRestart { restarting: false, notification: false, restart_time_s: 90, families };
        assert_eq!(agreed.peer_restart, Some(expected), "{said:?}");
        // Where we keep no routes, or not for long, it is of no use that the peer would.
        assert_eq!(negotiate(config(), &open(&capabilities)).unwrap().peer_restart, None);
        let short = negotiate(keeping(0), &open(&capabilities)).unwrap().peer_restart.unwrap();
        assert!(short.families.iter().flatten().all(|family| family.long_lived_s == 0));
    }
    let long_lived_alone = [&PLAIN[..], &[71, 7, 0, 1, 1, 0, 0, 0, 9]].concat();
    assert_eq!(negotiate(keeping(9), &open(&long_lived_alone)).unwrap().peer_restart, None);
    // A family that is not exchanged.
    let only_six = [1, 4, 0, 2, 0, 1, 64, 6, 0, 90, 0, 1, 1, 0];
    let agreed = negotiate(keeping(0), &open(&only_six)).unwrap().peer_restart.unwrap();
    assert_eq!(agreed.families, [None, None]);
    let restarted = [&PLAIN[..], &[64, 2, 0xc0, 90]].concat();
    let agreed = negotiate(keeping(0), &open(&restarted)).unwrap().peer_restart.unwrap();
    assert!(agreed.restarting && agreed.notification);
}

/// A peer that keeps and has kept the routes of IPv4 alone, over a lost connection, and over NOTIFICATIONs, too.
const LOST: [u8; 8] = [64, 6, 0, 90, 0, 1, 1, 0];
const NOTIFIED: [u8; 8] = [64, 6, 0x40, 90, 0, 1, 1, 0];

fn session(restart: &[u8]) -> Speaker {
    Speaker::established(keeping(0), &[&PLAIN[..], restart].concat())
}

/// How a session can end, and whether routes are kept then where only a lost connection keeps them, and where a
/// NOTIFICATION does, too.
type End = (&'static str, fn(&mut Speaker), [bool; 2]);

#[rustfmt::skip]
const ENDS: [End; 15] = [
    ("RFC 4724 s4.2: the connection closes", |it| it.session.connection_closed(OUT, it.now), [true, true]),
    ("RFC 8538 s4: the hold timer expires", |it| it.session.handle_timeout(it.now + Duration::from_secs(9)), [false, true]),
    ("RFC 8538 s4: the peer's hold timer expired", |it| hears(it, Notification::new(4, 0, &[])), [false, true]),
    ("RFC 8538 s4: the peer resets", |it| hears(it, Notification::new(6, 4, &[])), [false, true]),
    ("RFC 8538 s4: the peer shuts down, softly", |it| hears(it, Notification::new(6, 2, &[])), [false, true]),
    ("RFC 8538 s4: the peer finds an error", |it| hears(it, Notification::new(3, 1, &[])), [false, true]),
    ("RFC 8538 s3: the peer resets hard", |it| hears(it, Notification::new(6, 9, &[6, 2])), [false, false]),
    ("RFC 8538 s3: the peer resets hard, and says no more", |it| hears(it, Notification::new(6, 9, &[])), [false, false]),
    ("RFC 8538 s4: we find an error", |it| it.session.input(OUT).extend_from_slice(&[0; 19]), [false, true]),
    ("RFC 8538 s5.1: we reset", |it| it.session.stop(it.now, Cease::AdministrativeReset("".into())), [false, true]),
    ("RFC 8538 s5.1: we are out of resources", |it| it.session.stop(it.now, Cease::OutOfResources), [false, true]),
    ("RFC 8538 s5.1: we shut down", |it| it.session.stop(it.now, Cease::AdministrativeShutdown("".into())), [false, false]),
    ("RFC 8538 s5.1: it is no longer configured", |it| it.session.stop(it.now, Cease::PeerDeconfigured), [false, false]),
    ("RFC 8538 s5.1: too many prefixes", |it| it.session.stop(it.now, Cease::MaximumPrefixes(None)), [false, false]),
    ("we leave, to be restarted", |it| it.session.leave(it.now, Cease::AdministrativeShutdown("".into())), [false, false]),
];

fn hears(speaker: &mut Speaker, notification: Notification) {
    speaker.session.input(OUT).extend_from_slice(&notification.encode());
}

#[test]
fn whose_routes_are_kept_follows_from_how_a_session_ends() {
    for (what, ends, [lost, notified]) in ENDS {
        for (restart, kept) in [(&LOST[..], lost), (&NOTIFIED, notified), (&[], false)] {
            let mut speaker = session(restart);
            ends(&mut speaker);
            let Some(Event::Down { retained, .. }) = speaker.session.next_event(speaker.now) else {
                panic!("{what}")
            };
            assert_eq!(retained, [kept, false], "{what}: {restart:?}");
        }
    }
}

/// Our reasons to end a session, and whether the peer is told to keep nothing, where it would (RFC 8538 s3, s5.1).
#[test]
fn what_is_final_is_a_hard_reset_and_says_all_that_it_would_have() {
    for (cease, hard) in [
        (Cease::AdministrativeShutdown("disk".into()), true),
        (Cease::MaximumPrefixes(Some((Family::Ipv4, 9))), true),
        (Cease::PeerDeconfigured, true),
        (Cease::OtherConfigurationChange, true),
        (Cease::AdministrativeReset("new software".into()), false),
        (Cease::OutOfResources, false),
    ] {
        for (restart, hard) in [(&NOTIFIED[..], hard), (&LOST, false), (&[], false)] {
            let mut speaker = session(restart);
            speaker.session.stop(speaker.now, cease.clone());
            let octets = speaker.session.poll_transmit(OUT).unwrap();
            let (plain, said) = (Notification::from(&cease), Notification::decode(&octets[19..]));
            let stacked = [&[plain.code, plain.subcode], &plain.data[..]].concat();
            let expected = if hard { Notification::new(6, 9, &stacked) } else { plain.clone() };
            assert_eq!(said, expected, "{cease:?} {restart:?}");
            assert_eq!(said.encapsulated(), hard.then_some(plain));
        }
    }
}

/// A planned restart of ours: a peer that keeps our routes is left without a word, any other is told why.
#[test]
fn we_leave_without_a_word_where_our_routes_are_kept() {
    let words = "cease: administrative shutdown (6/2) \"update\"";
    for (restart, said, told) in [
        (&LOST[..], None, "Down left for a restart of ours".into()),
        (&NOTIFIED, None, "Down left for a restart of ours".into()),
        (&[], Some(words), format!("Down sent {words}")),
    ] {
        let mut speaker = session(restart);
        speaker.session.leave(speaker.now, Cease::AdministrativeShutdown("update".into()));
        assert_eq!(speaker.told(), [told]);
        assert_eq!(speaker.said(OUT), Vec::from_iter(said));
        assert_eq!(speaker.session.poll_action(), Some(Action::Close(OUT)));
        speaker.session.connection_closed(OUT, speaker.now);
        assert!(speaker.told().is_empty() && speaker.session.next_timeout().is_none());
        assert_eq!(speaker.session.state(), State::Idle);
    }
}

/// RFC 4724 s5: a peer that connects while its session is up has restarted. The old connection goes without a NOTIFICATION, its
/// routes stay, and the new one goes on. With others a second connection is a collision, which the one that is up wins.
#[test]
fn a_peer_that_connects_anew_supersedes_its_session() {
    for (restart, gives_way) in [(&LOST[..], true), (&NOTIFIED, true), (&[64, 2, 0, 90], false), (&[], false)]
    {
        let mut speaker = session(restart);
        assert_eq!(speaker.session.superseded(), gives_way.then_some(OUT), "{restart:?}");
        assert!(!speaker.session.accepts_incoming());
        if !gives_way {
            continue;
        }
        speaker.session.connection_closed(OUT, speaker.now);
        assert_eq!(speaker.told(), ["Down connection lost, keeping [true, false]"]);
        assert!(speaker.said(OUT).is_empty() && speaker.session.accepts_incoming());
        speaker.session.connected(IN, speaker.now);
        assert_eq!(speaker.said(IN), ["OPEN"]);
        speaker.hear(IN, &open(&[&PLAIN[..], restart].concat()));
        assert_eq!(speaker.hear(IN, &message(MessageKind::Keepalive, &[])), ["Established"]);
        assert_eq!(speaker.session.superseded(), Some(IN));
    }
}
