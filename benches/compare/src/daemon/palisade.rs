//! Palisade.
//!
//! Its checks are on by default, so each is switched off by name. It reads VRPs from a file, and reads that again at SIGHUP:
//! the policy change is a file by which every route is invalid.

use std::fmt::Write as _;
use std::path::PathBuf;

use palisade_policy::{Reason, Stage};

use super::{Daemon, Reload, Setting, path, words, write};
use crate::load::{Kind, News};
use crate::member;
use crate::mirror;
use crate::problem::Problem;
use crate::registry;
use crate::vrps;

pub(super) struct Palisade(pub(super) PathBuf);

impl Daemon for Palisade {
    fn name(&self) -> &'static str {
        "palisade"
    }

    fn program(&self) -> PathBuf {
        self.0.clone()
    }

    fn needs_cache(&self) -> bool {
        false
    }

    fn configure(&self, setting: &Setting<'_>) -> Result<(), Problem> {
        write(setting, "palisade.toml", &text(setting))?;
        match (setting.refuses_all, setting.vrps) {
            (true, _) => write(setting, "vrps.json", &vrps::refuse_all()),
            (false, None) => write(setting, "vrps.json", vrps::refuse_none()),
            (false, Some(from)) => {
                std::fs::copy(from, setting.dir.join("vrps.json")).map(drop).map_err(Problem::file(from))
            }
        }
    }

    fn command(&self, setting: &Setting<'_>) -> Vec<String> {
        let program = self.0.display().to_string();
        words(&[&program, "run", "--config", &path(setting, "palisade.toml")])
    }

    fn reload(&self, _setting: &Setting<'_>) -> Reload {
        Reload::Hangup
    }
}

fn text(setting: &Setting<'_>) -> String {
    let load = setting.load;
    let mut text = format!(
        "[router]\nasn = {}\nid = \"{1}\"\nlisten = [\"{1}:{2}\"]\nhold_time = {3}\n",
        member::TARGET_ASN,
        member::TARGET,
        member::BGP_PORT,
        load.terms().hold_time_s
    );
    if load.is_route_server() {
        text.push_str("mode = \"route-server\"\n");
    }
    let irr = load.news == News::Irr;
    let _ = match load.news {
        News::Irr => writeln!(
            text,
            "[irr]\ncache = \"off\"\nmirrors = [{{ source = \"{}\", server = \"{}:{}\", dumps = [\"{}\"], \
             serial = \"{}\", poll = \"10s\" }}]\n[checks]",
            mirror::SOURCE,
            member::CACHE,
            member::MIRROR_PORT,
            path(setting, registry::DUMP),
            path(setting, registry::SERIAL)
        ),
        News::Vrps => {
            writeln!(text, "[rpki]\nrtr = [\"{}:{}\"]\n[checks]", member::CACHE, member::CACHE_PORT)
        }
        _ => writeln!(text, "[rpki]\nfiles = [\"{}\"]\n[checks]", path(setting, "vrps.json")),
    };
    let kept = match irr {
        true => [Reason::IrrOriginNotInAsSet, Reason::IrrPrefixNotRegistered],
        false => [Reason::RpkiInvalidOrigin, Reason::RpkiInvalidLength],
    };
    for check in Reason::ALL.iter().filter(|check| check.stage() != Stage::Peer && !kept.contains(check)) {
        let _ = writeln!(text, "{check} = \"off\"");
    }
    for session in 0..load.sessions() {
        let _ = write!(
            text,
            "[[peer]]\nname = \"session-{session}\"\naddress = \"{}\"\nasn = {}\npassive = true\nmax_prefixes = 5000000\n",
            member::address(session),
            member::asn(session),
        );
        if load.kind == Kind::Full {
            // A peer is held to its as-set, and its routes go to customers as a provider's do.
            let role = match (load.receives(session), irr) {
                (true, _) => "role = \"customer\"",
                (false, false) => "role = \"provider\"",
                (false, true) => "role = \"peer\"",
            };
            let _ = writeln!(text, "{role}");
            if irr && !load.receives(session) {
                let _ = writeln!(text, "as_set = \"{}\"", registry::AS_SET);
            }
        }
    }
    text
}
