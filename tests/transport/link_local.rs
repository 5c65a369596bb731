//! Sessions between link-local addresses (RFC 4007): the interface stands with the address, and may come late.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::bird::Bird;
use crate::support::namespace::run;
use crate::support::router::Router;
use crate::world::{OURS, THEIRS, World, networks, router_section};

/// Both ends have `fe80::1` and `fe80::2` on two links, with one global network a link.
pub(crate) fn sessions() {
    networks();
    run("ip link add other type veth peer name aside netns near");
    for (ours, theirs, network) in [("near", "uplink", 1), ("other", "aside", 2)] {
        run(&format!("ip link set {ours} up; ip -n near link set {theirs} up"));
        for (place, device, last) in [("", ours, 1), ("-n near", theirs, 2)] {
            run(&format!("ip {place} addr add 2001:db8:{network}::{last}/64 dev {device} nodad"));
            run(&format!("ip {place} addr add fe80::{last}/64 dev {device} nodad"));
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("bird");
    fs::create_dir(&place).expect("a folder");
    let peers = [("in", "near", true, ""), ("out", "other", false, ""), ("late", "late", false, "")];
    let peers = peers.map(|(name, interface, passive, keys)| {
        format!(
            "[[peer]]\nname = \"{name}\"\naddress = \"fe80::2%{interface}\"\nasn = {THEIRS}\nrole = \"provider\"\n\
             passive = {passive}\nttl_security = true\nmd5_password = \"secret\"\n{keys}\n"
        )
    });
    let router =
        router_section(folder.path()).replace("[control]", "networks = [\"2001:db8:ffff::/48\"]\n[control]");
    let mut router = Router::new(folder.path(), &(router + &peers.concat()));
    router.start();
    let bird = Bird::start("near", &place, &neighbours());
    let world = World { router, folder, birds: vec![bird], sessions: Vec::new() };
    world.wait_for("in", true);
    world.wait_for("out", true);
    assert_eq!(world.peer("in")["address"], "fe80::2%near");
    assert_eq!(world.peer("in")["transport"]["local_address"], "fe80::1");
    // The global address with the link-local one beside it (RFC 2545 s3).
    let next_hops = [1, 2].map(|network| format!("BGP.next_hop: 2001:db8:{network}::1 fe80::1"));
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let told = world.birds[0].ask("show route all for 2001:db8:ffff::/48");
        if next_hops.iter().all(|next_hop| told.contains(next_hop)) {
            break;
        }
        assert!(Instant::now() < deadline, "{told}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let late = world.peer("late");
    assert!(late["last_fault"].to_string().contains("there is no interface late"), "{late}");
}

fn neighbours() -> String {
    let session = |name: &str, device: &str, passive: &str| {
        format!(
            "protocol bgp {name} {{\n local fe80::2 as {THEIRS};\n neighbor fe80::1%{device} as {OURS};\n passive {passive};\n\
             ttl security on;\n password \"secret\";\n connect delay time 1;\n connect retry time 1;\n error wait time 1, 1;\n\
             ipv6 {{ import all; export none; }};\n}}\n"
        )
    };
    "router id 10.0.1.2;\nprotocol device {}\n".to_owned()
        + &session("one", "uplink", "no")
        + &session("two", "aside", "yes")
}
