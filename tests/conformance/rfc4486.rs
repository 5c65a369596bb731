//! RFC 4486, as far as it is about too many prefixes: what the peer is told, octet by octet, and what there is to exceed
//! (RFC 4271 s6.7). The shard holds to a limit, a NOTIFICATION says so, and the session that gets it reads what was meant.

use std::net::Ipv4Addr;
use std::time::Instant;

use palisade_bgp::notification::{Cease, Notification};
use palisade_bgp::session::{Action, ConnectionId, DownReason, Event, Session, SessionConfig, State};
use palisade_bgp::{Asn, Family};
use palisade_rib::{Bounds, Counts, Limit, Limited, PrefixLimits};

type Told = (Option<(Family, u32)>, &'static [u8]);

/// What of a limit is said, the octets after the NOTIFICATION's code and subcode, and the words for whoever reads it.
const TOLD: [Told; 5] = [
    // s4: the data is optional, and a limit of all families has none that could be written.
    (None, &[]),
    // AFI, SAFI, and the upper bound in four octets.
    (Some((Family::Ipv4, 1)), &[0, 1, 1, 0, 0, 0, 1]),
    (Some((Family::Ipv6, 1)), &[0, 2, 1, 0, 0, 0, 1]),
    (Some((Family::Ipv4, 1_000_000)), &[0, 1, 1, 0x00, 0x0f, 0x42, 0x40]),
    (Some((Family::Ipv6, u32::MAX)), &[0, 2, 1, 0xff, 0xff, 0xff, 0xff]),
];

#[test]
fn a_peer_with_too_many_prefixes_is_told_the_family_and_its_upper_bound() {
    for (limit, data) in TOLD {
        let now = Instant::now();
        let [mut ours, mut theirs] = established(now);
        ours.stop(now, Cease::MaximumPrefixes(limit));
        let octets = ours.poll_transmit(ConnectionId::Outgoing).unwrap();
        let length = u16::try_from(21 + data.len()).unwrap().to_be_bytes();
        let expected = [&[0xff; 16], &length[..], &[3, 6, 1], data].concat();
        assert_eq!(octets, expected, "{limit:?}");
        assert_eq!(ours.poll_action(), Some(Action::Close(ConnectionId::Outgoing)));
        theirs.input(ConnectionId::Incoming).extend_from_slice(&octets);
        let heard = Notification::new(6, 1, data);
        let Some(Event::Down { reason: DownReason::Received(received), .. }) = theirs.next_event(now) else {
            panic!()
        };
        assert_eq!(received, heard);
        assert!(heard.to_string().starts_with("cease: maximum number of prefixes reached (6/1)"));
    }
}

type Exceeded = ([Option<u32>; 3], [i64; 2], &'static [Option<Family>]);

/// Limits in total, of IPv4 and of IPv6; what a peer has of either; and the limits that are exceeded, a family's first, because
/// only that can be told.
#[rustfmt::skip]
const EXCEEDED: [Exceeded; 9] = [
    ([None,     None,     None],     [9, 9],  &[]),
    ([Some(18), None,     None],     [9, 9],  &[]),
    ([Some(17), None,     None],     [9, 9],  &[None]),
    ([None,     Some(9),  Some(9)],  [9, 9],  &[]),
    ([None,     Some(8),  None],     [9, 9],  &[Some(Family::Ipv4)]),
    ([None,     None,     Some(8)],  [9, 9],  &[Some(Family::Ipv6)]),
    ([Some(1),  Some(8),  Some(8)],  [9, 9],  &[Some(Family::Ipv4), Some(Family::Ipv6), None]),
    ([Some(1),  Some(9),  Some(8)],  [9, 9],  &[Some(Family::Ipv6), None]),
    ([Some(0),  None,     None],     [0, 0],  &[]),
];

#[test]
fn more_than_the_upper_bound_is_too_many_and_as_many_is_not() {
    for ([total, v4, v6], held, expected) in EXCEEDED {
        let bounds = Bounds { total, family: [v4, v6] };
        for (of, received, accepted) in
            [(Limited::Received, bounds, Bounds::NONE), (Limited::Accepted, Bounds::NONE, bounds)]
        {
            let limits = PrefixLimits { received, accepted, warning_percent: 80 };
            let exceeded = limits.of(Counts { received: held, accepted: held });
            let exceeded: Vec<Limit> = exceeded.filter(|limit| limit.left() < 0).collect();
            let families: Vec<_> = exceeded.iter().map(|limit| limit.family).collect();
            assert_eq!(families, expected, "{bounds:?} of {held:?}");
            assert!(exceeded.iter().all(|limit| limit.of == of));
        }
    }
}

/// Two speakers that have become Established: we connected.
fn established(now: Instant) -> [Session; 2] {
    let speaker = |local, peer, passive| SessionConfig {
        passive,
        ..SessionConfig::new(Asn(local), Ipv4Addr::from(local), Asn(peer))
    };
    let mut ours = Session::new(speaker(64_500, 64_501, false), 1);
    let mut theirs = Session::new(speaker(64_501, 64_500, true), 2);
    [&mut ours, &mut theirs].into_iter().for_each(|session| session.start(now));
    assert_eq!(ours.poll_action(), Some(Action::Connect));
    ours.connected(ConnectionId::Outgoing, now);
    theirs.connected(ConnectionId::Incoming, now);
    for _ in 0..3 {
        carry(&mut ours, ConnectionId::Outgoing, &mut theirs, ConnectionId::Incoming, now);
        carry(&mut theirs, ConnectionId::Incoming, &mut ours, ConnectionId::Outgoing, now);
    }
    assert_eq!([ours.state(), theirs.state()], [State::Established; 2]);
    [ours, theirs]
}

fn carry(from: &mut Session, out: ConnectionId, to: &mut Session, to_id: ConnectionId, now: Instant) {
    while let Some(octets) = from.poll_transmit(out) {
        to.input(to_id).extend_from_slice(&octets);
    }
    while to.next_event(now).is_some() {}
}
