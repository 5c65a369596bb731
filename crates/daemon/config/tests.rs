//! Every text is read or refused, and whatever is refused can be shown.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use palisade_policy::Role;

use super::peer::Origin;
use super::*;

const EDGE: &str = include_str!("../../../config/edge.toml");

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Source::new("edge.toml".into(), text.into()), Path::new("/etc/palisade"))
}

fn shown(problem: &dyn Diagnostic) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
    handler.render_report(&mut text, problem).unwrap();
    text
}

#[test]
fn what_is_written_is_what_is_read() {
    let config = parse(EDGE).unwrap();
    let router = &config.router;
    assert_eq!((router.asn.0, router.id, router.mode), (64500, Ipv4Addr::new(192, 0, 2, 1), Mode::Router));
    assert_eq!(router.listen, ["0.0.0.0:179".parse().unwrap(), "[::]:179".parse().unwrap()]);
    assert_eq!(router.own_prefixes, ["198.51.100.0/25".parse().unwrap()]);
    assert_eq!(*config.rpki.files[0].get_ref(), PathBuf::from("/etc/palisade/vrps.json"));
    let fib = config.fib.as_ref().unwrap();
    assert_eq!((fib.table, fib.metric), (254, 32));
    assert_eq!(fib.preferred_source_ipv4, Some(Ipv4Addr::new(192, 0, 2, 1)));
    assert_eq!(config.control.socket, Some(PathBuf::from("/run/palisade/control.sock")));
    assert!(config.control.is_written);
    assert_eq!(config.looking_glass.reject_communities, palisade_policy::RejectScheme::Palisade);

    let names: Vec<&str> = config.peers.iter().map(|peer| peer.name.as_str()).collect();
    assert_eq!(names[..3], ["transit-a", "transit-a-ipv6", "transit-b"]);
    let customer = config.peers.iter().find(|peer| peer.name == "customer-e").unwrap();
    assert_eq!((customer.role, customer.passive), (Some(Role::Customer), true));
    assert_eq!(customer.address, IpAddr::from(Ipv4Addr::new(203, 0, 113, 141)));
    assert_eq!(customer.max_prefixes, Setting { value: 10, origin: Origin::Peer });
    assert_eq!(customer.local_preference, Setting { value: 200, origin: Origin::Role });
    assert_eq!(customer.hold_time_s, Setting { value: 90, origin: Origin::Default });
    assert_eq!(customer.checks.len(), 2);
}

#[test]
fn an_absolute_name_stays_as_it_is() {
    let config = parse(&EDGE.replace("\"vrps.json\"", "\"/var/lib/vrps.json\"")).unwrap();
    assert_eq!(*config.rpki.files[0].get_ref(), PathBuf::from("/var/lib/vrps.json"));
}

/// The example with something wrong at every place in turn: a third of what can be at each, the others at its neighbours.
#[test]
fn no_damage_ends_the_reader_or_the_one_who_shows_it() {
    let damage = ["", "\"", "\u{202e}é", "\n", "[", "99999999999999999999", "\\u0000", "="];
    for (step, (at, _)) in EDGE.char_indices().step_by(5).enumerate() {
        let tail = EDGE.ceil_char_boundary(at + 2);
        for (turn, inserted) in damage.iter().enumerate().skip(step % 3).step_by(3) {
            // Inserted, written over, or the rest cut off.
            let rest = [&EDGE[at..], &EDGE[tail..], ""][(step / 3 + turn) % 3];
            if let Err(error) = parse(&format!("{}{inserted}{rest}", &EDGE[..at])) {
                let ConfigError::Invalid { problems, .. } = &error else { panic!("{error}") };
                assert!(!problems.is_empty() && problems.len() <= problem::MAX_KEPT);
                for problem in problems {
                    assert!(problem.position().is_some());
                    assert!(!shown(problem).contains('\u{202e}'), "{}", shown(problem).escape_debug());
                }
            }
        }
    }
}

#[test]
fn errors_stand_in_the_order_of_the_text() {
    let text =
        EDGE.replace("asn = 64500", "asn = 0").replace("asn = 6451", "asn = -6451").replace("main", "mian");
    let ConfigError::Invalid { problems, more, .. } = parse(&text).unwrap_err() else { panic!() };
    let lines: Vec<usize> = problems.iter().map(|problem| problem.position().unwrap().line).collect();
    assert!(lines.is_sorted() && lines.len() > 4, "{lines:?}");
    assert_eq!(more, 0);
}

#[test]
fn a_line_without_end_is_shown_around_the_problem() {
    let networks = "\"10.0.0.0/8\", ".repeat(50_000);
    let text = format!("[router]\nasn = 196608\nid = \"192.0.2.1\"\nnetworks = [{networks} \"x\"]");
    let ConfigError::Invalid { problems, .. } = parse(&text).unwrap_err() else { panic!() };
    let text: String = problems.iter().map(|problem| shown(problem)).collect();
    assert!(text.lines().all(|line| line.chars().count() < 200), "{text}");
}

/// One of each that has a peer's keys, with a key that nothing has: what they have is told.
const ONE_OF_EACH: &str = r#"
[router]
mode = "route-server"
asn = 64500
id = "192.0.2.1"
[actions]
set = "euro-ix"
[members]
file = "members.json"
[[peer]]
name = "a"
address = "203.0.113.1"
asn = 64501
wrong = 1
[[member]]
asn = 64502
wrong = 1
[group.g]
wrong = 1
[[range]]
name = "r"
prefix = "203.0.113.0/24"
asns = [64501]
wrong = 1
"#;

/// What stands between backquotes, in a cell or a message.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// `docs/keys.md` has every key of a peer, a member, a group and a range, and no other.
#[test]
fn the_documentation_lists_the_keys_that_are_read() {
    let page = include_str!("../../../docs/keys.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
    let source = Source::new("all.toml".into(), ONE_OF_EACH.replace("wrong", &"w".repeat(40)));
    let ConfigError::Invalid { problems, .. } = Config::parse(source, Path::new("")).unwrap_err() else {
        panic!()
    };
    assert_eq!(problems.len(), 4, "{problems:?}");
    for of in ["peer", "member", "group", "range"] {
        let is_of = |cell: &str| cell == "all" || cell.split(", ").any(|word| word == of);
        let documented: BTreeSet<_> =
            rows.iter().filter(|row| is_of(row[2])).flat_map(|row| quoted(row[1])).collect();
        let told = problems.iter().find(|problem| problem.to_string().contains(&format!("[{of}]"))).unwrap();
        let told = told.help().unwrap().to_string();
        assert!(told.starts_with("its keys are "), "{told}");
        assert_eq!(documented, quoted(&told), "{of}");
    }
}
