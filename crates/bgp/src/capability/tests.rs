use super::*;

#[test]
fn capabilities_survive_the_wire() {
    let all = [
        Capability::family(Family::Ipv6),
        Capability::RouteRefresh,
        Capability::ExtendedNextHop(vec![
            ExtendedNextHop::IPV4_OVER_IPV6,
            ExtendedNextHop { afi: 1, safi: 128, next_hop_afi: 2 },
        ]),
        Capability::ExtendedMessage,
        Capability::Role(BgpRole::RouteServerClient),
        Capability::GracefulRestart(Restart {
            restarting: true,
            notification: false,
            restart_time_s: MAX_RESTART_TIME_S,
            families: vec![
                RestartFamily { afi: 1, safi: 1, forwarding: true },
                RestartFamily { afi: 25, safi: 70, forwarding: false },
            ],
        }),
        Capability::GracefulRestart(Restart { notification: true, ..Restart::default() }),
        Capability::FourOctetAs(Asn(4_200_000_000)),
        Capability::AddPath(vec![
            AddPathFamily { afi: 1, safi: 1, can: AddPath { send: true, receive: false } },
            AddPathFamily { afi: 25, safi: 70, can: AddPath { send: false, receive: true } },
            AddPathFamily { afi: 2, safi: 1, can: AddPath { send: true, receive: true } },
        ]),
        Capability::EnhancedRouteRefresh,
        Capability::LongLived(vec![
            LongLivedFamily { afi: 2, safi: 1, forwarding: true, stale_time_s: MAX_STALE_TIME_S },
            LongLivedFamily { afi: 1, safi: 1, forwarding: false, stale_time_s: 1 },
        ]),
        Capability::Other { code: 9, value: vec![5] },
        Capability::Other { code: 128, value: vec![] },
        Capability::Other { code: 73, value: b"router".to_vec() },
    ];
    let (mut wire, mut back) = (Vec::new(), Vec::new());
    all.iter().for_each(|capability| capability.encode(&mut wire));
    Capability::decode_all(&wire, &mut back).unwrap();
    assert_eq!(back, all);
}

#[test]
fn add_path_says_who_receives_in_the_first_bit_and_who_sends_in_the_second() {
    let mut all = Vec::new();
    Capability::decode_all(&[69, 8, 0, 1, 1, 1, 0, 2, 1, 2], &mut all).unwrap();
    let [receives, sends] = [(1, false), (2, true)].map(|(afi, send)| {
        let can = AddPath { send, receive: !send };
        AddPathFamily { afi, safi: 1, can }
    });
    assert_eq!(all, [Capability::AddPath(vec![receives, sends])]);
}

#[test]
fn add_path_that_makes_no_sense_is_one_that_nobody_knows() {
    let mut longest = vec![69, 252];
    longest.extend([0, 1, 1, 3].repeat(63));
    let mut all = Vec::new();
    Capability::decode_all(&longest, &mut all).unwrap();
    assert!(matches!(&all[..], [Capability::AddPath(families)] if families.len() == 63));
    for value in [
        &[][..],
        &[0, 1, 1],
        &[0, 1, 1, 0],
        &[0, 1, 1, 4],
        &[0, 1, 1, 3, 0],
        &[0, 1, 1, 3, 0, 2, 1, 255],
        &[0, 1, 1, 0x81],
    ] {
        let wire = [&[69, value.len() as u8], value].concat();
        let mut all = Vec::new();
        Capability::decode_all(&wire, &mut all).unwrap();
        assert_eq!(all, [Capability::Other { code: 69, value: value.to_vec() }]);
    }
}

#[test]
fn a_known_capability_of_the_wrong_length_or_one_that_overruns_is_refused() {
    for bad in [
        &[1, 3, 0, 1, 0][..],
        &[2, 1, 0],
        &[5, 5, 0, 1, 0, 1, 0],
        &[6, 1, 0],
        &[9, 0],
        &[9, 2, 0, 0],
        &[64, 0],
        &[64, 1, 0],
        &[64, 5, 0, 120, 0, 1, 1],
        &[65, 2, 0, 1],
        &[70, 1, 0],
        &[71, 6, 0, 1, 1, 0, 0, 0],
        &[73, 5, 0],
        &[73],
    ] {
        assert_eq!(Capability::decode_all(bad, &mut Vec::new()), Err(Violation::OpenSyntax), "{bad:?}");
    }
}

#[test]
fn the_bits_of_a_restart_are_where_the_rfcs_have_them() {
    let wire = [64, 6, 0xc0 | 0x30 | 0x1, 0x2c, 0, 2, 1, 0x80];
    let mut all = Vec::new();
    Capability::decode_all(&wire, &mut all).unwrap();
    let families = vec![RestartFamily { afi: 2, safi: 1, forwarding: true }];
    let said = Restart { restarting: true, notification: true, restart_time_s: 300, families };
    // The two flags that nobody has defined are ignored.
    assert_eq!(all, [Capability::GracefulRestart(said)]);
    let mut all = Vec::new();
    Capability::decode_all(&[71, 7, 0, 1, 1, 0x7f, 0, 1, 0], &mut all).unwrap();
    assert_eq!(
        all,
        [Capability::LongLived(vec![LongLivedFamily {
            afi: 1,
            safi: 1,
            forwarding: false,
            stale_time_s: 256
        }])]
    );
}
