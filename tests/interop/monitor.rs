//! What happens to a kernel's routes: `ip monitor route`, read from its start to its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::daemon::NAMESPACE;
use crate::lab::wait_until;
use crate::support::namespace::{Process, run};

/// A route that nobody needs, by which the monitor is known to listen, and to have caught up.
const MARK: &str = "198.51.100.255";

pub(crate) struct Monitor {
    /// Of `ip`: where it is not the one that the test is in.
    place: &'static str,
    file: PathBuf,
    _process: Process,
}

impl Monitor {
    /// Of our router's kernel.
    pub(crate) fn ours(folder: &Path) -> Self {
        Self::start(folder.join("monitor-ours"), &[], "")
    }

    /// Of the daemon's.
    pub(crate) fn theirs(folder: &Path) -> Self {
        Self::start(folder.join("monitor-theirs"), &["-n", NAMESPACE], "-n peer")
    }

    fn start(file: PathBuf, arguments: &[&str], place: &'static str) -> Self {
        let output = File::create(&file).expect("a file can be made");
        let mut command = Command::new("ip");
        command.args(arguments).args(["monitor", "route"]).stdin(Stdio::null()).stdout(output);
        let monitor = Monitor { place, file, _process: Process(command.spawn().expect("ip runs")) };
        monitor.catch_up();
        monitor
    }

    /// What has been said since it began of a prefix that is no longer there, or was not for a moment.
    pub(crate) fn deletions(&self, prefix: &str) -> Vec<String> {
        self.catch_up();
        let is_deletion = |line: &&str| line.starts_with("Deleted") && line.contains(prefix);
        self.text().lines().filter(is_deletion).map(str::to_owned).collect()
    }

    /// Waits until it tells of a route that came and went just now.
    fn catch_up(&self) {
        let before = self.text().matches(MARK).count();
        wait_until("the monitor hears the kernel", || {
            let Self { place, .. } = self;
            run(&format!("ip {place} route add blackhole {MARK} && ip {place} route del blackhole {MARK}"));
            self.text().matches(MARK).count() >= before + 2
        });
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap_or_default()
    }
}

/// Whether our router's kernel has a route of our making to a prefix.
pub(crate) fn we_forward(prefix: &str) -> bool {
    run("ip route show proto 213").lines().any(|line| line.starts_with(prefix))
}

/// Whether the daemon's kernel has a route to a prefix.
pub(crate) fn they_forward(prefix: &str) -> bool {
    run("ip -n peer route show").lines().any(|line| line.starts_with(prefix))
}
