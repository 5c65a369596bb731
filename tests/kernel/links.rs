//! The router's links: each leads to a namespace of its own.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::support::namespace::{self, run};

/// Prepares the router's namespace, which the test is in.
pub(crate) fn prepare() {
    namespace::prepare();
    // The kernel's own limits on IPv6 routes are for small machines.
    run("test ! -w /proc/sys/net/ipv6/route/max_size || echo 2147483647 >/proc/sys/net/ipv6/route/max_size");
}

/// Makes a namespace at the other end of a link of that name.
pub(crate) fn join(name: &str) {
    run(&format!("ip netns add {name} && ip link add {name} type veth peer name uplink netns {name}"));
    run(&format!("ip link set {name} up && ip -n {name} link set lo up && ip -n {name} link set uplink up"));
}

/// Gives a link addresses at both ends.
pub(crate) fn address(link: &str, ours: (Ipv4Addr, Ipv6Addr), theirs: (Ipv4Addr, Ipv6Addr)) {
    for (place, device, (v4, v6)) in [(String::new(), link, ours), (format!("-n {link}"), "uplink", theirs)] {
        run(&format!("ip {place} addr replace {v4}/28 dev {device}"));
        run(&format!("ip {place} addr replace {v6}/64 dev {device} nodad"));
    }
}
