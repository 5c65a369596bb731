//! `palisade run` as a process: its configuration, its log, and its end.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::namespace::{Process, run};
use crate::neighbor::Neighbor;
use crate::oracle::{OURS, Role};

/// The end of the log that is shown with a failure.
const LAST_LINES: usize = 40;

pub(crate) struct Router {
    process: Option<Process>,
    folder: PathBuf,
}

impl Router {
    /// Writes its configuration. The tables are in the same folder, as `vrps.json` and `irr.db`.
    pub(crate) fn configure(folder: &Path, neighbors: &[Neighbor]) -> Self {
        let mut text = format!("[router]\nasn = {OURS}\nid = \"192.0.2.1\"\n");
        text.push_str(
            "[rpki]\nfiles = [\"vrps.json\"]\n[irr]\ndumps = [\"irr.db\"]\n[fib]\ntable = \"main\"\n",
        );
        neighbors.iter().for_each(|neighbor| configure(neighbor, &mut text));
        fs::write(folder.join("palisade.toml"), text).expect("a file can be written");
        Router { process: None, folder: folder.to_owned() }
    }

    /// Starts it; what it says goes to the end of its log.
    pub(crate) fn start(&mut self) {
        let program =
            std::env::var_os("PALISADE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_palisade").into());
        let log = File::options().create(true).append(true).open(self.folder.join("log"));
        let mut command = Command::new(program);
        command.args(["run", "--config"]).arg(self.folder.join("palisade.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.expect("a file can be made"));
        self.process = Some(Process(command.spawn().expect("palisade starts")));
    }

    /// Waits until it says that, more often than `before` times, and returns how often it has.
    pub(crate) fn wait_to_say(&mut self, words: &str, before: usize, patience: Duration) -> usize {
        let deadline = Instant::now() + patience;
        loop {
            let times = self.said(words);
            if times > before {
                return times;
            }
            assert!(
                self.is_running() && Instant::now() < deadline,
                "it never says `{words}`:\n{}",
                self.last_words()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How often it has said that.
    pub(crate) fn said(&self, words: &str) -> usize {
        self.log().matches(words).count()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub(crate) fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.0.try_wait(), Ok(None)))
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.as_ref().map(|process| process.0.id()).expect("it runs");
        run(&format!("kill -{name} {id}"));
    }

    /// Ends it at once, without a chance to clean up.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Asks it to end, and returns how it did.
    pub(crate) fn stop(&mut self, patience: Duration) -> ExitStatus {
        self.signal("TERM");
        let deadline = Instant::now() + patience;
        while self.is_running() {
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.last_words());
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut process = self.process.take().expect("it ran");
        process.0.wait().expect("it has ended")
    }

    /// The most memory that it has held, in MiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let id = self.process.as_ref().map_or(0, |process| process.0.id());
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
    }
}

fn configure(neighbor: &Neighbor, text: &mut String) {
    for (session, families) in neighbor.sessions() {
        let address = if families == [6] { neighbor.v6.to_string() } else { neighbor.v4.to_string() };
        let role = if neighbor.role == Role::Customer { "customer" } else { "provider" };
        let _ =
            writeln!(text, "[[peer]]\nname = \"{session}\"\naddress = \"{address}\"\nasn = {}", neighbor.asn);
        let _ = writeln!(text, "role = \"{role}\"\nhold_time = {}", neighbor.hold_time_s);
        if neighbor.role == Role::Customer {
            text.push_str("as_set = \"AS-CUSTOMER\"\nmax_prefixes = 500000\n");
        }
    }
}
