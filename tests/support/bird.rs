//! A BIRD in a namespace: its life, and what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::namespace::Process;

/// How long it may take to read its routes, which for the real table are more than a hundred megabytes.
const LOADING: Duration = Duration::from_secs(300);

/// The end of the log that is shown with a failure.
const LAST_LINES: usize = 20;

pub(crate) struct Bird {
    namespace: &'static str,
    folder: PathBuf,
    pub(crate) process: Option<Process>,
}

impl Bird {
    /// Starts one with this configuration, and a log, in a folder of its own.
    pub(crate) fn start(namespace: &'static str, folder: &Path, configuration: &str) -> Self {
        let mut bird = Bird { namespace, folder: folder.to_owned(), process: None };
        bird.configure(configuration);
        bird.run();
        bird
    }

    /// Writes its configuration, which it reads at its start and when it is told to.
    pub(crate) fn configure(&self, configuration: &str) {
        let text = format!("log \"{}\" all;\n{configuration}", self.folder.join("log").display());
        fs::write(self.folder.join("bird.conf"), text).expect("a file can be written");
    }

    /// Starts it, again where it was killed, and waits until it has read its routes.
    pub(crate) fn run(&mut self) {
        self.run_with(&[]);
    }

    /// The same where it was killed, as one that has gone on forwarding meanwhile (RFC 4724).
    #[allow(dead_code, reason = "not every test that has a BIRD restarts it")]
    pub(crate) fn recover(&mut self) {
        self.run_with(&["-R"]);
    }

    fn run_with(&mut self, arguments: &[&str]) {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", self.namespace, "bird", "-f", "-c"])
            .arg(self.folder.join("bird.conf"));
        command.args(arguments).arg("-s").arg(self.socket()).stdout(Stdio::null());
        // `ip netns exec` becomes BIRD, so that it is BIRD that is killed.
        self.process = Some(Process(command.spawn().expect("bird starts")));
        let deadline = Instant::now() + LOADING;
        while !self.try_ask("show status").contains("up and running") {
            assert!(Instant::now() < deadline, "BIRD does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it without a word to its neighbours.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Has it do something.
    pub(crate) fn ask(&self, command: &str) -> String {
        let answer = self.try_ask(command);
        assert!(answer.contains("ready"), "birdc {command}: {answer}");
        answer
    }

    fn try_ask(&self, command: &str) -> String {
        let output = Command::new("birdc").arg("-s").arg(self.socket()).args(command.split(' ')).output();
        String::from_utf8_lossy(&output.expect("birdc runs").stdout).into_owned()
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }
}
