//! A configuration that is edited under a running router: what can change does, while sessions stay; what is wrong changes
//! nothing, and is told at its place.

use crate::speaker::{Speaker, large};
use crate::world::{World, until};

const RPKI: &str = "[rpki]\nfiles = [\"vrps.json\"]\n";
const VRPS: &str = r#"{"roas": [{"asn": 196801, "prefix": "45.0.0.0/8", "maxLength": 24}]}"#;
const IRR: &str = "[irr]\ncache = \"off\"\ndumps = [\"irr.db\"]\n";
const DUMP: &str = "as-set: AS-CUSTOMER\nmembers: AS196703, AS196801\nsource: TEST\n";

const RULE: &str = r#"
[[rule]]
name = "no-second"
prefixes = ["45.2.0.0/16^+"]
action = "reject"
[[rule]]
name = "mark"
roles = ["customer"]
action = "continue"
set = { local_preference = 350, add_communities = ["196608:7:7"] }
"#;

const GUEST: &str = "[[peer]]\nname = \"guest\"\naddress = \"127.0.0.5\"\nasn = 196705\nrole = \"customer\"\npassive = true\n";

fn told(output: &std::process::Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

#[test]
fn a_configuration_is_read_again_while_sessions_stay_up() {
    let base = [RPKI, IRR].concat();
    let mut world = World::start(&base, &[("vrps.json", VRPS), ("irr.db", DUMP)]);
    world.wait_for_sessions();
    world.customer.announce(&[196_801], &[], &["45.1.0.0/24", "45.2.0.0/24"]);
    world.provider.announce(&[196_801], &[], &["45.2.0.0/24"]);
    world.wait_for("45.1.0.0/24", "customer", "");
    world.wait_for("45.2.0.0/24", "customer", "");

    changes(&world, &base);
    let guest = peers(&world, &base);
    refuses(&world);
    assert!(guest.heard().is_up(), "what is refused ends no session");
    world.hold_sessions();
}

/// An attribute that is not wanted is taken off, also what was said before: the peer is asked for it again.
#[test]
fn attributes_are_stripped_while_sessions_stay_up() {
    let base = [RPKI, IRR].concat();
    let mut world = World::start(&base, &[("vrps.json", VRPS), ("irr.db", DUMP)]);
    world.wait_for_sessions();
    let announce = |world: &mut World| {
        world.customer.announce(&[196_801], &large(&[(196_990, 1, 1)]), &["45.1.0.0/24"]);
    };
    let communities = |world: &World| world.heard("45.1.0.0/24").map(|route| route.large_communities);
    announce(&mut world);
    until("a community goes on", || communities(&world) == Some(vec!["196990:1:1".into()]));
    let path = world.router.folder.path().join("palisade.toml");
    let text = std::fs::read_to_string(path).expect("it was written");
    let stripping = "as_set = \"AS-CUSTOMER\"\nstrip_attributes = [32]\n";
    let stripping = text.replace("as_set = \"AS-CUSTOMER\"\n", stripping);
    for (at, (text, heard)) in [(stripping, vec![]), (text, vec!["196990:1:1".into()])].iter().enumerate() {
        world.write("palisade.toml", text);
        let output = world.router.ask("reload", &[]);
        assert!(output.status.success(), "{}", told(&output));
        until("the peer is asked again", || world.customer.heard().refreshes() == at + 1);
        announce(&mut world);
        until("it is as was asked", || communities(&world).as_ref() == Some(heard));
    }
    assert!(world.customer.heard().is_up() && world.provider.heard().is_up());
}

/// A session that is about to be shut down stays, and other ways are found meanwhile (RFC 8326 s4.1).
#[test]
fn a_session_is_announced_to_be_shut_down() {
    let base = [RPKI, IRR].concat();
    let mut world = World::start(&base, &[("vrps.json", VRPS), ("irr.db", DUMP)]);
    world.wait_for_sessions();
    world.customer.announce(&[196_801], &[], &["45.1.0.0/24"]);
    world.provider.announce(&[196_801], &[], &["45.1.0.0/24"]);
    world.wait_for("45.1.0.0/24", "provider", "");
    let path = world.router.folder.path().join("palisade.toml");
    let text = std::fs::read_to_string(path).expect("it was written");
    let draining = "as_set = \"AS-CUSTOMER\"\ngraceful_shutdown = true\n";
    let draining = text.replace("as_set = \"AS-CUSTOMER\"\n", draining);
    let first = |world: &World| world.heard("45.1.0.0/24").and_then(|route| route.path.get(1).copied());
    until("the customer's path is best", || first(&world) == Some(196_703));
    for (text, is_so) in [(draining, true), (text, false)] {
        world.write("palisade.toml", &text);
        let output = world.router.ask("reload", &[]);
        assert!(
            output.status.success() && told(&output).contains("no session was touched"),
            "{}",
            told(&output)
        );
        let best = if is_so { 196_702 } else { 196_703 };
        until("another path is best, or no other", || first(&world) == Some(best));
        let shown = world.router.json(&["peers", "customer"]);
        assert_eq!(shown["shutting_down"], is_so, "{shown:#}");
        until("the customer is told, or not", || {
            let heard = world.customer.heard();
            let route = heard.routes.get("45.1.0.0/24");
            let told = route.is_some_and(|route| route.communities.contains(&"65535:0".to_owned()));
            // Its own path is not told to it.
            told == is_so && (is_so || route.is_none())
        });
    }
    world.hold_sessions();
}

/// Rules come and go.
fn changes(world: &World, base: &str) {
    world.configure(&[base, RULE].concat());
    let output = world.router.ask("reload", &[]);
    assert!(output.status.success() && told(&output).contains("no session was touched"), "{}", told(&output));
    world.wait_for("45.2.0.0/24", "customer", "rule:no-second");
    world.wait_for("45.2.0.0/24", "provider", "rule:no-second");
    until("a route is told anew with what a rule adds", || {
        world.heard("45.1.0.0/24").is_some_and(|route| route.large_communities == ["196608:7:7"])
    });
    let explained = world.explain("45.1.0.0/24", "customer");
    assert_eq!(explained["table"]["local_preference"], 350, "{explained:#}");
    world.configure(base);
    assert!(world.router.ask("reload", &[]).status.success());
    world.wait_for("45.2.0.0/24", "customer", "");
    until("a route is told anew without it", || {
        world.heard("45.1.0.0/24").is_some_and(|route| route.large_communities.is_empty())
    });
}

/// A peer's limits change, a peer comes, goes and comes again.
fn peers(world: &World, base: &str) -> Speaker {
    let customer = "max_prefixes = 77\nlocal_preference = 150\n";
    let edited = |extra: &str| {
        world.configure(&[base, extra].concat());
        let path = world.router.folder.path().join("palisade.toml");
        let text = std::fs::read_to_string(&path).expect("it was written");
        let text =
            text.replace("as_set = \"AS-CUSTOMER\"\n", &format!("as_set = \"AS-CUSTOMER\"\n{customer}"));
        world.write("palisade.toml", &text);
        let output = world.router.ask("reload", &[]);
        assert!(output.status.success(), "{}", told(&output));
        told(&output)
    };
    assert!(edited(GUEST).contains("1 new, 0 gone, 0 with a new session"));
    assert_eq!(world.router.json(&["peers", "customer"])["max_prefixes"], 77);
    until("a preference changes", || {
        world.explain("45.1.0.0/24", "customer")["table"]["local_preference"] == 150
    });
    let guest = Speaker::join(world.router.port, 5);
    until("a new peer is sent what there is", || guest.heard().routes.contains_key("45.1.0.0/24"));
    assert!(edited("").contains("0 new, 1 gone, 0 with a new session"));
    until("a peer that has gone is told so", || guest.heard().has_ended);
    assert_eq!(guest.heard().notification, [6, 3], "Cease: peer de-configured (RFC 4486)");
    assert!(edited(GUEST).contains("1 new, 0 gone"));
    let guest = Speaker::join(world.router.port, 5);
    until("it is welcome again", || guest.heard().is_up());
    guest
}

/// What is wrong, or can't change while the router runs.
fn refuses(world: &World) {
    let (before, heard) = (world.router.json(&["summary"]), world.listener.heard().told.clone());
    let text =
        std::fs::read_to_string(world.router.folder.path().join("palisade.toml")).expect("it is there");
    for (text, words) in [
        (text.replacen("[rpki]", "[rpki]\nwait = \"soon\"", 1), "wait = \"soon\""),
        (text.replacen("vrps.json", "nowhere.json", 1), "there is no such file"),
        (
            text.replacen("asn = 196608", "asn = 196609", 1),
            "`asn` under [router] can't change while the router runs",
        ),
        ("[router\n".into(), "palisade.toml:1:"),
        (text.replacen("control.sock", "other.sock", 1), "[control] can't change while the router runs"),
    ] {
        world.write("palisade.toml", &text);
        let output = world.router.ask("reload", &[]);
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        assert!(told(&output).contains(words), "{words}: {}", told(&output));
    }
    let after = world.router.json(&["summary"]);
    assert_eq!(before["generation"], after["generation"]);
    assert_eq!(world.listener.heard().told, heard);
}
