//! RFC 5082: who is farther away than a peer may be has no session, whoever it says it is.

use crate::world::{Case, End, Family, World, networks};

const SECURED: &str = "ttl_security = true";
const SECURED_FAR: &str = "multihop = 2\nttl_security = true";

const fn near(
    name: &'static str,
    ours: &'static str,
    theirs: &'static str,
    connects: End,
    comes_up: bool,
) -> Case {
    Case { name, place: "near", ours, theirs, connects, comes_up }
}

const fn far(
    name: &'static str,
    ours: &'static str,
    theirs: &'static str,
    connects: End,
    comes_up: bool,
) -> Case {
    Case { name, place: "far", ours, theirs, connects, comes_up }
}

const CASES: [Case; 11] = [
    // On a link of ours both send with a TTL of 255, and look that it is.
    near("secured-out", SECURED, "ttl security on;", End::Ours, true),
    near("secured-in", SECURED, "ttl security on;", End::Theirs, true),
    // A neighbour that sends with less than 255 is not known to be near.
    near("unsecured-out", SECURED, "ttl security off;", End::Ours, false),
    near("unsecured-in", SECURED, "ttl security off;", End::Theirs, false),
    // A TTL of 1 is enough for a link.
    near("plain", "", "ttl security off;", End::Theirs, true),
    // What comes over a hop has a TTL of 254.
    far("said-to-be-near", SECURED, "multihop 2;\nttl security on;", End::Theirs, false),
    far("secured-far-out", SECURED_FAR, "multihop 2;\nttl security on;", End::Ours, true),
    far("secured-far-in", SECURED_FAR, "multihop 2;\nttl security on;", End::Theirs, true),
    far("multihop-out", "multihop = 2", "multihop 2;", End::Ours, true),
    far("multihop-in", "multihop = 2", "multihop 2;", End::Theirs, true),
    // Without `multihop` nothing of ours gets there.
    far("not-multihop", "", "multihop 2;", End::Theirs, false),
];

/// The table, in both families.
pub(crate) fn ttl_security() {
    networks();
    World::of(&CASES, Family::BOTH).hold();
}
