//! BIRD 2 (Debian: bird2).
//!
//! The policy change is another export filter, and `birdc configure`. Where VRPs change it judges again what its import tables
//! keep (`bird2-keeps`), and without them nothing.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Daemon, Reload, Setting, path, words, write};
use crate::load::{Kind, Load, News};
use crate::member::{self, TARGET_ASN};
use crate::problem::Problem;

pub(super) struct Bird2 {
    /// Whether it keeps what it was sent.
    pub(super) keeps: bool,
}

impl Daemon for Bird2 {
    fn name(&self) -> &'static str {
        if self.keeps { "bird2-keeps" } else { "bird2" }
    }

    fn declines(&self, load: &Load) -> Option<&'static str> {
        match load.news {
            News::None if self.keeps => Some("it is bird2, unless VRPs change"),
            // Its own word: "Automatic RPKI reload not active".
            News::Vrps if !self.keeps => {
                Some("without import tables it judges a route when it comes, and not again")
            }
            News::Irr => Some("it reads no IRR"),
            _ => None,
        }
    }

    fn program(&self) -> PathBuf {
        "/usr/sbin/bird".into()
    }

    fn configure(&self, setting: &Setting<'_>) -> Result<(), Problem> {
        write(setting, "bird.conf", &text(setting, self.keeps))
    }

    fn command(&self, setting: &Setting<'_>) -> Vec<String> {
        let [config, socket, pid] = ["bird.conf", "bird.ctl", "bird.pid"].map(|name| path(setting, name));
        words(&["/usr/sbin/bird", "-f", "-c", &config, "-s", &socket, "-P", &pid])
    }

    fn reload(&self, setting: &Setting<'_>) -> Reload {
        Reload::Command(words(&["/usr/sbin/birdc", "-s", &path(setting, "bird.ctl"), "configure"]))
    }
}

fn text(setting: &Setting<'_>, keeps: bool) -> String {
    let load = setting.load;
    let mut text = format!("router id {};\nprotocol device {{ }}\n", member::TARGET);
    if setting.validates() {
        let _ = write!(
            text,
            "roa4 table vrps4;\nroa6 table vrps6;\nprotocol rpki {{\n roa4 {{ table vrps4; }};\n roa6 {{ table vrps6; }};\n \
             remote {} port {};\n retry keep 5;\n}}\n",
            member::CACHE,
            member::CACHE_PORT
        );
    }
    if load.kind == Kind::Actions {
        text.push_str(&actions());
    }
    for session in 0..load.sessions() {
        let _ = write!(
            text,
            "protocol bgp session{session} {{\n local {} as {TARGET_ASN};\n neighbor {} as {};\n passive yes;\n hold time {};\n",
            member::TARGET,
            member::address(session),
            member::asn(session),
            load.terms().hold_time_s,
        );
        text.push_str(if load.is_route_server() { " rs client;\n" } else { "" });
        for family in [4, 6] {
            text.push_str(&channel(setting, session, family, keeps));
        }
        text.push_str("}\n");
    }
    text
}

fn channel(setting: &Setting<'_>, session: usize, family: u8, keeps: bool) -> String {
    let load = setting.load;
    let import = match setting.validates() {
        true => format!(
            "import filter {{ if roa_check(vrps{family}, net, bgp_path.last_nonaggregated) = ROA_INVALID then reject; accept; }}"
        ),
        false => "import all".into(),
    };
    let probe_only = match (setting.refuses_all, family) {
        (false, _) => "",
        (true, 4) => "if net !~ 198.18.0.0/15 then reject; ",
        (true, _) => "reject; ",
    };
    let reach = match load.kind {
        Kind::Actions => format!("reach({}); ", member::asn(session)),
        _ => String::new(),
    };
    let export = match load.receives(session) {
        true if probe_only.is_empty() && reach.is_empty() => "export all".into(),
        true => format!("export filter {{ {probe_only}{reach}accept; }}"),
        false => "export none".to_string(),
    };
    let keep = if load.is_route_server() { "next hop keep; " } else { "" };
    let table = if keeps { "import table on; " } else { "" };
    format!(" ipv{family} {{ {table}{import}; {export}; {keep}}};\n")
}

/// Where a route may go, by its communities, and their removal.
fn actions() -> String {
    let rs = TARGET_ASN;
    format!(
        "function reach(int peer)
{{
 if ({rs}, 0, peer) ~ bgp_large_community then reject;
 if peer < 65536 then if (0, peer) ~ bgp_community then reject;
 if ({rs}, 0, 0) ~ bgp_large_community || (0, {rs}) ~ bgp_community then {{
  if ({rs}, 1, peer) ~ bgp_large_community then {{ }}
  else if peer >= 65536 then reject;
  else if ({rs}, peer) !~ bgp_community then reject;
 }}
 if ({rs}, 101, peer) ~ bgp_large_community then bgp_path.prepend(bgp_path.first);
 if ({rs}, 102, peer) ~ bgp_large_community then {{
  bgp_path.prepend(bgp_path.first);
  bgp_path.prepend(bgp_path.first);
 }}
 if ({rs}, 103, peer) ~ bgp_large_community then {{
  bgp_path.prepend(bgp_path.first);
  bgp_path.prepend(bgp_path.first);
  bgp_path.prepend(bgp_path.first);
 }}
 bgp_community.delete([(0, *), ({rs}, *)]);
 bgp_large_community.delete([({rs}, 0, *), ({rs}, 1, *), ({rs}, 101..103, *)]);
}}
"
    )
}
