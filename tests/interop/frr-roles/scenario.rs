//! Roles that go with each other make sessions, strict at both ends: FRRouting is our provider in one and our customer in the
//! other. Routes bear ONLY_TO_CUSTOMER of whoever is the provider. Roles that do not go with each other are refused (2/11).

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::roles(lab, "show bgp ipv6 unicast 2a00:1::/32", "otc 196608");
}
