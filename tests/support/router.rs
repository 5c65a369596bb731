//! `palisade run` as a process: its log, and its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::namespace::Process;

/// The end of the log that is shown with a failure.
const LAST_LINES: usize = 40;

pub(crate) struct Router {
    pub(crate) process: Option<Process>,
    pub(crate) folder: PathBuf,
}

impl Router {
    /// Writes its configuration into the folder where the files are that it names.
    pub(crate) fn new(folder: &Path, configuration: &str) -> Self {
        fs::write(folder.join("palisade.toml"), configuration).expect("a file can be written");
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

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub(crate) fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.0.try_wait(), Ok(None)))
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        self.process.as_ref().expect("it runs").signal(name);
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
}
