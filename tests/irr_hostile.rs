//! The fuzz targets of what registries' servers send as an ordinary test: seeds, mutated a few thousand times each, the same
//! way on every run. `fuzz/` runs the same functions for as long as one likes.

#[path = "../crates/daemon/feeds/irr/targets/mod.rs"]
mod targets;

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap_or(0)
    }
}

/// Changes a few things at random places: octets that mean something, and parts of the text itself.
fn mutated(seed: &[u8], random: &mut Random) -> Vec<u8> {
    const TELLING: &[u8] = b"ACDEF\n\r 0123456789%-:\xff\0";
    let mut octets = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(octets.len() + 1);
        match random.below(5) {
            0 if at < octets.len() => octets[at] = TELLING[random.below(TELLING.len())],
            1 => octets.insert(at, TELLING[random.below(TELLING.len())]),
            2 if at < octets.len() => drop(octets.remove(at)),
            3 => octets.truncate(at),
            _ => {
                let from = random.below(octets.len() + 1);
                let part = octets[from..octets.len().min(from + random.below(40))].to_vec();
                octets.splice(at..at, part);
            }
        }
    }
    octets
}

fn run(target: fn(&[u8]), seeds: &[&[u8]]) {
    let mut random = Random(0x5eed_5eed);
    for seed in seeds {
        target(seed);
        (0..20_000).for_each(|_| target(&mutated(seed, &mut random)));
    }
}

#[test]
fn whois_holds() {
    run(
        targets::whois,
        &[
            b"C\nA6\nAS1 2\nC\nF why not\nA4\nC\nD\nC\nE\nD\n",
            b"A29\n192.0.2.0/24 198.51.100.0/24\nC\nC\nF Missing required set name for A query\nA1000\n",
        ],
    );
}

#[test]
fn nrtm_holds() {
    run(
        targets::nrtm,
        &[
            b"\x05% remark\n\n%START Version: 3 TEST 5-9\n\nADD 5\n\nroute: 192.0.2.0/24\norigin: AS1\n\nDEL 7\n\nas-set: AS-A\n\
              members: AS1\n\n%END TEST\n",
            b"\x05%ERROR:401: invalid range: Not within 1-4\n",
            b"\x05% Warning: there are no newer updates available\n",
        ],
    );
}
