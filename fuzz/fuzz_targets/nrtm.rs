#![no_main]
//! `cargo +nightly fuzz run nrtm`. What must hold is in crates/daemon/feeds/irr/targets, where an ordinary test runs it
//! too.

#[allow(dead_code, reason = "each target runs one of them")]
#[path = "../../crates/daemon/feeds/irr/targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| targets::nrtm(octets));
