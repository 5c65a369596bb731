//! RFC 5482's user timeout, and the address that a session is from.

use std::time::{Duration, Instant};

use crate::support::namespace::run;
use crate::world::{Case, End, Family, World, addresses, networks};

/// With a hold time of 12 s a KEEPALIVE goes out every 4 s.
const SILENT: &str = "hold_time = 12\ntcp_user_timeout = \"2s\"";
const PATIENT: &str = "hold_time = 12";

/// What is sent into a link that leads nowhere is given up after the user timeout, before the hold time.
pub(crate) fn user_timeout() {
    networks();
    let cases = [("impatient", SILENT), ("patient", PATIENT)].map(|(name, ours)| Case {
        name,
        place: "near",
        ours,
        theirs: "",
        connects: End::Ours,
        comes_up: true,
    });
    let world = World::of(&cases, &[Family::Ipv4]);
    world.hold();
    for (at, case) in cases.iter().enumerate() {
        let (ours, _) = addresses(at, Family::Ipv4);
        assert_eq!(world.peer(case.name)["transport"]["local_address"], ours);
    }
    let black = Instant::now();
    run("ip -n near link set uplink down");
    while world.is_up("impatient") {
        assert!(black.elapsed() < Duration::from_secs(11), "the hold time ended it\n{}", world.router.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(black.elapsed() < Duration::from_secs(8), "{:?}", black.elapsed());
    assert!(world.is_up("patient"), "nothing tells this one before its hold time");
}
