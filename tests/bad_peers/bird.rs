//! BIRD with the same peers, to have something to compare with.

use std::fmt::Write as _;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::bad::Way;
use crate::world::{
    BAD_PEERS, GOOD_PEERS, HOLD_TIME_S, MAX_PREFIXES, ROUTER_ASN, Speaker, TALKING_PEERS, free_port,
};

/// How long it waits after its start before it takes connections.
const WARMING_UP: Duration = Duration::from_secs(8);

/// A running one, until it is dropped.
pub(crate) struct Bird {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Bird {
    /// Starts it; `None` where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let (folder, port) = (tempfile::tempdir().expect("a folder can be made"), free_port());
        let file = folder.path().join("bird.conf");
        fs::write(&file, configuration(port)).expect("a file can be written");
        let mut command = Command::new("bird");
        command.arg("-f").arg("-c").arg(file).arg("-s").arg(folder.path().join("bird.ctl"));
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
        command.env("PATH", path).stdin(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().ok()?;
        thread::sleep(WARMING_UP);
        Some(Bird { child, folder, port })
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bird {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(self.folder.path().join("bird.ctl"));
    }
}

/// What the router is configured with, in its words.
fn configuration(port: u16) -> String {
    let mut text = format!(
        "router id 192.0.2.250;\nprotocol device {{}}\n\
         template bgp member {{ local 127.0.0.1 port {port} as {ROUTER_ASN}; multihop; passive; hold time {HOLD_TIME_S}; }}\n"
    );
    let mut peer = |name: &str, Speaker { asn, address, .. }: Speaker, channel: &str| {
        let _ = writeln!(
            text,
            "protocol bgp {name} from member {{ neighbor {address} as {asn}; ipv4 {{ next hop keep; {channel} }}; }}"
        );
    };
    for number in 0..GOOD_PEERS {
        let talks = number < TALKING_PEERS;
        let channel = if talks { "import all; export all;" } else { "import none; export none;" };
        peer(&format!("good{number}"), Speaker::good(number), channel);
    }
    for number in 0..BAD_PEERS {
        let action = if number < Way::ALL.len() { "restart" } else { "block" };
        let channel = format!("import all; export all; receive limit {MAX_PREFIXES} action {action};");
        peer(&format!("bad{number}"), Speaker::bad(number), &channel);
    }
    text
}
