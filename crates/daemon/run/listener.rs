//! The sockets that peers connect to. What is accepted is for [`Expected`] to take or to close.
//!
//! A listening socket answers before anybody here is asked. What has to hold from the first packet on, it is told itself: its
//! TCP-MD5 keys, one a peer or a range, and the least TTL that anybody's packets may have (RFC 5082).

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracing::{error, warn};

use super::expected::Expected;
use super::tcp_options::{set_least_ttl, set_md5_key};
use super::transport::{MOST_TTL, Transport, send_with};
use crate::secret::Secret;

/// Connections that the kernel keeps for us: more than a large exchange has members, for the moment they all come back.
const BACKLOG: i32 = 4096;
/// How long to rest when there is no descriptor left for another connection.
const REST: Duration = Duration::from_millis(200);

/// Where connections come from, and what guards them.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) from: IpNet,
    pub(super) transport: Transport,
}

/// The listening sockets.
#[derive(Debug)]
pub(super) struct Listeners {
    sockets: Vec<Arc<TcpListener>>,
    accepting: Vec<JoinHandle<()>>,
    /// The keys that the sockets have.
    keys: BTreeMap<IpNet, Secret>,
}

impl Listeners {
    /// Listens at these addresses, guarded for these peers. Nothing is accepted before [`accept`](Self::accept).
    pub(super) fn open(
        addresses: &[SocketAddr],
        guarded: &[Guarded],
    ) -> Result<Self, (SocketAddr, io::Error)> {
        let bound = addresses.iter().map(|address| bind(*address).map_err(|fault| (*address, fault)));
        let bound = bound.collect::<Result<Vec<_>, _>>()?;
        let keys = put_up(&bound.iter().collect::<Vec<_>>(), &BTreeMap::new(), guarded);
        let listening = bound.into_iter().zip(addresses).map(|(socket, address)| {
            let listening = socket.listen(BACKLOG).and_then(|()| TcpListener::from_std(socket.into()));
            listening.map(Arc::new).map_err(|fault| (*address, fault))
        });
        Ok(Listeners { sockets: listening.collect::<Result<_, _>>()?, accepting: Vec::new(), keys })
    }

    /// Guards the sockets for these peers instead.
    pub(super) fn guard(&mut self, guarded: &[Guarded]) {
        let sockets: Vec<_> = self.sockets.iter().map(|socket| SockRef::from(&**socket)).collect();
        self.keys = put_up(&sockets.iter().map(|socket| &**socket).collect::<Vec<_>>(), &self.keys, guarded);
    }

    /// Accepts from now on, as long as the runtime lives or until [`stop`](Self::stop).
    pub(super) fn accept(&mut self, expected: &Arc<Expected>) {
        if self.accepting.is_empty() {
            let accept = |socket| tokio::spawn(accept(Arc::clone(socket), Arc::clone(expected)));
            self.accepting = self.sockets.iter().map(accept).collect();
        }
    }

    /// Accepts no more.
    pub(super) fn stop(&self) {
        self.accepting.iter().for_each(JoinHandle::abort);
    }
}

/// Takes an address. An IPv6 one takes IPv6 alone, so that both families' wildcards can be listened on.
fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // A peer that asks for TTL security does so of the first answer, too.
    send_with(&SockRef::from(&socket), address.is_ipv6(), MOST_TTL)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Puts up what guards listening sockets, which have these keys, and returns the keys that they have then. Where a guard can't
/// be put up, the connections of its peer are closed as soon as they are accepted.
fn put_up(
    sockets: &[&Socket],
    had: &BTreeMap<IpNet, Secret>,
    guarded: &[Guarded],
) -> BTreeMap<IpNet, Secret> {
    let keyed = guarded.iter().filter_map(|guard| Some((guard.from, guard.transport.password.clone()?)));
    let mut keys: BTreeMap<IpNet, Secret> = keyed.collect();
    for gone in had.keys().filter(|with| !keys.contains_key(with)) {
        set_key(sockets, *gone, None);
    }
    keys.retain(|with, key| had.get(with) == Some(key) || set_key(sockets, *with, Some(key)));
    for socket in sockets {
        let ipv6 = is_ipv6(socket);
        let of_family = guarded.iter().map(|guard| &guard.transport).filter(|of| of.remote.is_ipv6() == ipv6);
        let least = of_family.map(Transport::least_ttl).min().unwrap_or_default();
        if let Err(fault) = set_least_ttl(socket, ipv6, least) {
            error!(%fault, least, "the least TTL of a listening socket can't be set");
        }
    }
    keys
}

/// Sets a key at all sockets of its family, or removes it; `false` where one of them refuses.
fn set_key(sockets: &[&Socket], with: IpNet, key: Option<&Secret>) -> bool {
    let mut is_set = true;
    for socket in sockets.iter().filter(|socket| is_ipv6(socket) == matches!(with, IpNet::V6(_))) {
        if let Err(fault) = set_md5_key(socket, with, key) {
            error!(%with, removed = key.is_none(), %fault, "a TCP-MD5 key of a listening socket can't be changed");
            is_set = false;
        }
    }
    is_set
}

fn is_ipv6(socket: &Socket) -> bool {
    socket.local_addr().is_ok_and(|address| address.is_ipv6())
}

/// Accepts for as long as the task lives.
async fn accept(listener: Arc<TcpListener>, expected: Arc<Expected>) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => expected.take(stream, from),
            Err(fault) => {
                warn!(%fault, "a connection could not be accepted");
                tokio::time::sleep(REST).await;
            }
        }
    }
}
