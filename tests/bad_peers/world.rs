//! A router with 200 peers on this host's loopback, and the two threads that play them: one the good peers, which measure, and one
//! the bad ones, so that these take nothing from those but the processor.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::bad::{self, Attempts, Way};
use crate::good::{self, Beacons, Seen};

/// Peers that do as they should, and those that do not.
pub(crate) const GOOD_PEERS: usize = 180;
pub(crate) const BAD_PEERS: usize = 20;
/// Of the good ones, those at the end have no role: they are told nothing (RFC 8212), so that all they hear is KEEPALIVEs.
pub(crate) const TALKING_PEERS: usize = 160;
/// What sessions are held by: short, so that a KEEPALIVE that comes late ends one.
pub(crate) const HOLD_TIME_S: u16 = 9;
/// Prefixes of one good peer.
pub(crate) const OWN_PREFIXES: u8 = 20;
/// The first octets of prefixes: of good peers, of beacons, of bad peers.
pub(crate) const GOOD: u8 = 45;
pub(crate) const BEACON: u8 = 46;
pub(crate) const BAD: u8 = 47;
/// What a bad peer may announce.
pub(crate) const MAX_PREFIXES: u32 = 1_000;

/// How long all good peers may take to come up and to hear of each other, on a host that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a peer is, and who.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker {
    pub(crate) number: usize,
    pub(crate) asn: u32,
    pub(crate) address: Ipv4Addr,
}

impl Speaker {
    fn good(number: usize) -> Self {
        Speaker { number, asn: 197_000 + number as u32, address: Ipv4Addr::new(127, 0, 1, number as u8 + 1) }
    }

    fn bad(number: usize) -> Self {
        Speaker { number, asn: 198_000 + number as u32, address: Ipv4Addr::new(127, 0, 2, number as u8 + 1) }
    }

    /// Somebody whom the router does not know.
    fn stranger() -> Self {
        Speaker { number: 99, asn: 199_000, address: Ipv4Addr::new(127, 0, 3, 1) }
    }
}

/// How the bad peer of a number misbehaves: there are as many of each.
pub(crate) fn way(number: usize) -> Way {
    Way::ALL[number % Way::ALL.len()]
}

pub(crate) const ROUTER_ASN: u32 = 196_608;

/// What the router is configured with.
pub(crate) fn configuration() -> String {
    let mut text = format!(
        "[router]\nasn = {ROUTER_ASN}\nid = \"192.0.2.250\"\nlisten = [\"127.0.0.1:PORT\"]\nhold_time = {HOLD_TIME_S}\n\
         [control]\nsocket = \"control.sock\"\n\
         [checks]\nnext-hop-martian = \"off\"\nirr-origin-not-in-as-set = \"off\"\nirr-prefix-not-registered = \"off\"\n"
    );
    let mut peer = |name: &str, Speaker { asn, address, .. }: Speaker, more: &str| {
        let role = if name.starts_with("quiet") { "" } else { "role = \"customer\"\n" };
        let _ = writeln!(
            text,
            "[[peer]]\nname = \"{name}\"\naddress = \"{address}\"\nasn = {asn}\npassive = true\n{role}{more}"
        );
    };
    for number in 0..GOOD_PEERS {
        let kind = if number < TALKING_PEERS { "good" } else { "quiet" };
        peer(&format!("{kind}-{number}"), Speaker::good(number), "");
    }
    for number in 0..BAD_PEERS {
        // One that floods with prefixes loses its session, the other goes on without them.
        let action = if number < Way::ALL.len() { "restart" } else { "drop-new" };
        let more = format!("max_prefixes = {MAX_PREFIXES}\nmax_prefixes_action = \"{action}\"\n");
        peer(&format!("bad-{number}"), Speaker::bad(number), &more);
    }
    text
}

/// The players.
pub(crate) struct Players {
    pub(crate) seen: Vec<Arc<Mutex<Seen>>>,
    /// Of the bad peers, by number.
    pub(crate) attempts: Vec<Arc<Attempts>>,
    port: u16,
    /// They end when this goes.
    ends: Vec<mpsc::Sender<()>>,
}

impl Players {
    /// Has the good peers join, and waits until each has heard of all others.
    pub(crate) fn join(port: u16) -> Self {
        let seen: Vec<_> = (0..GOOD_PEERS).map(|_| Arc::new(Mutex::new(Seen::new()))).collect();
        let beacons = Arc::<Beacons>::default();
        let noted = seen.clone();
        let end = play(move |runtime| {
            for (number, seen) in noted.iter().enumerate() {
                let (seen, beacons) = (Arc::clone(seen), Arc::clone(&beacons));
                runtime.spawn(good::play(Speaker::good(number), port, seen, beacons));
            }
        });
        let players = Players { seen, attempts: Vec::new(), port, ends: vec![end] };
        let until = Instant::now() + PATIENCE;
        let all = (TALKING_PEERS - 1) * usize::from(OWN_PREFIXES);
        while !players.talking().all(|seen| seen.good_routes.len() == all)
            || !players.quiet().all(|seen| seen.is_up)
        {
            assert!(Instant::now() < until, "{:?}", players.ended());
            thread::sleep(Duration::from_millis(100));
        }
        players
    }

    /// Has the bad peers begin, and good ones measure from now on.
    pub(crate) fn let_loose(&mut self) {
        self.seen.iter().for_each(|seen| lock(seen).measure_from_now());
        self.attempts = (0..=BAD_PEERS).map(|_| Arc::default()).collect();
        let (attempts, port) = (self.attempts.clone(), self.port);
        self.ends.push(play(move |runtime| {
            for (number, attempts) in attempts.into_iter().enumerate() {
                let (way, speaker) = match number {
                    BAD_PEERS => (Way::ConnectsAndIsSilent, Speaker::stranger()),
                    _ => (way(number), Speaker::bad(number)),
                };
                runtime.spawn(bad::play(way, speaker, port, attempts));
            }
        }));
    }

    /// How often a peer was tried, and taken for a session.
    pub(crate) fn attempts(&self, number: usize) -> (usize, usize) {
        let Attempts { made, taken } = &*self.attempts[number];
        (made.load(Ordering::Relaxed), taken.load(Ordering::Relaxed))
    }

    fn talking(&self) -> impl Iterator<Item = MutexGuard<'_, Seen>> {
        self.seen.iter().take(TALKING_PEERS).map(|seen| lock(seen))
    }

    fn quiet(&self) -> impl Iterator<Item = MutexGuard<'_, Seen>> {
        self.seen.iter().skip(TALKING_PEERS).map(|seen| lock(seen))
    }

    /// The good peers whose sessions have ended, with why.
    pub(crate) fn ended(&self) -> Vec<String> {
        self.seen.iter().filter_map(|seen| lock(seen).ended.clone()).collect()
    }

    /// The longest that a good peer had to wait for a message: of those that hear KEEPALIVEs alone, and of the others.
    pub(crate) fn longest_gaps(&self) -> [Duration; 2] {
        let longest =
            |seen: &mut dyn Iterator<Item = MutexGuard<'_, Seen>>| seen.map(|seen| seen.gap()).max();
        [longest(&mut self.quiet()), longest(&mut self.talking())].map(Option::unwrap_or_default)
    }

    /// How long beacons took to each of the others, the quickest first.
    pub(crate) fn beacons(&self) -> Vec<Duration> {
        let mut took: Vec<Duration> = self.seen.iter().flat_map(|seen| lock(seen).beacons.clone()).collect();
        took.sort_unstable();
        took
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().expect("nobody fails with it")
}

/// Runs tasks on a thread of their own until the sender goes.
fn play(begin: impl FnOnce(&Runtime) + Send + 'static) -> mpsc::Sender<()> {
    let (end, ends) = mpsc::channel::<()>();
    thread::spawn(move || {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        begin(&runtime);
        // An error says that nobody can end it any more, which is the end.
        let _ = ends.recv();
        runtime.shutdown_background();
    });
    end
}

/// Connects from an address of loopback.
pub(crate) async fn connect(from: Ipv4Addr, port: u16) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let stream = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    // Ports that were used are free at once: there are many connections.
    stream.set_zero_linger()?;
    Ok(stream)
}

/// Octets that a process has in memory, now and at most so far.
pub(crate) fn resident(process: u32) -> [u64; 2] {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let kilobytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    ["VmRSS:", "VmHWM:"].map(|key| kilobytes(key).unwrap_or_default() * 1024)
}
