//! A little IRRd: serves made-up registries over the whois protocol that IRRd, bgpq4 and the router under test speak.
//!
//! It is written from the protocol's description and shares nothing with the client that it tests: sets are expanded
//! here by the plainest means there are, so that bgpq4 and Palisade can both be asked and must agree.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// One registry's objects.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    name: String,
    sets: BTreeMap<String, Vec<String>>,
    routes: BTreeMap<String, BTreeSet<String>>,
    /// What has changed, by serial: `ADD` or `DEL`, and the object.
    journal: BTreeMap<u64, (&'static str, String)>,
    /// The serial that is counted from.
    first: u64,
}

impl Registry {
    /// Reads RPSL.
    pub(crate) fn new(name: &str, rpsl: &str) -> Self {
        let mut registry = Registry { name: name.into(), ..Registry::default() };
        for object in rpsl.split("\n\n") {
            registry.add(object);
        }
        registry
    }

    fn add(&mut self, object: &str) {
        let values = |name: &'static str| {
            object.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
        };
        let words = |name: &'static str| {
            values(name).flat_map(|value| value.split([',', ' '])).filter(|word| !word.is_empty())
        };
        for prefix in values("route").chain(values("route6")) {
            let origin = values("origin").next().expect("a route has an origin").to_uppercase();
            self.routes.entry(origin).or_default().insert(prefix.into());
        }
        for set in values("as-set").chain(values("route-set")) {
            let members = words("members").chain(words("mp-members")).map(str::to_uppercase).collect();
            self.sets.insert(set.to_uppercase(), members);
        }
    }

    /// Notes a change under the next serial.
    pub(crate) fn change(&mut self, operation: &'static str, object: &str) -> u64 {
        let serial = self.journal.keys().next_back().map_or(self.first.max(1), |last| last + 1);
        self.journal.insert(serial, (operation, object.into()));
        serial
    }

    /// Forgets what has changed so far, and counts on from this serial.
    pub(crate) fn begin_at(&mut self, first: u64) {
        self.journal.clear();
        self.first = first;
    }
}

/// What a server does.
#[derive(Clone, Default)]
pub(crate) struct Served {
    /// In the order in which a set is looked for.
    pub(crate) registries: Vec<Registry>,
    /// Whether it expands sets to prefixes (`!a`).
    pub(crate) expands: bool,
    /// What it was asked, a line each.
    pub(crate) questions: Vec<String>,
    /// What it sends instead of answers, where it has broken down.
    pub(crate) nonsense: Option<&'static str>,
}

/// A running server; it runs until the program ends.
pub(crate) struct Irrd {
    /// Where.
    pub(crate) address: SocketAddr,
    /// What it serves from now on.
    pub(crate) served: Arc<Mutex<Served>>,
}

impl Irrd {
    /// Serves on a port of its own on the loopback.
    pub(crate) fn start(registries: Vec<Registry>, expands: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let served = Arc::new(Mutex::new(Served { registries, expands, ..Served::default() }));
        let of_clients = Arc::clone(&served);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&of_clients);
                thread::spawn(move || serve(stream, &served));
            }
        });
        Irrd { address, served }
    }

    /// Serves other registries from now on.
    pub(crate) fn serve(&self, registries: Vec<Registry>) {
        self.served.lock().expect("no test fails in here").registries = registries;
    }

    /// Changes the registry that it serves first.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Registry) -> T) -> T {
        change(self.served.lock().expect("no test fails in here").registries.first_mut().expect("it has one"))
    }

    /// Sends whoever asks this, and nothing else, from now on.
    pub(crate) fn break_down(&self, nonsense: &'static str) {
        self.served.lock().expect("no test fails in here").nonsense = Some(nonsense);
    }

    /// What it was asked, a line each.
    pub(crate) fn questions(&self) -> Vec<String> {
        self.served.lock().expect("no test fails in here").questions.clone()
    }
}

fn serve(mut stream: TcpStream, served: &Mutex<Served>) {
    let Ok(input) = stream.try_clone() else { return };
    let (mut selected, mut stays) = (None, false);
    for line in BufReader::new(input).lines() {
        let Ok(line) = line else { return };
        let line = line.trim();
        let answer = {
            let mut served = served.lock().expect("no test fails in here");
            served.questions.push(line.into());
            match line {
                _ if let Some(nonsense) = served.nonsense => nonsense.to_owned(),
                "!!" => {
                    stays = true;
                    String::new()
                }
                "!q" => return,
                _ => served.answer(line, &mut selected),
            }
        };
        if stream.write_all(answer.as_bytes()).is_err() || !stays {
            return;
        }
    }
}

/// The registries that are asked, by name; all for `None`.
type Selected = Option<Vec<String>>;

impl Served {
    fn answer(&self, line: &str, selected: &mut Selected) -> String {
        if let Some(request) = line.strip_prefix("-g ") {
            return self.changes(request);
        }
        let (command, rest) = line.split_at_checked(2).unwrap_or((line, ""));
        match (command, rest) {
            ("!n", _) => "C\n".into(),
            ("!a", "") if self.expands => "F Missing required set name for A query\n".into(),
            ("!a", _) if !self.expands => "F Unrecognised command\n".into(),
            ("!s", "-lc") => {
                let all = self.registries.iter().map(|one| one.name.clone()).collect();
                data(&selected.clone().unwrap_or(all), ",")
            }
            ("!s", names) => self.select(names, selected),
            ("!i", rest) => match rest.strip_suffix(",1") {
                None => match self.members(rest, selected) {
                    Some(members) => data(members, " "),
                    None => "D\n".into(),
                },
                Some(set) if self.members(set, selected).is_none() => "D\n".into(),
                Some(set) => data(&Vec::from_iter(self.leaves(set, selected)), " "),
            },
            ("!g" | "!6", origin) => {
                data(&Vec::from_iter(self.routes(origin, command == "!6", selected)), " ")
            }
            ("!a", rest) => self.prefixes(rest, selected),
            _ => "F Unrecognised command\n".into(),
        }
    }

    fn select(&self, names: &str, selected: &mut Selected) -> String {
        let names: Vec<String> = names.split(',').map(str::to_uppercase).collect();
        let known = |name: &String| self.registries.iter().any(|one| one.name == *name);
        if !names.iter().all(known) {
            return "F One or more selected sources are unavailable.\n".into();
        }
        *selected = Some(names);
        "C\n".into()
    }

    fn selected<'a>(&'a self, selected: &'a Selected) -> Vec<&'a Registry> {
        match selected {
            None => self.registries.iter().collect(),
            Some(names) => names
                .iter()
                .flat_map(|name| self.registries.iter().filter(move |one| one.name == *name))
                .collect(),
        }
    }

    fn members<'a>(&'a self, set: &str, selected: &'a Selected) -> Option<&'a Vec<String>> {
        self.selected(selected).into_iter().find_map(|registry| registry.sets.get(&set.to_uppercase()))
    }

    /// What `!iSET,1` answers: of a route-set, prefixes alone.
    fn leaves(&self, set: &str, selected: &Selected) -> BTreeSet<String> {
        let leaves = self.expanded(set, selected);
        if !set.to_uppercase().split(':').any(|part| part.starts_with("RS-")) {
            return leaves;
        }
        let prefixes = |leaf: String| match leaf.contains('/') {
            true => BTreeSet::from([leaf]),
            false => &self.routes(&leaf, false, selected) | &self.routes(&leaf, true, selected),
        };
        leaves.into_iter().flat_map(prefixes).collect()
    }

    /// What is no set among a set's members and its sets' members.
    fn expanded(&self, set: &str, selected: &Selected) -> BTreeSet<String> {
        let (mut leaves, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![set.to_uppercase()]);
        while let Some(set) = open.pop() {
            if !seen.insert(set.clone()) {
                continue;
            }
            for member in self.members(&set, selected).into_iter().flatten() {
                if member.contains('/') || member.trim_start_matches("AS").bytes().all(|c| c.is_ascii_digit())
                {
                    leaves.insert(member.clone());
                } else {
                    open.push(member.clone());
                }
            }
        }
        leaves
    }

    fn routes(&self, origin: &str, v6: bool, selected: &Selected) -> BTreeSet<String> {
        let of_one = |one: &Registry| one.routes.get(&origin.to_uppercase()).cloned().unwrap_or_default();
        let all = self.selected(selected).into_iter().flat_map(of_one);
        all.filter(|prefix| prefix.contains(':') == v6).collect()
    }

    fn prefixes(&self, request: &str, selected: &Selected) -> String {
        let (family, set) = request.split_at(1);
        if self.members(set, selected).is_none() {
            return "D\n".into();
        }
        let mut prefixes = BTreeSet::new();
        for leaf in self.expanded(set, selected) {
            match leaf.contains('/') {
                true if leaf.contains(':') == (family == "6") => drop(prefixes.insert(leaf)),
                true => {}
                false => prefixes.extend(self.routes(&leaf, family == "6", selected)),
            }
        }
        data(&Vec::from_iter(prefixes), " ")
    }

    /// NRTM version 3: `SOURCE:3:FIRST-LAST`.
    fn changes(&self, request: &str) -> String {
        let mut parts = request.split(':');
        let (source, version, range) = (parts.next(), parts.next(), parts.next());
        let registry = self.registries.iter().find(|one| Some(one.name.as_str()) == source);
        let (Some(registry), Some("3"), Some(range)) = (registry, version, range) else {
            return "%ERROR:403: unknown source\n".into();
        };
        let first: u64 = range.split('-').next().and_then(|first| first.parse().ok()).unwrap_or(0);
        let known = registry.journal.keys();
        let from = known.clone().next().copied().unwrap_or(registry.first);
        let to = known.last().copied().unwrap_or(from.saturating_sub(1));
        if first < from || first > to {
            return format!("%ERROR:401: invalid range: Not within {from}-{to}\n");
        }
        let mut out = format!("%START Version: 3 {} {first}-{to}\n\n", registry.name);
        for (serial, (operation, object)) in registry.journal.range(first..) {
            out += &format!("{operation} {serial}\n\n{}\n\n", object.trim());
        }
        out + &format!("%END {}\n", registry.name)
    }
}

fn data(words: &[String], between: &str) -> String {
    if words.is_empty() {
        return "C\n".into();
    }
    let text = words.join(between) + "\n";
    format!("A{}\n{text}C\n", text.len())
}
