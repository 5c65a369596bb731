//! One bad peer hurts only itself: a router with 200 peers on loopback, of which 20 misbehave, each in one of ten ways and as fast
//! as it can, and somebody whom the router does not know at all beside them.
//!
//! ```text
//!   160 good peers (127.0.1.x): 20 prefixes each, one says a new one every second     a thread that measures
//!    20 quiet ones (127.0.1.x): told nothing, so that they hear KEEPALIVEs alone       the same
//!    20 bad peers  (127.0.2.x): flap, flood, trickle, never read, garbage, ..          another one
//!     1 stranger   (127.0.3.1): opens connections without end
//! ```
//!
//! Measured is what the good ones feel: whether a session of theirs ends, how long they wait for a KEEPALIVE or an UPDATE
//! at most, how long a new route takes from one to all others; and what the router needs for that: its memory, and how
//! often it lets in those that fail again and again.
//!
//! The long one plays five minutes:
//!
//!     cargo test --release --test bad_peers -- --ignored --show-output

#![expect(clippy::expect_used, reason = "where a test's own plumbing breaks, it fails")]

mod bad;
mod good;
mod said;
mod world;

#[path = "../support/wire.rs"]
mod wire;

#[path = "../support/asked.rs"]
mod asked;

use std::thread;
use std::time::Duration;

use asked::Router;
use bad::Way;
use world::{BAD_PEERS, HOLD_TIME_S, Players, resident, way};

/// The longest that a good peer may wait for a message beyond a third of the hold time: what a loaded host takes from anybody.
const LATE: Duration = Duration::from_millis(2500);
/// The longest that a new route may take to all others, in a build that is not optimized and in one that is.
const BEACON_LATE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 3 });
/// The most memory that the router may need beyond what it needs for good peers alone. For each bad one there is an input of a
/// message and a read, an output of a megabyte, batches of two reads at each shard, and its paths within its limit.
const MEMORY: u64 = 128 << 20;
/// The most that it may log, of whatever they do.
const LOG: u64 = 256 << 10;

/// How often one that fails again and again may be let in, in a time: at once, and after 1, 2, 4, .. seconds, each by up to a quarter
/// less. Some losses are forgiven.
fn most_attempts(time: Duration) -> usize {
    let mut attempts = 1 + bad::FORGIVEN;
    let mut at = Duration::ZERO;
    let mut rest = Duration::from_secs(1);
    while at < time {
        attempts += 1;
        at += rest.mul_f64(0.75);
        rest = (rest * 2).min(Duration::from_secs(120));
    }
    attempts
}

/// For longer than a hold time, and than it takes until one that fails again and again rests for some seconds.
#[test]
fn good_peers_feel_nothing_of_twenty_that_misbehave() {
    palisade(Duration::from_secs(15));
}

#[test]
#[ignore = "five minutes"]
fn good_peers_feel_nothing_of_twenty_that_misbehave_for_long() {
    palisade(Duration::from_secs(300));
}

/// Plays with the router, and holds it to what it promises.
fn palisade(time: Duration) {
    let router = Router::start(&world::configuration(), &[]);
    let (figures, players) = Figures::measure(router.port, router.child.id(), time);
    figures.print(&players);
    figures.are_bounded();
    for number in (0..BAD_PEERS).filter(|number| way(*number).is_to_be_damped()) {
        let (_, taken) = players.attempts(number);
        assert!(taken <= most_attempts(time), "{:?} was let in {taken} times", way(number));
        let shown = router.json(&["peers", &format!("bad-{number}")]);
        assert!(shown["failures"].as_u64().is_some_and(|failures| failures >= 3), "{shown:#}");
        assert!(router.text(&["peers", &format!("bad-{number}")]).contains("failures in a row"));
    }
    let log = std::fs::metadata(router.folder.path().join("log")).expect("it logs").len();
    assert!(log < LOG, "it logged {log} octets");
    [("Established", 1), ("Idle", 0)].into_iter().for_each(|(state, round)| {
        let number = round * Way::ALL.len() + place(Way::TooManyPrefixes);
        let shown = router.json(&["peers", &format!("bad-{number}")]);
        assert_eq!(shown["state"], state, "{shown:#}");
        assert_eq!(shown["limits_reached"].as_u64(), Some(1), "{shown:#}");
        assert!(shown["dropped"].as_i64().is_some_and(|dropped| dropped > 0), "{shown:#}");
    });
}

fn place(way: Way) -> usize {
    Way::ALL.iter().position(|other| *other == way).unwrap_or_default()
}

/// What is measured of a router.
struct Figures {
    /// The good peers whose sessions ended.
    ended: Vec<String>,
    /// The longest wait of a quiet peer, and of another good one.
    gaps: [Duration; 2],
    /// How long new routes took to others.
    beacons: Vec<Duration>,
    /// Octets in memory before the bad ones began, and at most.
    memory: [u64; 2],
}

impl Figures {
    fn measure(port: u16, process: u32, time: Duration) -> (Self, Players) {
        let mut players = Players::join(port);
        let [before, _] = resident(process);
        players.let_loose();
        thread::sleep(time);
        let memory = [before, resident(process)[1]];
        let (ended, gaps, beacons) = (players.ended(), players.longest_gaps(), players.beacons());
        (Figures { ended, gaps, beacons, memory }, players)
    }

    fn print(&self, players: &Players) {
        let ([quiet, talking], [before, most]) = (self.gaps, self.memory);
        println!("sessions of good peers that ended: {}", self.ended.len());
        println!(
            "longest wait for a KEEPALIVE {quiet:.2?}, due within {} s; for any message {talking:.2?}",
            HOLD_TIME_S / 3
        );
        let within = |share: usize| {
            let last = self.beacons.len().saturating_sub(1);
            self.beacons.get((self.beacons.len() * share / 1000).min(last)).copied().unwrap_or(Duration::MAX)
        };
        let ([half, most_of, all], count) = ([500, 990, 1000].map(within), self.beacons.len());
        println!(
            "a new route, {count} times at a peer: half within {half:.2?}, 99 % within {most_of:.2?}, all within {all:.2?}"
        );
        println!("memory: {} MiB before, {} MiB at most", before >> 20, most >> 20);
        for number in 0..=BAD_PEERS {
            let (made, taken) = players.attempts(number);
            let who = if number == BAD_PEERS { "a stranger".into() } else { format!("{:?}", way(number)) };
            println!("{who:<22}{made:>8} attempts, {taken:>6} let in");
        }
    }

    fn are_bounded(&self) {
        assert_eq!(self.ended, Vec::<String>::new());
        let in_time = Duration::from_secs(u64::from(HOLD_TIME_S) / 3) + LATE;
        assert!(self.gaps.iter().all(|gap| *gap < in_time), "good peers waited {:?}", self.gaps);
        let slowest = self.beacons.last();
        assert!(slowest.is_some_and(|slowest| *slowest < BEACON_LATE), "a route took {slowest:?}");
        let more = self.memory[1] - self.memory[0];
        assert!(more < MEMORY, "it needed {} MiB more", more >> 20);
    }
}
