//! What stands in files: VRPs, SLURM, bogons and PeeringDB's dump are edited, broken, emptied and cut in half.

use std::fmt::Write as _;
use std::fs;
use std::thread::sleep;

use crate::world::{READ, World};

const SECTIONS: &str = r#"
[rpki]
files = ["vrps.json"]
slurm = ["slurm.json"]
guard = { shrink = 20, grow = 100, floor = 10, hold = "1h" }
[bogons]
prefixes = ["bogons.txt"]
extend = true
[peeringdb]
files = ["peeringdb.json"]
max_prefixes = true
"#;

/// For 45.1.0.0/16 and so many others, of the AS that originates them all, and one for another AS.
fn vrps(count: usize, invalid: &[u8]) -> String {
    let mut text =
        String::from("{\"roas\": [\n{\"asn\": 196799, \"prefix\": \"45.1.0.0/16\", \"maxLength\": 24}");
    for number in 1..count {
        let (high, low) = (number / 256, number % 256);
        let _ =
            write!(text, ",\n{{\"asn\": 196799, \"prefix\": \"46.{high}.{low}.0/24\", \"maxLength\": 24}}");
    }
    for second in invalid {
        let _ = write!(text, ",\n{{\"asn\": 1, \"prefix\": \"45.{second}.0.0/16\", \"maxLength\": 24}}");
    }
    text + "\n]}\n"
}

const NO_SLURM: &str = r#"{"slurmVersion": 1,
"validationOutputFilters": {"prefixFilters": [], "bgpsecFilters": []},
"locallyAddedAssertions": {"prefixAssertions": [], "bgpsecAssertions": []}}"#;

/// 45.2.0.0/16 is filtered, and 45.3.0.0/16 is for nobody.
const SLURM: &str = r#"{"slurmVersion": 1,
"validationOutputFilters": {"prefixFilters": [{"prefix": "45.2.0.0/16", "comment": "they know"}], "bgpsecFilters": []},
"locallyAddedAssertions": {"prefixAssertions": [{"asn": 0, "prefix": "45.3.0.0/16", "maxPrefixLength": 24}],
"bgpsecAssertions": []}}"#;

fn peeringdb(prefixes: u32) -> String {
    format!(
        "{{\"net\": {{\"data\": [{{\"id\": 1, \"asn\": 196703, \"name\": \"Customer\", \"irr_as_set\": \"AS-CUSTOMER\", \
         \"info_prefixes4\": {prefixes}, \"info_prefixes6\": 10, \"info_never_via_route_servers\": false, \
         \"status\": \"ok\"}}]}}}}"
    )
}

#[test]
fn files_that_change_count_and_files_that_break_do_not() {
    let mut world = World::start(
        SECTIONS,
        &[
            ("vrps.json", &vrps(100, &[2])),
            ("slurm.json", NO_SLURM),
            ("bogons.txt", "47.0.0.0/8\n"),
            ("peeringdb.json", &peeringdb(1000)),
        ],
    );
    world.wait_for_sessions();
    world.provider.announce(
        &[196_799],
        &[],
        &["45.1.0.0/24", "45.2.0.0/24", "45.3.0.0/24", "47.1.0.0/24", "48.1.0.0/24"],
    );
    world.wait_for("45.1.0.0/24", "provider", "");
    world.wait_for("45.2.0.0/24", "provider", "rpki-invalid-origin");
    world.wait_for("47.1.0.0/24", "provider", "bogon-prefix");
    world.wait_for("48.1.0.0/24", "provider", "");
    assert_eq!(world.router.json(&["peers", "customer"])["max_prefixes"], 1313, "with a margin");

    world.write("slurm.json", SLURM);
    world.write("bogons.txt", "48.0.0.0/8\n");
    world.write("peeringdb.json", &peeringdb(2000));
    world.wait_for("45.2.0.0/24", "provider", "");
    world.wait_for("45.3.0.0/24", "provider", "rpki-invalid-origin");
    world.wait_for("47.1.0.0/24", "provider", "");
    world.wait_for("48.1.0.0/24", "provider", "bogon-prefix");
    crate::world::until("a limit follows PeeringDB", || {
        world.router.json(&["peers", "customer"])["max_prefixes"] == 2613
    });

    breaks(&world);
    shrinks(&world);
    assert_eq!((world.told("45.1.0.0/24"), world.told("45.2.0.0/24")), ((1, 1), (1, 0)));
    world.hold_sessions();
}

/// Nonsense, emptiness and absence are told, and change nothing.
fn breaks(world: &World) {
    let told = world.listener.heard().told.clone();
    let path = world.router.folder.path().join("vrps.json");
    for broken in ["{\"roas\": [ {\"asn\": 19", "", "{\"roas\": []}"] {
        fs::write(&path, broken).expect("a file can be written");
        fs::write(world.router.folder.path().join("slurm.json"), "{}").expect("a file can be written");
        fs::write(world.router.folder.path().join("bogons.txt"), "no prefix\n")
            .expect("a file can be written");
        sleep(READ);
        let feed = world.feed("file");
        assert!(feed["alarming"] == true && feed["holds"]["vrps"] == 101, "{broken}: {feed}");
        assert!(feed["error"].is_string() || feed["held"].is_object(), "{broken}: {feed}");
        assert_eq!(world.feed("slurm")["state"], "failing");
    }
    assert_eq!(world.listener.heard().told, told);
    world.write("slurm.json", SLURM);
    world.write("bogons.txt", "48.0.0.0/8\n");
    world.write("vrps.json", &vrps(100, &[2]));
    world.wait_for_feed("file", "fresh");
    world.wait_for_feed("slurm", "fresh");
    assert_eq!(world.listener.heard().told, told);
}

/// Half of it is gone, and what is left makes something invalid: that is held until an operator says so.
fn shrinks(world: &World) {
    world.write("vrps.json", &vrps(50, &[1, 2]).replacen("196799", "196798", 1));
    let feed = world.wait_for_feed("file", "holding");
    assert_eq!(feed["held"]["from_to"]["vrps"], serde_json::json!([101, 52]), "{feed}");
    assert_eq!(world.reason("45.1.0.0/24", "provider"), "");
    let name = feed["name"].as_str().expect("a name");
    let wrong = world.router.ask("confirm", &["vrps"]);
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let confirmed = world.router.ask("confirm", &[name]);
    assert!(confirmed.status.success(), "{confirmed:?}");
    world.wait_for("45.1.0.0/24", "provider", "rpki-invalid-origin");
    let feed = world.feed("file");
    assert!(feed["state"] == "fresh" && feed["held"].is_null() && feed["holds"]["vrps"] == 52, "{feed}");
    let again = world.router.ask("confirm", &[name]);
    assert_eq!(again.status.code(), Some(1), "{again:?}");
}
