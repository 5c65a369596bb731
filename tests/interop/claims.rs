//! What is claimed of several daemons alike. What is native to one stands in its scenario.

use crate::lab::{Lab, connections, wait_for, wait_until, wait_until_it_listens};
use crate::palisade::routes;
use crate::route::{Route, text};
use crate::support::namespace::run;
use crate::support::wire::{AS_PATH, AS4_PATH, CLUSTER_LIST, LARGE_COMMUNITY, LOCAL_PREF, NEXT_HOP};
use crate::support::wire::{ORIGINATOR_ID, octets};
use crate::witness::{ROUTER, Witness};

/// The AS of our router, and of the daemon, in every scenario but those about AS numbers.
pub(crate) const OURS: u32 = 196_608;
pub(crate) const THEIRS: u32 = 196_702;

/// Our peers by name, and our addresses that the daemon knows: one session a family.
pub(crate) const SESSIONS: [(&str, &str); 2] = [("ipv4", "192.0.2.1"), ("ipv6", "2001:db8::1")];

/// A session a family, which the daemon opens, then we; each carries a route of its family each way. Where it takes a
/// command, `originate` has the daemon announce its routes.
pub(crate) fn sessions(lab: &mut Lab, originate: impl Fn(&mut Lab)) {
    lab.start_ours();
    lab.peer().start();
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
    wait_until_it_listens(2);
    lab.start_ours();
    come_up_and_carry(lab);
    let (ours, theirs): (Vec<_>, Vec<_>) = connections().into_iter().unzip();
    assert!(theirs.iter().all(|end| end.ends_with(":179")), "we were to connect: {ours:?} to {theirs:?}");
}

fn come_up_and_carry(lab: &mut Lab) {
    lab.wait_for_sessions(&SESSIONS);
    let ours = |prefix, next_hop| vec![Route::plain(prefix, &[OURS], next_hop)];
    wait_for(&ours("193.0.1.0/24", "192.0.2.1"), || of_family(4, lab.peer().held(4)));
    wait_for(&ours("2a00:1::/32", "2001:db8::1"), || of_family(6, lab.peer().held(6)));
    let theirs = |prefix, next_hop| vec![Route::plain(prefix, &[THEIRS], next_hop)];
    wait_for(&theirs("193.0.2.0/24", "192.0.2.2"), || of_family(4, accepted(lab, "ipv4")));
    wait_for(&theirs("2a00:2::/32", "2001:db8::2"), || of_family(6, accepted(lab, "ipv6")));
    assert_eq!(connections().len(), 2, "a session a family");
}

/// Routes of a family behind next hops of that family, each once: what speaks both families over both sessions says more.
fn of_family(family: u8, mut routes: Vec<Route>) -> Vec<Route> {
    routes.retain(|route| {
        [&route.prefix, &route.next_hop].iter().all(|one| one.contains(':') == (family == 6))
    });
    routes.dedup();
    routes
}

/// What we hold of a peer, and have accepted.
pub(crate) fn accepted(lab: &Lab, peer: &str) -> Vec<Route> {
    routes(&lab.show(&["routes", "--peer", peer, "--accepted"]))
}

/// Those of the daemon's route where large communities are looked at.
pub(crate) const THEIR_COMMUNITIES: [[u32; 3]; 3] =
    [[THEIRS, 0, 1], [THEIRS, u32::MAX, 2], [u32::MAX - 1, 4_200_000_000, 0]];

/// Large communities of a route of the daemon's come to a third neighbour as octets, and such a neighbour's to the daemon.
/// Whatever `originate` makes stays for as long.
pub(crate) fn large_communities<T>(lab: &mut Lab, originate: impl Fn(&mut Lab) -> T) {
    lab.start();
    let _originated = originate(lab);
    lab.wait_for_sessions(&SESSIONS[..1]);
    let mut witness = Witness::join(9);
    let theirs = octets(THEIR_COMMUNITIES.as_flattened());
    assert_eq!(witness.told_of("193.0.2.0/24").get(&LARGE_COMMUNITY), Some(&theirs));

    let said = [[0, 0, 0], [196_709, u32::MAX, 2], [u32::MAX, 1, u32::MAX]];
    witness.announce("193.0.9.0/24", &[], &[(0xc0, LARGE_COMMUNITY, octets(said.as_flattened()))]);
    let mut route = Route::plain("193.0.9.0/24", &[OURS, 196_709], "192.0.2.1");
    route.large_communities = Route::in_order("0:0:0 196709:4294967295:2 4294967295:1:4294967295");
    wait_for(&Some(route), || held(lab, "193.0.9.0/24"));
}

/// A path of a third neighbour that holds 4-octet AS numbers comes to a daemon which knows 2-octet ones alone, and one of the
/// daemon's to that neighbour.
pub(crate) fn four_octet_as(lab: &mut Lab, ours: u32, theirs: &[u32]) {
    lab.start();
    lab.wait_for_sessions(&SESSIONS[..1]);
    let mut witness = Witness::join(9);
    let path = [&[2, theirs.len() as u8 + 1][..], &octets(&[ours]), &octets(theirs)].concat();
    let told = witness.told_of("193.0.2.0/24");
    assert_eq!(told.get(&AS_PATH), Some(&path));
    assert!(!told.contains_key(&AS4_PATH), "it is for 2-octet neighbours alone");

    witness.announce("193.0.9.0/24", &[396_511, 5_003, 396_510], &[]);
    let route = Route::plain("193.0.9.0/24", &[ours, 196_709, 396_511, 5_003, 396_510], "192.0.2.1");
    wait_for(&Some(route), || held(lab, "193.0.9.0/24"));
}

/// What our operator says as our router ends is shown by the daemon, at its command line (`show`) or in its log.
pub(crate) fn shutdown_of_ours(lab: &mut Lab, show: &str) {
    const WORDS: &str = "the router is being stopped";
    lab.start();
    lab.wait_for_sessions(&SESSIONS[..1]);
    lab.stop_ours();
    wait_until("they show what we have said", || shown(lab, show).contains(WORDS));
}

/// What the daemon's operator says with `command` is shown by us.
pub(crate) fn shutdown_of_theirs(lab: &mut Lab, command: &str, words: &str) {
    wait_until("they wait for us", || lab.peer().awaits(SESSIONS[0].1));
    lab.start_ours();
    lab.wait_for_sessions(&SESSIONS[..1]);
    lab.peer().ask(command);
    wait_until("we show what they have said", || last_end(lab, "ipv4").contains(words));
    let fault = last_end(lab, "ipv4");
    assert!(fault.contains("received") && fault.contains("6/2"), "{fault}");
}

/// The daemon does not want a route of ours, then `change` has it want that.
pub(crate) fn refresh_after_change(lab: &mut Lab, change: impl Fn(&mut Lab)) {
    lab.start();
    lab.wait_for_sessions(&SESSIONS[..1]);
    let mut witness = Witness::join(9);
    witness.announce("193.0.9.0/24", &[], &[]);
    // What is announced later comes later.
    witness.announce("193.0.19.0/24", &[], &[]);
    wait_until("they hold what they want", || held(lab, "193.0.19.0/24").is_some());
    assert_eq!(held(lab, "193.0.9.0/24"), None, "they did not want it");
    change(lab);
    let route = Route::plain("193.0.9.0/24", &[OURS, 196_709], "192.0.2.1");
    wait_for(&Some(route), || held(lab, "193.0.9.0/24"));
}

/// We ask the daemon for all of its routes, and are sent them: one UPDATE more at least, and the session stays up.
pub(crate) fn refresh_of_theirs(lab: &mut Lab) {
    wait_until("their route is there", || !accepted(lab, "ipv4").is_empty());
    let (before, updates) = (lab.show_peer("ipv4"), messages(lab, "update"));
    lab.tell_ours(&["peer", "refresh", "ipv4"]);
    wait_until("they say it again", || messages(lab, "update") > updates);
    assert_eq!(lab.show_peer("ipv4")["times_up"], before["times_up"], "it is the same session");
    assert_eq!(accepted(lab, "ipv4").len(), 1);
}

/// How many messages of a type the daemon has sent over IPv4.
pub(crate) fn messages(lab: &Lab, kind: &str) -> u64 {
    lab.show_peer("ipv4")["messages"]["received"]["by_type"][kind].as_u64().unwrap_or(0)
}

/// The daemon goes beyond the limit of `ipv4`, hears of it, and shows `words`.
pub(crate) fn limit_of_ours(lab: &mut Lab, words: &str, show: &str) {
    let is_told = |fault: String| fault.contains("sent") && fault.contains("6/1");
    wait_until("we say that it is too much", || is_told(last_end(lab, "ipv4")));
    wait_until("they show the NOTIFICATION", || shown(lab, show).contains(words));
    assert_eq!(accepted(lab, "ipv4"), []);
}

/// We go beyond the daemon's limit in `ipv6`.
pub(crate) fn limit_of_theirs(lab: &mut Lab) {
    let is_told = |fault: String| fault.contains("received") && fault.contains("6/1");
    wait_until("they say that it is too much", || is_told(last_end(lab, "ipv6")));
}

/// Two neighbours announce a prefix of each family; the daemon holds both paths, and one when the other is withdrawn. Over
/// these sessions it speaks both families.
pub(crate) fn all_paths_sent(lab: &mut Lab, sessions: &[(&str, &str)]) {
    lab.start();
    lab.wait_for_sessions(sessions);
    let (mut first, mut second) = (Witness::join(9), Witness::join(10));
    for prefix in ["193.0.9.0/24", "2a00:9::/32"] {
        first.announce(prefix, &[], &[]);
        second.announce(prefix, &[396_510], &[]);
        let short = vec![OURS, 196_709];
        let long = vec![OURS, 196_710, 396_510];
        wait_for(&vec![short, long.clone()], || paths(lab, prefix));
        first.withdraw(prefix);
        wait_for(&vec![long], || paths(lab, prefix));
    }
}

/// With another password than theirs, which a mistake at our end makes, nobody is heard; with the same one a session is.
pub(crate) fn md5(lab: &mut Lab) {
    lab.edit("palisade.toml", |text| text.replace("hollyhock", "hollyhocks"));
    lab.start();
    wait_until("segments are dropped for their signatures", || counted("TCPMD5Failure") > 0);
    assert_ne!(lab.show_peer("ipv4")["state"], "Established");
    lab.edit("palisade.toml", |text| text.replace("hollyhocks", "hollyhock"));
    lab.tell_ours(&["reload"]);
    lab.wait_for_sessions(&SESSIONS[..1]);
}

/// The daemon is a guest of a range in each family; with another password for the one over IPv6, of the first alone.
pub(crate) fn ranges(lab: &mut Lab) {
    lab.edit("palisade.toml", |text| text.replace("foxglove", "foxgloves"));
    lab.start_ours();
    lab.peer().start();
    lab.wait_for_sessions(&[("four-192.0.2.2", SESSIONS[0].1)]);
    wait_until("segments are dropped for their signatures", || counted("TCPMD5Failure") > 0);
    assert_eq!(lab.show(&["peers"]).as_array().map(Vec::len), Some(1), "there is one guest");
    lab.edit("palisade.toml", |text| text.replace("foxgloves", "foxglove"));
    lab.tell_ours(&["reload"]);
    lab.wait_for_sessions(&[("six-2001:db8::2", SESSIONS[1].1)]);
    let theirs = |prefix, next_hop| vec![Route::plain(prefix, &[THEIRS], next_hop)];
    wait_for(&theirs("193.0.2.0/24", "192.0.2.2"), || of_family(4, accepted(lab, "four-192.0.2.2")));
    wait_for(&theirs("2a00:2::/32", "2001:db8::2"), || of_family(6, accepted(lab, "six-2001:db8::2")));
}

/// Where `keys` are missing in the daemon's configuration, its packets are dropped; where they are there, a session is.
pub(crate) fn gtsm(lab: &mut Lab, configuration: &str, keys: &str) {
    let whole = std::fs::read_to_string(lab.folder().join(configuration)).expect("it is there");
    lab.edit(configuration, |text| text.replace(keys, ""));
    lab.start();
    wait_until("packets are dropped for their TTL", || counted("TCPMinTTLDrop") > 0);
    assert_ne!(lab.show_peer("ipv4")["state"], "Established");
    lab.peer().stop();
    lab.edit(configuration, |_| whole.clone());
    lab.peer().start();
    lab.wait_for_sessions(&SESSIONS[..1]);
}

/// An IPv4 route each way, behind addresses of IPv6.
pub(crate) fn extended_next_hop(lab: &mut Lab, originate: impl Fn(&mut Lab)) {
    lab.start();
    originate(lab);
    lab.wait_for_sessions(&SESSIONS[1..]);
    wait_for(&vec![Route::plain("193.0.2.0/24", &[THEIRS], "2001:db8::2")], || accepted(lab, "ipv6"));
    wait_for(&vec![Route::plain("193.0.1.0/24", &[OURS], "2001:db8::1")], || lab.peer().held(4));
}

/// Numbers of large communities, so many that an UPDATE with them is long.
const MANY: std::ops::Range<u32> = 100..500;

/// Large communities of all those numbers, `1:0:number` each.
pub(crate) fn many() -> Vec<u8> {
    octets(&MANY.flat_map(|number| [1, 0, number]).collect::<Vec<_>>())
}

/// A route each way with so many communities that its UPDATE is long. The daemon's are `written` in its configuration in the
/// place of `MANY`.
pub(crate) fn extended_messages(lab: &mut Lab, configuration: &str, written: impl Fn(u32) -> String) {
    let list: Vec<String> = MANY.map(written).collect();
    lab.edit(configuration, |text| text.replace("MANY", &list.join(" ")));
    long_routes(lab, |_| {});
}

/// The same, where `originate` has made the daemon's route, and keeps it for as long as what it makes is there.
pub(crate) fn long_routes<T>(lab: &mut Lab, originate: impl Fn(&mut Lab) -> T) {
    lab.start();
    let _originated = originate(lab);
    lab.wait_for_sessions(&SESSIONS[..1]);
    let mut witness = Witness::join(9);
    assert_eq!(witness.told_of("193.0.2.0/24").get(&LARGE_COMMUNITY), Some(&many()));

    witness.announce("193.0.9.0/24", &[], &[(0xc0, LARGE_COMMUNITY, many())]);
    let mut route = Route::plain("193.0.9.0/24", &[OURS, 196_709], "192.0.2.1");
    route.large_communities = MANY.map(|number| format!("1:0:{number}")).collect();
    wait_for(&Some(route), || held(lab, "193.0.9.0/24"));
}

/// Two internal peers that are our clients, the daemon and the witness, which is returned: each hears of the other's route, with
/// whoever has brought it and the cluster that it came through; all else is as it was.
pub(crate) fn reflection(lab: &mut Lab, originate: impl Fn(&mut Lab)) -> Witness {
    lab.start();
    originate(lab);
    lab.wait_for_sessions(&SESSIONS[..1]);
    let mut witness = Witness::join_internal(ROUTER, 9);
    let told = witness.told_of("193.0.2.0/24");
    assert_eq!(told.get(&ORIGINATOR_ID), Some(&vec![192, 0, 2, 2]), "its identifier");
    assert_eq!(told.get(&CLUSTER_LIST), Some(&vec![192, 0, 2, 77]));
    assert_eq!((told.get(&AS_PATH), told.get(&NEXT_HOP)), (Some(&vec![]), Some(&vec![192, 0, 2, 2])));

    witness.announce("193.0.9.0/24", &[396_510], &[(0x40, LOCAL_PREF, octets(&[150]))]);
    wait_for(&Some(Route::plain("193.0.9.0/24", &[396_510], "198.51.100.9")), || held(lab, "193.0.9.0/24"));
    witness
}

/// The same; and the daemon shows with `show`, in these `words`, what came with the route.
pub(crate) fn reflection_shown(lab: &mut Lab, show: &str, words: &[&str], originate: impl Fn(&mut Lab)) {
    let _witness = reflection(lab, originate);
    let shown = lab.peer().ask(show);
    assert!(words.iter().all(|words| shown.contains(words)), "{shown}");
}

/// Both roles in a session each, what they do to routes, and two that do not go with each other. The daemon shows with
/// `show` the `words` that tell of our ONLY_TO_CUSTOMER.
pub(crate) fn roles(lab: &mut Lab, show: &str, words: &str) {
    lab.start();
    lab.wait_for_sessions(&SESSIONS);
    wait_until("their route is there", || !accepted(lab, "ipv4").is_empty());
    assert_eq!(lab.show(&["routes", "193.0.2.0/24", "--peer", "ipv4"])[0]["only_to_customer"], THEIRS);
    wait_until("they show ONLY_TO_CUSTOMER", || shown(lab, show).contains(words));

    lab.edit("palisade.toml", |text| text.replace("role = \"provider\"", "role = \"peer\""));
    lab.tell_ours(&["reload"]);
    wait_until("the roles are refused", || last_fault(lab, "ipv4").contains("2/11"));
    assert_eq!(lab.show_peer("ipv6")["state"], "Established", "which is about one session alone");
}

/// How often the kernel of our namespace has counted that.
fn counted(what: &str) -> u64 {
    let told = run(&format!("nstat -az TcpExt{what}"));
    let line = told.lines().find(|line| line.contains(what)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// The daemon has two paths to a prefix of each family; we hold both, each with an identifier of its own.
pub(crate) fn all_paths_received(lab: &Lab) {
    for (peer, _) in SESSIONS {
        let held = || {
            let mut paths: Vec<_> = accepted(lab, peer).into_iter().map(|route| route.as_path).collect();
            paths.sort();
            paths
        };
        wait_for(&vec![vec![THEIRS], vec![THEIRS, 396_520]], held);
        let ids: Vec<u32> = accepted(lab, peer).iter().map(|route| route.path_id).collect();
        assert_ne!(ids[0], ids[1], "{peer}");
    }
}

/// The paths that the daemon holds to a prefix, in order.
fn paths(lab: &mut Lab, prefix: &str) -> Vec<Vec<u32>> {
    let family = if prefix.contains(':') { 6 } else { 4 };
    let held = lab.peer().held(family).into_iter().filter(|route| route.prefix == prefix);
    let mut paths: Vec<_> = held.map(|route| route.as_path).collect();
    paths.sort();
    paths
}

/// What the daemon answers, and what it has logged.
fn shown(lab: &mut Lab, show: &str) -> String {
    lab.peer().ask(show) + &lab.peer().log()
}

/// What ended a peer's last session, in our words; further attempts leave it as it is.
fn last_end(lab: &Lab, peer: &str) -> String {
    text(&lab.show_peer(peer)["last_end"]).to_owned()
}

/// What ended the last attempt at one.
fn last_fault(lab: &Lab, peer: &str) -> String {
    text(&lab.show_peer(peer)["last_fault"]).to_owned()
}

/// What the daemon holds of an IPv4 prefix.
fn held(lab: &mut Lab, prefix: &str) -> Option<Route> {
    lab.peer().held(4).into_iter().find(|route| route.prefix == prefix)
}
