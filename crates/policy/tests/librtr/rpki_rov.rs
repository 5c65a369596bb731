//! `rpki-rov`, of Debian's `rtr-tools`: origin validation by librtr as a process that is asked a line a question.
//!
//! ```text
//!   193.0.0.0 16 3333
//!   193.0.0.0 16 3333|4444 193.0.0.0 16 16,3333 193.0.0.0 16 20|0
//!   its echo         | VRPs that cover it: AS, prefix, maxLength |0 valid, 1 not found, 2 invalid
//! ```
//!
//! Of a route that is not valid it names all VRPs that cover it, of a valid one those it looked at.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use palisade_bgp::{Asn, Prefix};
use palisade_policy::Vrp;

const PROGRAM: &str = "rpki-rov";

/// How long it may take to answer everything: it is ended then, and the test fails.
const PATIENCE: Duration = Duration::from_secs(300);

/// A prefix and its origin; `None` is RFC 6811's NONE.
pub(crate) type Question = (Prefix, Option<Asn>);

/// What it says of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    Valid,
    NotFound,
    Invalid,
}

/// An answer, with the VRPs that it is founded on.
pub(crate) struct Answer {
    pub(crate) validity: Validity,
    pub(crate) vrps: Vec<Vrp>,
}

/// Whether there is one here.
pub(crate) fn is_installed() -> bool {
    Command::new(PROGRAM).stdout(Stdio::null()).status().is_ok()
}

/// Asks it everything, with the VRPs of the cache at that address, and shows each answer beside its question.
pub(crate) fn ask(cache: SocketAddr, questions: &[Question], mut each: impl FnMut(Question, Answer)) {
    thread::scope(|scope| {
        // Whatever fails in here ends it, which ends the threads.
        let mut process = Process::start(cache);
        let (id, input) = (process.0.id(), process.0.stdin.take().unwrap());
        let (_answered, all_answered) = channel::<()>();
        scope.spawn(move || {
            if all_answered.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").arg("-KILL").arg(id.to_string()).status();
            }
        });
        scope.spawn(move || write_questions(BufWriter::new(input), questions));

        let mut output = BufReader::new(process.0.stdout.take().unwrap());
        let (mut asked, mut line) = (String::new(), String::new());
        for question in questions {
            line.clear();
            output.read_line(&mut line).unwrap();
            put_question(&mut asked, *question, |asn| asn as i32);
            let answer = line.strip_prefix(&asked).and_then(|answer| read_answer(answer.trim_end()));
            each(*question, answer.unwrap_or_else(|| panic!("asked {asked}, {PROGRAM} says {line}")));
        }
    });
}

struct Process(Child);

impl Process {
    fn start(cache: SocketAddr) -> Self {
        let mut command = Command::new(PROGRAM);
        command.arg(cache.ip().to_string()).arg(cache.port().to_string());
        // It says there what librtr does.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Process(command.spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already can't be killed, which is as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn write_questions(mut input: impl Write, questions: &[Question]) {
    let mut line = String::new();
    for question in questions {
        put_question(&mut line, *question, |asn| asn);
        // Where it has ended, whoever reads its answers says so.
        if writeln!(input, "{line}").is_err() {
            return;
        }
    }
    let _ = input.flush();
}

/// It can't be asked about NONE, but about AS 0, which matches no VRP either. It echoes AS numbers as signed ones.
fn put_question<T: std::fmt::Display>(
    line: &mut String,
    (prefix, origin): Question,
    shown: impl Fn(u32) -> T,
) {
    let origin = shown(origin.map_or(0, |asn| asn.0));
    line.clear();
    let _ = match prefix.address() {
        IpAddr::V4(address) => write!(line, "{address} {} {origin}", prefix.len()),
        // librtr reads groups, and not what ends in a dotted IPv4 address.
        IpAddr::V6(address) => {
            let groups = address.segments().map(|group| format!("{group:x}")).join(":");
            write!(line, "{groups} {} {origin}", prefix.len())
        }
    };
}

/// What follows the question: `|VRPs|code`.
fn read_answer(text: &str) -> Option<Answer> {
    let (vrps, code) = text.strip_prefix('|')?.rsplit_once('|')?;
    let validity = match code {
        "0" => Validity::Valid,
        "1" => Validity::NotFound,
        "2" => Validity::Invalid,
        _ => return None,
    };
    let vrps = vrps.split(',').filter(|vrp| !vrp.is_empty()).map(read_vrp);
    Some(Answer { validity, vrps: vrps.collect::<Option<_>>()? })
}

/// `AS address length maxLength`.
fn read_vrp(text: &str) -> Option<Vrp> {
    let mut words = text.split(' ');
    let mut word = || words.next();
    let (asn, address) = (word()?.parse().ok()?, word()?.parse().ok()?);
    let (length, max_length) = (word()?.parse().ok()?, word()?.parse().ok()?);
    Vrp::new(Prefix::new(address, length), max_length, Asn(asn)).ok()
}
