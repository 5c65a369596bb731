//! ExaBGP: `exabgp.conf` in a scenario's folder, with a process `api` that passes on what it is told and notes what it says.
//! It keeps no table: what it holds is what its messages come to since the last session began.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::daemon::{Daemon, inside};
use crate::route::{Route, asns, items, text};

/// What its process is: `commands` out, `heard` in.
const API: &str = "#!/bin/sh\ntail -n +1 -f FOLDER/commands &\nexec cat >>FOLDER/heard\n";

pub(crate) struct ExaBgp {
    folder: PathBuf,
}

impl ExaBgp {
    pub(crate) fn new(folder: &Path) -> Self {
        fs::write(folder.join("api.sh"), API.replace("FOLDER", &folder.to_string_lossy()))
            .expect("a file can be written");
        ExaBgp { folder: folder.to_owned() }
    }

    /// Its messages, in order.
    fn heard(&self) -> Vec<Value> {
        let told = fs::read_to_string(self.folder.join("heard")).unwrap_or_default();
        told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl Daemon for ExaBgp {
    fn command(&self) -> Command {
        File::create(self.folder.join("commands")).expect("a file can be made");
        File::create(self.folder.join("heard")).expect("a file can be made");
        let mut command = inside("exabgp");
        command.arg(self.folder.join("exabgp.conf"));
        command
            .env("exabgp_daemon_user", "root")
            .env("exabgp_api_cli", "false")
            .env("exabgp_api_ack", "false");
        command.env("exabgp_tcp_bind", "192.0.2.2 2001:db8::2");
        command
    }

    /// A command of its API, which says nothing; the answer is all that it has heard.
    fn ask(&self, words: &str) -> String {
        if !words.is_empty() {
            let commands = File::options().append(true).open(self.folder.join("commands"));
            writeln!(commands.expect("it has started"), "{words}").expect("it can be told");
        }
        fs::read_to_string(self.folder.join("heard")).unwrap_or_default()
    }

    fn is_up(&self, neighbor: &str) -> bool {
        let mut states = self.heard().into_iter().filter(|one| one["type"] == "state");
        let last = states.rfind(|one| one["neighbor"]["address"]["peer"] == neighbor);
        last.is_some_and(|one| one["neighbor"]["state"] == "up")
    }

    fn held(&self, family: u8) -> Vec<Route> {
        let mut routes = Routes::new();
        for message in self.heard() {
            let neighbor = text(&message["neighbor"]["address"]["peer"]).to_owned();
            if message["neighbor"]["state"] == "down" {
                routes.retain(|(from, ..), _| *from != neighbor);
            }
            read(&neighbor, &message["neighbor"]["message"]["update"], family, &mut routes);
        }
        let mut routes: Vec<Route> = routes.into_values().collect();
        routes.sort();
        routes
    }
}

/// By neighbour, prefix and path identifier.
type Routes = BTreeMap<(String, String, u32), Route>;

fn read(neighbor: &str, update: &Value, family: u8, routes: &mut Routes) {
    let kind = format!("ipv{family} unicast");
    let key = |nlri: &Value| (neighbor.to_owned(), text(&nlri["nlri"]).to_owned(), path_id(nlri));
    for nlri in items(&update["withdraw"][&kind]) {
        routes.remove(&key(nlri));
    }
    for (next_hop, announced) in update["announce"][&kind].as_object().into_iter().flatten() {
        for nlri in items(announced) {
            let (_, prefix, path_id) = key(nlri);
            let route = route(prefix, path_id, next_hop, &update["attribute"]);
            routes.insert(key(nlri), route);
        }
    }
}

/// It is written like an address.
fn path_id(nlri: &Value) -> u32 {
    text(&nlri["path-information"]).parse::<std::net::Ipv4Addr>().map_or(0, u32::from)
}

fn route(prefix: String, path_id: u32, next_hop: &str, attributes: &Value) -> Route {
    let list = |name: &str| {
        let one = |parts: &Value| {
            let parts: Vec<String> = items(parts).map(ToString::to_string).collect();
            parts.join(":")
        };
        let mut list: Vec<String> = items(&attributes[name]).map(one).collect();
        list.sort();
        list
    };
    Route {
        prefix,
        path_id,
        as_path: asns(&attributes["as-path"]),
        next_hop: next_hop.into(),
        communities: list("community"),
        large_communities: list("large-community"),
        is_stale: false,
    }
}
