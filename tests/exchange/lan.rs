//! The exchange's LAN: a bridge in the route server's namespace, with a namespace for each member.

use crate::member::{Member, on_lan_v4, on_lan_v6};
use crate::support::namespace::run;
use crate::world::{RS_HOST, World};

/// What may not work everywhere.
pub(crate) const TRIED: &str =
    "ip link add lan type bridge && echo 4096 16384 65536 >/proc/sys/net/ipv4/tcp_wmem && ss -Htn";

/// Makes it. Little fits on the way to a member, so that it is soon felt when one does not read.
pub(crate) fn make(members: &[Member]) {
    run("ip link add lan type bridge forward_delay 0 && ip link set lan addrgenmode none up");
    run(&format!(
        "ip addr add {}/24 dev lan && ip addr add {}/64 dev lan nodad",
        on_lan_v4(RS_HOST),
        on_lan_v6(RS_HOST)
    ));
    run("echo 4096 16384 65536 >/proc/sys/net/ipv4/tcp_wmem");
    for member in members {
        let name = member.name;
        run(&format!("ip netns add {name} && ip link add {name} type veth peer name uplink netns {name}"));
        run(&format!("ip link set {name} addrgenmode none master lan up && ip -n {name} link set lo up"));
        run(&format!("ip -n {name} link set uplink addrgenmode none up"));
        run(&format!("ip -n {name} addr add {}/24 dev uplink", member.v4()));
        for address in [member.v6(), member.link_local()] {
            run(&format!("ip -n {name} addr add {address}/64 dev uplink nodad"));
        }
        run(&format!("ip netns exec {name} sh -c 'echo 4096 16384 65536 >/proc/sys/net/ipv4/tcp_rmem'"));
    }
}

/// Octets that the kernel keeps because a member does not read them.
pub(crate) fn unread(world: &World, name: &str) -> u64 {
    let member = world.members.iter().find(|member| member.name == name).expect("a member");
    let sockets = run(&format!("ss -Htn dst '[{}]'", member.address()));
    let waiting = sockets.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok());
    waiting.sum()
}
