use super::*;

fn config() -> SessionConfig {
    SessionConfig::new(Asn(64500), Ipv4Addr::new(192, 0, 2, 1), Asn(64501))
}

fn open(capabilities: &[Capability]) -> Open {
    Open {
        asn: Asn(64501),
        hold_time_s: 30,
        router_id: Ipv4Addr::new(192, 0, 2, 2),
        capabilities: capabilities.to_vec(),
    }
}

fn negotiate(config: &SessionConfig, open: Open) -> Result<Negotiated, Notification> {
    Negotiated::new(config, ConnectionId::Outgoing, open)
}

#[test]
fn only_what_both_ends_say_is_agreed() {
    let all = [
        Capability::family(Family::Ipv4),
        Capability::family(Family::Ipv6),
        Capability::Multiprotocol { afi: 25, safi: 70 },
        Capability::RouteRefresh,
        Capability::FourOctetAs(Asn(64501)),
    ];
    let both = negotiate(&config(), open(&all)).unwrap();
    assert_eq!((both.families, both.route_refresh, both.four_octet_as), ([true, true], true, true));
    assert_eq!((both.hold_time_s, both.internal), (30, false));
    let six = negotiate(&config(), open(&all[1..2])).unwrap();
    assert_eq!((six.families, six.route_refresh, six.four_octet_as), ([false, true], false, false));
    // A peer of the last century.
    assert_eq!(negotiate(&config(), open(&[])).unwrap().families, [true, false]);
}

const OFF: AddPath = AddPath::OFF;
const SEND: AddPath = AddPath { send: true, receive: false };
const RECEIVE: AddPath = AddPath { send: false, receive: true };
const BOTH: AddPath = AddPath { send: true, receive: true };

/// The octets of an ADD-PATH capability, decoded.
fn listed(families: &[[u8; 3]]) -> Capability {
    let value: Vec<u8> = families.iter().flat_map(|[afi, safi, octet]| [0, *afi, *safi, *octet]).collect();
    let mut all = Vec::new();
    Capability::decode_all(&[&[69, value.len() as u8][..], &value].concat(), &mut all).unwrap();
    all.remove(0)
}

#[test]
fn path_identifiers_go_where_one_end_sends_them_and_the_other_receives_them() {
    // Rows: what we are willing to do; columns: Send/Receive of the peer: absent, 1, 2, 3.
    for (ours, outcomes) in [
        (OFF, [OFF, OFF, OFF, OFF]),
        (SEND, [OFF, SEND, OFF, SEND]),
        (RECEIVE, [OFF, OFF, RECEIVE, RECEIVE]),
        (BOTH, [OFF, SEND, RECEIVE, BOTH]),
    ] {
        for (octet, outcome) in (0u8..).zip(outcomes) {
            for family in Family::ALL {
                let mut config = config();
                config.add_path[family.index()] = ours;
                let mut capabilities = Family::ALL.map(Capability::family).to_vec();
                capabilities.extend((octet > 0).then(|| listed(&[[family.afi() as u8, 1, octet]])));
                let agreed = negotiate(&config, open(&capabilities)).unwrap();
                let mut wanted = [OFF; 2];
                wanted[family.index()] = outcome;
                assert_eq!(agreed.add_path, wanted, "{ours:?} {octet} {family}");
                assert_eq!(agreed.context().add_path, wanted.map(|one| one.receive));
                assert_eq!(Family::ALL.map(|f| agreed.format(f).add_path), wanted.map(|one| one.send));
            }
        }
    }
}

#[test]
fn add_path_is_of_a_family_that_both_route_and_its_last_word_holds() {
    let (four, six) = (Capability::family(Family::Ipv4), Capability::family(Family::Ipv6));
    let both_families = [four.clone(), six];
    let cases: [(&[Capability], &[Capability], [AddPath; 2]); 9] = [
        (&both_families, &[listed(&[[1, 1, 3], [2, 1, 3]])], [BOTH, BOTH]),
        (&both_families, &[listed(&[[2, 1, 1]])], [OFF, SEND]),
        // IPv6 is not exchanged.
        (&[four], &[listed(&[[1, 1, 3], [2, 1, 3]])], [BOTH, OFF]),
        // A peer without multiprotocol capabilities routes IPv4 all the same.
        (&[], &[listed(&[[1, 1, 2], [2, 1, 3]])], [RECEIVE, OFF]),
        // Multicast, and a family of which we know nothing.
        (&both_families, &[listed(&[[1, 2, 3], [25, 70, 3]])], [OFF, OFF]),
        (&both_families, &[listed(&[[1, 1, 3], [1, 1, 1]])], [SEND, OFF]),
        (&both_families, &[listed(&[[1, 1, 3]]), listed(&[[2, 1, 3], [1, 1, 2]])], [RECEIVE, BOTH]),
        // A capability with a value that makes no sense is ignored whole, and only that one.
        (&both_families, &[listed(&[[1, 1, 3], [2, 1, 4]])], [OFF, OFF]),
        (&both_families, &[listed(&[[1, 1, 3]]), listed(&[[1, 1, 0]])], [BOTH, OFF]),
    ];
    let config = SessionConfig { add_path: [BOTH; 2], ..config() };
    for (families, add_path, wanted) in cases {
        let agreed = negotiate(&config, open(&[families, add_path].concat())).unwrap();
        assert_eq!(agreed.add_path, wanted, "{add_path:?}");
    }
}

#[test]
fn what_does_not_agree_is_told_the_peer() {
    let stranger = Open { asn: Asn(64502), ..open(&[]) };
    assert_eq!(negotiate(&config(), stranger), Err(Violation::PeerAs.into()));
    let only_six = SessionConfig { families: vec![Family::Ipv6], ..config() };
    let wanted = [1, 4, 0, 2, 0, 1];
    assert_eq!(negotiate(&only_six, open(&[])), Err(Violation::Capability(&wanted).into()));
    let internal = SessionConfig { peer_asn: Asn(64500), ..config() };
    let twin = Open { asn: Asn(64500), router_id: config().router_id, ..open(&[]) };
    assert_eq!(negotiate(&internal, twin.clone()), Err(Violation::RouterId.into()));
    // Two ASes may well have routers of one identifier (RFC 6286).
    let namesake = Open { asn: Asn(64501), ..twin };
    assert!(negotiate(&config(), namesake).is_ok());
}
