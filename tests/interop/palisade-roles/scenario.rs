//! Roles that go with each other make sessions, strict at both ends: each end is the provider in one and the customer in the
//! other. Routes bear ONLY_TO_CUSTOMER of whoever is the provider. Roles that do not go with each other are refused (2/11).

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::roles(lab, "show routes --json", "\"only_to_customer\":196608");
}
