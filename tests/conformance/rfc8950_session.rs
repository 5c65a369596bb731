//! RFC 8950 s4: whether IPv4 routes may have IPv6 next hops in a session, by what each end has said.

use palisade_bgp::{Family, SessionConfig};

use crate::speaker::{config, negotiate, open};

const FOUR: [u8; 6] = [1, 4, 0, 1, 0, 1];
const SIX: [u8; 6] = [1, 4, 0, 2, 0, 1];

/// What the peer says, and whether that is it, where we say so, too.
#[rustfmt::skip]
const CASES: [(&[&[u8]], bool); 9] = [
    (&[&FOUR], false),
    (&[&FOUR, &[5, 6, 0, 1, 0, 1, 0, 2]], true),
    (&[&FOUR, &[5, 0]], false),
    // IPv4 multicast, IPv4 over IPv4, IPv6 over IPv4.
    (&[&FOUR, &[5, 6, 0, 1, 0, 2, 0, 2]], false),
    (&[&FOUR, &[5, 6, 0, 1, 0, 1, 0, 1]], false),
    (&[&FOUR, &[5, 6, 0, 2, 0, 1, 0, 1]], false),
    // One of several, and one of several capabilities.
    (&[&FOUR, &[5, 12, 0, 1, 0, 128, 0, 2, 0, 1, 0, 1, 0, 2]], true),
    (&[&FOUR, &[5, 6, 0, 1, 0, 1, 0, 2], &[5, 6, 0, 1, 0, 2, 0, 2]], true),
    // IPv4 is not exchanged.
    (&[&SIX, &[5, 6, 0, 1, 0, 1, 0, 2]], false),
];

#[test]
fn ipv4_routes_have_ipv6_next_hops_where_both_ends_say_so() {
    for (said, expected) in CASES {
        for ours in [false, true] {
            let config = SessionConfig { extended_next_hop: ours, ..config() };
            let agreed = negotiate(config, &open(&said.concat())).unwrap();
            assert_eq!(agreed.extended_next_hop, ours && expected, "{said:?} {ours}");
            assert_eq!(agreed.context().extended_next_hop, ours && expected);
        }
    }
}

#[test]
fn we_say_so_of_families_that_we_exchange() {
    let says = |families: Vec<Family>| {
        let config = SessionConfig { extended_next_hop: true, families, ..config() };
        let mut speaker = crate::speaker::Speaker::connecting(config);
        speaker.session.connected(crate::speaker::OUT, speaker.now);
        let open = speaker.session.poll_transmit(crate::speaker::OUT).unwrap();
        open.windows(8).any(|octets| octets == [5, 6, 0, 1, 0, 1, 0, 2])
    };
    assert!(says(Family::ALL.to_vec()) && !says(vec![Family::Ipv6]));
}
