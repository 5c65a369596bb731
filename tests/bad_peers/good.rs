//! A peer that does all as it should, and notes how the router treats it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{MissedTickBehavior, interval};

use crate::said::{self, IPV4_UNICAST};
use crate::wire::{self, KEEPALIVE, NOTIFICATION, UPDATE};
use crate::world::{BEACON, GOOD, HOLD_TIME_S, OWN_PREFIXES, Speaker, connect};

/// What one has seen since its session came up.
#[derive(Debug)]
pub(crate) struct Seen {
    /// When it last heard anything whole, and the longest it ever waited for that.
    last: Instant,
    pub(crate) longest_gap: Duration,
    /// Routes of other good peers.
    pub(crate) good_routes: BTreeSet<[u8; 3]>,
    /// How long each beacon took.
    pub(crate) beacons: Vec<Duration>,
    /// Why its session ended, which it should not have.
    pub(crate) ended: Option<String>,
    pub(crate) is_up: bool,
}

/// What good peers share: when each beacon was sent.
#[derive(Debug, Default)]
pub(crate) struct Beacons(Mutex<Vec<Instant>>);

impl Beacons {
    /// Notes that the next one is sent now, and says which it is.
    fn next(&self) -> [u8; 3] {
        let mut sent = self.0.lock().expect("nobody fails with it");
        sent.push(Instant::now());
        let number = (sent.len() - 1) as u16;
        [BEACON, number.to_be_bytes()[0], number.to_be_bytes()[1]]
    }

    fn took(&self, prefix: [u8; 3]) -> Option<Duration> {
        let number = u16::from_be_bytes([prefix[1], prefix[2]]);
        self.0.lock().expect("nobody fails with it").get(usize::from(number)).map(Instant::elapsed)
    }
}

/// The prefixes that a good peer announces.
pub(crate) fn own_prefixes(number: usize) -> Vec<[u8; 3]> {
    (0..OWN_PREFIXES).map(|at| [GOOD, number as u8, at]).collect()
}

/// Plays one until the runtime ends. The first one sends a beacon every second, too.
pub(crate) async fn play(speaker: Speaker, port: u16, seen: Arc<Mutex<Seen>>, beacons: Arc<Beacons>) {
    let ended = run(&speaker, port, &seen, &beacons).await;
    seen.lock().expect("nobody fails with it").ended = Some(format!("{}: {ended}", speaker.address));
}

async fn run(speaker: &Speaker, port: u16, seen: &Mutex<Seen>, beacons: &Beacons) -> String {
    let Speaker { number, asn, address } = *speaker;
    let mut stream = match connect(address, port).await {
        Ok(stream) => stream,
        Err(fault) => return fault.to_string(),
    };
    let hello = [wire::open(asn, HOLD_TIME_S, address, &IPV4_UNICAST), said::keepalive()].concat();
    let told = said::announce(asn, address, 1, &own_prefixes(number));
    if let Err(fault) = stream.write_all(&[hello, told].concat()).await {
        return fault.to_string();
    }
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut input, mut tick) = (Vec::new(), 0_u32);
    loop {
        tokio::select! {
            read = stream.read_buf(&mut input) => {
                match read {
                    Ok(0) => return "the router closed it".into(),
                    Err(fault) => return fault.to_string(),
                    Ok(_) => {}
                }
                while let Some((kind, body)) = said::take(&mut input) {
                    if kind == NOTIFICATION {
                        return format!("NOTIFICATION {body:?}");
                    }
                    note(&mut seen.lock().expect("nobody fails with it"), kind, &body, beacons);
                }
            }
            _ = seconds.tick() => {
                tick += 1;
                let said = speak(speaker, tick, beacons);
                if let Err(fault) = stream.write_all(&said).await {
                    return fault.to_string();
                }
            }
        }
    }
}

/// KEEPALIVEs three times a hold time.
fn speak(speaker: &Speaker, second: u32, beacons: &Beacons) -> Vec<u8> {
    let keeps_alive = second.is_multiple_of(u32::from(HOLD_TIME_S) / 3);
    let mut said = if keeps_alive { said::keepalive() } else { Vec::new() };
    if speaker.number == 0 {
        said.extend(said::announce(speaker.asn, speaker.address, 1, &[beacons.next()]));
    }
    said
}

fn note(seen: &mut Seen, kind: u8, body: &[u8], beacons: &Beacons) {
    let now = Instant::now();
    if seen.is_up {
        seen.longest_gap = seen.longest_gap.max(now - seen.last);
    }
    seen.is_up |= kind == KEEPALIVE;
    seen.last = now;
    if kind != UPDATE {
        return;
    }
    for prefix in said::announced(body) {
        match prefix[0] {
            GOOD => drop(seen.good_routes.insert(prefix)),
            BEACON => seen.beacons.extend(beacons.took(prefix)),
            _ => {}
        }
    }
}

impl Seen {
    pub(crate) fn new() -> Self {
        Seen {
            last: Instant::now(),
            longest_gap: Duration::ZERO,
            good_routes: BTreeSet::new(),
            beacons: Vec::new(),
            ended: None,
            is_up: false,
        }
    }

    /// Begins to measure: what was before is forgotten.
    pub(crate) fn measure_from_now(&mut self) {
        (self.longest_gap, self.last) = (Duration::ZERO, Instant::now());
        self.beacons.clear();
    }

    /// The longest gap, with the one that goes on.
    pub(crate) fn gap(&self) -> Duration {
        self.longest_gap.max(self.last.elapsed())
    }
}
