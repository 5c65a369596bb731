//! The `palisade` program.

mod input;

fn main() {}
