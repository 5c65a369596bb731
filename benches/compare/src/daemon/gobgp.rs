//! GoBGP (Debian: gobgpd).
//!
//! Action communities would take policies for each member, which are not written here.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Daemon, Setting, path, words, write};
use crate::load::{Kind, Load, News};
use crate::member;
use crate::problem::Problem;

pub(super) struct GoBgp;

impl Daemon for GoBgp {
    fn name(&self) -> &'static str {
        "gobgp"
    }

    fn program(&self) -> PathBuf {
        "/usr/bin/gobgpd".into()
    }

    fn declines(&self, load: &Load) -> Option<&'static str> {
        match (load.kind, load.news) {
            (Kind::Actions, _) => Some("it is given no policies for action communities"),
            (_, News::Irr) => Some("it reads no IRR"),
            _ => None,
        }
    }

    fn configure(&self, setting: &Setting<'_>) -> Result<(), Problem> {
        write(setting, "gobgpd.toml", &text(setting))
    }

    fn command(&self, setting: &Setting<'_>) -> Vec<String> {
        words(&[
            "/usr/bin/gobgpd",
            "-f",
            &path(setting, "gobgpd.toml"),
            "-l",
            "warn",
            "--api-hosts",
            "127.0.0.1:50051",
        ])
    }
}

fn text(setting: &Setting<'_>) -> String {
    let load = setting.load;
    let mut text = format!(
        "[global.config]\nas = {}\nrouter-id = \"{1}\"\nlocal-address-list = [\"{1}\"]\n\
         [global.route-selection-options.config]\nexternal-compare-router-id = true\n",
        member::TARGET_ASN,
        member::TARGET
    );
    let import = if setting.validates() { "\"rov\"" } else { "" };
    if setting.validates() {
        let _ = writeln!(
            text,
            "[[rpki-servers]]\n[rpki-servers.config]\naddress = \"{}\"\nport = {}\n[[policy-definitions]]\nname = \"rov\"\n\
             [[policy-definitions.statements]]\nname = \"invalid\"\n\
             [policy-definitions.statements.conditions.bgp-conditions]\nrpki-validation-result = \"invalid\"\n\
             [policy-definitions.statements.actions]\nroute-disposition = \"reject-route\"",
            member::CACHE,
            member::CACHE_PORT
        );
    }
    let policy = format!("import-policy-list = [{import}]\ndefault-import-policy = \"accept-route\"\n");
    if !load.is_route_server() {
        text.push_str(&providers_get_nothing(load));
        let _ = write!(
            text,
            "[global.apply-policy.config]\n{policy}export-policy-list = [\"none\"]\ndefault-export-policy = \"accept-route\"\n"
        );
    }
    for session in 0..load.sessions() {
        let _ = write!(
            text,
            "[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{}\"\npeer-as = {}\n[neighbors.transport.config]\n\
             passive-mode = true\n[neighbors.timers.config]\nhold-time = {}\n",
            member::address(session),
            member::asn(session),
            load.terms().hold_time_s
        );
        if load.is_route_server() {
            let _ = write!(
                text,
                "[neighbors.route-server.config]\nroute-server-client = true\n[neighbors.apply-policy.config]\n{policy}\
                 default-export-policy = \"accept-route\"\n"
            );
        }
        for family in ["ipv4-unicast", "ipv6-unicast"] {
            let _ = write!(
                text,
                "[[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"{family}\"\n"
            );
        }
    }
    text
}

/// A policy that sends providers nothing.
fn providers_get_nothing(load: &Load) -> String {
    let providers: Vec<String> =
        (0..load.senders).map(|session| format!("\"{}\"", member::address(session))).collect();
    format!(
        "[[defined-sets.neighbor-sets]]\nneighbor-set-name = \"providers\"\nneighbor-info-list = [{}]\n\
         [[policy-definitions]]\nname = \"none\"\n[[policy-definitions.statements]]\nname = \"to-providers\"\n\
         [policy-definitions.statements.conditions.match-neighbor-set]\nneighbor-set = \"providers\"\n\
         [policy-definitions.statements.actions]\nroute-disposition = \"reject-route\"\n",
        providers.join(", ")
    )
}
