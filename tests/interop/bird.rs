//! BIRD: `bird.conf` in a scenario's folder, asked with `birdc`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemon::{Daemon, inside, told};
use crate::route::{Route, numbers};

pub(crate) struct Bird {
    folder: PathBuf,
}

impl Bird {
    pub(crate) fn new(folder: &Path) -> Self {
        Bird { folder: folder.to_owned() }
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("bird.sock")
    }
}

impl Daemon for Bird {
    fn command(&self) -> Command {
        let mut command = inside("bird");
        command.args(["-f", "-c"]).arg(self.folder.join("bird.conf")).arg("-s").arg(self.socket());
        // Recovery, which it waits with until it has its peers' tables, is only for who says so.
        let configuration = fs::read_to_string(self.folder.join("bird.conf")).unwrap_or_default();
        if configuration.contains("graceful restart on") {
            command.arg("-R");
        }
        command
    }

    fn ask(&self, words: &str) -> String {
        let mut command = Command::new("birdc");
        command.arg("-s").arg(self.socket()).args(words.split(' '));
        told(command)
    }

    /// `NAME BGP --- up TIME Established` stands above `Neighbor address: ADDRESS`.
    fn is_up(&self, neighbor: &str) -> bool {
        let mut is_established = false;
        self.ask("show protocols all").lines().any(|line| {
            if line.contains(" BGP ") {
                is_established = line.trim_end().ends_with("Established");
            }
            is_established && line.trim() == format!("Neighbor address: {neighbor}")
        })
    }

    fn held(&self, family: u8) -> Vec<Route> {
        let told = self.ask(&format!("show route all where source = RTS_BGP && net.type = NET_IP{family}"));
        let mut routes: Vec<Route> = Vec::new();
        let (mut prefix, mut attribute) = ("", ("", String::new()));
        for line in told.lines() {
            if line.contains(" unicast [") || line.contains(" unreachable [") {
                // The second path to a prefix does not say it again.
                prefix = line.split(' ').next().filter(|word| !word.is_empty()).unwrap_or(prefix);
                let is_stale = line.split(['(', ')']).nth(1).is_some_and(|words| words.contains('s'));
                routes.push(Route { prefix: prefix.into(), is_stale, ..Route::default() });
                attribute = ("", String::new());
            } else if let Some(route) = routes.last_mut() {
                match line.trim().split_once(": ") {
                    Some((name, value)) => attribute = (name, value.to_owned()),
                    // A long list goes on.
                    None => attribute.1 += line,
                }
                read(attribute.0, &attribute.1, route);
            }
        }
        routes.sort();
        routes
    }
}

fn read(name: &str, value: &str, route: &mut Route) {
    // Communities are pairs and triples in brackets: `(65000,1) (65000,2)`.
    let communities =
        || Route::in_order(&value.replace(", ", ":").replace(',', ":").replace(['(', ')'], " "));
    match name {
        "BGP.as_path" => route.as_path = numbers(value),
        // The link-local one stands behind the global one, or behind nothing.
        "BGP.next_hop" => {
            route.next_hop = value.split(' ').find(|hop| *hop != "::").unwrap_or_default().into();
        }
        "BGP.community" => route.communities = communities(),
        "BGP.large_community" => route.large_communities = communities(),
        "BGP.path_id" => route.path_id = value.parse().unwrap_or(0),
        _ => {}
    }
}
