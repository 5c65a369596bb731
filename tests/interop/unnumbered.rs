//! What is claimed of a link without any global address: a session between link-local ones carries both families, and packets
//! go where the routes lead (RFC 4007, RFC 2545 s3, RFC 8950).

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::claims::{OURS, THEIRS, accepted};
use crate::lab::{Lab, wait_for, wait_until};
use crate::route::Route;
use crate::support::namespace::run;

/// The link has link-local addresses alone. Each end has an address of its own network in it, which nobody else knows the way to.
const NETWORKS: &str = "
    ip addr flush dev wire && ip addr add fe80::1/64 dev wire nodad &&
    ip -n peer addr flush dev uplink && ip -n peer addr add fe80::2/64 dev uplink nodad &&
    ip addr add 193.0.1.1/32 dev lo && ip addr add 2a00:1::1/128 dev lo &&
    ip -n peer addr add 193.0.2.1/32 dev lo && ip -n peer addr add 2a00:2::1/128 dev lo";

/// A port that nobody listens at.
const CLOSED: u16 = 9;

/// Both families' routes pass both ways, and are in our kernel; the daemon calls us `neighbor`. Where it has a kernel, too
/// (`forwards`), packets pass.
pub(crate) fn session(lab: &mut Lab, neighbor: &str, forwards: bool, originate: impl Fn(&mut Lab)) {
    run(NETWORKS);
    lab.start();
    originate(lab);
    lab.wait_for_sessions(&[("link", neighbor)]);
    let theirs = ["193.0.2.0/24", "2a00:2::/32"].map(|prefix| Route::plain(prefix, &[THEIRS], "fe80::2"));
    wait_for(&theirs.to_vec(), || accepted(lab, "link"));
    wait_for(&vec![Route::plain("193.0.1.0/24", &[OURS], "fe80::1")], || lab.peer().held(4));
    wait_for(&vec![Route::plain("2a00:1::/32", &[OURS], "fe80::1")], || lab.peer().held(6));

    let is_there = |show: &str, prefix: &str, way: &str| {
        run(show).lines().any(|line| line.starts_with(prefix) && line.contains(way))
    };
    wait_until("our kernel has the IPv4 route", || {
        is_there("ip route show proto 213", "193.0.2.0/24", "via inet6 fe80::2 dev wire")
    });
    wait_until("our kernel has the IPv6 route", || {
        is_there("ip -6 route show proto 213", "2a00:2::/32", "via fe80::2 dev wire")
    });
    if forwards {
        wait_until("IPv4 packets pass", || reaches("193.0.1.1", "193.0.2.1"));
        wait_until("IPv6 packets pass", || reaches("2a00:1::1", "2a00:2::1"));
    }
}

/// Whether a packet goes from one address to another, and the answer comes back, which is that nobody listens there.
fn reaches(from: &str, to: &str) -> bool {
    let [from, to] = [(from, 0), (to, CLOSED)]
        .map(|(address, port)| SocketAddr::new(address.parse::<IpAddr>().expect("an address"), port));
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).expect("a socket");
    socket.bind(&from.into()).expect("the address is ours");
    let answer = socket.connect_timeout(&to.into(), Duration::from_secs(1));
    answer.is_err_and(|fault| fault.kind() == ErrorKind::ConnectionRefused)
}
