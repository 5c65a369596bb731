//! What is claimed of several daemons alike. What is native to one stands in its scenario.

use crate::lab::{Lab, connections, wait_for, wait_until_it_listens};
use crate::route::{Route, items, text};

/// The AS of our router, and of the daemon, in every scenario but those about AS numbers.
pub(crate) const OURS: u32 = 196_608;
pub(crate) const THEIRS: u32 = 196_702;

/// Our peers by name, and our addresses that the daemon knows: one session a family.
pub(crate) const SESSIONS: [(&str, &str); 2] = [("ipv4", "192.0.2.1"), ("ipv6", "2001:db8::1")];

/// A session a family, which the daemon opens, then we; each carries a route of its family each way. Where it takes a
/// command, `originate` has the daemon announce its routes.
pub(crate) fn sessions(lab: &mut Lab, originate: impl Fn(&mut Lab)) {
    lab.start();
    originate(lab);
    come_up_and_carry(lab);
    let (ours, theirs): (Vec<_>, Vec<_>) = connections().into_iter().unzip();
    assert!(ours.iter().all(|end| end.ends_with(":179")), "they were to connect: {ours:?} to {theirs:?}");

    lab.peer().stop();
    lab.stop_ours();
    // Who listens nowhere has to connect.
    lab.edit("palisade.toml", |text| {
        text.replace("passive = true\n", "").replace("[router]\n", "[router]\nlisten = []\n")
    });
    lab.peer().start();
    originate(lab);
    wait_until_it_listens();
    lab.start_ours();
    come_up_and_carry(lab);
    let (ours, theirs): (Vec<_>, Vec<_>) = connections().into_iter().unzip();
    assert!(theirs.iter().all(|end| end.ends_with(":179")), "we were to connect: {ours:?} to {theirs:?}");
}

fn come_up_and_carry(lab: &mut Lab) {
    lab.wait_for_sessions(&SESSIONS);
    wait_for(&vec![Route::plain("193.0.1.0/24", &[OURS], "192.0.2.1")], || lab.peer().held(4));
    wait_for(&vec![Route::plain("2a00:1::/32", &[OURS], "2001:db8::1")], || lab.peer().held(6));
    wait_for(&vec![Route::plain("193.0.2.0/24", &[THEIRS], "192.0.2.2")], || accepted(lab, "ipv4"));
    wait_for(&vec![Route::plain("2a00:2::/32", &[THEIRS], "2001:db8::2")], || accepted(lab, "ipv6"));
    assert_eq!(connections().len(), 2, "a session a family");
}

/// What we hold of a peer, and have accepted.
pub(crate) fn accepted(lab: &Lab, peer: &str) -> Vec<Route> {
    let told = lab.show(&["routes", "--peer", peer, "--accepted"]);
    let list = |value| {
        let mut list: Vec<String> = items(value).map(|one| text(one).to_owned()).collect();
        list.sort();
        list
    };
    let mut routes: Vec<Route> = items(&told)
        .map(|route| Route {
            prefix: text(&route["prefix"]).into(),
            path_id: route["path_id"].as_u64().and_then(|id| id.try_into().ok()).unwrap_or(0),
            as_path: crate::route::numbers(text(&route["as_path"])),
            next_hop: text(&route["next_hop"]).into(),
            communities: list(&route["communities"]),
            large_communities: list(&route["large_communities"]),
            is_stale: route["stale"] == true,
        })
        .collect();
    routes.sort();
    routes
}
