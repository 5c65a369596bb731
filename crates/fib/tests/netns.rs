//! The FIB against a real kernel, each test in a network namespace of its own.
//!
//! A test runs itself again under `unshare --net` (as root, or as root of a new user namespace) with one veth pair:
//! `left` has 192.0.2.1/24 and 2001:db8:1::1/64, and next hops are any other addresses there. Where namespaces or the
//! `ip` tool are missing, it says so and passes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use ipnet::IpNet;
use palisade_fib::{
    Errno, Event, Fib, FibConfig, FibError, Kernel, KernelError, KernelNextHop, KernelRoute, Link,
    MAIN_TABLE, NetlinkKernel, NextHop, Operation, PALISADE_PROTOCOL, Refusal, RouteChange, RouteState,
};
use std::net::IpAddr;
use std::process::Command;
use std::time::{Duration, Instant};

const INSIDE: &str = "PALISADE_FIB_INSIDE_NETNS";

/// Runs `body` in a new namespace with the veth pair, or says why not.
fn in_namespace(test: &str, body: fn()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
    let works = |way: &&[&str]| {
        Command::new("unshare").args(*way).args(["ip", "link"]).output().is_ok_and(|out| out.status.success())
    };
    let Some(way) = ways.into_iter().find(|way| works(way)) else {
        println!("skipped: {test}: no network namespace can be made here (unshare --net, or no ip tool)");
        return;
    };
    let setup = "ip link set lo up && ip link add left type veth peer name right";
    let veth = Command::new("unshare").args(way).args(["sh", "-c", setup]).output().unwrap();
    if !veth.status.success() {
        println!("skipped: {test}: no veth devices: {}", String::from_utf8_lossy(&veth.stderr).trim());
        return;
    }
    let setup = format!(
        "{setup} && ip addr add 192.0.2.1/24 dev left && ip -6 addr add 2001:db8:1::1/64 dev left nodad \
         && ip link set right up && ip link set left up && exec \"$0\" --exact {test} --include-ignored --nocapture"
    );
    let status = Command::new("unshare")
        .args(way)
        .args(["sh", "-c", &setup])
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{test} failed inside its namespace");
}

fn sh(command: &str) -> String {
    let out = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn routes() -> String {
    sh("ip route; ip -6 route")
}

/// The line of the one route to `prefix` at our metric.
fn route_to(prefix: &str) -> String {
    let family = if prefix.contains(':') { "-6" } else { "-4" };
    let lines = sh(&format!("ip {family} route show exact {prefix} metric 32"));
    assert!(lines.lines().count() <= 1, "more than one route: {lines}");
    lines.trim().to_owned()
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn via(text: &str) -> Option<NextHop> {
    Some(text.parse::<IpAddr>().unwrap().into())
}

fn open() -> Fib<NetlinkKernel> {
    Fib::open(NetlinkKernel::open().unwrap(), FibConfig::default()).unwrap()
}

/// Polls and syncs until nothing is pending.
fn settle<K: Kernel>(fib: &mut Fib<K>) {
    while fib.poll_kernel().unwrap().events > 0 {}
    for _ in 0..100_000 {
        if fib.sync(Instant::now()).unwrap().pending == 0 {
            return;
        }
    }
    panic!("does not settle: {:?}", fib.stats());
}

/// Polls and syncs until `done`, for things the kernel does in its own time.
fn wait_until<K: Kernel>(fib: &mut Fib<K>, what: &str, done: impl Fn(&Fib<K>) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        settle(fib);
        if done(fib) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{what}: {:?}\n{}", fib.stats(), routes());
}

#[test]
fn the_same_link_local_gateway_is_on_every_link() {
    in_namespace("the_same_link_local_gateway_is_on_every_link", || {
        let index = |link: &str| {
            sh(&format!("ip -o link show dev {link}")).split(':').next().unwrap().parse().unwrap()
        };
        let on = |link: u32| Some(NextHop::gateway("fe80::99".parse().unwrap(), link));
        let prefixes = ["198.51.100.0/24", "2001:db8:5::/48"].map(net);
        let mut fib = open();
        for (link, other) in [("left", "right"), ("right", "left")] {
            prefixes.iter().for_each(|prefix| fib.set(*prefix, on(index(link))));
            fib.set(net("2001:db8:6::/48"), on(index(other)));
            fib.set(net("2001:db8:7::/48"), on(0));
            settle(&mut fib);
            assert!(
                route_to("198.51.100.0/24").contains(&format!("via inet6 fe80::99 dev {link}")),
                "{}",
                routes()
            );
            assert!(
                route_to("2001:db8:5::/48").contains(&format!("via fe80::99 dev {link}")),
                "{}",
                routes()
            );
            assert!(
                route_to("2001:db8:6::/48").contains(&format!("via fe80::99 dev {other}")),
                "{}",
                routes()
            );
            assert!(fib.verify().unwrap().agrees());
            assert_eq!((fib.stats().installed, fib.stats().unresolved), (3, 1));
        }
        // Another process finds them as they are.
        let mut fib = open();
        prefixes.iter().for_each(|prefix| fib.set(*prefix, on(index("right"))));
        fib.start_complete();
        settle(&mut fib);
        assert!(fib.verify().unwrap().agrees());
        assert_eq!((fib.stats().installed, fib.stats().operations), (2, 1), "one is removed");
    });
}

#[test]
fn a_route_can_drop_what_it_matches_and_lead_somewhere_again() {
    in_namespace("a_route_can_drop_what_it_matches_and_lead_somewhere_again", || {
        let mut fib = open();
        let near = [("198.51.100.7/32", "192.0.2.2"), ("2001:db8:5::7/128", "2001:db8:1::2")];
        for _ in 0..2 {
            near.iter().for_each(|(prefix, _)| fib.set(net(prefix), Some(NextHop::Discard)));
            settle(&mut fib);
            for (prefix, _) in near {
                assert!(route_to(prefix).starts_with("blackhole"), "{}", routes());
                assert_eq!(fib.state(net(prefix)), RouteState::Installed(NextHop::Discard));
            }
            assert!(fib.verify().unwrap().agrees());
            near.iter().for_each(|(prefix, address)| fib.set(net(prefix), via(address)));
            settle(&mut fib);
            near.iter()
                .for_each(|(prefix, address)| assert!(route_to(prefix).contains(address), "{}", routes()));
            assert!(fib.verify().unwrap().agrees());
        }
        near.iter().for_each(|(prefix, _)| fib.set(net(prefix), Some(NextHop::Discard)));
        settle(&mut fib);
        sh("ip route del blackhole 198.51.100.7");
        wait_until(&mut fib, "it is put back", |_| route_to("198.51.100.7").starts_with("blackhole"));
        // Another process finds them as they are, and removes what nobody wants.
        let mut fib = open();
        fib.set(net("198.51.100.7/32"), Some(NextHop::Discard));
        settle(&mut fib);
        assert_eq!(fib.stats().operations, 0);
        fib.start_complete();
        settle(&mut fib);
        assert_eq!((fib.stats().operations, fib.stats().installed), (1, 1));
        assert!(fib.verify().unwrap().agrees());
        fib.set(net("198.51.100.7/32"), None);
        settle(&mut fib);
        assert_eq!(route_to("198.51.100.7"), "");
    });
}

#[test]
fn routes_are_added_replaced_and_withdrawn() {
    in_namespace("routes_are_added_replaced_and_withdrawn", || {
        let mut fib = open();
        fib.set(net("198.51.100.0/24"), via("192.0.2.2"));
        fib.set(net("203.0.113.0/24"), via("2001:db8:1::2"));
        fib.set(net("0.0.0.0/0"), via("192.0.2.2"));
        fib.set(net("2001:db8:5::/48"), via("2001:db8:1::2"));
        fib.set(net("::/0"), via("2001:db8:1::2"));
        settle(&mut fib);
        assert!(route_to("198.51.100.0/24").contains("via 192.0.2.2 dev left proto 213"), "{}", routes());
        assert!(route_to("203.0.113.0/24").contains("via inet6 2001:db8:1::2"), "{}", routes());
        assert!(route_to("2001:db8:5::/48").contains("via 2001:db8:1::2"), "{}", routes());
        assert!(route_to("default").contains("192.0.2.2"), "{}", routes());
        assert!(fib.verify().unwrap().agrees());
        assert_eq!(fib.stats().installed, 5);

        fib.set(net("198.51.100.0/24"), via("192.0.2.3"));
        fib.set(net("2001:db8:5::/48"), via("2001:db8:1::3"));
        fib.set(net("203.0.113.0/24"), None);
        settle(&mut fib);
        assert!(route_to("198.51.100.0/24").contains("via 192.0.2.3"), "{}", routes());
        assert!(route_to("2001:db8:5::/48").contains("via 2001:db8:1::3"), "{}", routes());
        assert_eq!(route_to("203.0.113.0/24"), "");
        let agreement = fib.verify().unwrap();
        assert!(agreement.agrees() && agreement.agreed == 4, "{agreement:?}");

        for prefix in ["198.51.100.0/24", "0.0.0.0/0", "2001:db8:5::/48", "::/0"] {
            fib.set(net(prefix), None);
        }
        settle(&mut fib);
        settle(&mut fib);
        assert!(!routes().contains("proto 213"), "{}", routes());
        fib.start_complete();
        settle(&mut fib);
        assert_eq!(sh("ip nexthop"), "", "unused objects go");
    });
}

#[test]
fn a_link_flap_takes_routes_away_and_brings_them_back() {
    in_namespace("a_link_flap_takes_routes_away_and_brings_them_back", || {
        let mut fib = open();
        for number in 0..100 {
            fib.set(net(&format!("198.18.{number}.0/24")), via("192.0.2.2"));
            fib.set(net(&format!("2001:db8:{:x}::/48", number + 0x100)), via("2001:db8:1::2"));
        }
        settle(&mut fib);
        assert_eq!(fib.stats().installed, 200);
        for (down, up) in [
            ("ip link set right down", "ip link set right up"),
            (
                "ip link set left down",
                "ip link set left up; ip -6 addr replace 2001:db8:1::1/64 dev left nodad",
            ),
        ] {
            sh(down);
            wait_until(&mut fib, "routes go with the link", |fib| fib.stats().installed == 0);
            assert_eq!(fib.stats().unresolved, 200);
            assert!(!routes().contains("proto 213"));
            let agreement = fib.verify().unwrap();
            assert!(agreement.agrees() && agreement.unresolved == 200, "{agreement:?}");
            sh(up);
            wait_until(&mut fib, "routes come back with the link", |fib| fib.stats().installed == 200);
            assert!(fib.verify().unwrap().agrees());
        }
        sh("ip addr del 192.0.2.1/24 dev left");
        wait_until(&mut fib, "a next hop without a network is unresolved", |fib| {
            fib.stats().installed == 100
        });
        sh("ip addr add 192.0.2.1/24 dev left");
        wait_until(&mut fib, "and resolves again", |fib| fib.stats().installed == 200);
        assert!(fib.verify().unwrap().agrees());
    });
}

#[test]
fn a_replacement_leaves_no_hole() {
    in_namespace("a_replacement_leaves_no_hole", || {
        let mut fib = open();
        fib.set(net("198.51.100.0/24"), via("192.0.2.2"));
        fib.set(net("2001:db8:5::/48"), via("2001:db8:1::2"));
        settle(&mut fib);
        let mut witness = NetlinkKernel::open().unwrap();
        fib.set(net("198.51.100.0/24"), via("192.0.2.3"));
        fib.set(net("2001:db8:5::/48"), via("2001:db8:1::3"));
        settle(&mut fib);
        let mut events = Vec::new();
        witness.events(1000, &mut events).unwrap();
        let changes: Vec<RouteChange> = events
            .iter()
            .filter_map(|event| match event {
                Event::Route(change, route) if route.protocol == PALISADE_PROTOCOL => Some(*change),
                _ => None,
            })
            .collect();
        assert_eq!(changes, [RouteChange::Replaced; 2], "{events:?}");
    });
}

/// The real kernel, as it was before Linux 5.3.
struct WithoutObjects(NetlinkKernel);

impl Kernel for WithoutObjects {
    fn apply(
        &mut self,
        config: &FibConfig,
        operations: &[Operation],
        refusals: &mut Vec<Refusal>,
    ) -> Result<(), KernelError> {
        self.0.apply(config, operations, refusals)
    }

    fn links(&mut self, each: &mut dyn FnMut(Link)) -> Result<(), KernelError> {
        self.0.links(each)
    }

    fn next_hops(&mut self, _: &mut dyn FnMut(KernelNextHop)) -> Result<(), KernelError> {
        Err(KernelError::Unsupported("nexthop objects"))
    }

    fn routes(&mut self, table: u32, each: &mut dyn FnMut(KernelRoute)) -> Result<bool, KernelError> {
        self.0.routes(table, each)
    }

    fn events(&mut self, limit: usize, events: &mut Vec<Event>) -> Result<(), KernelError> {
        self.0.events(limit, events)
    }
}

#[test]
fn without_nexthop_objects_each_route_names_its_gateway() {
    in_namespace("without_nexthop_objects_each_route_names_its_gateway", || {
        let open =
            || Fib::open(WithoutObjects(NetlinkKernel::open().unwrap()), FibConfig::default()).unwrap();
        let mut fib = open();
        fib.start_complete();
        fib.set(net("198.51.100.0/24"), via("192.0.2.2"));
        fib.set(net("203.0.113.0/24"), via("2001:db8:1::2"));
        fib.set(net("2001:db8:5::/48"), via("2001:db8:1::2"));
        settle(&mut fib);
        fib.set(net("198.51.100.0/24"), via("192.0.2.3"));
        fib.set(net("2001:db8:5::/48"), via("2001:db8:1::3"));
        settle(&mut fib);
        assert!(route_to("198.51.100.0/24").contains("via 192.0.2.3"), "{}", routes());
        assert!(route_to("203.0.113.0/24").contains("via inet6 2001:db8:1::2"), "{}", routes());
        assert!(
            route_to("2001:db8:5::/48").contains("via 2001:db8:1::3"),
            "one next hop, not two: {}",
            routes()
        );
        assert!(!fib.stats().next_hop_objects && sh("ip nexthop").is_empty());
        assert!(fib.verify().unwrap().agrees());

        for (down, up) in [
            ("right down", "right up"),
            ("left down", "left up; ip -6 addr replace 2001:db8:1::1/64 dev left nodad"),
        ] {
            sh(&format!("ip link set {down}"));
            wait_until(&mut fib, "routes go with the link", |fib| fib.stats().installed == 0);
            assert!(!routes().contains("proto 213"), "{}", routes());
            sh(&format!("ip link set {up}"));
            wait_until(&mut fib, "routes come back", |fib| fib.stats().installed == 3);
            assert!(fib.verify().unwrap().agrees());
        }
        drop(fib);
        let mut fib = open();
        fib.set(net("198.51.100.0/24"), via("192.0.2.3"));
        fib.start_complete();
        settle(&mut fib);
        assert_eq!(fib.stats().operations, 2, "one route is adopted as it is, two are removed");
        assert!(fib.verify().unwrap().agrees());
        assert_eq!(fib.sweep().unwrap(), 1);
    });
}

#[test]
fn what_others_do_to_our_routes_is_repaired() {
    in_namespace("what_others_do_to_our_routes_is_repaired", || {
        let mut fib = open();
        fib.start_complete();
        for prefix in ["198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"] {
            fib.set(net(prefix), via("192.0.2.2"));
        }
        fib.set(net("2001:db8:5::/48"), via("2001:db8:1::2"));
        settle(&mut fib);
        sh("ip route del 198.51.100.0/24");
        sh("ip -6 route del 2001:db8:5::/48");
        let news = fib.poll_kernel().unwrap();
        assert_eq!(news.meddled, 2, "{news:?}");
        settle(&mut fib);
        assert!(route_to("198.51.100.0/24").contains("192.0.2.2"));
        assert!(route_to("2001:db8:5::/48").contains("2001:db8:1::2"));

        sh("ip route replace 198.51.100.0/24 via 192.0.2.77 proto 213 metric 32");
        settle(&mut fib);
        assert!(route_to("198.51.100.0/24").contains("via 192.0.2.2 "), "{}", routes());
        sh("ip route add 192.88.99.0/24 via 192.0.2.77 proto 213 metric 32");
        settle(&mut fib);
        assert_eq!(route_to("192.88.99.0/24"), "", "nobody asked for it");
        sh("ip route add 192.88.99.0/24 via 192.0.2.77 proto 213 metric 99");
        settle(&mut fib);
        assert!(!routes().contains("192.88.99.0"), "a route of our protocol with another metric");

        let id = sh("ip nexthop show protocol 213 | grep 192.0.2.2 | cut -d' ' -f2");
        sh(&format!("ip nexthop del id {}", id.trim()));
        assert!(!routes().contains("198.18.0.0/15"), "deleting an object flushes its routes");
        assert_eq!(fib.poll_kernel().unwrap().flushed, 3);
        settle(&mut fib);
        assert!(fib.verify().unwrap().agrees());
        assert!(route_to("198.18.0.0/15").contains("192.0.2.2"));

        let id = sh("ip nexthop show protocol 213 | grep 192.0.2.2 | cut -d' ' -f2");
        sh(&format!("ip nexthop replace id {} via 192.0.2.99 dev left protocol 213", id.trim()));
        settle(&mut fib);
        assert!(route_to("198.18.0.0/15").contains("192.0.2.2"), "{}", routes());
        assert!(fib.verify().unwrap().agrees());
    });
}

#[test]
fn a_strangers_route_is_never_taken_over() {
    in_namespace("a_strangers_route_is_never_taken_over", || {
        sh("ip route add 198.51.100.0/24 via 192.0.2.50 proto static metric 32");
        sh("ip -6 route add 2001:db8:5::/48 via 2001:db8:1::50 proto static metric 32");
        sh("ip route add 203.0.113.0/24 via 192.0.2.50 proto static");
        let mut fib = open();
        fib.start_complete();
        for prefix in ["198.51.100.0/24", "203.0.113.0/24"] {
            fib.set(net(prefix), via("192.0.2.2"));
        }
        fib.set(net("2001:db8:5::/48"), via("2001:db8:1::2"));
        settle(&mut fib);
        assert!(route_to("198.51.100.0/24").contains("192.0.2.50"));
        assert!(route_to("2001:db8:5::/48").contains("2001:db8:1::50"));
        assert!(route_to("203.0.113.0/24").contains("192.0.2.2"), "another metric is another route");
        let stats = fib.stats();
        assert_eq!((stats.retrying, stats.installed), (2, 1));
        assert!(stats.failures.iter().all(|failure| failure.errno == Errno(17)), "{stats:?}");

        sh("ip route del 198.51.100.0/24 metric 32; ip -6 route del 2001:db8:5::/48");
        settle(&mut fib);
        assert!(fib.verify().unwrap().agrees(), "{:?}", fib.stats());

        // Someone puts a route in the place of ours: it is theirs until they remove it.
        sh("ip route replace 198.51.100.0/24 via 192.0.2.60 proto static metric 32");
        settle(&mut fib);
        assert!(route_to("198.51.100.0/24").contains("192.0.2.60"));
        fib.set(net("198.51.100.0/24"), None);
        settle(&mut fib);
        assert!(route_to("198.51.100.0/24").contains("192.0.2.60"));
        fib.sweep().unwrap();
        assert!(route_to("198.51.100.0/24").contains("192.0.2.60"));
    });
}

#[test]
fn leftovers_are_adopted_and_swept() {
    in_namespace("leftovers_are_adopted_and_swept", || {
        sh("ip nexthop add id 5 via 192.0.2.40 dev left proto static");
        sh("ip route add 192.88.99.0/24 nhid 5 proto static");
        let mut fib = open();
        for prefix in ["198.51.100.0/24", "203.0.113.0/24", "2001:db8:5::/48"] {
            fib.set(net(prefix), via(if prefix.contains(':') { "2001:db8:1::2" } else { "192.0.2.2" }));
        }
        fib.set(net("198.18.0.0/15"), via("192.0.2.3"));
        settle(&mut fib);
        drop(fib); // a crash: nothing is removed
        sh("ip route add 198.18.4.0/24 via 192.0.2.9 proto 213 metric 77");
        sh("ip nexthop add id 213999999 via 192.0.2.2 dev left protocol 213");

        let mut fib = open();
        assert_eq!(fib.stats().installed, 4);
        fib.set(net("198.51.100.0/24"), via("192.0.2.2"));
        settle(&mut fib);
        assert_eq!(fib.stats().operations, 0, "the same route over the same object is left alone");
        fib.set(net("203.0.113.0/24"), via("192.0.2.8"));
        settle(&mut fib);
        assert!(route_to("198.18.0.0/15").contains("192.0.2.3"), "kept until the start is complete");
        let agreement = fib.verify().unwrap();
        assert_eq!((agreement.agreed, agreement.leftovers, agreement.contradictions()), (2, 2, 0));
        fib.start_complete();
        settle(&mut fib);
        assert_eq!((route_to("198.18.0.0/15"), route_to("2001:db8:5::/48")), (String::new(), String::new()));
        assert!(!routes().contains("metric 77"), "an earlier metric: {}", routes());
        assert_eq!(sh("ip nexthop show protocol 213").lines().count(), 2, "{}", sh("ip nexthop"));
        assert!(fib.verify().unwrap().agrees());

        assert_eq!(fib.sweep().unwrap(), 2);
        assert!(!routes().contains("proto 213"), "{}", routes());
        assert_eq!(sh("ip nexthop show protocol 213"), "");
        assert!(routes().contains("192.88.99.0/24 nhid 5"), "others' stay: {}", routes());
        assert!(routes().contains("192.0.2.0/24 dev left"));
    });
}

#[test]
fn verify_finds_what_was_changed_behind_our_back() {
    in_namespace("verify_finds_what_was_changed_behind_our_back", || {
        let config = FibConfig { table: 10_000, ..FibConfig::default() };
        let mut fib = Fib::open(NetlinkKernel::open().unwrap(), config).unwrap();
        fib.start_complete();
        for number in 0..50 {
            fib.set(net(&format!("198.18.{number}.0/24")), via("192.0.2.2"));
        }
        settle(&mut fib);
        assert!(fib.verify().unwrap().agrees());
        sh("ip route del 198.18.7.0/24 table 10000");
        sh("ip route add 198.18.200.0/24 via 192.0.2.9 table 10000 proto 213 metric 32");
        sh("ip route replace 198.18.9.0/24 via 192.0.2.9 table 10000 proto 213 metric 32");
        let found = fib.verify().unwrap();
        assert_eq!(found.missing.examples, [net("198.18.7.0/24")]);
        assert_eq!(found.foreign.examples, [net("198.18.200.0/24")]);
        assert_eq!(found.differing.examples, [net("198.18.9.0/24")]);
        assert!(!found.agrees() && found.agreed == 48, "{found:?}");
        settle(&mut fib);
        let found = fib.verify().unwrap();
        assert!(found.agrees() && found.agreed == 50, "{found:?}");
        assert_eq!(fib.sweep().unwrap(), 50);
    });
}

#[test]
fn lost_notifications_lead_to_a_comparison() {
    in_namespace("lost_notifications_lead_to_a_comparison", || {
        let mut fib = open();
        fib.set(net("198.51.100.0/24"), via("192.0.2.2"));
        settle(&mut fib);
        let file = "/tmp/palisade-fib-overrun";
        let path = format!("{file}.{}", std::process::id());
        let mut batch = String::from("route del 198.51.100.0/24\n");
        for number in 0..120_000_u32 {
            let [_, a, b, c] = (number * 4).to_be_bytes();
            batch += &format!("route add 10.{a}.{b}.{c}/30 dev left proto static\n");
        }
        std::fs::write(&path, batch).unwrap();
        sh(&format!("ip -batch {path}; rm {path}"));
        let mut overrun = false;
        loop {
            let news = fib.poll_kernel().unwrap();
            overrun |= news.overrun;
            if news.events == 0 {
                break;
            }
        }
        if !overrun {
            println!("skipped: lost_notifications_lead_to_a_comparison: this kernel's buffer took all of it");
        }
        settle(&mut fib);
        assert!(route_to("198.51.100.0/24").contains("192.0.2.2"));
        assert!(fib.verify().unwrap().agrees());
    });
}

#[test]
fn the_kernels_own_words_explain_a_refusal() {
    in_namespace("the_kernels_own_words_explain_a_refusal", || {
        let mut fib = open();
        // An IPv6 route can't go over an IPv4 gateway, and a broadcast address is nobody's gateway.
        fib.set(net("2001:db8:5::/48"), via("192.0.2.2"));
        fib.set(net("198.51.100.0/24"), via("192.0.2.255"));
        fib.set(net("203.0.113.0/24"), via("192.0.2.2"));
        settle(&mut fib);
        let stats = fib.stats();
        assert_eq!((stats.refused, stats.unresolved, stats.installed), (1, 1, 1), "{stats:?}");
        assert!(stats.failures[0].text.is_some(), "{stats:?}");
        let reason = &stats.unresolved_next_hops[0].reason;
        assert!(reason.contains("refused by the kernel") && reason.contains('('), "{reason}");
        let agreement = fib.verify().unwrap();
        assert_eq!((agreement.contradictions(), agreement.refused, agreement.unresolved), (0, 1, 1));
    });
}

#[test]
fn a_preferred_source_is_named_and_its_loss_repaired() {
    in_namespace("a_preferred_source_is_named_and_its_loss_repaired", || {
        sh("ip addr add 198.18.0.1/32 dev lo");
        let config = FibConfig { preferred_source_v4: Some([198, 18, 0, 1].into()), ..FibConfig::default() };
        let mut fib = Fib::open(NetlinkKernel::open().unwrap(), config).unwrap();
        fib.set(net("198.51.100.0/24"), via("192.0.2.2"));
        settle(&mut fib);
        assert!(route_to("198.51.100.0/24").contains("src 198.18.0.1"), "{}", routes());
        sh("ip addr del 198.18.0.1/32 dev lo");
        assert_eq!(route_to("198.51.100.0/24"), "", "the kernel drops it without a word");
        settle(&mut fib);
        assert_eq!(fib.stats().installed, 0, "{:?}", fib.stats());
        sh("ip addr add 198.18.0.1/32 dev lo");
        wait_until(&mut fib, "the route is back", |fib| fib.stats().installed == 1);
        assert!(route_to("198.51.100.0/24").contains("src 198.18.0.1"), "{}", routes());
    });
}

#[test]
fn without_the_capability_the_error_says_what_to_do() {
    in_namespace("without_the_capability_the_error_says_what_to_do", || {
        let id = Command::new("setpriv").arg("--version").output();
        if id.is_err() {
            return println!("skipped: without_the_capability_the_error_says_what_to_do: no setpriv");
        }
        let status = Command::new("setpriv")
            .args(["--bounding-set=-net_admin", "--inh-caps=-net_admin"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "inner_without_capability", "--ignored", "--nocapture"])
            .status()
            .unwrap();
        assert!(status.success());
    });
}

#[test]
#[ignore = "run by without_the_capability_the_error_says_what_to_do"]
fn inner_without_capability() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let refused = Fib::open(NetlinkKernel::open().unwrap(), FibConfig::default());
    let Err(error @ FibError::NotPermitted) = refused else { panic!("opened without CAP_NET_ADMIN") };
    assert!(error.to_string().contains("CAP_NET_ADMIN"), "{error}");
}

/// Prints routes a second for a full table:
/// `cargo test --release -p palisade-fib --test netns install_rate -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn install_rate() {
    in_namespace("install_rate", || {
        assert_eq!((MAIN_TABLE, PALISADE_PROTOCOL), (254, 213));
        let mut fib = open();
        let (v4, v6) = full_table();
        let hops = |last: u8| {
            [IpAddr::from([192, 0, 2, last]), IpAddr::from([0x2001, 0xdb8, 1, 0, 0, 0, 0, last.into()])]
                .map(NextHop::from)
        };
        let [old4, old6] = hops(2);
        let [new4, new6] = hops(3);
        measure("install IPv4", &mut fib, &v4, Some(old4));
        measure("install IPv6", &mut fib, &v6, Some(old6));
        let start = Instant::now();
        let agreement = fib.verify().unwrap();
        println!("verify {} routes: {:?}", agreement.agreed, start.elapsed());
        assert!(agreement.agrees() && agreement.agreed == v4.len() + v6.len(), "{agreement:?}");
        measure("replace IPv4", &mut fib, &v4, Some(new4));
        measure("replace IPv6", &mut fib, &v6, Some(new6));
        let start = Instant::now();
        drop(fib);
        let mut fib = open();
        println!("adopt the leftovers: {:?}", start.elapsed());
        measure("set again IPv4", &mut fib, &v4, Some(new4));
        assert_eq!(fib.stats().operations, 0);
        measure("withdraw IPv4", &mut fib, &v4, None);
        let start = Instant::now();
        let swept = fib.sweep().unwrap();
        println!("sweep of {swept}: {:?}", start.elapsed());
    });
}

/// What one RIS peer held on 2026-05-11, or as many made-up prefixes with about the same lengths where that is missing.
fn full_table() -> (Vec<IpNet>, Vec<IpNet>) {
    let data = std::env::var_os("PALISADE_REAL_DATA").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into(),
        std::path::PathBuf::from,
    );
    let file = data.join("table/as3333.20260511-initial-state.txt.gz");
    let text = match Command::new("gzip").arg("-dc").arg(&file).output() {
        Ok(out) if out.status.success() => String::from_utf8(out.stdout).unwrap(),
        _ => {
            println!("made-up prefixes: {} can't be read", file.display());
            return (made_up(1_042_325, made_up_v4), made_up(246_175, made_up_v6));
        }
    };
    let prefixes = text.lines().filter_map(|line| line.split_whitespace().find_map(|word| word.parse().ok()));
    prefixes.partition(|prefix| matches!(prefix, IpNet::V4(_)))
}

fn made_up_v4(bits: u64) -> IpNet {
    let length = [24, 24, 24, 24, 24, 24, 23, 22, 22, 20][(bits % 10) as usize];
    let [_, a, b, c, ..] = bits.to_be_bytes();
    let first = [1..=126, 128..=191, 193..=223].into_iter().flatten().nth(usize::from(a) % 221).unwrap();
    IpNet::new(IpAddr::from([first, b, c, 0]), length).unwrap().trunc()
}

fn made_up_v6(bits: u64) -> IpNet {
    let length = [48, 48, 48, 48, 48, 44, 40, 36, 32, 32][(bits % 10) as usize];
    let address = (0x2a_u128 << 120) | (u128::from(bits >> 8) << 64);
    IpNet::new(IpAddr::from(address.to_be_bytes()), length).unwrap().trunc()
}

/// Distinct prefixes in no order.
fn made_up(count: usize, make: fn(u64) -> IpNet) -> Vec<IpNet> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut seen = std::collections::HashSet::new();
    while seen.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        seen.insert(make(state));
    }
    seen.into_iter().collect()
}

fn measure(what: &str, fib: &mut Fib<NetlinkKernel>, prefixes: &[IpNet], next_hop: Option<NextHop>) {
    let (start, cpu_start) = (Instant::now(), cpu_time());
    for &prefix in prefixes {
        fib.set(prefix, next_hop);
    }
    let set = start.elapsed();
    while fib.sync(Instant::now()).unwrap().pending > 0 {}
    let (all, cpu) = (start.elapsed(), cpu_time() - cpu_start);
    let rate = |time: Duration| prefixes.len() as f64 / time.as_secs_f64() / 1000.0;
    println!(
        "{what}: {} routes in {all:.2?} (set: {set:.2?}), {:.0}k routes/s; {:.0}k a second of this thread's CPU time",
        prefixes.len(),
        rate(all),
        rate(cpu)
    );
    let polled = fib.poll_kernel().unwrap();
    assert!(polled.events < 100 && !polled.overrun, "our own changes come back as news: {polled:?}");
}

/// What this thread has used, which other programs on the machine disturb less.
fn cpu_time() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(schedstat.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or(0))
}
