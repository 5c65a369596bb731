//! What members ask for with communities: the rules as a table, and against a reading of all communities for each
//! member in turn.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod support;

use palisade_bgp::attributes::{Community, ExtendedCommunity, LargeCommunity, NextHop};
use palisade_bgp::{Asn, Family};
use palisade_policy::actions::{Action, MAX_NAMED, Whom, Wish, euro_ix};
use palisade_policy::{ActionScheme, Peer, Region, Role, Scrubbed, Snapshot, Treatment, judge_path};
use proptest::prelude::*;
use support::{Announcement, address};

const RS: Asn = Asn(64500);

/// The member that the table asks about: AS 64501 in region 1.
const MEMBER: (Asn, [Region; 1]) = (Asn(64501), [Region(1)]);

fn scheme() -> ActionScheme {
    ActionScheme::new(&euro_ix(RS).0, [None; 2])
}

/// Communities of all kinds from their texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Written(Scrubbed);

impl Written {
    fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut written = Scrubbed::default();
        for text in texts {
            let numbers =
                |text: &str| text.split(':').map(|word| word.parse().unwrap()).collect::<Vec<u32>>();
            match (text.split_once(':').unwrap(), &numbers(text.trim_start_matches(['r', 't', 'o', ':']))[..])
            {
                (("rt", _), [a, b]) => written.extended.push(two_octet_as(2, *a, *b)),
                (("ro", _), [a, b]) => written.extended.push(two_octet_as(3, *a, *b)),
                (_, [a, b]) => written.communities.push(Community(a << 16 | b)),
                (_, [a, b, c]) => written.large.push(LargeCommunity(*a, *b, *c)),
                _ => panic!("{text}"),
            }
        }
        Written(written)
    }

    fn announcement(&self) -> Announcement {
        Announcement::new("64502", "192.0.2.2")
            .communities(&self.0.communities)
            .extended_communities(&self.0.extended)
            .these_large_communities(&self.0.large)
    }
}

/// RFC 4360 s3.1.
fn two_octet_as(sub_kind: u8, a: u32, b: u32) -> ExtendedCommunity {
    let ([_, _, a1, a2], [b1, b2, b3, b4]) = (a.to_be_bytes(), b.to_be_bytes());
    ExtendedCommunity([0, sub_kind, a1, a2, b1, b2, b3, b4])
}

/// RFC 5668.
fn four_octet_as(sub_kind: u8, a: u32, b: u32) -> ExtendedCommunity {
    let ([a1, a2, a3, a4], [_, _, b1, b2]) = (a.to_be_bytes(), b.to_be_bytes());
    ExtendedCommunity([2, sub_kind, a1, a2, a3, a4, b1, b2])
}

const AS_IT_IS: Treatment = Treatment { withheld: false, prepend: 0, no_export: false };
const fn prepended(prepend: u8) -> Treatment {
    Treatment { prepend, ..AS_IT_IS }
}
const NO_EXPORT: Treatment = Treatment { no_export: true, ..AS_IT_IS };
const WITHHELD: Treatment = Treatment::WITHHELD;

/// What a path carries, how it is treated towards [`MEMBER`], and towards one that nothing names.
const TABLE: &[(&str, Treatment, Treatment)] = &[
    // Nothing is asked for.
    ("", AS_IT_IS, AS_IT_IS),
    ("64501:1 64502:0:64501 rt:64501:0 ro:0:64501", AS_IT_IS, AS_IT_IS),
    ("65535:0 65535:65281 65535:666", AS_IT_IS, AS_IT_IS),
    ("0:0 64500:0 rt:0:0 64500:1:4200000000", AS_IT_IS, AS_IT_IS),
    // Announced or not, by each kind.
    ("0:64501", WITHHELD, AS_IT_IS),
    ("64500:0:64501", WITHHELD, AS_IT_IS),
    ("rt:0:64501", WITHHELD, AS_IT_IS),
    ("65410:1", WITHHELD, AS_IT_IS),
    ("64500:10:1", WITHHELD, AS_IT_IS),
    ("0:64500", WITHHELD, WITHHELD),
    ("64500:0:0", WITHHELD, WITHHELD),
    ("rt:0:64500", WITHHELD, WITHHELD),
    // The narrower wish holds, whichever comes first.
    ("0:64500 64500:64501", AS_IT_IS, WITHHELD),
    ("64500:64501 0:64500", AS_IT_IS, WITHHELD),
    ("64500:0:0 64500:11:1", AS_IT_IS, WITHHELD),
    ("0:64500 64500:11:1 0:64501", WITHHELD, WITHHELD),
    ("64500:10:1 64500:1:64501", AS_IT_IS, AS_IT_IS),
    ("64500:11:1 64500:0:64501", WITHHELD, AS_IT_IS),
    ("64500:64500 64500:0:64501", WITHHELD, AS_IT_IS),
    ("64500:64500 64500:10:1", WITHHELD, AS_IT_IS),
    // At one level, "do not" wins.
    ("0:64501 64500:64501", WITHHELD, AS_IT_IS),
    ("64500:10:1 64500:11:1", WITHHELD, AS_IT_IS),
    ("0:64500 64500:64500", WITHHELD, WITHHELD),
    ("0:64500 0:64501 64500:1:64501", WITHHELD, WITHHELD),
    // "Announce to" alone changes nothing.
    ("64500:64501", AS_IT_IS, AS_IT_IS),
    ("64500:1:64502", AS_IT_IS, AS_IT_IS),
    ("64500:11:1", AS_IT_IS, AS_IT_IS),
    ("64500:64500", AS_IT_IS, AS_IT_IS),
    // Prepending: the narrowest, and there the most.
    ("65501:64501", prepended(1), AS_IT_IS),
    ("64500:102:64501", prepended(2), AS_IT_IS),
    ("rt:65503:64501", prepended(3), AS_IT_IS),
    ("65501:64501 64500:103:64501 65502:64501", prepended(3), AS_IT_IS),
    ("64500:101:64501 64500:103:0", prepended(1), prepended(3)),
    ("64500:112:1 64500:103:0", prepended(2), prepended(3)),
    ("64500:113:1 64500:101:64501", prepended(1), AS_IT_IS),
    ("64500:101:0", prepended(1), prepended(1)),
    // NO_EXPORT: any that is about the member.
    ("65281:64501", NO_EXPORT, AS_IT_IS),
    ("64500:65481:1", NO_EXPORT, AS_IT_IS),
    ("65281:64500", NO_EXPORT, NO_EXPORT),
    ("65281:64500 65501:64501", Treatment { prepend: 1, ..NO_EXPORT }, NO_EXPORT),
    // Wishes about what is withheld come to nothing.
    ("0:64501 65501:64501 65281:64501", WITHHELD, AS_IT_IS),
    ("0:64500 65501:64501 65281:64501", WITHHELD, WITHHELD),
    ("0:64500 65501:64501 64500:64501", prepended(1), WITHHELD),
    // A blackhole route goes where it is let.
    ("65535:666 0:64501", WITHHELD, AS_IT_IS),
    ("64500:666:0 0:64500 64500:64501", AS_IT_IS, WITHHELD),
];

#[test]
fn the_rules_hold_as_a_table() {
    let scheme = scheme();
    for (communities, member, rest) in TABLE {
        let written = Written::new(communities.split_whitespace());
        let wishes = scheme.read(&written.announcement().attributes());
        let towards = wishes.as_ref().map_or(AS_IT_IS, |wishes| wishes.towards(MEMBER.0, &MEMBER.1));
        let towards_all = wishes.as_ref().map_or(AS_IT_IS, |wishes| wishes.towards_all());
        assert_eq!((towards, towards_all), (*member, *rest), "{communities}");
        let nothing = *member == AS_IT_IS && *rest == AS_IT_IS && !communities.contains("10:1");
        assert_eq!(wishes.is_none(), nothing, "{communities}");
    }
}

#[test]
fn of_several_regions_any_counts() {
    let read = |communities: &str| {
        let written = Written::new(communities.split_whitespace());
        let wishes = scheme().read(&written.announcement().attributes()).unwrap();
        wishes.towards(Asn(64501), &[Region(1), Region(2)])
    };
    assert_eq!(read("64500:10:1 64500:11:2"), WITHHELD);
    assert_eq!(read("64500:111:1 64500:113:2"), prepended(3));
    assert_eq!(read("64500:0:0 64500:11:2"), AS_IT_IS);
}

#[test]
fn names_are_in_order_once_and_only_where_something_is_asked() {
    let texts = "0:64503 65501:64502 64500:0:64503 64500:64505 64500:111:7 64500:112:7 64500:11:3";
    let written = Written::new(texts.split_whitespace());
    let wishes = scheme().read(&written.announcement().attributes()).unwrap();
    assert_eq!(wishes.named_peers().collect::<Vec<_>>(), [Asn(64502), Asn(64503)]);
    assert_eq!(wishes.named_regions().collect::<Vec<_>>(), [Region(7)]);

    // "Not to region 2" gives a peer something to be spared, and another region nothing.
    let written = Written::new(["64500:10:2", "64500:11:3", "64500:64501"]);
    let wishes = scheme().read(&written.announcement().attributes()).unwrap();
    assert_eq!(wishes.named_peers().collect::<Vec<_>>(), [Asn(64501)]);
    assert_eq!(wishes.named_regions().collect::<Vec<_>>(), [Region(2)]);
}

#[test]
fn a_four_octet_as_is_named_where_there_is_room() {
    let member = Asn(4_200_000_001);
    let withheld = |written: Scrubbed| {
        let wishes = scheme().read(&Written(written).announcement().attributes());
        wishes.is_some_and(|wishes| wishes.towards(member, &[]).withheld)
    };
    assert!(withheld(Written::new(["64500:0:4200000001"]).0));
    assert!(withheld(Written::new(["rt:0:4200000001"]).0));
    // Its last two octets are another AS.
    assert!(!withheld(Written::new(["0:59905"]).0));
}

/// RFC 4360 s3.1 and RFC 5668 are two ways to write one thing; other types are other things.
#[test]
fn extended_communities_are_known_in_both_types() {
    let withheld = |community| {
        let written = Scrubbed { extended: vec![community], ..Scrubbed::default() };
        let wishes = scheme().read(&Written(written).announcement().attributes());
        wishes.is_some_and(|wishes| wishes.towards(Asn(64501), &[]).withheld)
    };
    assert!(withheld(two_octet_as(2, 0, 64501)) && withheld(four_octet_as(2, 0, 64501)));
    assert!(!withheld(two_octet_as(3, 0, 64501)), "a route origin");
    let ExtendedCommunity(mut octets) = two_octet_as(2, 0, 64501);
    octets[0] = 0x40;
    assert!(!withheld(ExtendedCommunity(octets)), "not transitive");
    octets[0] = 0x01;
    assert!(!withheld(ExtendedCommunity(octets)), "of an IPv4 address");

    // A four-octet route server can be asked in its own name, about members whose AS has two octets.
    let scheme = ActionScheme::new(&euro_ix(Asn(196_608)).0, [None; 2]);
    let written = Scrubbed {
        communities: Vec::new(),
        extended: vec![two_octet_as(2, 0, 196_608), four_octet_as(2, 196_608, 64501)],
        large: Vec::new(),
    };
    let wishes = scheme.read(&Written(written).announcement().attributes()).unwrap();
    assert_eq!((wishes.towards(Asn(64501), &[]), wishes.towards_all()), (AS_IT_IS, WITHHELD));
}

#[test]
fn every_action_community_is_scrubbed_and_nothing_else() {
    let actions =
        "0:64501 0:0 64500:64500 64500:1 65502:4242 64500:666 rt:0:7 rt:65281:64500 64500:0:0 64500:103:99";
    let others = "64501:1 65535:666 65535:65281 65535:0 65504:1 rt:1:64500 ro:0:7 64500:1000:1 64501:0:64500";
    let all = Written::new(actions.split_whitespace().chain(others.split_whitespace()));
    let scrubbed = scheme().scrubbed(&all.announcement().attributes());
    assert_eq!(Written(scrubbed), Written::new(actions.split_whitespace()));
    let none = Written::new(others.split_whitespace());
    assert!(scheme().scrubbed(&none.announcement().attributes()).is_empty());
}

#[test]
fn who_names_too_many_is_heard_by_nobody() {
    let naming = |count: u32| {
        let large = (1..=count).map(|asn| LargeCommunity(RS.0, 101, asn)).collect();
        let written = Written(Scrubbed { large, ..Scrubbed::default() });
        scheme().read(&written.announcement().attributes()).unwrap()
    };
    let most = u32::try_from(MAX_NAMED).unwrap();
    let wishes = naming(most);
    assert_eq!((wishes.named_peers().len(), wishes.towards_all()), (MAX_NAMED, AS_IT_IS));
    assert_eq!(wishes.towards(Asn(most), &[]), prepended(1));
    let wishes = naming(most + 1);
    assert_eq!((wishes.named_peers().len(), wishes.towards_all()), (0, WITHHELD));
    assert_eq!(wishes.towards(Asn(1), &[]), WITHHELD);
}

#[test]
fn a_blackhole_is_known_by_every_name_and_judged_alike() {
    let next_hop = NextHop::from(address("192.0.2.66"));
    let scheme = ActionScheme::new(&euro_ix(RS).0, [Some(next_hop), None]);
    assert_eq!(scheme.blackhole_next_hop(Family::Ipv4), Some(next_hop));
    assert_eq!(scheme.blackhole_next_hop(Family::Ipv6), None);
    let tables = Snapshot { actions: Some(scheme.clone().into()), ..Snapshot::default() };
    for (text, blackhole) in [
        ("65535:666", true),
        ("64500:666", true),
        ("64500:666:0", true),
        ("64500:667", false),
        ("666:0", false),
    ] {
        let announcement = Written::new([text]).announcement();
        assert_eq!(scheme.is_blackhole(&announcement.attributes()), blackhole, "{text}");
        assert!(scheme.read(&announcement.attributes()).is_none(), "{text}");
        let judged = |role, tables| {
            let peer = Peer::new(Asn(64502), RS, Some(role), address("192.0.2.2"));
            judge_path(&announcement.attributes(), &peer, tables, &mut ()).blackhole
        };
        assert_eq!(judged(Role::RsClient, &tables), blackhole, "{text}");
        assert_eq!(judged(Role::Peer, &tables), text == "65535:666", "only members may: {text}");
        assert_eq!(judged(Role::RsClient, &Snapshot::default()), text == "65535:666", "{text}");
    }
}

/// A path as a member may send it: mostly action communities about a few, some that are none.
fn communities() -> impl Strategy<Value = Vec<String>> {
    let first = prop::sample::select(vec![
        "0", "64500", "65501", "65502", "65503", "65281", "65410", "65411", "65422", "7",
    ]);
    let second = prop::sample::select(vec![
        "0", "1", "10", "11", "101", "102", "103", "111", "113", "65281", "65481", "666", "9",
    ]);
    let third = prop::sample::select(vec!["0", "1", "2", "64500", "64501", "64502", "70001"]);
    let two_octets = prop::sample::select(vec!["0", "1", "2", "64500", "64501", "64502"]);
    let community = prop_oneof![
        (first.clone(), two_octets).prop_map(|(a, b)| format!("{a}:{b}")),
        (first, third.clone()).prop_map(|(a, b)| format!("rt:{a}:{b}")),
        (second, third).prop_map(|(b, c)| format!("64500:{b}:{c}")),
    ];
    prop::collection::vec(community, 0..12)
}

/// What a community says to a member, found by comparing texts: the exact patterns first, then with the member in the
/// place of `peer` and each of its regions in that of `region`. Kept as (level, wish); level 0 is the peer.
fn said_to(
    patterns: &[(Action, String)],
    community: &str,
    asn: Asn,
    regions: &[Region],
) -> Option<(u8, Wish)> {
    let exact = patterns.iter().find(|(_, pattern)| pattern == community);
    let naming = || {
        patterns.iter().find(|(action, pattern)| {
            let filled = |word: &str, number: u32| pattern.replace(word, &number.to_string());
            match action.whom() {
                Whom::Peer => filled("peer", asn.0) == community,
                Whom::Region => regions.iter().any(|region| filled("region", region.0) == community),
                Whom::All => false,
            }
        })
    };
    match exact.or_else(naming)?.0 {
        Action::Wish(wish, whom) => Some((whom as u8, wish)),
        Action::Blackhole => None,
    }
}

fn naive(patterns: &[(Action, String)], communities: &[String], asn: Asn, regions: &[Region]) -> Treatment {
    let said: Vec<(u8, Wish)> =
        communities.iter().filter_map(|community| said_to(patterns, community, asn, regions)).collect();
    let has = |level: u8, wish: Wish| said.contains(&(level, wish));
    for level in 0..3 {
        if has(level, Wish::DoNotAnnounce) {
            return WITHHELD;
        }
        if has(level, Wish::Announce) {
            break;
        }
    }
    let mut prepend = 0;
    for level in (0..3).rev() {
        for (count, wish) in [(1, Wish::PrependOnce), (2, Wish::PrependTwice), (3, Wish::PrependThrice)] {
            let narrower = has(level, wish);
            prepend = if narrower { count } else { prepend };
        }
    }
    Treatment { withheld: false, prepend, no_export: said.iter().any(|(_, wish)| *wish == Wish::NoExport) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Every member of a small exchange is treated as the naive reading says, and those that are not named as all are.
    #[test]
    fn members_are_treated_as_a_reading_for_each_says(communities in communities()) {
        let patterns: Vec<(Action, String)> =
            euro_ix(RS).0.into_iter().map(|(action, pattern)| (action, pattern.to_string())).collect();
        let scheme = scheme();
        let written = Written::new(communities.iter().map(String::as_str));
        let wishes = scheme.read(&written.announcement().attributes());
        for asn in [64501, 64502, 64503, 70001] {
            for regions in [&[][..], &[Region(1)], &[Region(2)], &[Region(2), Region(1)]] {
                let expected = naive(&patterns, &communities, Asn(asn), regions);
                let found = wishes.as_ref().map_or(AS_IT_IS, |wishes| wishes.towards(Asn(asn), regions));
                prop_assert_eq!(found, expected, "{} in {:?}", asn, regions);
                let named = wishes.as_ref().is_some_and(|wishes| {
                    wishes.named_peers().any(|peer| peer.0 == asn)
                        || wishes.named_regions().any(|region| regions.contains(&region))
                });
                let to_all = wishes.as_ref().map_or(AS_IT_IS, |wishes| wishes.towards_all());
                prop_assert!(named || found == to_all, "{} in {:?} is named by nothing", asn, regions);
            }
        }
    }

    /// Whatever octets come, reading ends, and what is scrubbed was there.
    #[test]
    fn any_octets_are_read(values in prop::collection::vec(any::<[u32; 3]>(), 0..50), extended in prop::collection::vec(any::<[u8; 8]>(), 0..50)) {
        let written = Written(Scrubbed {
            communities: values.iter().map(|[a, ..]| Community(*a)).collect(),
            extended: extended.into_iter().map(ExtendedCommunity).collect(),
            large: values.iter().map(|[a, b, c]| LargeCommunity(*a, *b, *c)).collect(),
        });
        let announcement = written.announcement();
        let scheme = scheme();
        let _ = scheme.read(&announcement.attributes());
        let scrubbed = scheme.scrubbed(&announcement.attributes());
        prop_assert!(scrubbed.communities.iter().all(|community| written.0.communities.contains(community)));
    }
}
