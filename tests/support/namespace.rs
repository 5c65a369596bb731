//! A place to make networks in: the test runs itself again as the first process of new namespaces.
//!
//! `unshare` gives it a network, a mount table and process numbers of its own, as root or as root of a new user namespace.
//! When that first process ends the kernel ends every other one in there and takes the networks away, so nothing is left
//! behind, whatever happens.

use std::process::{Child, Command};

const INSIDE: &str = "PALISADE_TEST_INSIDE";
const NAMESPACES: [&str; 6] = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];

/// Runs `body` in namespaces of its own, or says why not. What it does there that may not work everywhere is `tried` first.
pub(crate) fn in_namespace(test: &str, tried: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    match way_in(tried) {
        Err(why) => println!("skipped: {test}: {why}"),
        Ok(way) => {
            let mut command = unshare(&way);
            command.arg(std::env::current_exe().expect("this program has a name"));
            command.args(["--exact", test, "--include-ignored", "--nocapture"]).env(INSIDE, "1");
            let output = command.output().expect("unshare runs");
            let told = String::from_utf8_lossy(&output.stdout);
            // What the harness inside says of itself is of no interest.
            told.lines().filter(|line| line.starts_with(['=', 's'])).for_each(|line| println!("{line}"));
            assert!(output.status.success(), "inside: {told}\n{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// The arguments of `unshare` that work here.
fn way_in(tried: &str) -> Result<Vec<&'static str>, String> {
    for program in ["ip", "bird", "birdc"] {
        if let Err(fault) = command(program).arg("--version").output() {
            return Err(format!("no {program}: {fault}"));
        }
    }
    let networks = "mount -t tmpfs tmpfs /run && ip netns add probe && ip link add left type veth peer name right netns probe";
    let script = format!("{networks} && {tried}");
    let mut why = String::new();
    for user in [&[][..], &["--user", "--map-root-user"]] {
        let way = [user, &NAMESPACES].concat();
        match unshare(&way).args(["sh", "-c", &script]).output() {
            Ok(output) if output.status.success() => return Ok(way),
            Ok(output) => why = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; "),
            Err(fault) => why = format!("no unshare: {fault}"),
        }
    }
    Err(format!("no namespaces can be made here: {why}"))
}

fn unshare(way: &[&str]) -> Command {
    let mut unshare = command("unshare");
    unshare.args(way);
    unshare
}

/// A program, looked for where Debian keeps such too.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()));
    command
}

/// Prepares the namespace that the test is in, with a `/run` of its own.
pub(crate) fn prepare() {
    run("mount -t tmpfs tmpfs /run && ip link set lo up");
}

/// Runs a command line and returns what it printed.
pub(crate) fn run(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().expect("sh runs");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A program that ends with what holds it.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        run(&format!("kill -{name} {}", self.0.id()));
    }

    /// Ends it at once (SIGKILL).
    pub(crate) fn kill(&mut self) {
        // One that has ended already can't be killed, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
