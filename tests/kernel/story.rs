//! What happens to the router, and what the kernel must hold after each thing.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Instant;

use ipnet::IpNet;

use crate::monitor::{Happened, Monitor};
use crate::oracle::Routes;
use crate::support::bird::Bird;
use crate::support::namespace;
use crate::support::router::Router;
use crate::world::{CUSTOMER, SECOND, TRANSIT, World, v6};
use crate::{injector, kernel, links};

/// Where the injector speaks from, and BIRD's address on that link.
const INJECTOR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 17);
const INJECTED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 18);

/// What the router tells its neighbours when it stops (RFC 9003).
const STOP_WORDS: &str = "the router is being stopped";

/// Tells the whole story.
pub(crate) fn tell(world: World) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut story = Story::begin(world, folder.path());
    story.the_table_comes_in();
    story.routes_are_withdrawn_and_changed();
    story.better_paths_come();
    story.their_neighbor_is_lost_and_returns();
    story.their_link_is_lost_and_returns();
    story.vrps_change();
    story.somebody_deletes_routes();
    story.the_main_sessions_end_and_return();
    story.the_router_crashes_and_returns();
    story.the_router_stops();
}

struct Story<'a> {
    world: World,
    folder: &'a Path,
    transit: Bird,
    edge: Bird,
    _injector: TcpStream,
    router: Router,
    /// Listens from when the table is in: it would only hinder before.
    monitor: Option<Monitor>,
    /// What the kernel held after the last thing that happened.
    held: Routes,
    foreign: String,
}

impl<'a> Story<'a> {
    fn begin(world: World, folder: &'a Path) -> Self {
        make_networks();
        world.write_vrps(folder);
        world.write_irr(folder);
        let [first, others @ ..] = &world.neighbors[..] else { panic!("a world has neighbours") };
        let started = Instant::now();
        let listening = format!(
            "protocol bgp injector {{ local {INJECTED} as {}; neighbor {INJECTOR} as {}; passive;\n\
             ipv4 {{ table transit_table4; import all; export none; }};\n}}\n",
            first.asn,
            injector::ASN
        );
        let transit = Bird::play("transit", folder, &[first], &listening);
        let edge = Bird::play("edge", folder, &others.iter().collect::<Vec<_>>(), "");
        let aggregated = &first.groups.first().expect("it has routes").announcements;
        let injector = injector::announce(INJECTED, INJECTOR, aggregated);
        println!("== BIRD has read its routes: {:.1?}", started.elapsed());
        let router = Router::configure(folder, &world.neighbors);
        let foreign = place_foreign_routes(&world.expected());
        Story {
            world,
            folder,
            transit,
            edge,
            _injector: injector,
            router,
            monitor: None,
            held: Routes::new(),
            foreign,
        }
    }

    fn the_table_comes_in(&mut self) {
        let refusals = self.world.refusals("transit");
        println!("== refused of the first provider's: {refusals:?}");
        let expected = self.world.expected();
        let (before, started) = (kernel::count(), Instant::now());
        self.router.start();
        self.router.wait_to_say("session up", 0, self.world.patience);
        let (loading, up) = (started.elapsed(), Instant::now());
        loop {
            let counting = Instant::now();
            if kernel::count() >= before + expected.len() || up.elapsed() >= self.world.patience {
                break;
            }
            // Counting takes the kernel a walk over the whole table, so it is done a small part of the time.
            std::thread::sleep(counting.elapsed() * 10);
        }
        let (full, memory) = (up.elapsed(), self.router.peak_memory());
        println!(
            "== start to first session {loading:.1?}, from there {full:.2?} to {} routes; {memory} MiB",
            expected.len()
        );
        self.after("the table comes in", |_| ());
        self.monitor = Some(Monitor::start(self.folder));
    }

    fn routes_are_withdrawn_and_changed(&mut self) {
        self.world.neighbor("transit").group("leave").on = false;
        self.after("routes are withdrawn", |story| story.transit.switch("transit", "leave", false));
        self.world.neighbor("transit").group("change").on = true;
        self.after("routes are announced anew, otherwise", |story| {
            story.transit.switch("transit", "change", true)
        });
    }

    fn better_paths_come(&mut self) {
        for name in ["customer", "second"] {
            self.world.neighbor(name).up = true;
            let refusals = self.world.refusals(name);
            println!("== refused of {name}'s: {refusals:?}");
        }
        let before = self.held.clone();
        let happened = self.after("better paths come", |story| story.enable_edge());
        self.leaves_no_hole(&before, &happened);
        for name in ["customer", "second"] {
            let neighbor = self.world.neighbor(name);
            for gateway in [IpAddr::V4(neighbor.v4), IpAddr::V6(neighbor.v6)] {
                let count = self.held.values().filter(|held| **held == gateway).count();
                assert!(count > 20, "{count} routes go to {gateway}, which proves nothing");
            }
        }
    }

    fn their_neighbor_is_lost_and_returns(&mut self) {
        self.set_edge(false);
        let before = self.held.clone();
        let happened = self.after("a neighbor dies", |story| story.edge.kill());
        self.leaves_no_hole(&before, &happened);
        self.set_edge(true);
        self.after("it returns", |story| {
            story.edge.run();
            story.enable_edge();
        });
    }

    /// The sessions over the link live on until their hold timers end, but what leads over it leads nowhere: other paths
    /// take its place at once (RFC 4271 s9.1.2).
    fn their_link_is_lost_and_returns(&mut self) {
        self.set_edge(false);
        let before = self.router.log().len();
        self.after("a link goes down", |_| drop(namespace::run("ip -n edge link set uplink down")));
        let log = self.router.log();
        let since = log.get(before..).unwrap_or_default();
        let unreachable = since.find("reachable=false").expect("the next hop is given up");
        let sessions_end = since.find("session down").unwrap_or(since.len());
        assert!(unreachable < sessions_end, "it waited for the sessions to end:\n{since}");
        self.set_edge(true);
        self.after("it comes up again", |_| {
            namespace::run("ip -n edge link set uplink up");
            namespace::run(&format!("ip -n edge addr replace {}/64 dev uplink nodad", v6(2, 2)));
            namespace::run(&format!("ip -n edge addr replace {}/64 dev uplink nodad", v6(3, 2)));
        });
    }

    /// Only what a changed VRP covers is touched, and nobody is asked for a refresh (RFC 9324).
    fn vrps_change(&mut self) {
        let signs = self.vital_signs();
        let before = self.held.clone();
        self.world.change_vrps();
        self.world.write_vrps(self.folder);
        let happened = self.after("VRPs change", |story| story.router.signal("HUP"));
        let after = &self.held;
        let prefixes = before.keys().chain(after.keys());
        let differ: HashSet<IpNet> =
            prefixes.filter(|prefix| before.get(prefix) != after.get(prefix)).copied().collect();
        let touched: HashSet<IpNet> = happened.set.union(&happened.removed).copied().collect();
        assert_eq!(touched, differ, "the kernel's routes that were touched, and those that had to be");
        println!("== {} routes changed, and no other was touched", differ.len());
        assert!(differ.len() > 20, "a change of VRPs that changes next to nothing proves nothing");
        self.leaves_no_hole(&before, &happened);
        assert_eq!(self.vital_signs(), signs, "sessions and what they have announced");
    }

    fn somebody_deletes_routes(&mut self) {
        let ours = kernel::ours();
        let some = ours.iter().step_by(ours.len() / 20 + 1).map(|(prefix, _)| *prefix);
        let some: Vec<IpNet> = some.collect();
        let happened = self.after("somebody deletes routes", |_| {
            for prefix in &some {
                let family = if prefix.addr().is_ipv4() { "-4" } else { "-6" };
                namespace::run(&format!("ip {family} route del {prefix} proto 213"));
            }
        });
        assert!(some.iter().all(|prefix| happened.removed.contains(prefix) && happened.set.contains(prefix)));
    }

    fn the_main_sessions_end_and_return(&mut self) {
        let switch = |story: &mut Self, on| {
            for session in ["transit_bgp4", "transit_bgp6"] {
                story.transit.switch_protocol(session, on);
            }
        };
        self.world.neighbor("transit").up = false;
        self.after("the main sessions end", |story| switch(story, false));
        self.world.neighbor("transit").up = true;
        self.world.neighbor("transit").group("leave").on = true;
        self.transit.switch("transit", "leave", true);
        self.after("they return", |story| switch(story, true));
    }

    /// What a crash leaves in the kernel forwards on, and is adopted; what is not announced any more goes.
    fn the_router_crashes_and_returns(&mut self) {
        self.router.kill();
        assert_eq!(kernel::ours().len(), self.held.len(), "a crash leaves routes as they are");
        self.world.neighbor("transit").group("leave").on = false;
        self.transit.switch("transit", "leave", false);
        let before = self.held.clone();
        self.happened();
        let happened = self.after("the router crashes and returns", |story| story.router.start());
        self.leaves_no_hole(&before, &happened);
    }

    fn the_router_stops(&mut self) {
        let memory = self.router.peak_memory();
        let status = self.router.stop(self.world.patience);
        assert!(status.success(), "{status}:\n{}", self.router.last_words());
        assert_eq!(kernel::ours(), [], "routes are left");
        assert_eq!(namespace::run("ip nexthop show proto 213"), "", "nexthop objects are left");
        assert_eq!(kernel::foreign(), self.foreign, "others' routes");
        for (bird, sessions) in [(&self.transit, 2), (&self.edge, 2)] {
            let told = bird.log().lines().filter(|line| line.contains(STOP_WORDS)).count();
            assert_eq!(told, sessions, "BIRD was not told why: {}", bird.log());
        }
        let log = self.router.log();
        println!(
            "== it stops and leaves nothing; {memory} MiB at most; {} lines of log",
            log.lines().count()
        );
        assert!(log.lines().count() < 200, "it talks too much:\n{}", self.router.last_words());
        assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
        if std::env::var_os("PALISADE_SHOW_LOG").is_some() {
            println!("= {}", log.replace('\n', "\n= "));
        }
    }

    /// Does something, and waits until the kernel is what the world now asks for, and others' routes are as they were.
    fn after(&mut self, what: &str, happens: impl FnOnce(&mut Self)) -> Happened {
        let expected = self.world.expected();
        let started = Instant::now();
        happens(self);
        let (transit, edge, router) = (&self.transit, &self.edge, &self.router);
        let state = || {
            let sessions =
                [transit, edge].map(|bird| format!("{}\n{}", bird.sessions(), bird.last_words())).join("\n");
            format!("{sessions}\nthe router's log ends:\n{}", router.last_words())
        };
        let took = kernel::wait_for(what, &expected, started, self.world.patience, state);
        println!("== {what}: the kernel holds exactly {} routes after {took:.2?}", expected.len());
        assert_eq!(kernel::foreign(), self.foreign, "others' routes after this: {what}");
        self.held = expected;
        self.happened()
    }

    /// What has happened to routes of ours since this was asked the last time.
    fn happened(&mut self) -> Happened {
        self.monitor.as_mut().map(Monitor::happened).unwrap_or_default()
    }

    /// A route that was there before and is there afterwards was never away.
    fn leaves_no_hole(&self, before: &Routes, happened: &Happened) {
        let lasting = |prefix: &&IpNet| before.contains_key(*prefix) && self.held.contains_key(*prefix);
        let holes: Vec<&IpNet> = happened.removed.iter().filter(lasting).collect();
        assert!(
            holes.is_empty(),
            "{} routes were away for a while: {:?}",
            holes.len(),
            &holes[..holes.len().min(10)]
        );
    }

    /// What changes when a session ends or is asked for a refresh, as both ends tell it.
    fn vital_signs(&self) -> Vec<String> {
        let transit = ["transit_bgp4", "transit_bgp6"].map(|session| self.transit.vital_signs(session));
        let edge = ["customer_bgp", "second_bgp"].map(|session| self.edge.vital_signs(session));
        let ours = ["session up", "session down"].map(|words| self.router.said(words).to_string());
        [transit, edge, [ours.into(), Vec::new()]].concat().concat()
    }

    fn set_edge(&mut self, up: bool) {
        for name in ["customer", "second"] {
            self.world.neighbor(name).up = up;
        }
    }

    fn enable_edge(&mut self) {
        for session in ["customer_bgp", "second_bgp"] {
            self.edge.switch_protocol(session, true);
        }
    }
}

/// Two namespaces with a link to each, and the addresses that everyone has there.
fn make_networks() {
    links::prepare();
    links::join("transit");
    links::join("edge");
    links::address("transit", TRANSIT, (Ipv4Addr::new(192, 0, 2, 2), v6(1, 2)));
    namespace::run(&format!(
        "ip addr add {INJECTOR}/28 dev transit; ip -n transit addr add {INJECTED}/28 dev uplink"
    ));
    links::address("edge", CUSTOMER, (Ipv4Addr::new(198, 51, 100, 2), v6(2, 2)));
    links::address("edge", SECOND, (Ipv4Addr::new(198, 51, 100, 18), v6(3, 2)));
}

/// Routes of other programs: to places of their own, and beside routes of ours.
fn place_foreign_routes(expected: &Routes) -> String {
    let shared =
        |v4| expected.keys().filter(|prefix| prefix.addr().is_ipv4() == v4).min().expect("both families");
    for (prefix, gateway) in [
        ("203.0.113.0/24".into(), "192.0.2.2".to_owned()),
        ("2001:db8:ffff::/48".into(), v6(1, 2).to_string()),
        (shared(true).to_string(), "192.0.2.2".to_owned()),
        (shared(false).to_string(), v6(1, 2).to_string()),
    ] {
        for (protocol, metric) in [("static", 10), ("186", 50)] {
            namespace::run(&format!("ip route add {prefix} via {gateway} proto {protocol} metric {metric}"));
        }
    }
    kernel::foreign()
}
