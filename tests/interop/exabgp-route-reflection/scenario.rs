//! Between ExaBGP and another client of ours routes are reflected both ways: each hears who has brought the route and through
//! which cluster it came, and nothing else of it has changed.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    let words = [
        "\"originator-id\": \"198.51.100.9\"",
        "\"cluster-list\": [ \"192.0.2.77\" ]",
        "\"local-preference\": 150",
    ];
    claims::reflection_shown(lab, "", &words, |_| {});
}
