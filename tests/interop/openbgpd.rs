//! OpenBGPD: `bgpd.conf` in a scenario's folder, asked with `bgpctl`. Its processes separate their privileges, so that it
//! needs a folder in `/run`, and a configuration that nobody else can write.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::daemon::{Daemon, inside, told};
use crate::route::{Route, items, numbers, text};

/// Where it keeps its socket, and where its unprivileged processes are locked in.
const ITS_FOLDER: &str = "/run/openbgpd";

pub(crate) struct OpenBgpd {
    configuration: PathBuf,
}

impl OpenBgpd {
    pub(crate) fn new(folder: &Path) -> Self {
        let configuration = folder.join("bgpd.conf");
        fs::create_dir_all(ITS_FOLDER).expect("a folder can be made");
        fs::set_permissions(&configuration, Permissions::from_mode(0o600)).expect("it is ours");
        OpenBgpd { configuration }
    }

    fn json(&self, words: &str) -> Value {
        serde_json::from_str(&self.ask(&format!("-j {words}"))).unwrap_or_default()
    }
}

impl Daemon for OpenBgpd {
    fn command(&self) -> Command {
        let mut command = inside("/usr/sbin/bgpd");
        command.args(["-d", "-v", "-f"]).arg(&self.configuration);
        command
    }

    fn ask(&self, words: &str) -> String {
        let mut command = inside("bgpctl");
        command.args(words.split(' '));
        told(command)
    }

    fn is_up(&self, neighbor: &str) -> bool {
        let told = self.json("show");
        items(&told["neighbors"]).any(|one| one["remote_addr"] == neighbor && one["state"] == "Established")
    }

    fn held(&self, family: u8) -> Vec<Route> {
        let told = self.json("show rib detail");
        let of_family = |route: &&Value| text(&route["prefix"]).contains(':') == (family == 6);
        let received = items(&told["rib"]).filter(|route| route["neighbor"]["description"] != "LOCAL");
        let mut routes: Vec<Route> = received.filter(of_family).map(read).collect();
        routes.sort();
        routes
    }
}

fn read(route: &Value) -> Route {
    let list = |name: &str| {
        let mut list: Vec<String> = items(&route[name]).map(|one| text(one).to_owned()).collect();
        list.sort();
        list
    };
    Route {
        prefix: text(&route["prefix"]).into(),
        path_id: route["path_id"].as_u64().and_then(|id| id.try_into().ok()).unwrap_or(0),
        as_path: numbers(text(&route["aspath"])),
        next_hop: text(&route["exit_nexthop"]).into(),
        communities: list("communities"),
        large_communities: list("large_communities"),
        is_stale: route["stale"] == true,
    }
}
