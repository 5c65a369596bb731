#![no_main]
//! `cargo +nightly fuzz run open`. What must hold is in crates/bgp/tests/targets, where an ordinary test runs it too.

#[allow(dead_code, reason = "each target runs one of them")]
#[path = "../../crates/bgp/tests/targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| targets::open(octets));
