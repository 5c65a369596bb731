//! What routing registries say: a mirror whose changes are followed, dumps that are edited, servers that fail, and a start
//! without any of them.
//!
//! A mirror is asked every ten seconds, which is as often as it may be, so that two stories share what there is to wait for.

use std::fs;
use std::net::TcpListener;
use std::thread::sleep;

use crate::irrd::{Irrd, Registry};
use crate::world::{STILL, World, until};

const MIRRORED: &str = "\
as-set: AS-CUSTOMER\nmembers: AS196703, AS-ITS\nsource: TEST

as-set: AS-ITS\nmembers: AS196801\nsource: TEST

route: 45.1.0.0/24\norigin: AS196801\nsource: TEST

route: 45.2.0.0/24\norigin: AS196802\nsource: TEST
";

const DUMPED: &str = "route: 45.3.0.0/24\norigin: AS196801\nsource: OTHER\n";

const ITS_NEW: &str = "as-set: AS-ITS\nmembers: AS196801, AS196802\nsource: TEST";
const ITS_OLD: &str = "as-set: AS-ITS\nmembers: AS196801\nsource: TEST";
const ROUTE: &str = "route: 45.1.0.0/24\norigin: AS196801\nsource: TEST";
/// It is in no dump.
const LATER: &str = "route: 45.5.0.0/24\norigin: AS196801\nsource: TEST";
const UNREGISTERED: &str = "irr-prefix-not-registered";
const NO_MEMBER: &str = "irr-origin-not-in-as-set";

fn sections(port: u16, silent: u16) -> String {
    format!(
        "[irr]\ncache = \"kept\"\ndumps = [\"other.db\"]\nwhois = [\"127.0.0.1:{silent}\"]\n\
         mirrors = [{{ source = \"TEST\", server = \"127.0.0.1:{port}\", dumps = [\"test.db\"], serial = \"serial\", \
         poll = \"10s\" }}]\n[rpki]\nwait = \"3s\"\nfiles = [\"vrps.json\"]\n"
    )
}

const VRPS: &str = r#"{"roas": [{"asn": 196799, "prefix": "46.1.0.0/16", "maxLength": 24}]}"#;

/// A router that mirrors the server's registry, with what its customer announces, and a server that takes connections and says
/// nothing, for as long as that is held.
fn begin(irrd: &Irrd) -> (World, TcpListener) {
    irrd.change(|registry| registry.begin_at(1001));
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let silent_port = silent.local_addr().expect("it has an address").port();
    let sections = sections(irrd.address.port(), silent_port);
    let files = [("test.db", MIRRORED), ("serial", "1000\n"), ("other.db", DUMPED), ("vrps.json", VRPS)];
    let mut world = World::start(&sections, &files);
    fs::create_dir(world.router.folder.path().join("kept")).ok();
    announce(&mut world);
    world.wait_for("45.1.0.0/24", "customer", "");
    (world, silent)
}

fn announce(world: &mut World) {
    world.wait_for_sessions();
    world.customer.announce(&[196_801], &[], &["45.1.0.0/24", "45.3.0.0/24", "45.4.0.0/24", "45.5.0.0/24"]);
    world.customer.announce(&[196_802], &[], &["45.2.0.0/24"]);
}

#[test]
fn registries_are_followed_and_outlive_their_servers() {
    let irrd = Irrd::start(vec![Registry::new("TEST", MIRRORED)], true);
    let (world, silent) = begin(&irrd);
    world.wait_for("45.2.0.0/24", "customer", NO_MEMBER);
    world.wait_for("45.3.0.0/24", "customer", "");
    world.wait_for("45.4.0.0/24", "customer", UNREGISTERED);
    world.wait_for("45.5.0.0/24", "customer", UNREGISTERED);
    assert_eq!(world.feed("whois")["state"], "connecting", "who says nothing keeps nobody waiting for long");
    dumps(&world);
    follows(&irrd, &world);
    world.hold_sessions();
    starts_alone(world, irrd, silent);
}

/// A member and a route object come and go, and another comes.
fn follows(irrd: &Irrd, world: &World) {
    irrd.change(|registry| {
        registry.change("ADD", ITS_NEW);
        registry.change("DEL", ROUTE)
    });
    world.wait_for("45.2.0.0/24", "customer", "");
    world.wait_for("45.1.0.0/24", "customer", UNREGISTERED);
    let chain = world.explain("45.2.0.0/24", "customer")["irr"]["chain"].to_string();
    assert!(chain.contains("AS-ITS") && chain.contains("196802"), "{chain}");
    irrd.change(|registry| {
        registry.change("ADD", ITS_OLD);
        registry.change("ADD", ROUTE);
        registry.change("ADD", LATER)
    });
    world.wait_for("45.2.0.0/24", "customer", NO_MEMBER);
    world.wait_for("45.1.0.0/24", "customer", "");
    world.wait_for("45.5.0.0/24", "customer", "");
    assert_eq!(world.feed("mirror")["protocol"]["serial"], "1005");
}

/// A dump is edited, and broken.
fn dumps(world: &World) {
    world.write("other.db", &DUMPED.replace("45.3", "45.4"));
    world.wait_for("45.3.0.0/24", "customer", UNREGISTERED);
    world.wait_for("45.4.0.0/24", "customer", "");
    world.write("other.db", "");
    let feed = world.wait_for_feed("dumps", "failing");
    assert_eq!(feed["holds"]["route_objects"], 1, "{feed}");
    assert_eq!(world.reason("45.4.0.0/24", "customer"), "");
}

/// The server has forgotten what comes next: what was mirrored counts until there is a dump that leads on.
#[test]
fn what_a_mirror_has_missed_is_in_the_next_dump() {
    let irrd = Irrd::start(vec![Registry::new("TEST", MIRRORED)], true);
    let (world, _silent) = begin(&irrd);
    irrd.change(|registry| {
        registry.begin_at(2000);
        registry.change("DEL", ROUTE)
    });
    let feed = world.wait_for_feed("mirror", "failing");
    assert!(feed["error"].is_string() && feed["holds"]["route_objects"] == 2, "{feed}");
    sleep(STILL);
    assert_eq!(world.reason("45.1.0.0/24", "customer"), "");
    world.write("test.db", MIRRORED);
    world.write("serial", "1999\n");
    until("a dump mends it", || world.feed("mirror")["state"] == "fresh");
    world.wait_for("45.1.0.0/24", "customer", UNREGISTERED);
    world.hold_sessions();
}

/// Another life, with broken dumps and no server: what was kept on disk is judged by.
fn starts_alone(world: World, irrd: Irrd, silent: TcpListener) {
    drop(silent);
    irrd.break_down("");
    let mut router = world.router;
    router.stop();
    let folder = router.folder.path();
    for name in ["test.db", "serial"] {
        fs::remove_file(folder.join(name)).expect("it was there");
    }
    let kept: Vec<_> = fs::read_dir(folder.join("kept")).expect("a folder").flatten().collect();
    assert!(kept.len() >= 2, "{kept:?}");
    router.child = crate::asked::run(&router.folder);
    router.wait_for_socket();
    let mut world = World::of(router);
    announce(&mut world);
    world.wait_for("45.3.0.0/24", "customer", UNREGISTERED);
    world.wait_for("45.5.0.0/24", "customer", "");
    world.wait_for("45.4.0.0/24", "customer", "");
    world.wait_for("45.2.0.0/24", "customer", NO_MEMBER);
    let feed = world.feed("mirror");
    assert!(feed["alarming"] == true && feed["age_s"].is_u64() && feed["holds"]["as_sets"] == 2, "{feed}");
    world.hold_sessions();
}
