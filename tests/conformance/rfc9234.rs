//! RFC 9234: which roles go together (s4.2), and what becomes of ONLY_TO_CUSTOMER on its way in and out (s5).

use palisade_bgp::capability::BgpRole;
use palisade_bgp::fault::{Fault, Outcome, Wrong};
use palisade_bgp::notification::Notification;
use palisade_bgp::{Asn, Context, Decoder, SessionConfig};
use palisade_policy::Role;

use crate::messages::{attribute, body};
use crate::speaker::{OURS, THEIRS, config, negotiate, open, open_with, parameters};

const ROLES: [BgpRole; 5] =
    [BgpRole::Provider, BgpRole::RouteServer, BgpRole::RouteServerClient, BgpRole::Customer, BgpRole::Peer];

const MISMATCH: (u8, u8) = (2, 11);

/// s4.2, table 2: our role in a row, the peer's in a column, both as numbered in table 1; 5 is one that nobody has defined.
const PAIRS: [(BgpRole, [bool; 6]); 5] = [
    (BgpRole::Provider, [false, false, false, true, false, false]),
    (BgpRole::RouteServer, [false, false, true, false, false, false]),
    (BgpRole::RouteServerClient, [false, true, false, false, false, false]),
    (BgpRole::Customer, [true, false, false, false, false, false]),
    (BgpRole::Peer, [false, false, false, false, true, false]),
];

fn with_role(role: Option<BgpRole>, strict: bool) -> SessionConfig {
    SessionConfig { role, strict_role: strict, ..config() }
}

/// The roles of an OPEN; what is agreed on is the peer's role, if it says one.
fn agreed(config: SessionConfig, roles: &[u8]) -> Result<Option<BgpRole>, (u8, u8)> {
    let capabilities: Vec<u8> = roles.iter().flat_map(|role| [9, 1, *role]).collect();
    let came = negotiate(config, &open(&capabilities));
    came.map(|negotiated| negotiated.peer_role).map_err(|told: Notification| (told.code, told.subcode))
}

#[test]
fn roles_go_together_as_the_table_says() {
    for (ours, row) in PAIRS {
        for (theirs, goes) in (0u8..).zip(row) {
            for strict in [false, true] {
                let role = ROLES.get(usize::from(theirs)).copied();
                let expected = if goes { Ok(role) } else { Err(MISMATCH) };
                assert_eq!(agreed(with_role(Some(ours), strict), &[theirs]), expected, "{ours} {theirs}");
            }
        }
    }
}

/// What a customer of ours says, or does not; our role, and whether we are strict; what comes of it.
#[test]
fn what_is_not_said_or_said_twice() {
    let customer = Ok(Some(BgpRole::Customer));
    let ours = Some(BgpRole::Provider);
    for (config, roles, expected) in [
        (with_role(ours, false), &[][..], Ok(None)),
        (with_role(ours, true), &[], Err(MISMATCH)),
        (with_role(ours, false), &[3, 3, 3], customer),
        (with_role(ours, false), &[3, 4], Err(MISMATCH)),
        (with_role(ours, false), &[4, 3], Err(MISMATCH)),
        (with_role(ours, false), &[3, 99], Err(MISMATCH)),
        // Without a role of ours nothing is compared, not even where we would be strict.
        (with_role(None, true), &[], Ok(None)),
        (with_role(None, false), &[3], customer),
        (with_role(None, false), &[3, 4], Ok(None)),
        (with_role(None, false), &[99], Ok(None)),
    ] {
        assert_eq!(agreed(config.clone(), roles), expected, "{roles:?} {config:?}");
    }
}

/// s4: roles are between ASes. Within one, we say none, and hear none.
#[test]
fn within_an_as_there_are_no_roles() {
    let config = SessionConfig { peer_asn: OURS, ..with_role(Some(BgpRole::Provider), true) };
    let open = open_with(OURS, [192, 0, 2, 2], &parameters(&[9, 1, 0]));
    assert_eq!(negotiate(config, &open).unwrap().peer_role, None);
}

/// What the peer is to us, what we say, and whether a path from it with ONLY_TO_CUSTOMER of the peer's AS and of another's is a leak,
/// whether one without is marked on receipt, whether one without is marked on sending, and whether one with it may be sent.
type Handling = (Role, Option<BgpRole>, [bool; 2], bool, bool, bool);

#[rustfmt::skip]
const HANDLING: [Handling; 6] = [
    (Role::Customer, Some(BgpRole::Provider),          [true,  true],  false, true,  true),
    (Role::Peer,     Some(BgpRole::Peer),              [false, true],  true,  true,  false),
    (Role::Provider, Some(BgpRole::Customer),          [false, false], true,  false, false),
    (Role::RsClient, Some(BgpRole::RouteServer),       [true,  true],  false, true,  true),
    (Role::Rs,       Some(BgpRole::RouteServerClient), [false, false], true,  false, false),
    (Role::Internal, None,                             [false, false], false, false, true),
];

#[test]
fn only_to_customer_is_dealt_with_by_what_the_peer_is_to_us() {
    for (role, ours, leaks, marked_in, marked_out, may_be_sent) in HANDLING {
        assert_eq!(role.ours(), ours);
        assert_eq!([THEIRS, Asn(64999)].map(|asn| role.otc_leaks(asn, THEIRS)), leaks, "{role}");
        assert_eq!(role.marks_otc_on_receipt(), marked_in, "{role}");
        assert_eq!(role.marks_otc_on_sending(), marked_out, "{role}");
        assert_eq!(role.may_be_sent_otc(), may_be_sent, "{role}");
    }
}

/// s5: an ONLY_TO_CUSTOMER that is malformed makes its routes withdrawn.
#[test]
fn an_only_to_customer_of_any_length_but_four_octets_withdraws() {
    const OTC: u8 = 35;
    let mandatory = [
        attribute(0x40, 1, &[0]),
        attribute(0x40, 2, &[2, 1, 0, 0, 0xfb, 0xf5]),
        attribute(0x40, 3, &[192, 0, 2, 2]),
    ]
    .concat();
    for len in 0..9 {
        let attributes = [mandatory.clone(), attribute(0xc0, OTC, &vec![1; len])].concat();
        let octets = body(&[], &attributes, &[8, 10]);
        let mut decoder = Decoder::new();
        let update = decoder.update(&octets, &Context::default()).unwrap();
        let expected = Fault { attribute: OTC, wrong: Wrong::Length, outcome: Outcome::TreatAsWithdraw };
        let faults: &[Fault] = if len == 4 { &[] } else { &[expected] };
        assert_eq!(update.faults(), faults, "{len}");
        assert_eq!(update.withdrawn::<u32>().count(), usize::from(len != 4));
    }
}
