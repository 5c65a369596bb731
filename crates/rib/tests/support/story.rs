//! Stories that chance tells: many short ones, each of which a seed tells again.

use std::ops::RangeInclusive;

/// Tells a story a seed: eight rounds of steps, a busy one after quieter ones, and after each a look whether all is as it should be.
pub(crate) fn tell<S>(
    seeds: RangeInclusive<u64>,
    begin: impl Fn(u64) -> S,
    step: impl Fn(&mut S),
    compare: impl Fn(&mut S, u64),
) {
    for seed in seeds {
        let mut story = begin(seed * 0x9e37_79b9);
        for round in 0..8 {
            (0..60 * (1 + round % 3)).for_each(|_| step(&mut story));
            compare(&mut story, seed);
        }
    }
}
