//! The side that asks: one request, and its answer line by line.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::answer::{EndLine, Line, Refusal};
use super::request::Request;
use crate::config::CONTROL_SOCKET;

/// How long to wait for the next line: a shard may have much else to do, but not for so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Octets of a line: more than a path with all the attributes that an UPDATE holds comes to.
const MOST_OCTETS: u64 = 1 << 20;

/// Why there is no answer, or not all of it.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum AskError {
    #[error("no router can be asked at {}: {}", path.display(), because(fault))]
    #[diagnostic(help("{}", connect_help(path, fault)))]
    Connect { path: PathBuf, fault: io::Error },
    #[error("{0}")]
    #[diagnostic(help("{}", .0.help.as_deref().unwrap_or("`palisade show --help` tells what can be asked")))]
    Refused(Refusal),
    #[error("the answer was cut off after {0} lines: it is not whole")]
    #[diagnostic(help("the router was stopped, or waited too long for its answer to be read: ask again"))]
    CutOff(u64),
    #[error("the answer can't be understood: {0}")]
    #[diagnostic(help(
        "router and command are of different versions: restart the router, or use its own command"
    ))]
    Strange(String),
    #[error("the answer could not be read: {0}")]
    #[diagnostic(help("the router may be overloaded: ask again, or for less"))]
    Read(io::Error),
}

fn because(fault: &io::Error) -> String {
    match fault.kind() {
        io::ErrorKind::NotFound => "there is no such socket".into(),
        io::ErrorKind::ConnectionRefused => "the router that made the socket is gone".into(),
        io::ErrorKind::PermissionDenied => "it is not for this user".into(),
        _ => fault.to_string(),
    }
}

fn connect_help(path: &Path, fault: &io::Error) -> String {
    let named = if path == Path::new(CONTROL_SOCKET) {
        "if its configuration names another `socket` under [control], name it with --socket"
    } else {
        "the router's own is the `socket` under [control] in its configuration"
    };
    match fault.kind() {
        io::ErrorKind::PermissionDenied => {
            "ask as root, as the user that the router runs as, or as one in the group of the socket".into()
        }
        _ => format!("start one with `palisade run`; {named}"),
    }
}

/// An answer that is being heard.
#[derive(Debug)]
pub(crate) struct Answer {
    from: BufReader<UnixStream>,
    heard: u64,
    line: Vec<u8>,
}

impl Answer {
    /// Asks the router whose socket that is.
    pub(crate) fn to(request: &Request, socket: &Path) -> Result<Self, AskError> {
        let connect = |fault| AskError::Connect { path: socket.to_owned(), fault };
        let mut stream = UnixStream::connect(socket).map_err(connect)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(connect)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(connect)?;
        let mut octets = serde_json::to_vec(request).map_err(|fault| AskError::Strange(fault.to_string()))?;
        octets.push(b'\n');
        // One who is turned away finds out why when it reads.
        let _ = stream.write_all(&octets);
        Ok(Answer { from: BufReader::new(stream), heard: 0, line: Vec::new() })
    }

    /// The next line; its end comes once, and last.
    pub(crate) fn next(&mut self) -> Result<Heard, AskError> {
        self.line.clear();
        let mut limited = (&mut self.from).take(MOST_OCTETS);
        match limited.read_until(b'\n', &mut self.line) {
            Err(fault) if fault.kind() == io::ErrorKind::ConnectionReset => {
                return Err(AskError::CutOff(self.heard));
            }
            Err(fault) => return Err(AskError::Read(fault)),
            Ok(_) if self.line.last() != Some(&b'\n') => return Err(AskError::CutOff(self.heard)),
            Ok(_) => {}
        }
        match serde_json::from_slice(&self.line) {
            Ok(Line::End(end)) if end.lines == self.heard => Ok(Heard::End(end)),
            Ok(Line::End(_)) => Err(AskError::CutOff(self.heard)),
            Ok(Line::Error(refusal)) => Err(AskError::Refused(refusal)),
            Ok(line) => {
                self.heard += 1;
                Ok(Heard::Line(line))
            }
            Err(fault) => Err(AskError::Strange(fault.to_string())),
        }
    }
}

/// What was heard.
#[derive(Debug)]
pub(crate) enum Heard {
    Line(Line),
    End(EndLine),
}
