//! A route with 400 large communities, which no message of 4,096 octets holds, comes from FRRouting through us, and one comes to
//! it, with every one of them.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    // A line has room for half of them.
    claims::extended_messages(lab, "frr.conf", |number| match number {
        300 => "1:0:300
 on-match next
route-map EVERY-COMMUNITY permit 20
 set large-community"
            .into(),
        _ => format!("1:0:{number}"),
    });
}
