//! Over a session of IPv6, on a link without IPv4, IPv4 routes pass both ways behind IPv6 next hops, and are in either kernel.

use crate::claims;
use crate::lab::{Lab, wait_until};
use crate::support::namespace::run;

pub(crate) fn tell(lab: &mut Lab) {
    run("ip -4 addr flush dev wire && ip -n peer -4 addr flush dev uplink");
    claims::extended_next_hop(lab, |_| {});
    for (place, gateway) in [("", "2001:db8::2 dev wire"), ("-n peer", "2001:db8::1 dev uplink")] {
        wait_until("the kernels have the routes", || {
            run(&format!("ip {place} route show proto 213")).contains(&format!("via inet6 {gateway}"))
        });
    }
}
