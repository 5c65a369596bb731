//! Between BIRD and another client of ours routes are reflected both ways: each hears who has brought the route and through
//! which cluster it came, and nothing else of it has changed.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    let words = ["BGP.originator_id: 198.51.100.9", "BGP.cluster_list: 192.0.2.77", "BGP.local_pref: 150"];
    claims::reflection_shown(lab, "show route all 193.0.9.0/24", &words, |_| {});
}
