//! What every daemon can do: begin with a configuration, be asked, say who it has sessions with and what it was sent.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bird::Bird;
use crate::exabgp::ExaBgp;
use crate::frr::Frr;
use crate::gobgp::GoBgp;
use crate::openbgpd::OpenBgpd;
use crate::palisade::Palisade;
use crate::route::Route;
use crate::support::namespace::Process;

/// The namespace that the daemon under test lives in.
pub(crate) const NAMESPACE: &str = "peer";

/// A daemon's driver. It starts what it drives in [`NAMESPACE`], with the configuration of the scenario.
pub(crate) trait Daemon {
    /// The command line of the daemon, which stays in the foreground.
    fn command(&self) -> Command;

    /// Has it do or show something, in the words of its own command line.
    fn ask(&self, words: &str) -> String;

    /// Whether it has a session with that address.
    fn is_up(&self, neighbor: &str) -> bool;

    /// Whether it has no session with that address, and would take a connection from there.
    fn awaits(&self, neighbor: &str) -> bool {
        !self.is_up(neighbor)
    }

    /// All that it holds of one family and was sent, from all neighbours, in order.
    fn held(&self, family: u8) -> Vec<Route>;
}

/// Makes a driver whose files are in that folder.
type Driver = fn(&Path) -> Box<dyn Daemon>;

/// A daemon that scenarios are named after.
pub(crate) struct Kind {
    /// The first word of a scenario's name.
    pub(crate) word: &'static str,
    /// As it calls itself.
    pub(crate) title: &'static str,
    /// The programs that are needed.
    pub(crate) programs: &'static [&'static str],
    /// How it is asked for its version.
    version: &'static str,
    driver: Driver,
}

/// All, in the order in which they are shown.
pub(crate) const KINDS: [Kind; 6] = [
    Kind {
        word: "bird",
        title: "BIRD",
        programs: &["bird", "birdc"],
        version: "bird --version",
        driver: |folder| Box::new(Bird::new(folder)),
    },
    Kind {
        word: "frr",
        title: "FRRouting",
        programs: &["/usr/lib/frr/bgpd", "/usr/lib/frr/zebra", "vtysh"],
        version: "/usr/lib/frr/bgpd --version",
        driver: |folder| Box::new(Frr::new(folder)),
    },
    Kind {
        word: "gobgp",
        title: "GoBGP",
        programs: &["gobgpd", "gobgp"],
        version: "gobgpd --version",
        driver: |folder| Box::new(GoBgp::new(folder)),
    },
    Kind {
        word: "openbgpd",
        title: "OpenBGPD",
        programs: &["bgpctl", "/usr/sbin/bgpd"],
        version: "bgpctl -V",
        driver: |folder| Box::new(OpenBgpd::new(folder)),
    },
    Kind {
        word: "exabgp",
        title: "ExaBGP",
        programs: &["exabgp"],
        version: "exabgp --version",
        driver: |folder| Box::new(ExaBgp::new(folder)),
    },
    Kind {
        word: "palisade",
        title: "Palisade",
        programs: &[],
        version: "true",
        driver: |folder| Box::new(Palisade::new(folder)),
    },
];

impl Kind {
    /// The one that a scenario is named after.
    pub(crate) fn of(scenario: &str) -> &'static Kind {
        let word = scenario.split('-').next().unwrap_or_default();
        KINDS.iter().find(|kind| kind.word == word).expect("a scenario is named after a daemon")
    }

    /// The first number with a dot that it says of itself; nothing where it is not there, or is our own.
    pub(crate) fn version(&self) -> String {
        let output = Command::new("sh").args(["-c", &format!("{} 2>&1", self.version)]).output();
        let told =
            output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let is_version = |word: &&str| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit());
        told.split_whitespace().find(is_version).unwrap_or_default().into()
    }

    /// A daemon that is not running yet.
    pub(crate) fn daemon(&self, folder: &Path) -> Running {
        Running { daemon: (self.driver)(folder), folder: folder.to_owned(), process: None }
    }
}

/// A daemon, and its process while it runs.
pub(crate) struct Running {
    daemon: Box<dyn Daemon>,
    folder: PathBuf,
    process: Option<Process>,
}

impl Running {
    /// Starts it, for the first time or again; what it says goes to the end of its log.
    pub(crate) fn start(&mut self) {
        assert!(self.process.is_none(), "it runs");
        let log =
            File::options().create(true).append(true).open(self.log_file()).expect("a file can be made");
        let errors = log.try_clone().expect("another handle");
        let mut command = self.daemon.command();
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        self.process = Some(Process(command.spawn().expect("the daemon starts")));
    }

    /// Ends it at once, without a word to anybody.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.signal("TERM");
        process.0.wait().expect("it has ended");
    }

    /// Has it do or show something, in its own words.
    pub(crate) fn ask(&self, words: &str) -> String {
        self.daemon.ask(words)
    }

    /// Whether it has a session with that address.
    pub(crate) fn is_up(&self, neighbor: &str) -> bool {
        self.daemon.is_up(neighbor)
    }

    /// Whether it has no session with that address, and would take a connection from there.
    pub(crate) fn awaits(&self, neighbor: &str) -> bool {
        self.daemon.awaits(neighbor)
    }

    /// All that it was sent and holds of one family.
    pub(crate) fn held(&self, family: u8) -> Vec<Route> {
        self.daemon.held(family)
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("daemon.log")
    }
}

/// A program in the daemon's namespace. `ip netns exec` becomes it, so that a signal reaches it.
pub(crate) fn inside(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", NAMESPACE]).arg(program);
    command
}

/// What a command prints, be it on one stream or the other.
pub(crate) fn told(mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    String::from_utf8_lossy(&output.stdout).into_owned() + &errors
}
