//! The kernel's own account of what happens to our routes: `ip monitor route`, read while the story goes on.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ipnet::IpNet;

use crate::kernel::prefix;
use crate::support::namespace::{Process, run};

/// A route that nobody needs, by which the monitor is known to listen and to have caught up.
const MARK: &str = "198.51.100.255/32";

pub(crate) struct Monitor {
    _process: Process,
    file: PathBuf,
    seen: usize,
}

/// What happened to routes of ours.
#[derive(Default)]
pub(crate) struct Happened {
    pub(crate) set: HashSet<IpNet>,
    pub(crate) removed: HashSet<IpNet>,
}

impl Monitor {
    /// Starts listening.
    pub(crate) fn start(folder: &Path) -> Self {
        let file = folder.join("monitor");
        let output = File::create(&file).expect("a file can be made");
        let mut command = Command::new("ip");
        command.args(["-rcvbuf", "67108864", "monitor", "route"]).stdout(output).stderr(Stdio::inherit());
        let process = Process(command.spawn().expect("ip runs"));
        let mut monitor = Monitor { _process: process, file, seen: 0 };
        monitor.happened();
        monitor
    }

    /// What has happened since this was asked the last time.
    pub(crate) fn happened(&mut self) -> Happened {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            run(&format!("ip route add blackhole {MARK} && ip route del blackhole {MARK}"));
            std::thread::sleep(Duration::from_millis(20));
            let text = fs::read_to_string(&self.file).unwrap_or_default();
            let new = &text[self.seen..];
            if new.ends_with('\n')
                && new.lines().last().is_some_and(|line| line.starts_with("Deleted blackhole"))
            {
                self.seen = text.len();
                return parse(&text[text.len() - new.len()..]);
            }
            assert!(Instant::now() < deadline, "ip monitor does not hear the kernel: {new}");
        }
    }
}

fn parse(text: &str) -> Happened {
    let mut happened = Happened::default();
    for line in text.lines().filter(|line| line.contains("proto 213")) {
        let (removed, line) = line.strip_prefix("Deleted ").map_or((false, line), |rest| (true, rest));
        if let Some(prefix) = prefix(line) {
            let list = if removed { &mut happened.removed } else { &mut happened.set };
            list.insert(prefix);
        }
    }
    happened
}
