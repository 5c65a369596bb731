//! What the judge is told of a peer.

use std::net::IpAddr;
use std::path::Path;

use palisade_bgp::attributes::{Facts, Span};
use palisade_bgp::{Asn, Attributes, Family};
use palisade_policy::as_set::Member;
use palisade_policy::{IrrBuilder, Region};

use super::*;
use crate::config::Source;

fn config(rest: &str) -> Config {
    let text = format!("[router]\nasn = 196608\nid = \"192.0.2.1\"\nnetworks = [\"192.0.2.0/24\"]\n{rest}");
    Config::parse(Source::new("test".into(), text), Path::new("")).unwrap()
}

fn peer_of_role(role: &str, rest: &str) -> String {
    let role = if role.is_empty() { String::new() } else { format!("role = \"{role}\"\n") };
    format!("[[peer]]\nname = \"p\"\naddress = \"192.0.2.9\"\nasn = 200001\n{role}{rest}\n")
}

fn judged(config: &Config, tables: &Snapshot) -> palisade_policy::Peer {
    peer(config, &config.peers[0], tables)
}

/// Tables in which AS-P holds AS 200001 and AS 200002.
fn tables_with_as_set() -> Snapshot {
    let mut irr = IrrBuilder::default();
    let members = [200001, 200002].map(|asn| Member::Asn(Asn(asn))).to_vec();
    irr.add_as_set(&"AS-P".parse().unwrap(), members, "TEST").unwrap();
    Snapshot { irr: Arc::new(irr.build()), ..Snapshot::default() }
}

#[test]
fn an_as_set_is_expanded_and_without_it_a_peer_speaks_for_itself_alone() {
    let tables = tables_with_as_set();
    for (written, also_200002) in [("as_set = \"AS-P\"", true), ("as_set = \"AS-NONE\"", false), ("", false)]
    {
        let peer = judged(&config(&peer_of_role("customer", written)), &tables);
        assert_eq!(peer.checks.mode(Reason::IrrOriginNotInAsSet), Mode::Enforce, "{written}");
        assert!(peer.may_originate(Asn(200001)), "{written}");
        assert_eq!(peer.may_originate(Asn(200002)), also_200002, "{written}");
        assert!(!peer.may_originate(Asn(200003)), "{written}");
    }
}

#[test]
fn several_as_sets_are_taken_together_and_one_that_fails_costs_no_other() {
    let tables = tables_with_as_set();
    for (written, also_200002, also_200003) in [
        ("AS-P AS200003", true, true),
        ("AS-NONE AS-P", true, false),
        ("AS200003 AS-NONE", false, true),
        ("AS-NONE AS-NEITHER", false, false),
    ] {
        let peer = judged(&config(&peer_of_role("customer", &format!("as_set = \"{written}\""))), &tables);
        let may = [200002, 200003].map(|asn| peer.may_originate(Asn(asn)));
        assert_eq!(may, [also_200002, also_200003], "{written}");
    }
}

/// A lateral peer's as-set that comes to nothing must not switch off what it would have switched on.
#[test]
fn an_as_set_that_fails_never_loosens_the_checks() {
    let config = config(&peer_of_role("peer", "as_set = \"AS-NONE\""));
    assert_eq!(judged(&config, &Snapshot::default()).checks.mode(Reason::IrrOriginNotInAsSet), Mode::Enforce);
}

#[test]
fn the_nearest_word_on_a_check_holds() {
    let everywhere = "[checks]\nbogon-asn = \"observe\"\nirr-origin-not-in-as-set = \"enforce\"\n";
    let mode = |role: &str, rest: &str, reason| {
        let config = config(&(everywhere.to_owned() + &peer_of_role(role, rest)));
        judged(&config, &Snapshot::default()).checks.mode(reason)
    };
    assert_eq!(mode("customer", "", Reason::BogonAsn), Mode::Observe);
    assert_eq!(mode("customer", "checks.bogon-asn = \"off\"", Reason::BogonAsn), Mode::Off);
    assert_eq!(mode("provider", "", Reason::DefaultRoute), Mode::Observe);
    assert_eq!(mode("provider", "allow_default = true", Reason::DefaultRoute), Mode::Off);
    // What a role leaves off, only the peer's own word switches on.
    assert_eq!(mode("provider", "", Reason::IrrOriginNotInAsSet), Mode::Off);
    let own = "checks.irr-origin-not-in-as-set = \"observe\"";
    assert_eq!(mode("provider", own, Reason::IrrOriginNotInAsSet), Mode::Observe);
}

#[test]
fn a_role_s_checks_come_between_those_for_all_and_a_peer_s_or_its_group_s() {
    let text = "[checks]\nbogon-asn = \"observe\"\nas-loop = \"observe\"\n\
        [checks.provider]\nbogon-asn = \"off\"\nirr-origin-not-in-as-set = \"observe\"\ndefault-route = \"enforce\"\n\
        [group.g]\nallow_default = true\nchecks.as-loop = \"off\"\nchecks.otc-leak = \"observe\"\n";
    let modes = |role: &str, rest: &str| {
        let config = config(&(text.to_owned() + &peer_of_role(role, rest)));
        let checks = judged(&config, &Snapshot::default()).checks;
        [Reason::BogonAsn, Reason::AsLoop, Reason::DefaultRoute, Reason::IrrOriginNotInAsSet, Reason::OtcLeak]
            .map(|reason| checks.mode(reason))
    };
    use Mode::{Enforce, Observe, Off};
    assert_eq!(
        modes("peer", ""),
        [Observe, Observe, Enforce, Off, Enforce],
        "another role's are not its own"
    );
    assert_eq!(modes("provider", ""), [Off, Observe, Enforce, Observe, Enforce]);
    assert_eq!(modes("provider", "group = \"g\""), [Off, Off, Off, Observe, Observe]);
    let own = "group = \"g\"\nallow_default = false\nchecks.as-loop = \"enforce\"";
    assert_eq!(modes("provider", own), [Off, Enforce, Enforce, Observe, Observe], "check by check");
    assert_eq!(modes("provider", "group = \"g\"\nchecks.default-route = \"enforce\"")[2], Enforce);
}

#[test]
fn limits_are_the_peer_s_own_or_its_group_s_or_those_for_everybody() {
    let group =
        "[group.g]\nlongest_ipv4 = 28\nmax_path_length = 7\nallow_longer = true\naccept_rpki_valid = false\n";
    let limits = |rest: &str| {
        let config = config(&(group.to_owned() + &peer_of_role("customer", rest)));
        let peer = judged(&config, &Snapshot::default());
        (peer.limits, peer.rpki_valid_is_registered)
    };
    let default = palisade_policy::Limits { longest_registered: [0; 2], ..Default::default() };
    assert_eq!(limits(""), (default, true));
    let grouped = palisade_policy::Limits {
        longest: [28, 48],
        longest_registered: [28, 48],
        path_length: 7,
        ..default
    };
    assert_eq!(limits("group = \"g\""), (grouped, false));
    let own = "group = \"g\"\nallow_longer = false\nshortest_ipv6 = 16\nmax_communities = 3\naccept_rpki_valid = true";
    let expected =
        palisade_policy::Limits { shortest: [8, 16], communities: 3, longest_registered: [0; 2], ..grouped };
    assert_eq!(limits(own), (expected, true));
}

#[test]
fn a_peer_without_a_role_keeps_every_check() {
    let peer = judged(&config(&peer_of_role("", "")), &Snapshot::default());
    assert_eq!(peer.role, None);
    assert!(Reason::ALL.iter().all(|reason| peer.checks.mode(*reason) == Mode::Enforce));
}

#[test]
fn route_objects_register_more_specifics_where_that_is_allowed() {
    let longest = |rest: &str| {
        let config = config(&(rest.to_owned() + &peer_of_role("customer", "")));
        [judged(&config, &Snapshot::default()), ourselves(&config)].map(|peer| peer.limits.longest_registered)
    };
    assert_eq!(longest(""), [[0, 0]; 2], "a peer's, and ours");
    assert_eq!(longest("[irr]\ndumps = [\"x\"]\nallow_longer = true\n"), [[24, 48]; 2]);
}

#[test]
fn what_we_originate_is_ours() {
    let tables = tables::own(&config(""));
    assert!(tables.own_prefixes.contains("192.0.2.77".parse().unwrap()));
    assert!(tables.peering_lans.is_empty());
}

fn route_server(rest: &str) -> Config {
    let text = format!(
        "[router]\nmode = \"route-server\"\nasn = 196608\nid = \"192.0.2.1\"\n{rest}\n\
         [[peer]]\nname = \"p\"\naddress = \"192.0.2.9\"\nasn = 200001\n"
    );
    Config::parse(Source::new("test".into(), text), Path::new("")).unwrap()
}

/// Whether a path with one large community, of our own AS number and these two, is wished to go to nobody.
fn is_withheld(tables: &Snapshot, second: u32, third: u32) -> bool {
    let wire = [196_608, second, third].map(u32::to_be_bytes).concat();
    let facts = Facts { large_communities: Span { start: 0, len: 12 }, ..Facts::default() };
    let next_hop = IpAddr::from([192, 0, 2, 9]).into();
    let attributes = Attributes { wire: &wire, facts: &facts, next_hop };
    let actions = tables.actions.as_ref();
    let wishes = actions.and_then(|actions| actions.read(&attributes));
    wishes.is_some_and(|wishes| wishes.towards_all().withheld)
}

#[test]
fn what_members_may_ask_for_reaches_the_tables() {
    assert!(is_withheld(&tables::own(&route_server("")), 0, 0), "the set goes without saying");
    let none = route_server("[actions]\nset = \"none\"");
    assert!(action_scheme(&none).is_none() && tables::own(&none).actions.is_none());
    assert!(action_scheme(&config("")).is_none(), "a router has no members");

    let replaced = tables::own(&route_server("[actions]\ndo-not-announce-to-all = [\"rs:7:7\"]"));
    assert!(is_withheld(&replaced, 7, 7) && !is_withheld(&replaced, 0, 0));
    let extended =
        tables::own(&route_server("[actions]\ndo-not-announce-to-all = [\"rs:7:7\", \"default\"]"));
    assert!(is_withheld(&extended, 7, 7) && is_withheld(&extended, 0, 0));
    let off = tables::own(&route_server("[actions]\ndo-not-announce-to-all = []"));
    assert!(off.actions.is_some() && !is_withheld(&off, 0, 0));
}

#[test]
fn blackhole_next_hops_and_regions_are_those_that_are_written() {
    let written = "[actions]\nset = \"none\"\nblackhole_next_hop = [\"2001:db8::66\"]\n\
        [actions.regions]\nfra = 1\nams = 2";
    let config = route_server(written);
    let scheme = action_scheme(&config).unwrap();
    assert_eq!(scheme.blackhole_next_hop(Family::Ipv4), None);
    let next_hop = scheme.blackhole_next_hop(Family::Ipv6).unwrap();
    assert_eq!(next_hop.address(), "2001:db8::66".parse::<IpAddr>().unwrap());
    assert!(judged(&config, &Snapshot::default()).regions.is_empty());

    let mut config = config;
    config.peers[0].regions = vec![Region(2)];
    assert_eq!(*judged(&config, &Snapshot::default()).regions, [Region(2)]);
}
