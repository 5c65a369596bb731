//! The router under test: its configuration, and what is asked of it as it runs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::neighbor::Neighbor;
use crate::oracle::{OURS, Role};
use crate::support::router::Router;

impl Router {
    /// Writes its configuration. The tables are in the same folder, as `vrps.json` and `irr.db`.
    pub(crate) fn configure(folder: &Path, neighbors: &[Neighbor]) -> Self {
        let mut text = format!("[router]\nasn = {OURS}\nid = \"192.0.2.1\"\n");
        text.push_str(
            "[rpki]\nfiles = [\"vrps.json\"]\n[irr]\ndumps = [\"irr.db\"]\n[fib]\ntable = \"main\"\n",
        );
        neighbors.iter().for_each(|neighbor| configure(neighbor, &mut text));
        Router::new(folder, &text)
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

    /// Ends it at once, without a chance to clean up.
    pub(crate) fn kill(&mut self) {
        self.process = None;
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
