//! A route with 400 large communities, which no message of 4,096 octets holds, comes from ExaBGP through us, and one comes to
//! it, with every one of them.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::extended_messages(lab, "exabgp.conf", |number| format!("1:0:{number}"));
}
