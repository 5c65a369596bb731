//! RFC 2385: segments are signed, or there is no connection.

use std::fs;
use std::time::{Duration, Instant};

use crate::world::{Case, End, Family, World, networks};

/// As many octets as a password may have.
const LONGEST: &str =
    "md5_password = \"12345678901234567890123456789012345678901234567890123456789012345678901234567890\"";
const LONGEST_OF_BIRD: &str =
    "password \"12345678901234567890123456789012345678901234567890123456789012345678901234567890\";";

const SECRET: &str = "md5_password = \"secret\"";
const SECRET_OF_BIRD: &str = "password \"secret\";";

/// Our password, theirs, who connects, and whether that comes to a session.
const CASES: [Case; 10] = {
    use End::{Ours, Theirs};
    const fn case(
        name: &'static str,
        ours: &'static str,
        theirs: &'static str,
        connects: End,
        comes_up: bool,
    ) -> Case {
        Case { name, place: "near", ours, theirs, connects, comes_up }
    }
    [
        case("right-out", SECRET, SECRET_OF_BIRD, Ours, true),
        case("right-in", SECRET, SECRET_OF_BIRD, Theirs, true),
        case("longest-out", LONGEST, LONGEST_OF_BIRD, Ours, true),
        case("longest-in", LONGEST, LONGEST_OF_BIRD, Theirs, true),
        case("wrong-out", SECRET, "password \"Secret\";", Ours, false),
        case("wrong-in", SECRET, "password \"Secret\";", Theirs, false),
        case("theirs-missing-out", SECRET, "", Ours, false),
        case("theirs-missing-in", SECRET, "", Theirs, false),
        case("ours-missing-out", "", SECRET_OF_BIRD, Ours, false),
        case("ours-missing-in", "", SECRET_OF_BIRD, Theirs, false),
    ]
};

/// The table, in both families; no password is ever said.
pub(crate) fn signatures() {
    networks();
    let world = World::of(&CASES, Family::BOTH);
    world.hold();
    for (signed, unsigned) in [("right-out", "ours-missing-in"), ("right-out-v6", "ours-missing-in-v6")] {
        assert_eq!(world.peer(signed)["transport"]["md5"], true);
        assert_eq!(world.peer(unsigned)["transport"]["md5"], false);
    }
    let log = world.router.log();
    assert!(!log.contains("secret") && !log.contains("123456"), "{log}");
}

/// A key that changes, comes or goes begins its own session anew and no other.
pub(crate) fn keys_change() {
    networks();
    let case = |name, ours, theirs| Case {
        name,
        place: "near",
        ours,
        theirs,
        connects: End::Theirs,
        comes_up: true,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    fs::write(&key, "first\n").expect("a file");
    let named = format!("md5_password_file = \"{}\"", key.display());
    let cases = [
        case("stays", SECRET, SECRET_OF_BIRD),
        case("goes", SECRET, SECRET_OF_BIRD),
        case("comes", "", ""),
        case("changes", named.leak(), "password \"first\";"),
    ];
    let world = World::of(&cases, &[Family::Ipv4]);
    world.hold();
    let since = Instant::now();
    // A file that is gone changes nothing.
    fs::remove_file(&key).expect("it was there");
    world.router.signal("HUP");
    std::thread::sleep(Duration::from_secs(1));
    assert!(cases.iter().all(|case| world.is_up(case.name)) && world.router.log().contains("can't be read"));
    fs::write(&key, "second\n").expect("a file");
    let file = world.folder.path().join("palisade.toml");
    let text = fs::read_to_string(&file).expect("it was written");
    let blocks: Vec<String> = text
        .split("[[peer]]")
        .map(|block| match block {
            _ if block.contains("\"goes\"") => block.replace(SECRET, ""),
            _ if block.contains("\"comes\"") => format!("{block}\n{SECRET}\n"),
            _ => block.to_owned(),
        })
        .collect();
    fs::write(&file, blocks.join("[[peer]]")).expect("a file");
    world.router.signal("HUP");
    let ended = |name: &str| !world.is_up(name);
    while !["goes", "comes", "changes"].into_iter().all(ended) {
        assert!(since.elapsed() < Duration::from_secs(20), "{}", world.router.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_secs(3));
    assert!(["goes", "comes", "changes"].into_iter().all(ended), "BIRD still has the old keys");
    let stays = world.peer("stays");
    assert!(
        stays["state"] == "Established" && stays["lasts_s"].as_u64() >= Some(since.elapsed().as_secs()),
        "{stays}"
    );
}
