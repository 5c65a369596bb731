//! `palisade plan`, as it is run: on archives, and on what a running router holds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/asked.rs"]
mod asked;
#[path = "support/exchange.rs"]
mod exchange;

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use asked::PROGRAM;

const VRPS: &str = r#"{"roas": [
{"asn": 196701, "prefix": "193.0.0.0/16", "maxLength": 24},
{"asn": 196702, "prefix": "193.0.0.0/16", "maxLength": 24},
{"asn": 196702, "prefix": "194.0.0.0/16", "maxLength": 24}
]}"#;

/// A folder with the configuration as it is, and as it is to be.
fn folder(change: impl Fn(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let old = exchange::configuration("").replace("PORT", "1790");
    fs::write(folder.path().join("vrps.json"), VRPS).unwrap();
    fs::write(folder.path().join("new.toml"), change(old.clone())).unwrap();
    fs::write(folder.path().join("old.toml"), old).unwrap();
    folder
}

fn plan(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .current_dir(folder)
        .arg("plan")
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn report(output: &Output) -> Value {
    let report = serde_json::from_slice(&output.stdout);
    assert!(report.is_ok(), "{}", String::from_utf8_lossy(&output.stderr));
    report.unwrap()
}

mod archive {
    //! MRT records of the two members, written by hand: BGP4MP_MESSAGE_AS4 (RFC 6396 s4.4.3).

    /// UPDATEs of a member: its address's last octet, and the origin of its paths; announced, or withdrawn.
    pub(crate) fn update(last: u8, origin: u32, nets: &[[u8; 3]], announced: bool) -> Vec<u8> {
        let asn = 196_699 + u32::from(last);
        let nlri: Vec<u8> = nets.iter().flat_map(|net| [24, net[0], net[1], net[2]]).collect();
        let mut asns = asn.to_be_bytes().to_vec();
        if origin != asn {
            asns.extend(origin.to_be_bytes());
        }
        let path = [&[0x40, 2, asns.len() as u8 + 2, 2, (asns.len() / 4) as u8][..], &asns].concat();
        let attributes = [&[0x40, 1, 1, 0][..], &path, &[0x40, 3, 4, 127, 0, 0, last]].concat();
        let body = if announced {
            [&[0, 0, 0, attributes.len() as u8][..], &attributes, &nlri].concat()
        } else {
            [&[0, nlri.len() as u8][..], &nlri, &[0, 0]].concat()
        };
        let length = (19 + body.len()) as u16;
        let message = [&[0xff; 16][..], &length.to_be_bytes(), &[2], &body].concat();
        let head =
            [&asn.to_be_bytes()[..], &196_608u32.to_be_bytes(), &[0, 0, 0, 1, 127, 0, 0, last, 127, 0, 0, 1]]
                .concat();
        let record = [&head[..], &message].concat();
        [&[0, 0, 0, 1, 0, 16, 0, 4][..], &(record.len() as u32).to_be_bytes(), &record].concat()
    }
}

/// Three routes of each, one of which is withdrawn again.
fn archive(folder: &Path) {
    let octets = [
        archive::update(2, 196_701, &[[193, 0, 0], [193, 0, 1], [193, 0, 2]], true),
        archive::update(3, 196_702, &[[193, 0, 0], [194, 0, 0]], true),
        archive::update(3, 196_799, &[[195, 0, 0]], true),
        archive::update(2, 196_701, &[[193, 0, 2]], false),
        archive::update(9, 196_708, &[[196, 0, 0]], true),
    ];
    fs::write(folder.join("updates.mrt"), octets.concat()).unwrap();
}

#[test]
fn what_changes_is_counted_by_reason_and_by_peer_and_listed() {
    let folder = folder(|old| {
        old.replace("name = \"member-a\"", "name = \"member-a\"\nlocal_preference = 50")
            + "checks = { irr-origin-not-in-as-set = \"off\", irr-prefix-not-registered = \"off\" }\n"
            + "[[peer]]\nname = \"member-x\"\naddress = \"127.0.0.9\"\nasn = 196708\nas_set = \"AS196708\"\n"
    });
    archive(folder.path());
    let arguments = ["--from", "old.toml", "--to", "new.toml", "updates.mrt", "--list"];
    let output = plan(folder.path(), &arguments);
    let expected = "\
7 announcements, judged by old.toml and by new.toml

  newly rejected                                        0
  newly accepted, which were rejected for               1
    irr-origin-not-in-as-set                            1
      member-b                                          1
  accepted with other attributes                        2
    local preference 100 -> 50                          2
      member-a                                          2
  rejected as before, for another reason                1
    not-a-peer -> irr-prefix-not-registered             1
      member-x                                          1

+ 195.0.0.0/24|member-b|196702 196799|irr-origin-not-in-as-set
~ 193.0.0.0/24|member-a|196701|local preference 100 -> 50
~ 193.0.1.0/24|member-a|196701|local preference 100 -> 50
= 196.0.0.0/24|member-x|196708|not-a-peer -> irr-prefix-not-registered
";
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told, expected, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(3));
    let json = report(&plan(folder.path(), &[&arguments[..], &["--json"]].concat()));
    assert_eq!(json["newly_accepted"]["by_peer"], json!({"member-b": 1}));
    assert_eq!(json["changed_attributes"]["total"], 2);
    assert_eq!(json["routes"][0]["change"], "accepted");
}

#[test]
fn nothing_changes_between_equals_and_an_error_is_neither() {
    let folder = folder(|old| old);
    archive(folder.path());
    let same = plan(folder.path(), &["--from", "old.toml", "--to", "new.toml", "updates.mrt"]);
    assert_eq!(same.status.code(), Some(0));
    assert!(String::from_utf8(same.stdout).unwrap().ends_with("\nNothing changes.\n"));
    for (arguments, told) in [
        (&["--from", "none.toml", "--to", "new.toml", "updates.mrt"][..], "none.toml: there is no such file"),
        (&["--from", "old.toml", "--to", "new.toml", "none.mrt"], "none.mrt: there is no such file"),
        (&["--from", "old.toml", "--to", "new.toml", "vrps.json"], "holds no MRT record"),
        (&["--to", "new.toml", "--live", "--socket", "none.sock"], "there is no such socket"),
    ] {
        let output = plan(folder.path(), arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.replace("\n  │ ", "").contains(told), "{told}: {errors}");
        assert_eq!(output.status.code(), Some(1));
    }
    assert_eq!(plan(folder.path(), &["--to", "new.toml", "updates.mrt"]).status.code(), Some(2));
}

#[test]
fn a_running_router_s_routes_are_judged_by_what_is_to_be() {
    let router = exchange::start("", VRPS);
    let [mut a, mut b] = exchange::join(&router);
    let net = |a: u8, c: u8| (Ipv4Addr::new(a, 0, c, 0), 24);
    a.announce(&[], &[], &[net(193, 0), net(193, 1), net(194, 1)]);
    b.announce(&[], &[], &[net(193, 0), net(194, 0)]);
    router.wait_for_routes(5);
    let live = |change: &dyn Fn(String) -> String, more: &[&str]| {
        let folder = folder(change);
        let socket = router.socket();
        let arguments =
            ["--to", "new.toml", "--live", "--json", "--list", "--socket", socket.to_str().unwrap()];
        plan(folder.path(), &[&arguments[..], more].concat())
    };
    let same = live(&|old| old, &[]);
    assert_eq!((same.status.code(), report(&same)["judged"].as_u64()), (Some(0), Some(5)), "{same:?}");
    let looser = live(
        &|old| {
            old.replace(
                "[checks]",
                "[checks]\nrpki-invalid-origin = \"observe\"\nirr-prefix-not-registered = \"observe\"",
            )
        },
        &[],
    );
    assert_eq!(looser.status.code(), Some(3));
    assert_eq!(
        report(&looser)["routes"],
        json!([{
            "change": "accepted", "prefix": "194.0.1.0/24", "peer": "member-a", "as_path": "196701",
            "why": "rpki-invalid-origin"
        }])
    );
    // Without the second member all its routes go; against the old configuration it is the same.
    let gone = |old: String| old.split("[[peer]]\nname = \"member-b\"").next().unwrap().to_owned();
    for more in [&[][..], &["--from", "old.toml"]] {
        let alone = report(&live(&gone, more));
        assert_eq!(alone["newly_rejected"]["by_reason"], json!({"not-a-peer": {"member-b": 2}}), "{alone}");
    }
}
