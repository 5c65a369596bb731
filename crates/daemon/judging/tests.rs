//! What the judge is told of a peer.

use std::path::Path;

use palisade_bgp::Asn;
use palisade_policy::IrrBuilder;
use palisade_policy::as_set::Member;

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
fn a_peer_without_a_role_keeps_every_check() {
    let peer = judged(&config(&peer_of_role("", "")), &Snapshot::default());
    assert_eq!(peer.role, None);
    assert!(Reason::ALL.iter().all(|reason| peer.checks.mode(*reason) == Mode::Enforce));
}

#[test]
fn route_objects_register_more_specifics_where_that_is_allowed() {
    let longest = |rest: &str| {
        let config = config(&(rest.to_owned() + &peer_of_role("customer", "")));
        judged(&config, &Snapshot::default()).limits.longest_registered
    };
    assert_eq!(longest(""), [0, 0]);
    assert_eq!(longest("[irr]\ndumps = [\"x\"]\nallow_longer = true\n"), [24, 48]);
}

#[test]
fn what_we_originate_is_ours() {
    let tables = tables::own(&config(""));
    assert!(tables.own_prefixes.contains("192.0.2.77".parse().unwrap()));
    assert!(tables.peering_lans.is_empty());
}
