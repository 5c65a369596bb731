use super::*;

use palisade_bgp::Asn;

fn peer(role: Role, address: &str) -> Peer {
    Peer::new(Asn(64_501), Asn(64_500), Some(role), address.parse().unwrap())
}

fn received(announcement: &Announcement, prefix: &str, peer: &Peer) -> Received {
    announcement.received(prefix.parse().unwrap(), peer).unwrap()
}

#[test]
fn what_is_left_out_is_what_the_peer_would_send() {
    let with_origin = Announcement { origin: Some(64_502), ..Announcement::default() };
    let own = Announcement { origin: Some(64_501), ..Announcement::default() };
    for (role, announcement, path) in [
        (Role::Customer, &Announcement::default(), "64501"),
        (Role::Customer, &own, "64501"),
        (Role::Peer, &with_origin, "64501 64502"),
        (Role::Rs, &with_origin, "64502"),
        (Role::Internal, &Announcement::default(), ""),
    ] {
        let received = received(announcement, "192.0.2.0/24", &peer(role, "203.0.113.1"));
        assert_eq!(received.attributes().as_path().to_string(), path, "{role}");
        assert_eq!(received.attributes().next_hop.address().to_string(), "203.0.113.1");
    }
    let over_ipv4 = received(&own, "2001:db8::/32", &peer(Role::Customer, "203.0.113.1"));
    assert!(over_ipv4.attributes().next_hop.address().is_ipv6());
    let over_ipv6 = received(&own, "192.0.2.0/24", &peer(Role::Customer, "2001:db8::7"));
    assert!(over_ipv6.attributes().next_hop.address().is_ipv4());
}

#[test]
fn what_is_written_is_what_is_read() {
    let announcement = Announcement {
        as_path: Some("64501 AS64502 { 64503, 64504 } 64505".into()),
        next_hop: Some("203.0.113.9".parse().unwrap()),
        communities: [
            "64500:1",
            "blackhole",
            "64500:1:2",
            "rt:64500:7",
            "ro:4200000001:7",
            "43000000000000ff",
        ]
        .map(String::from)
        .into(),
        med: Some(7),
        local_pref: Some(300),
        only_to_customer: Some(64_501),
        ..Announcement::default()
    };
    let internal = received(&announcement, "192.0.2.0/24", &peer(Role::Internal, "203.0.113.1"));
    let attributes = internal.attributes();
    assert_eq!(attributes.as_path().to_string(), "64501 64502 {64503,64504} 64505");
    let standard: Vec<_> = attributes.communities().map(|one| one.to_string()).collect();
    assert_eq!(standard, ["64500:1", "65535:666"]);
    let large: Vec<_> = attributes.large_communities().map(|one| one.to_string()).collect();
    assert_eq!(large, ["64500:1:2"]);
    let named: Vec<_> = attributes.extended_communities().map(|one| one.as_specific()).collect();
    assert_eq!(named, [Some((Asn(64_500), 7)), Some((Asn(4_200_000_001), 7)), None]);
    let facts = attributes.facts;
    assert_eq!(
        (facts.med, facts.local_pref, facts.only_to_customer),
        (Some(7), Some(300), Some(Asn(64_501)))
    );
    let external = received(&announcement, "192.0.2.0/24", &peer(Role::Customer, "203.0.113.1"));
    assert_eq!(external.attributes().facts.local_pref, None, "RFC 4271 s5.1.5: not from outside");
    let mut handed = 0;
    external.hand_to(|update| handed = update.announced::<u32>().map_or(0, |(_, paths)| paths.count()));
    assert_eq!(handed, 1);
}

#[test]
fn what_a_path_s_octets_say_survives_the_way_through_a_message() {
    let announcement =
        Announcement { as_path: Some("64501 1 2 3".into()), med: Some(1), ..Announcement::default() };
    let first = received(&announcement, "2001:db8::/32", &peer(Role::Customer, "2001:db8::1"));
    let attributes = first.attributes();
    let again = Received::new(first.prefix, attributes.wire, attributes.next_hop, false).unwrap();
    assert_eq!((again.attributes().wire, again.attributes().facts), (attributes.wire, attributes.facts));
}

#[test]
fn what_is_none_is_refused_with_what_to_write() {
    let customer = peer(Role::Customer, "203.0.113.1");
    let of = |announcement: Announcement| {
        announcement.received("192.0.2.0/24".parse().unwrap(), &customer).unwrap_err().to_string()
    };
    for path in ["64501,64502", "64501 x", "{64501", "4294967296", "AS-SET"] {
        let told = of(Announcement { as_path: Some(path.into()), ..Announcement::default() });
        assert!(told.contains("is no part of an AS path"), "{path}: {told}");
    }
    let long = "1 ".repeat(1_001);
    assert!(of(Announcement { as_path: Some(long), ..Announcement::default() }).contains("more than 1000"));
    assert!(
        Announcement { as_path: Some("1 ".repeat(1_000)), ..Announcement::default() }
            .received("192.0.2.0/24".parse().unwrap(), &customer)
            .is_ok()
    );
    for community in ["", "65536:1", "1:2:3:4", "+1:2", "rt:70000:70000", "no-exprot", "xyz"] {
        let told = of(Announcement { communities: vec![community.into()], ..Announcement::default() });
        assert!(told.contains("is no community"), "{community}: {told}");
    }
    let many = (0..20_000u32).map(|n| format!("1:{}", n % 60_000)).collect();
    assert_eq!(
        of(Announcement { communities: many, ..Announcement::default() }),
        "its attributes do not fit into an UPDATE"
    );
}
