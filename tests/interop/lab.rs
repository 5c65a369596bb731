//! Where a scenario plays: our router, the daemon at the other end of a link, and the files of both.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::{Kind, NAMESPACE, Running};
use crate::matrix;
use crate::palisade::asked;
use crate::support::namespace::{self, in_namespace, run};
use crate::support::router::Router;

/// How long anything may take. Daemons have timers of their own, some of them of many seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
/// Between one look and the next.
const PAUSE: Duration = Duration::from_millis(50);
/// The end of the daemon's log that is shown with a failure.
const LAST_LINES: usize = 40;

/// Addresses of the link, and of this program, which are neighbours of nobody else.
const NETWORKS: &str = "
    ip netns add peer && ip link add wire type veth peer name uplink netns peer &&
    ip link set wire addrgenmode none up && ip addr add 192.0.2.1/24 dev wire &&
    ip addr add 2001:db8::1/64 dev wire nodad &&
    ip -n peer link set lo up && ip -n peer link set uplink addrgenmode none up &&
    ip -n peer addr add 192.0.2.2/24 dev uplink && ip -n peer addr add 2001:db8::2/64 dev uplink nodad &&
    ip addr add 198.51.100.1/32 dev lo && ip addr add 198.51.100.9/32 dev lo &&
    ip addr add 198.51.100.10/32 dev lo &&
    ip -n peer route add 198.51.100.0/24 via 192.0.2.1";

/// A scenario's place; what runs in it ends with it.
pub(crate) struct Lab {
    folder: TempDir,
    pub(crate) ours: Router,
    daemon: Running,
}

impl Lab {
    /// Plays a scenario in namespaces of its own, or says why not.
    pub(crate) fn play(name: &str, tell: fn(&mut Lab)) {
        match lacking(Kind::of(name)) {
            Some(why) => println!("skipped: interop: {name}: {why}"),
            None => in_namespace(name, "true", || Self::tell(name, tell)),
        }
    }

    /// Inside: makes the place, lets the scenario happen there, and notes that it has passed.
    fn tell(name: &str, tell: fn(&mut Lab)) {
        let started = Instant::now();
        namespace::prepare();
        run(NETWORKS);
        tell(&mut Lab::of(name));
        println!("== {name}: {:.1} s", started.elapsed().as_secs_f32());
        matrix::note(name);
    }

    /// Nothing runs yet; the scenario's files are in a folder of this run, with its name for `FOLDER` in them.
    fn of(name: &str) -> Self {
        let folder = tempfile::tempdir_in("/run").expect("a folder can be made");
        let files = fs::read_dir(matrix::folder(name)).expect("the scenario has a folder");
        for file in files.map(|file| file.expect("it can be listed").path()) {
            let text = fs::read_to_string(&file).expect("it is a text");
            let text = text.replace("FOLDER", &folder.path().to_string_lossy());
            let to = folder.path().join(file.file_name().expect("it has a name"));
            fs::write(to, text).expect("it can be written");
        }
        let ours = Router { process: None, folder: folder.path().to_owned() };
        let daemon = Kind::of(name).daemon(folder.path());
        Lab { folder, ours, daemon }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn socket(&self) -> PathBuf {
        self.folder().join("control.sock")
    }

    /// The daemon under test.
    pub(crate) fn peer(&mut self) -> &mut Running {
        &mut self.daemon
    }

    /// Starts both ends, the daemon first: we connect at once, and it would do so when one of its timers says so.
    pub(crate) fn start(&mut self) {
        self.peer().start();
        wait_until_it_listens(1);
        self.start_ours();
    }

    /// Starts our router, and waits until it listens.
    pub(crate) fn start_ours(&mut self) {
        self.ours.start();
        let what = "our router answers";
        wait_until(what, || !matches!(self.try_show(&["summary"]), Value::Null));
    }

    /// Ends our router as an operator does.
    pub(crate) fn stop_ours(&mut self) {
        assert!(self.ours.stop(PATIENCE).success(), "it does not end well:\n{}", self.ours.last_words());
    }

    /// Writes a file of this run anew.
    pub(crate) fn edit(&self, file: &str, change: impl Fn(&str) -> String) {
        let file = self.folder().join(file);
        let text = fs::read_to_string(&file).expect("it is there");
        let changed = change(&text);
        assert_ne!(text, changed, "nothing has changed");
        fs::write(file, changed).expect("it can be written");
    }

    /// What our router says to `palisade show`.
    pub(crate) fn show(&self, arguments: &[&str]) -> Value {
        let told = self.try_show(arguments);
        assert!(!told.is_null(), "it does not answer:\n{}", self.ours.last_words());
        told
    }

    /// Has our router do something.
    pub(crate) fn tell_ours(&self, arguments: &[&str]) {
        let output = asked(arguments, &self.socket());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// What our router says of a peer.
    pub(crate) fn show_peer(&self, name: &str) -> Value {
        self.show(&["peers", name])
    }

    fn try_show(&self, arguments: &[&str]) -> Value {
        let output = asked(&[&["show"], arguments, &["--json"]].concat(), &self.socket());
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Waits until both ends say that these sessions are up: the name of a peer of ours, our address that it knows.
    pub(crate) fn wait_for_sessions(&mut self, sessions: &[(&str, &str)]) {
        for (name, address) in sessions {
            wait_until(&format!("`{name}` is up at our end"), || {
                // A guest is not there before it comes.
                self.try_show(&["peers", name])["state"] == "Established"
            });
            let peer = self.peer();
            wait_until(&format!("{address} is up at their end"), || peer.is_up(address));
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("-- our log\n{}", self.ours.last_words());
            let log = self.daemon.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("-- the daemon's log\n{}", lines[lines.len().saturating_sub(LAST_LINES)..].join("\n"));
        }
    }
}

/// What is missing here for scenarios with that daemon.
fn lacking(kind: &Kind) -> Option<String> {
    // Daemons that change their user need all users.
    if run("id -u").trim() != "0" {
        return Some("not root".into());
    }
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let is_there = |program: &str| path.split(':').any(|folder| Path::new(folder).join(program).exists());
    kind.programs.iter().find(|program| !is_there(program)).map(|program| format!("no {program}"))
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "it never comes to this: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// Waits until a look finds what is expected.
pub(crate) fn wait_for<T: PartialEq + std::fmt::Debug>(expected: &T, mut look: impl FnMut() -> T) {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = look();
        if found == *expected {
            return;
        }
        assert!(Instant::now() < until, "expected {expected:#?}\nfound {found:#?}");
        std::thread::sleep(PAUSE);
    }
}

/// Our TCP connections with the daemon: our end and its end of each.
pub(crate) fn connections() -> Vec<(String, String)> {
    let told = run("ss -Htn state established '( sport = 179 or dport = 179 )' and not src 198.51.100.0/24");
    let ends = |line: &str| {
        let mut words = line.split_whitespace().skip(2);
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    told.lines().filter_map(ends).collect()
}

/// Waits until the daemon listens for sessions with so many sockets.
pub(crate) fn wait_until_it_listens(sockets: usize) {
    let listening = format!("ip netns exec {NAMESPACE} ss -Htln 'sport = 179'");
    wait_until("the daemon listens", || run(&listening).lines().count() >= sockets);
}
