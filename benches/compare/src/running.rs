//! A program that the harness started: what it and its children use, and how it ends. Nothing that it did not start is ever
//! looked at or ended.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::problem::Problem;

/// How long a program may take to end by itself.
const TO_END: Duration = Duration::from_secs(5);
/// Clock ticks a second in `/proc/*/stat`: what Linux tells programs on every machine that we know of.
const TICKS_PER_S: f64 = 100.0;

/// A running program.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
}

/// What a program and its children use, together.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub(crate) struct Usage {
    /// The most memory that each ever used, in MiB.
    pub(crate) peak_mib: f64,
    /// The memory in use now, in MiB.
    pub(crate) now_mib: f64,
    /// CPU time so far, in seconds.
    pub(crate) cpu_s: f64,
}

impl Running {
    /// Starts a program, in a process group of its own, so that Ctrl-C reaches the harness alone; what it says goes to a
    /// file.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self, Problem> {
        use std::os::unix::process::CommandExt;
        let out = File::create(log).map_err(Problem::file(log))?;
        let err = out.try_clone().map_err(Problem::file(log))?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0).spawn();
        Ok(Running { child: child.map_err(Problem::system("starting a program"))? })
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// What it uses.
    pub(crate) fn usage(&self) -> Usage {
        self.meter().usage()
    }

    /// Where that can be looked up.
    pub(crate) fn meter(&self) -> Meter {
        Meter(self.child.id())
    }

    /// Sends a signal to the program itself.
    pub(crate) fn signal(&self, signal: Signal) {
        // One that has ended needs none.
        let _ = kill(pid(self.child.id()), signal);
    }
}

/// Looks up what a program and its children use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter(u32);

impl Meter {
    /// What they use.
    pub(crate) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for pid in tree(self.0) {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            usage.peak_mib += mib(&status, "VmHWM:");
            usage.now_mib += mib(&status, "VmRSS:");
            usage.cpu_s += cpu_s(&fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default());
        }
        usage
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let all = tree(self.child.id());
        if !self.has_ended() {
            all.iter().rev().for_each(|it| _ = kill(pid(*it), Signal::SIGTERM));
        }
        let start = Instant::now();
        while !self.has_ended() && start.elapsed() < TO_END {
            sleep(Duration::from_millis(20));
        }
        if !self.has_ended() {
            // Children stay ours only while their parent lives, so they are told first.
            all.iter().rev().for_each(|it| _ = kill(pid(*it), Signal::SIGKILL));
            let _ = self.child.wait();
        }
    }
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap_or(i32::MAX))
}

/// A process and all that descend from it.
fn tree(root: u32) -> Vec<u32> {
    let mut all = vec![root];
    let mut at = 0;
    while let Some(pid) = all.get(at).copied() {
        at += 1;
        for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    all
}

fn mib(status: &str, field: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

fn cpu_s(stat: &str) -> f64 {
    // The name in parentheses may hold anything, blanks too.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / TICKS_PER_S
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_what_a_program_uses_and_ends_it() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60 & wait"]);
        let running = Running::start(command, log.path()).unwrap();
        while tree(running.child.id()).len() < 2 {
            sleep(Duration::from_millis(5));
        }
        let all = tree(running.child.id());
        assert!(running.usage().now_mib > 0.0);
        drop(running);
        assert!(all.iter().all(|pid| {
            !fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
        }));
    }

    #[test]
    fn reads_what_the_kernel_writes() {
        assert_eq!(cpu_s("7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0"), 3.0);
        assert_eq!(mib("VmPeak: 1 kB\nVmHWM:\t    2048 kB\n", "VmHWM:"), 2.0);
    }
}
