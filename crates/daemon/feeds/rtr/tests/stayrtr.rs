//! Debian's stayrtr as the cache.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::*;

/// A stayrtr that runs, with the file that it serves.
struct StayRtr {
    child: Child,
    folder: TempDir,
    port: u16,
    protocol: &'static str,
}

impl StayRtr {
    /// `None` where it is not installed, which is said.
    fn start(test: &str, protocol: &'static str, vrps: u32) -> Option<Self> {
        let Some(program) =
            ["/usr/bin/stayrtr", "/usr/local/bin/stayrtr"].into_iter().find(|at| Path::new(at).exists())
        else {
            println!("skipped: {test}: stayrtr is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        write(folder.path(), vrps);
        let child = Self::spawn(program, folder.path(), port, protocol);
        Some(StayRtr { child, folder, port, protocol })
    }

    fn spawn(program: &str, folder: &Path, port: u16, protocol: &str) -> Child {
        let file = folder.join("vrps.json");
        Command::new(program)
            .args([
                "-bind",
                &format!("127.0.0.1:{port}"),
                "-cache",
                file.to_str().unwrap(),
                "-protocol",
                protocol,
            ])
            .args(["-checktime=false", "-refresh", "1", "-metrics.addr", "127.0.0.1:0", "-loglevel", "error"])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Self::spawn("/usr/bin/stayrtr", self.folder.path(), self.port, self.protocol);
    }
}

impl Drop for StayRtr {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves this many VRPs, and one ASPA.
fn write(folder: &Path, vrps: u32) {
    let roas: Vec<String> = (0..vrps)
        .map(|at| {
            format!(
                r#"{{"prefix":"{}","maxLength":24,"asn":64500,"ta":"x","expires":4000000000}}"#,
                vrp(at).prefix()
            )
        })
        .collect();
    let aspas = r#"[{"customer_asid":64500,"expires":4000000000,"providers":[64501,64502]}]"#;
    let text = format!(
        r#"{{"metadata":{{"buildtime":"2026-01-01T00:00:00Z"}},"roas":[{}],"aspas":{aspas},
            "provider_authorizations":{{"ipv4":{aspas},"ipv6":{aspas}}}}}"#,
        roas.join(",")
    );
    std::fs::write(folder.join("new.json"), text).unwrap();
    std::fs::rename(folder.join("new.json"), folder.join("vrps.json")).unwrap();
}

#[tokio::test]
async fn stayrtr_is_followed_through_changes_and_a_restart() {
    let test = "stayrtr_is_followed_through_changes_and_a_restart";
    let Some(mut server) = StayRtr::start(test, "1", 50) else { return };
    let mut client = Client::of(cache(server.port));
    let (set, facts) = client.set().await;
    assert_eq!((set.rov.len(), facts.version), (50, 1));
    write(server.folder.path(), 60);
    let (next, _) = client.set().await;
    assert_eq!(next.rov.len(), 60);
    assert!(set.rov.difference(&next.rov).is_some());
    server.restart();
    client.fault().await;
    // Where it hangs up while it starts it is offered version 0 next, which says the same of VRPs.
    let (again, later) = client.set().await;
    assert!(again.rov.len() == 60 && later.version <= 1, "{} of version {}", again.rov.len(), later.version);
}

#[tokio::test]
async fn the_aspas_of_its_older_draft_cost_no_vrp() {
    let Some(server) = StayRtr::start("the_aspas_of_its_older_draft_cost_no_vrp", "2", 50) else { return };
    let mut client = Client::of(Cache { aspa: true, ..cache(server.port) });
    let (set, facts) = client.set().await;
    assert_eq!(set.rov.len(), 50);
    match facts.version {
        // A newer stayrtr.
        2 => assert_eq!(set.aspa.len(), 1),
        version => assert_eq!((version, set.aspa.len(), facts.note.is_some()), (1, 0, true)),
    }
}
