//! A registry's server of changes: as much of NRTM version 3 as a mirror asks for (`-g SOURCE:3:FIRST-LAST`).
//!
//! It answers every question at once with all that is new, and notes when it handed over the `%END`. How often a mirror asks is the
//! mirror's affair, and no part of what is measured from there.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::problem::Problem;

/// The registry's name.
pub(crate) const SOURCE: &str = "BENCH";
/// The serial of the dump that a mirror begins with.
pub(crate) const FIRST_SERIAL: u64 = 1;
/// The longest question.
const LONGEST: u64 = 256;

/// A server of changes that serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Mirrored {
    desk: Arc<Desk>,
    listener: TcpListener,
}

#[derive(Debug, Default)]
struct Desk {
    books: Mutex<Books>,
    asked: Condvar,
}

#[derive(Debug, Default)]
struct Books {
    /// What led to each serial after the first: `ADD` or `DEL`, and the object.
    changes: Vec<(&'static str, String)>,
    /// Serials up to which was answered, and when.
    served: Vec<(u64, Instant)>,
}

impl Mirrored {
    /// Serves at an address.
    pub(crate) fn start(at: (Ipv4Addr, u16)) -> Result<Self, Problem> {
        let listener = TcpListener::bind(at).map_err(Problem::system("listening for NRTM"))?;
        let accepting = listener.try_clone().map_err(Problem::system("listening for NRTM"))?;
        let desk = Arc::new(Desk::default());
        let at_desk = desk.clone();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = accepting.accept() {
                // One that asks for something else goes without an answer.
                let _ = answer(&stream, &at_desk);
            }
        });
        Ok(Mirrored { desk, listener })
    }

    /// An object comes, perhaps in the place of one of its name, or goes: the serial of that, and when it was known.
    pub(crate) fn change(&self, comes: bool, object: String) -> (u64, Instant) {
        let mut books = self.desk.books();
        books.changes.push((if comes { "ADD" } else { "DEL" }, object));
        (books.serial(), Instant::now())
    }

    /// When a serial, or a later one, was first handed over.
    pub(crate) fn served_at(&self, serial: u64) -> Option<Instant> {
        self.desk.books().served_at(serial)
    }

    /// Waits until it was.
    pub(crate) fn wait_for(&self, serial: u64, patience: Duration) -> Option<Instant> {
        let waited = self
            .desk
            .asked
            .wait_timeout_while(self.desk.books(), patience, |it| it.served_at(serial).is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.served_at(serial)
    }
}

impl Drop for Mirrored {
    fn drop(&mut self) {
        // It wakes the thread that waits for connections. Where it fails, that thread goes with the process.
        let _ = SockRef::from(&self.listener).shutdown(Shutdown::Both);
    }
}

impl Desk {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn serial(&self) -> u64 {
        FIRST_SERIAL + self.changes.len() as u64
    }

    fn served_at(&self, serial: u64) -> Option<Instant> {
        self.served.iter().find(|(served, _)| *served >= serial).map(|(_, at)| *at)
    }

    /// All from a serial on but the last line, and that.
    fn answer(&self, first: u64) -> (String, String) {
        let last = self.serial();
        if first > last || first <= FIRST_SERIAL {
            let kept = format!("{FIRST_SERIAL}-{last}");
            return (String::new(), format!("%ERROR:401: invalid range: Not within {kept}\n"));
        }
        let mut text = format!("%START Version: 3 {SOURCE} {first}-{last}\n\n");
        let changes = self.changes.iter().zip(FIRST_SERIAL + 1..);
        for ((word, object), serial) in changes.skip_while(|(_, serial)| *serial < first) {
            let _ = write!(text, "{word} {serial}\n\n{object}\n");
        }
        (text, format!("%END {SOURCE}\n"))
    }
}

fn answer(stream: &TcpStream, desk: &Desk) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut question = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut question)?;
    let first =
        question.trim().strip_prefix(&format!("-g {SOURCE}:3:")).and_then(|it| it.strip_suffix("-LAST"));
    let Some(first) = first.and_then(|first| first.parse().ok()) else { return Ok(()) };
    let (serial, (text, end)) = {
        let books = desk.books();
        (books.serial(), books.answer(first))
    };
    let mut stream = stream;
    stream.write_all(text.as_bytes())?;
    let at = Instant::now();
    stream.write_all(end.as_bytes())?;
    desk.books().served.push((serial, at));
    desk.asked.notify_all();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(mirrored: &Mirrored, question: &str) -> String {
        let mut stream = TcpStream::connect(mirrored.listener.local_addr().unwrap()).unwrap();
        stream.write_all(question.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn leads_on_from_what_one_has() {
        let mirrored = Mirrored::start((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(ask(&mirrored, "-g BENCH:3:2-LAST\n").starts_with("%ERROR:401: "));
        assert!(mirrored.wait_for(FIRST_SERIAL, Duration::from_secs(5)).is_some());
        mirrored.change(false, "route: 192.0.2.0/24\n".into());
        let (serial, told) = mirrored.change(true, "route: 198.51.100.0/24\n".into());
        assert_eq!((serial, mirrored.served_at(serial)), (3, None));
        let all = "%START Version: 3 BENCH 2-3\n\nDEL 2\n\nroute: 192.0.2.0/24\n\n\
                   ADD 3\n\nroute: 198.51.100.0/24\n\n%END BENCH\n";
        assert_eq!(ask(&mirrored, "-g BENCH:3:2-LAST\n"), all);
        assert!(mirrored.wait_for(serial, Duration::from_secs(5)).unwrap() >= told);
        assert!(!ask(&mirrored, "-g BENCH:3:3-LAST\n").contains("DEL"));
        for question in ["-g OTHER:3:2-LAST\n", "-g BENCH:1:2-LAST\n", "!!\n"] {
            assert_eq!(ask(&mirrored, question), "", "{question}");
        }
    }
}
