//! Restarts over which packets go on: the neighbour's, ours after a crash, and ours on purpose (RFC 4724).
//!
//! ```text
//!   transit (namespace)              the router's namespace             edge (namespace)
//!   BIRD with routes of its own  --- palisade run, [fib]            --- BIRD, a customer that is told of them
//! ```
//!
//! Each time some routes vanish while nobody speaks for them: those go when it is known that they have, and no other
//! is touched, in the kernel or at the customer's.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use crate::monitor::Monitor;
use crate::oracle::OURS;
use crate::support::bird::Bird;
use crate::support::router::Router;
use crate::world::v6;
use crate::{kernel, links};

const TRANSIT: (Ipv4Addr, Ipv4Addr) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
const EDGE: (Ipv4Addr, Ipv4Addr) = (Ipv4Addr::new(198, 51, 100, 1), Ipv4Addr::new(198, 51, 100, 2));
const TRANSIT_ASN: u32 = 201_000;
const EDGE_ASN: u32 = 203_000;
const PATIENCE: Duration = Duration::from_secs(60);
/// Routes that come at first, and that vanish with each restart.
const ROUTES: u8 = 60;
const VANISH: u8 = 10;
/// For longer than any of the BIRDs' timers that would have taken routes without this.
const SILENCE: Duration = Duration::from_secs(3);

/// Tells the story.
pub(crate) fn tell() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut story = Story::begin(folder.path());
    story.the_neighbor_restarts();
    story.the_router_crashes();
    story.the_router_is_restarted();
    let status = story.router.stop(PATIENCE);
    assert!(status.success() && kernel::ours().is_empty(), "{status}: SIGTERM is for good");
}

struct Story<'a> {
    folder: &'a Path,
    transit: Bird,
    edge: Bird,
    router: Router,
    monitor: Monitor,
    /// How many of the routes have vanished so far.
    vanished: u8,
}

impl<'a> Story<'a> {
    fn begin(folder: &'a Path) -> Self {
        links::prepare();
        for (name, (ours, theirs), net) in [("transit", TRANSIT, 1), ("edge", EDGE, 2)] {
            links::join(name);
            links::address(name, (ours, v6(net, 1)), (theirs, v6(net, 2)));
        }
        let transit = bird("transit", folder, &transit_configuration(0));
        let edge = bird("edge", folder, &configuration(EDGE, EDGE_ASN, "", "debug { routes };"));
        let mut router = Router::new(folder, &router_configuration(folder));
        router.start();
        let story = Story { folder, transit, edge, router, monitor: Monitor::start(folder), vanished: 0 };
        story.wait("the table comes in");
        story
    }

    fn the_neighbor_restarts(&mut self) {
        self.starts_anew();
        self.transit.kill();
        std::thread::sleep(SILENCE);
        assert_eq!(self.held(), routes(self.vanished), "while it is away");
        self.vanished += VANISH;
        self.transit.configure(&transit_configuration(self.vanished));
        self.transit.recover();
        self.wait("the neighbour is back");
        self.only_what_vanished_was_touched();
    }

    fn the_router_crashes(&mut self) {
        self.starts_anew();
        self.router.kill();
        self.is_away_and_returns("we crashed and are back");
    }

    /// With SIGUSR2.
    fn the_router_is_restarted(&mut self) {
        self.starts_anew();
        self.router.signal("USR2");
        let deadline = Instant::now() + PATIENCE;
        while self.router.is_running() {
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.router.last_words());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.is_away_and_returns("we were restarted and are back");
    }

    fn is_away_and_returns(&mut self, what: &str) {
        std::thread::sleep(SILENCE);
        assert_eq!(self.held(), routes(self.vanished), "a router that is away leaves its routes");
        self.vanished += VANISH;
        self.transit.configure(&transit_configuration(self.vanished));
        self.transit.ask("configure");
        self.router.start();
        self.wait(what);
        self.only_what_vanished_was_touched();
    }

    /// Waits until the kernel and the customer hold just what is left.
    fn wait(&self, what: &str) {
        let (expected, started) = (routes(self.vanished), Instant::now());
        loop {
            let (held, told) = (self.held(), self.told());
            if held == expected && told == expected {
                return println!("== {what}: {} routes after {:.1?}", held.len(), started.elapsed());
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{what}: {} in the kernel, {} at the customer's, of {}\n{}\n{}\n{}",
                held.len(),
                told.len(),
                expected.len(),
                self.transit.last_words(),
                self.edge.last_words(),
                self.router.last_words()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn held(&self) -> BTreeSet<IpNet> {
        kernel::ours().into_iter().map(|(prefix, _)| prefix).collect()
    }

    fn told(&self) -> BTreeSet<IpNet> {
        let told = self.edge.ask("show route primary");
        told.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
    }

    /// What happens from now on is looked at.
    fn starts_anew(&mut self) {
        self.monitor.happened();
        fs::write(self.folder.join("edge").join("log"), "").expect("a log can be emptied");
    }

    fn only_what_vanished_was_touched(&mut self) {
        let gone: BTreeSet<IpNet> =
            routes(self.vanished - VANISH).difference(&routes(self.vanished)).copied().collect();
        let happened = self.monitor.happened();
        assert_eq!(happened.removed.iter().copied().collect::<BTreeSet<_>>(), gone, "left the kernel");
        assert!(happened.set.is_empty(), "{:?} were written anew", happened.set);
        let log = self.edge.log();
        let removed = log.lines().filter(|line| line.contains("> removed"));
        let removed: BTreeSet<IpNet> =
            removed.flat_map(str::split_whitespace).filter_map(|word| word.parse().ok()).collect();
        assert_eq!(removed, gone, "left the customer's table");
    }
}

/// What is left once so many have vanished.
fn routes(vanished: u8) -> BTreeSet<IpNet> {
    (vanished..ROUTES).filter_map(|at| format!("193.{at}.0.0/24").parse().ok()).collect()
}

fn bird(name: &'static str, folder: &Path, configuration: &str) -> Bird {
    let folder = folder.join(name);
    fs::create_dir_all(&folder).expect("a folder can be made");
    Bird::start(name, &folder, configuration)
}

fn transit_configuration(vanished: u8) -> String {
    let mut table = "protocol static { ipv4;\n".to_owned();
    routes(vanished).iter().for_each(|route| {
        let _ = writeln!(table, "route {route} blackhole;");
    });
    configuration(TRANSIT, TRANSIT_ASN, &(table + "}"), "")
}

fn configuration((ours, theirs): (Ipv4Addr, Ipv4Addr), asn: u32, table: &str, debug: &str) -> String {
    format!(
        "router id {theirs};\nprotocol device {{}}\n{table}\n\
         protocol bgp palisade {{ {debug} local {theirs} as {asn}; neighbor {ours} as {OURS}; hold time 30;\n\
         connect delay time 1; connect retry time 1; error wait time 1, 2; graceful restart on;\n\
         ipv4 {{ import all; export all; }};\n}}\n"
    )
}

fn router_configuration(folder: &Path) -> String {
    let socket = folder.join("control.sock");
    format!(
        "[router]\nasn = {OURS}\nid = \"192.0.2.1\"\n[control]\nsocket = \"{}\"\n[fib]\ntable = \"main\"\n\
         [[peer]]\nname = \"transit\"\naddress = \"{}\"\nasn = {TRANSIT_ASN}\nrole = \"provider\"\n\
         [[peer]]\nname = \"edge\"\naddress = \"{}\"\nasn = {EDGE_ASN}\nrole = \"customer\"\n",
        socket.display(),
        TRANSIT.1,
        EDGE.1
    )
}
