//! Where it is played: two network namespaces and a veth pair between them, one for the daemon and one for the sessions.
//! They carry the process's number in their names, and go with the value, however its owner ends.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, setns};

use crate::member;
use crate::problem::Problem;

/// Octets that the buffers of all sessions on one side may hold together. Beyond its share of memory the kernel drops what
/// has arrived, and a session then waits for minutes until it is sent again.
const BUFFERS: usize = 1 << 30;
/// What a buffer may grow to where there are few sessions: about what Linux lets it.
const BUFFER: usize = 4 << 20;

/// The two namespaces.
#[derive(Debug)]
pub(crate) struct Ground {
    daemons: String,
    players: String,
}

impl Ground {
    /// Makes the namespaces, with addresses for so many sessions.
    pub(crate) fn new(sessions: usize) -> Result<Self, Problem> {
        let name = |side| format!("palisade-compare-{}-{side}", std::process::id());
        let ground = Ground { daemons: name("daemon"), players: name("players") };
        ip(&["netns", "add", &ground.daemons])?;
        ip(&["netns", "add", &ground.players])?;
        ip(&[
            "-n",
            &ground.daemons,
            "link",
            "add",
            "lan",
            "type",
            "veth",
            "peer",
            "name",
            "lan",
            "netns",
            &ground.players,
        ])?;
        for side in [&ground.daemons, &ground.players] {
            ip(&["-n", side, "link", "set", "lo", "up"])?;
            ip(&["-n", side, "link", "set", "lan", "up"])?;
        }
        ip(&["-n", &ground.daemons, "address", "add", &format!("{}/16", member::TARGET), "dev", "lan"])?;
        ip(&[
            "-n",
            &ground.daemons,
            "address",
            "add",
            &format!("{}/64", member::TARGET_SIX),
            "dev",
            "lan",
            "nodad",
        ])?;
        ground.add_players(sessions)?;
        let most = (BUFFERS / sessions).min(BUFFER);
        for (side, kind) in [(&ground.daemons, "tcp_wmem"), (&ground.players, "tcp_rmem")] {
            let setting = format!("echo 4096 131072 {most} > /proc/sys/net/ipv4/{kind}");
            let output = within(side, &["sh".into(), "-c".into(), setting]).output();
            said(output.map_err(Problem::system("running sh"))?, kind)?;
        }
        Ok(ground)
    }

    fn add_players(&self, sessions: usize) -> Result<(), Problem> {
        let mut batch = format!("address add {}/16 dev lan\n", member::CACHE);
        for session in 0..sessions {
            let _ = writeln!(batch, "address add {}/16 dev lan", member::address(session));
            let _ = writeln!(batch, "address add {}/64 dev lan nodad", member::address_six(session));
        }
        let mut child = Command::new("ip")
            .args(["-n", &self.players, "-batch", "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Problem::system("running ip"))?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(batch.as_bytes()).map_err(Problem::system("telling ip the addresses"))?;
        }
        said(child.wait_with_output().map_err(Problem::system("running ip"))?, "ip -batch -")
    }

    /// Moves the thread that calls into the players' namespace.
    pub(crate) fn enter(&self) -> Result<(), Problem> {
        let path = format!("/run/netns/{}", self.players);
        let file = File::open(&path).map_err(Problem::file(path.as_ref()))?;
        setns(file, CloneFlags::CLONE_NEWNET).map_err(Problem::system("entering a network namespace"))
    }

    /// A command that runs in the daemon's namespace.
    pub(crate) fn at_daemon(&self, command: &[String]) -> Command {
        within(&self.daemons, command)
    }

    /// A command that runs in the players' namespace.
    pub(crate) fn at_players(&self, command: &[String]) -> Command {
        within(&self.players, command)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        for name in [&self.daemons, &self.players] {
            // Where one was never made, there is nothing to undo.
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

fn within(name: &str, command: &[String]) -> Command {
    let mut within = Command::new("ip");
    within.args(["netns", "exec", name]).args(command);
    within
}

fn ip(arguments: &[&str]) -> Result<(), Problem> {
    let output =
        Command::new("ip").args(arguments).output().map_err(Problem::system("running ip (iproute2)"))?;
    said(output, &format!("ip {}", arguments.join(" ")))
}

fn said(output: std::process::Output, command: &str) -> Result<(), Problem> {
    match output.status.success() {
        true => Ok(()),
        false => Err(Problem::Command {
            command: command.to_string(),
            said: String::from_utf8_lossy(&output.stderr).trim().to_string(),
        }),
    }
}
