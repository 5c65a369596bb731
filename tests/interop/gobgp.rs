//! GoBGP: `gobgpd.toml` in a scenario's folder, asked with `gobgp`. It originates what it is told to at that command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::daemon::{Daemon, Running, inside, told};
use crate::lab::wait_until;
use crate::route::{Route, asns, items, text};

/// The state of a session that waits for a connection, and of one that is up, in its API.
const ACTIVE: u64 = 3;
const ESTABLISHED: u64 = 6;

pub(crate) struct GoBgp {
    folder: PathBuf,
}

impl GoBgp {
    pub(crate) fn new(folder: &Path) -> Self {
        GoBgp { folder: folder.to_owned() }
    }

    fn json(&self, words: &str) -> Value {
        serde_json::from_str(&self.ask(&format!("-j {words}"))).unwrap_or_default()
    }

    fn state(&self, neighbor: &str) -> Value {
        self.json(&format!("neighbor {neighbor}"))["state"]["session_state"].take()
    }
}

impl Daemon for GoBgp {
    fn command(&self) -> Command {
        let mut command = inside("gobgpd");
        command.arg("-f").arg(self.folder.join("gobgpd.toml")).args(["--api-hosts", "127.0.0.1:50051"]);
        // Whether it says that it was restarted is not for it to find out.
        let configuration = fs::read_to_string(self.folder.join("gobgpd.toml")).unwrap_or_default();
        if configuration.contains("graceful-restart") {
            command.arg("-r");
        }
        command
    }

    fn ask(&self, words: &str) -> String {
        let mut command = inside("gobgp");
        command.args(words.split(' '));
        told(command)
    }

    fn is_up(&self, neighbor: &str) -> bool {
        self.state(neighbor) == ESTABLISHED
    }

    /// After a session it rests, and closes connections meanwhile.
    fn awaits(&self, neighbor: &str) -> bool {
        self.state(neighbor) == ACTIVE
    }

    fn held(&self, family: u8) -> Vec<Route> {
        let told = self.json(&format!("global rib -a ipv{family}"));
        let mut routes: Vec<Route> = Vec::new();
        for (prefix, paths) in told.as_object().into_iter().flatten() {
            let received = items(paths).filter(|path| path["neighbor-ip"].is_string());
            routes.extend(received.map(|path| read(prefix, path)));
        }
        routes.sort();
        routes
    }
}

/// Has it originate a prefix, with more words of its command behind. It says nothing where that worked.
pub(crate) fn originate(daemon: &Running, prefix: &str, more: &str) {
    let family = if prefix.contains(':') { 6 } else { 4 };
    let words = format!("global rib add {prefix} {more} -a ipv{family}").replace("  ", " ");
    wait_until(&words, || daemon.ask(&words).trim().is_empty());
}

/// Attributes have their numbers, and communities are numbers.
fn read(prefix: &str, path: &Value) -> Route {
    let id = path["nlri"]["id"].as_u64().and_then(|id| id.try_into().ok()).unwrap_or(0);
    let mut route = Route { prefix: prefix.into(), path_id: id, ..Route::default() };
    route.is_stale = path["stale"] == true;
    for attribute in items(&path["attrs"]) {
        match attribute["type"].as_u64() {
            Some(2) => {
                let segments = items(&attribute["as_paths"]);
                route.as_path = segments.flat_map(|segment| asns(&segment["asns"])).collect();
            }
            Some(3 | 14) => route.next_hop = text(&attribute["nexthop"]).into(),
            Some(8) => {
                let numbers = items(&attribute["communities"]).filter_map(Value::as_u64);
                route.communities = numbers.map(|both| format!("{}:{}", both >> 16, both & 0xffff)).collect();
                route.communities.sort();
            }
            Some(32) => {
                let list = items(&attribute["value"]);
                let part = |of: &Value, name: &str| of[name].as_u64().unwrap_or(u64::MAX);
                let written = list.map(|of| {
                    format!("{}:{}:{}", part(of, "ASN"), part(of, "LocalData1"), part(of, "LocalData2"))
                });
                route.large_communities = written.collect();
                route.large_communities.sort();
            }
            _ => {}
        }
    }
    route
}
