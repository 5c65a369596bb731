//! OpenBGPD (Debian: openbgpd).
//!
//! The policy change is another rule for what is sent, and `bgpctl reload`.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Daemon, Reload, Setting, path, words, write};
use crate::load::{Kind, Load, News};
use crate::member;
use crate::problem::Problem;

/// Where its parts change their root to.
const RUN: &str = "/run/openbgpd";

pub(super) struct OpenBgpd;

impl Daemon for OpenBgpd {
    fn name(&self) -> &'static str {
        "openbgpd"
    }

    fn program(&self) -> PathBuf {
        "/usr/sbin/bgpd".into()
    }

    fn declines(&self, load: &Load) -> Option<&'static str> {
        (load.news == News::Irr).then_some("it reads no IRR")
    }

    fn configure(&self, setting: &Setting<'_>) -> Result<(), Problem> {
        write(setting, "openbgpd.conf", &text(setting))?;
        let config = setting.dir.join("openbgpd.conf");
        let secret = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&config, secret).map_err(Problem::file(&config))?;
        std::fs::create_dir_all(RUN).map_err(Problem::file(Path::new(RUN)))
    }

    fn command(&self, setting: &Setting<'_>) -> Vec<String> {
        words(&["/usr/sbin/bgpd", "-d", "-f", &path(setting, "openbgpd.conf")])
    }

    fn reload(&self, setting: &Setting<'_>) -> Reload {
        Reload::Command(words(&["/usr/sbin/bgpctl", "-s", &path(setting, "openbgpd.ctl"), "reload"]))
    }
}

fn text(setting: &Setting<'_>) -> String {
    let load = setting.load;
    let mut text = format!(
        "AS {}\nrouter-id {1}\nlisten on {1}\nfib-update no\nsocket \"{2}\"\n",
        member::TARGET_ASN,
        member::TARGET,
        path(setting, "openbgpd.ctl")
    );
    text.push_str(if load.is_route_server() { "transparent-as yes\n" } else { "" });
    if setting.validates() {
        let _ = writeln!(text, "rtr {} {{ port {} }}", member::CACHE, member::CACHE_PORT);
    }
    let _ = write!(
        text,
        "group \"sessions\" {{\n announce IPv4 unicast\n announce IPv6 unicast\n enforce neighbor-as no\n \
         passive\n holdtime {}\n",
        load.terms().hold_time_s
    );
    // It keeps an IPv6 next hop of an IPv4 session only where the neighbour may be further away.
    text.push_str(if load.is_route_server() { " multihop 2\n" } else { "" });
    for session in 0..load.sessions() {
        let _ =
            writeln!(text, " neighbor {} {{ remote-as {} }}", member::address(session), member::asn(session));
    }
    text.push_str("}\nallow from any\nallow to any\n");
    if load.is_route_server() {
        text.push_str("match to any set nexthop no-modify\n");
    }
    if setting.validates() {
        text.push_str("deny from any ovs invalid\n");
    }
    for session in (0..load.sessions()).filter(|session| !load.receives(*session)) {
        let _ = writeln!(text, "deny to {}", member::address(session));
    }
    if load.kind == Kind::Actions {
        text.push_str(&actions());
    }
    if setting.refuses_all {
        text.push_str("deny to any\nallow to any prefix 198.18.0.0/15 or-longer\n");
    }
    text
}

/// Where a route may go, by its communities: the last rule that matches decides. Then their removal.
fn actions() -> String {
    let mut rules = String::new();
    for (verdict, standard, large) in [
        ("deny", format!("0:{}", member::TARGET_ASN), "local-as:0:0"),
        ("allow", "local-as:neighbor-as".into(), "local-as:1:neighbor-as"),
        ("deny", "0:neighbor-as".into(), "local-as:0:neighbor-as"),
    ] {
        let _ = writeln!(
            rules,
            "{verdict} to any community {standard}\n{verdict} to any large-community {large}"
        );
    }
    for times in 1..=3 {
        let _ = writeln!(
            rules,
            "match to any large-community local-as:{}:neighbor-as set prepend-neighbor {times}",
            100 + times
        );
    }
    for standard in ["0:*", "local-as:*"] {
        let _ = writeln!(rules, "match to any set community delete {standard}");
    }
    for function in [0, 1, 101, 102, 103] {
        let _ = writeln!(rules, "match to any set large-community delete local-as:{function}:*");
    }
    rules
}
