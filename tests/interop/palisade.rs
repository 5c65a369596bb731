//! Palisade, at either end: ours, which every scenario asks, and one in the daemon's place with `peer.toml`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::daemon::{Daemon, inside, told};
use crate::route::{Route, items, numbers, text};

/// The one in the daemon's place.
pub(crate) struct Palisade {
    folder: PathBuf,
}

impl Palisade {
    pub(crate) fn new(folder: &Path) -> Self {
        Palisade { folder: folder.to_owned() }
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("peer.sock")
    }

    fn show(&self, words: &[&str]) -> Value {
        let output = asked(&[&["show"], words, &["--json"]].concat(), &self.socket());
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}

impl Daemon for Palisade {
    fn command(&self) -> Command {
        let mut command = inside(program());
        command.args(["run", "--config"]).arg(self.folder.join("peer.toml"));
        command
    }

    fn ask(&self, words: &str) -> String {
        let words: Vec<&str> = words.split(' ').collect();
        told(asking(&words, &self.socket()))
    }

    fn is_up(&self, neighbor: &str) -> bool {
        let told = self.show(&["peers"]);
        items(&told).any(|peer| peer["address"] == neighbor && peer["state"] == "Established")
    }

    fn held(&self, family: u8) -> Vec<Route> {
        routes(&self.show(&["routes", "--accepted", "--family", &family.to_string()]))
    }
}

/// Routes of peers as `palisade show routes` tells of them.
pub(crate) fn routes(told: &Value) -> Vec<Route> {
    let list = |value: &Value| {
        let mut list: Vec<String> = items(value).map(|one| text(one).to_owned()).collect();
        list.sort();
        list
    };
    let read = |route: &Value| Route {
        prefix: text(&route["prefix"]).into(),
        path_id: route["path_id"].as_u64().and_then(|id| id.try_into().ok()).unwrap_or(0),
        as_path: numbers(text(&route["as_path"])),
        next_hop: text(&route["next_hop"]).into(),
        communities: list(&route["communities"]),
        large_communities: list(&route["large_communities"]),
        is_stale: route["stale"] == true,
    };
    let mut routes: Vec<Route> = items(told).filter(|route| route["peer"].is_string()).map(read).collect();
    routes.sort();
    routes
}

/// What a router answers at its command line.
pub(crate) fn asked(arguments: &[&str], socket: &Path) -> Output {
    asking(arguments, socket).stdin(Stdio::null()).output().expect("palisade runs")
}

fn asking(arguments: &[&str], socket: &Path) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).arg("--socket").arg(socket).env("NO_COLOR", "1");
    command
}

fn program() -> OsString {
    std::env::var_os("PALISADE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_palisade").into())
}
