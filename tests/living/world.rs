//! A router with its three neighbours, asked as an operator asks.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::asked::{PATIENCE, Router};
use crate::speaker::{Route, Speaker};

/// Our AS; neighbours' are 196700 and the last octet of their address.
pub(crate) const US: u32 = 196_608;

/// How long what must not happen is waited for.
pub(crate) const STILL: Duration = Duration::from_millis(300);
/// Until a file that was written has surely been looked at.
pub(crate) const READ: Duration = Duration::from_millis(3300);

const ROUTER: &str = r#"
[router]
asn = 196608
id = "192.0.2.250"
listen = ["127.0.0.1:PORT"]
[control]
socket = "control.sock"
[checks]
next-hop-martian = "off"
"#;

const PEERS: &str = r#"
[[peer]]
name = "provider"
address = "127.0.0.2"
asn = 196702
role = "provider"
passive = true
[[peer]]
name = "customer"
address = "127.0.0.3"
asn = 196703
role = "customer"
as_set = "AS-CUSTOMER"
passive = true
[[peer]]
name = "listener"
address = "127.0.0.4"
asn = 196704
role = "customer"
passive = true
"#;

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) provider: Speaker,
    pub(crate) customer: Speaker,
    pub(crate) listener: Speaker,
    began: Instant,
}

impl World {
    /// Starts a router with these sections and files, and has its neighbours connect.
    pub(crate) fn start(sections: &str, files: &[(&str, &str)]) -> Self {
        World::of(Router::start(&configuration(sections), files))
    }

    /// Has the neighbours connect to a router.
    pub(crate) fn of(router: Router) -> Self {
        let [provider, customer, listener] = [2, 3, 4].map(|last| Speaker::join(router.port, last));
        World { router, provider, customer, listener, began: Instant::now() }
    }

    /// Waits until all sessions are up.
    pub(crate) fn wait_for_sessions(&mut self) {
        let started = Instant::now();
        while !self.speakers().iter().all(|speaker| speaker.heard().is_up()) {
            assert!(
                started.elapsed() < PATIENCE,
                "no session comes up: {:?}\n{}",
                self.speakers().map(|speaker| format!("{:?}", speaker.heard())),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        self.began = Instant::now();
    }

    fn speakers(&self) -> [&Speaker; 3] {
        [&self.provider, &self.customer, &self.listener]
    }

    /// Writes another configuration with these sections.
    pub(crate) fn configure(&self, sections: &str) {
        self.write("palisade.toml", &configuration(sections).replace("PORT", &self.router.port.to_string()));
    }

    /// Writes a file beside the configuration, as programs do that mean well: whole, under its name at once.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let folder = self.router.folder.path();
        fs::write(folder.join("new"), text).expect("a file can be written");
        fs::rename(folder.join("new"), folder.join(name)).expect("a file can be renamed");
    }

    /// A path as `palisade show routes` has it.
    pub(crate) fn path(&self, prefix: &str, peer: &str) -> Value {
        let routes = self.router.json(&["routes", prefix, "--peer", peer]);
        routes.get(0).cloned().unwrap_or_default()
    }

    /// Why a path is rejected, as `show routes` has it; empty where it is accepted. `explain` has to say the same.
    pub(crate) fn reason(&self, prefix: &str, peer: &str) -> String {
        let shown = self.path(prefix, peer);
        let explained = self.explain(prefix, peer);
        let of = |value: &Value| value["reason"].as_str().unwrap_or_default().to_owned();
        // The path may have been judged again between the two questions.
        if of(&shown) == of(&explained) { of(&shown) } else { "between two".into() }
    }

    /// What `palisade explain` says of a path.
    pub(crate) fn explain(&self, prefix: &str, peer: &str) -> Value {
        let output = self.router.ask("explain", &[prefix, "--peer", peer, "--json"]);
        let all: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        all.get(0).cloned().unwrap_or_default()
    }

    /// Waits until a path is rejected for this reason, and the listener has none; or, for none, until it has one.
    pub(crate) fn wait_for(&self, prefix: &str, peer: &str, reason: &str) {
        let stands =
            || self.reason(prefix, peer) == reason && self.heard(prefix).is_some() == reason.is_empty();
        let started = Instant::now();
        while !stands() {
            assert!(
                started.elapsed() < PATIENCE,
                "{prefix} of {peer} must be rejected for {reason:?} and is for {:?}; heard: {:?}\n{}",
                self.reason(prefix, peer),
                self.heard(prefix),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the listener is announced of a prefix.
    pub(crate) fn heard(&self, prefix: &str) -> Option<Route> {
        self.listener.heard().routes.get(prefix).cloned()
    }

    /// How often the listener was announced a prefix, and how often it was withdrawn.
    pub(crate) fn told(&self, prefix: &str) -> (usize, usize) {
        self.listener.heard().told.get(prefix).copied().unwrap_or_default()
    }

    /// A source as `palisade show feeds` has it.
    pub(crate) fn feed(&self, kind: &str) -> Value {
        let feeds = self.router.json(&["feeds"]);
        let all = feeds.as_array().cloned().unwrap_or_default();
        all.into_iter().find(|feed| feed["kind"] == kind).unwrap_or_default()
    }

    /// Waits until a source is in a state, and returns how it stands.
    pub(crate) fn wait_for_feed(&self, kind: &str, state: &str) -> Value {
        let started = Instant::now();
        loop {
            let feed = self.feed(kind);
            if feed["state"] == state {
                return feed;
            }
            assert!(started.elapsed() < PATIENCE, "{kind} must be {state}: {feed}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.router.folder.path().join("log")).unwrap_or_default()
    }

    /// Nobody was asked for a route refresh, and all sessions are those of the beginning.
    pub(crate) fn hold_sessions(&self) {
        for (speaker, name) in self.speakers().into_iter().zip(["provider", "customer", "listener"]) {
            let heard = speaker.heard();
            assert_eq!(heard.refreshes(), 0, "{name} was asked for a route refresh");
            assert!(heard.is_up(), "{name}'s session ended: {:?}\n{}", heard.notification, self.log());
            drop(heard);
            let peer = self.router.json(&["peers", name]);
            let lasts = peer["lasts_s"].as_u64().expect("a time");
            let since = self.began.elapsed().as_secs();
            assert!(peer["state"] == "Established" && lasts + 2 >= since, "{since}: {peer}");
        }
    }
}

fn configuration(sections: &str) -> String {
    [ROUTER, sections, PEERS].concat()
}

/// Waits until something is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
