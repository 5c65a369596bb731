//! Where the lab is played: in networks of its own where the system gives them, on the loopback otherwise.
//!
//! ```text
//!   network of the router                          network of the players
//!   lab0: 192.0.2.1, 2001:db8::1, ..     <=====>   players: 192.0.2.11, 2001:db8::b, 192.0.2.12, ..
//! ```
//!
//! In networks of its own the router is as it would be: next hops are neighbours on a link, and the kernel takes routes.
//! On the loopback everybody is at 127.0.0.x, no next hop can be anybody's own address, and there is no kernel to give
//! routes to, so that one in memory takes its place.
//!
//! A system may give a namespace and then no rights in it, and there is no way back out. So a child process tries it all
//! first: this program itself, under `--try-namespaces`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use palisade_fib::namespace::{self, Entered, Furnisher, NamespaceError};
use palisade_fib::{Fib, FibConfig, FibError, Kernel, KernelError, MemoryKernel, NetlinkKernel};

use crate::config::BGP_PORT;
use crate::terminal;

/// The router's end of the link, and the players'.
const NEAR: &str = "lab0";
const FAR: &str = "players";

/// The network of the link; players that come with no address of their own get theirs here.
const LINK: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 0), 24);
const LINK_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 64);

/// The host numbers of the router, in every network, and of the first player.
const ROUTER: u8 = 1;
pub(super) const FIRST_HOST: u8 = 11;

/// Where the lab is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// The router is in a network of its own, and the players are in another.
    Namespaces(Entered),
    /// All are on the loopback.
    Loopback {
        /// Why.
        because: String,
    },
}

/// The two ends of a player's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    /// The router's end.
    pub(super) router: SocketAddr,
    /// The player's end.
    pub(super) player: IpAddr,
}

impl Ground {
    /// Takes the best ground that the system gives. To be called while the process has one thread.
    pub(super) fn take() -> Self {
        match try_in_child().and_then(|()| namespace::enter().map_err(|error| error.to_string())) {
            Ok(entered) => Ground::Namespaces(entered),
            Err(because) => Ground::Loopback { because },
        }
    }

    /// Whether there are networks of its own.
    pub(super) fn is_apart(&self) -> bool {
        matches!(self, Ground::Namespaces(_))
    }

    /// Where the router listens.
    pub(super) fn listen(&self) -> io::Result<SocketAddr> {
        match self {
            Ground::Namespaces(_) => Ok((Ipv4Addr::UNSPECIFIED, BGP_PORT).into()),
            // Somebody else may take it before the router does, which then says so.
            Ground::Loopback { .. } => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr(),
        }
    }

    /// The seat of the player with an address of [`LINK`] or of an exchange's `lan`.
    pub(super) fn seat(&self, address: Ipv4Addr, lan: Option<Ipv4Net>, listen: SocketAddr) -> Seat {
        let (router, player) = match self {
            Ground::Namespaces(_) => (host(network_of(address, lan).network(), ROUTER), address),
            Ground::Loopback { .. } => (Ipv4Addr::LOCALHOST, host(Ipv4Addr::LOCALHOST, last_octet(address))),
        };
        Seat { router: (router, listen.port()).into(), player: player.into() }
    }
}

/// The address in [`LINK`] of a host.
pub(super) fn on_link(number: u8) -> Ipv4Addr {
    host(LINK.network(), number)
}

/// The IPv6 address of the player with an IPv4 address.
pub(super) fn v6_of(address: Ipv4Addr) -> Ipv6Addr {
    v6(last_octet(address))
}

fn v6(host: u8) -> Ipv6Addr {
    let [a, b, c, d, ..] = LINK_V6.network().segments();
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, host.into())
}

fn host(network: Ipv4Addr, host: u8) -> Ipv4Addr {
    let [a, b, c, _] = network.octets();
    Ipv4Addr::new(a, b, c, host)
}

fn last_octet(address: Ipv4Addr) -> u8 {
    let [.., last] = address.octets();
    last
}

fn network_of(address: Ipv4Addr, lan: Option<Ipv4Net>) -> Ipv4Net {
    lan.filter(|lan| lan.contains(&address)).unwrap_or(LINK)
}

/// Moves the calling thread into a network of the players' own, wired to the one it was in, with an address for each of
/// them. Both ends are up before they have addresses, or IPv6 would take a second longer.
pub(super) fn isolate(players: &[Ipv4Addr], lan: Option<Ipv4Net>) -> Result<(), NamespaceError> {
    let mut near = Furnisher::open()?;
    let namespace = namespace::isolate_thread()?;
    let mut far = Furnisher::open()?;
    near.veth(NEAR, FAR, namespace.as_fd())?;
    near.up(NEAR)?;
    far.up(FAR)?;
    near.address(NEAR, IpNet::new_assert(v6(ROUTER).into(), LINK_V6.prefix_len()))?;
    for network in [Some(LINK), lan].into_iter().flatten() {
        near.address(NEAR, around(host(network.network(), ROUTER), network))?;
    }
    for player in players {
        far.address(FAR, around(*player, network_of(*player, lan)))?;
        far.address(FAR, IpNet::new_assert(v6_of(*player).into(), LINK_V6.prefix_len()))?;
    }
    Ok(())
}

fn around(address: Ipv4Addr, network: Ipv4Net) -> IpNet {
    IpNet::new_assert(address.into(), network.prefix_len())
}

/// The kernel of the router's own network.
pub(super) fn kernel() -> Result<Fib<NetlinkKernel>, FibError> {
    Fib::open(NetlinkKernel::open()?, FibConfig::default())
}

/// A kernel in memory, with every next hop on its one link.
pub(super) fn memory() -> Result<Fib<MemoryKernel>, FibError> {
    const MEMORY_LINK: u32 = 1;
    let mut kernel = MemoryKernel::new();
    kernel.set_link(MEMORY_LINK, true, true);
    kernel.connect(IpNet::new_assert(Ipv4Addr::UNSPECIFIED.into(), 0), MEMORY_LINK);
    kernel.connect(IpNet::new_assert(Ipv6Addr::UNSPECIFIED.into(), 0), MEMORY_LINK);
    Fib::open(kernel, FibConfig::default())
}

/// How many of our routes the kernel of this network still has.
pub(super) fn left_in_kernel() -> Result<usize, KernelError> {
    let FibConfig { table, protocol, .. } = FibConfig::default();
    let mut left = 0;
    NetlinkKernel::open()?.routes(table, &mut |route| left += usize::from(route.protocol == protocol))?;
    Ok(left)
}

fn try_in_child() -> Result<(), String> {
    let tried = std::env::current_exe().and_then(|program| {
        Command::new(program).args(["lab", "--try-namespaces"]).stdin(Stdio::null()).output()
    });
    match tried {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) if output.stdout.is_empty() => Err(format!("the attempt ended with {}", output.status)),
        Ok(output) => Err(String::from_utf8_lossy(&output.stdout).trim().into()),
        Err(error) => Err(format!("the program can't start itself to try: {error}")),
    }
}

/// What the child does: all that needs the system's leave. Says on standard output what is refused.
pub(super) fn attempt() -> ExitCode {
    match attempt_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            terminal::print(&refusal);
            ExitCode::FAILURE
        }
    }
}

fn attempt_all() -> Result<(), String> {
    let told = |error: NamespaceError| error.to_string();
    namespace::enter().map_err(told)?;
    let isolated = thread::spawn(|| isolate(&[on_link(FIRST_HOST)], None)).join();
    isolated.map_err(|_| "a thread of its own failed")?.map_err(told)?;
    kernel().map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_neighbours_of_the_router_in_their_own_network_or_all_on_the_loopback() {
        let lan = Some("30.255.252.0/22".parse().unwrap());
        let (member, peer) = (Ipv4Addr::new(30, 255, 252, 16), Ipv4Addr::new(192, 0, 2, 11));
        let listen = "0.0.0.0:179".parse().unwrap();
        let seat = |ground: &Ground, address| {
            let Seat { router, player } = ground.seat(address, lan, listen);
            format!("{player} -> {router}")
        };
        assert_eq!(seat(&Ground::Namespaces(Entered::Network), member), "30.255.252.16 -> 30.255.252.1:179");
        assert_eq!(seat(&Ground::Namespaces(Entered::Network), peer), "192.0.2.11 -> 192.0.2.1:179");
        let loopback = Ground::Loopback { because: String::new() };
        assert_eq!(seat(&loopback, member), "127.0.0.16 -> 127.0.0.1:179");
        assert_eq!(seat(&loopback, peer), "127.0.0.11 -> 127.0.0.1:179");
        assert_eq!(v6_of(peer), "2001:db8::b".parse::<Ipv6Addr>().unwrap());
    }
}
