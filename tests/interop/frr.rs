//! FRRouting: `frr.conf` in a scenario's folder, asked with `vtysh`. Its bgpd runs alone, or with zebra where the
//! folder has a `zebra.conf` and its kernel matters.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::daemon::{Daemon, inside, told};
use crate::route::{Route, asns, items, text};
use crate::support::namespace::run;

/// Its sockets are where it puts them: the test has a `/run` of its own.
const SOCKETS: &str = "/run/frr";

/// What both its programs are told of this place.
const ITS_OWN: [&str; 4] = ["--vty_socket", SOCKETS, "-A", "127.0.0.1"];

pub(crate) struct Frr {
    folder: PathBuf,
}

impl Frr {
    pub(crate) fn new(folder: &Path) -> Self {
        // What it leaves of itself elsewhere is to go with the test, too.
        run("mount -t tmpfs tmpfs /var/tmp");
        run(&format!("mkdir -p {SOCKETS} && chown frr:frr {SOCKETS}"));
        Frr { folder: folder.to_owned() }
    }
}

impl Daemon for Frr {
    fn command(&self) -> Command {
        let has_kernel = self.folder.join("zebra.conf").exists();
        if has_kernel && !Path::new(SOCKETS).join("zebra.pid").exists() {
            let mut zebra = inside("/usr/lib/frr/zebra");
            // It reads what its own user may, and there is nothing to say to it.
            zebra.args(ITS_OWN).args(["-d", "-f", "/dev/null", "-i", "/run/frr/zebra.pid"]);
            told(zebra);
        }
        let mut command = inside("/usr/lib/frr/bgpd");
        command.args(ITS_OWN).arg("-f").arg(self.folder.join("frr.conf"));
        command.args(["-i", "/run/frr/bgpd.pid", "-S", "-u", "root", "-g", "root", "--log", "stdout"]);
        if !has_kernel {
            command.arg("-Z");
        }
        command
    }

    /// Lines are commands, one after another.
    fn ask(&self, words: &str) -> String {
        let mut command = inside("vtysh");
        command.args(["--vty_socket", SOCKETS, "-d", "bgpd"]);
        for line in words.lines() {
            command.args(["-c", line.trim()]);
        }
        told(command)
    }

    fn is_up(&self, neighbor: &str) -> bool {
        let told = json(&self.ask(&format!("show bgp neighbors {neighbor} json")));
        told[neighbor]["bgpState"] == "Established"
    }

    fn held(&self, family: u8) -> Vec<Route> {
        let told = json(&self.ask(&format!("show bgp ipv{family} unicast json detail")));
        let mut routes: Vec<Route> = Vec::new();
        for (prefix, paths) in told["routes"].as_object().into_iter().flatten() {
            // The first of a list is about the prefix.
            let received = items(paths).filter(|path| path["peer"]["type"].is_string());
            routes.extend(received.map(|path| read(prefix, path)));
        }
        routes.sort();
        routes
    }
}

fn read(prefix: &str, path: &Value) -> Route {
    Route {
        prefix: prefix.into(),
        path_id: path["rxAddpathId"].as_u64().and_then(|id| id.try_into().ok()).unwrap_or(0),
        as_path: items(&path["aspath"]["segments"]).flat_map(|segment| asns(&segment["list"])).collect(),
        next_hop: next_hop(path),
        communities: Route::in_order(&text(&path["community"]["string"]).replace("llgr-stale", "65535:6")),
        large_communities: Route::in_order(text(&path["largeCommunity"]["string"])),
        is_stale: path["stale"] == true,
    }
}

/// The first that is not link-local; or one that is.
fn next_hop(path: &Value) -> String {
    let of_scope = |local| items(&path["nexthops"]).find(|hop| (hop["scope"] == "link-local") == local);
    of_scope(false).or(of_scope(true)).map(|hop| text(&hop["ip"]).to_owned()).unwrap_or_default()
}

/// What is not JSON holds nothing.
fn json(told: &str) -> Value {
    serde_json::from_str(told).unwrap_or_default()
}
