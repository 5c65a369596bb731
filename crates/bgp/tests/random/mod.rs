//! Chance that comes out the same on every run: numbers from a seed, and octets changed by them.

/// A xorshift generator.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn octet(&mut self) -> u8 {
        // Lengths and codes are small, and edges are where faults live.
        match self.below(4) {
            0 => [0, 1, 2, 3, 4, 14, 15, 32, 33, 128, 129, 255][self.below(12)],
            1 => self.below(40) as u8,
            _ => self.next() as u8,
        }
    }
}

/// Changes a few things at random places.
pub(crate) fn mutate(seed: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut octets = seed.to_vec();
    for _ in 0..1 + rng.below(4) {
        let at = rng.below(octets.len() + 1);
        match rng.below(6) {
            0 if at < octets.len() => octets[at] = rng.octet(),
            1 if at < octets.len() => octets[at] ^= 1 << rng.below(8),
            2 => octets.insert(at, rng.octet()),
            3 if at < octets.len() => drop(octets.remove(at)),
            4 => octets.truncate(at),
            _ => {
                let from = rng.below(octets.len() + 1);
                let part = octets[from..octets.len().min(from + rng.below(30))].to_vec();
                octets.splice(at..at, part);
            }
        }
    }
    octets
}
