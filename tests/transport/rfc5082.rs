//! RFC 5082: who is farther away than a peer may be has no session, whoever it says it is.

use crate::world::{Case, End, World, networks};

const SECURED: &str = "ttl_security = true";

const fn case(
    name: &'static str,
    ours: &'static str,
    theirs: &'static str,
    connects: End,
    comes_up: bool,
) -> Case {
    Case { name, ours, theirs, connects, comes_up }
}

/// What is on a link of ours.
const NEAR: [Case; 5] = [
    // Both send with a TTL of 255, and look that it is.
    case("secured-out", SECURED, "ttl security on;", End::Ours, true),
    case("secured-in", SECURED, "ttl security on;", End::Theirs, true),
    // A neighbour that sends with less than 255 is not known to be near.
    case("unsecured-out", SECURED, "ttl security off;", End::Ours, false),
    case("unsecured-in", SECURED, "ttl security off;", End::Theirs, false),
    // A TTL of 1 is enough for a link.
    case("plain", "", "ttl security off;", End::Theirs, true),
];

/// What is two hops away.
const FAR: [Case; 6] = [
    // What comes over a hop has a TTL of 254.
    case("said-to-be-near", SECURED, "multihop 2;\nttl security on;", End::Theirs, false),
    case(
        "secured-out",
        "multihop = 2\nttl_security = true",
        "multihop 2;\nttl security on;",
        End::Ours,
        true,
    ),
    case(
        "secured-in",
        "multihop = 2\nttl_security = true",
        "multihop 2;\nttl security on;",
        End::Theirs,
        true,
    ),
    case("multihop-out", "multihop = 2", "multihop 2;", End::Ours, true),
    case("multihop-in", "multihop = 2", "multihop 2;", End::Theirs, true),
    // Without `multihop` nothing of ours gets there.
    case("not-multihop", "", "multihop 2;", End::Theirs, false),
];

/// The tables, in both families.
pub(crate) fn ttl_security() {
    networks();
    for ipv6 in [false, true] {
        for (cases, place) in [(&NEAR[..], "near"), (&FAR, "far")] {
            let world = World::of(cases, place, ipv6);
            world.hold(cases);
        }
    }
}
