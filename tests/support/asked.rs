//! A running `palisade run` on this host's loopback that is asked at its control socket, and members that announce to it.

#![allow(dead_code, reason = "each test uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_palisade");
/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A router, until it is dropped.
pub(crate) struct Router {
    pub(crate) child: Child,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Router {
    /// A router of this configuration, in which PORT stands for one to listen at, with these files beside it.
    pub(crate) fn start(configuration: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let text = configuration.replace("PORT", &port.to_string());
        fs::write(folder.path().join("palisade.toml"), text).unwrap();
        let child = run(&folder);
        let mut router = Router { child, folder, port };
        router.wait_for_socket();
        router
    }

    /// Waits until it answers.
    pub(crate) fn wait_for_socket(&mut self) {
        let until = Instant::now() + PATIENCE;
        while UnixStream::connect(self.socket()).is_err() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(self.child.try_wait().unwrap().is_none() && Instant::now() < until, "{log}");
            std::thread::sleep(Duration::from_millis(10));
        }
        // The socket is there before the router is; whoever asks waits, and by then it listens to peers.
        self.answer(b"{\"ask\":\"summary\"}\n");
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("control.sock")
    }

    pub(crate) fn show(&self, arguments: &[&str]) -> Output {
        self.ask("show", arguments)
    }

    /// Runs a subcommand that asks the router.
    pub(crate) fn ask(&self, command: &str, arguments: &[&str]) -> Output {
        let subcommand = command;
        let mut command = Command::new(PROGRAM);
        command.arg(subcommand).args(arguments).arg("--socket").arg(self.socket());
        command.env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.show(&[arguments, &["--json"]].concat());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        let output = self.show(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says to octets, until it ends the connection.
    pub(crate) fn answer(&self, octets: &[u8]) -> String {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(octets).unwrap();
        let mut answer = String::new();
        // It may end the connection before all was read that was sent.
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    /// Waits until so many routes are held.
    pub(crate) fn wait_for_routes(&self, count: i64) {
        let until = Instant::now() + PATIENCE;
        loop {
            let summary = self.json(&["summary"]);
            if summary["paths_received"] == count {
                return;
            }
            assert!(Instant::now() < until, "{summary}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn stop(&mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

/// Runs the configuration in a folder.
pub(crate) fn run(folder: &tempfile::TempDir) -> Child {
    let log = File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["run", "--config"]).arg(folder.path().join("palisade.toml"));
    command.env("NO_COLOR", "1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

impl Drop for Router {
    fn drop(&mut self) {
        // It has ended already, where that is what was tested.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection to a router from 127.0.0.`last`.
pub(crate) fn connect(router: &Router, last: u8) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)).into()).unwrap();
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, router.port)).into()).unwrap();
    socket.into()
}

/// A member's end of a session without a hold time.
pub(crate) struct Member {
    stream: TcpStream,
    asn: u32,
    address: Ipv4Addr,
}

impl Member {
    pub(crate) fn join(router: &Router, last: u8) -> Self {
        let (asn, address) = (196_699 + u32::from(last), Ipv4Addr::new(127, 0, 0, last));
        let mut stream = connect(router, last);
        let capabilities = [&[1, 4, 0, 1, 0, 1, 65, 4][..], &asn.to_be_bytes()].concat();
        let length = u8::try_from(capabilities.len()).unwrap();
        let fixed = [4, 0x5b, 0xa0, 0, 0, 192, 0, 2, last, length + 2, 2, length];
        let open = message(1, &[&fixed[..], &capabilities].concat());
        stream.write_all(&[open, message(4, &[])].concat()).unwrap();
        let mut reader = stream.try_clone().unwrap();
        // What others announce is of no interest, but has to be read.
        std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        Member { stream, asn, address }
    }

    /// Announces prefixes that have come this way to it. `extra` are further attributes.
    pub(crate) fn announce(&mut self, path: &[u32], extra: &[u8], prefixes: &[(Ipv4Addr, u8)]) {
        let asns: Vec<u8> = [self.asn].iter().chain(path).flat_map(|asn| asn.to_be_bytes()).collect();
        let path = [&[2, u8::try_from(asns.len() / 4).unwrap()][..], &asns].concat();
        let attributes = [
            &[0x40, 1, 1, 0, 0x40, 2, u8::try_from(path.len()).unwrap()][..],
            &path,
            &[0x40, 3, 4],
            &self.address.octets(),
            extra,
        ]
        .concat();
        for some in prefixes.chunks(500) {
            let mut body = vec![0, 0];
            body.extend(u16::try_from(attributes.len()).unwrap().to_be_bytes());
            body.extend(&attributes);
            for (address, length) in some {
                body.push(*length);
                body.extend(&address.octets()[..usize::from(length.div_ceil(8))]);
            }
            self.stream.write_all(&message(2, &body)).unwrap();
        }
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(19 + body.len()).unwrap();
    [&[0xff; 16][..], &length.to_be_bytes(), &[kind], body].concat()
}
