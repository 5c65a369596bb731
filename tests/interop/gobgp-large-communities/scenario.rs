//! Large communities whose parts are as large as parts can be come from GoBGP through us octet by octet, and reach it
//! likewise.

use crate::claims;
use crate::gobgp::originate;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::large_communities(lab, |lab| {
        let communities = "196702:0:1,196702:4294967295:2,4294967294:4200000000:0";
        originate(lab.peer(), "193.0.2.0/24", &format!("large-community {communities}"));
    });
}
