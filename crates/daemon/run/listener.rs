//! The sockets that peers connect to. A connection is handed to the task of the peer whose address it comes from, and
//! closed where there is none.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tracing::{debug, warn};

/// Connections that the kernel keeps for us: more than a large exchange has members, for the moment they all come back.
const BACKLOG: i32 = 4096;
/// How long to rest when there is no descriptor left for another connection.
const REST: Duration = Duration::from_millis(200);

/// Where to hand connections, by the peer's address.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    tasks: RwLock<HashMap<IpAddr, mpsc::Sender<TcpStream>>>,
}

impl Expected {
    /// Has those from an address handed to a task from now on.
    pub(crate) fn insert(&self, address: IpAddr, task: mpsc::Sender<TcpStream>) {
        self.tasks.write().unwrap_or_else(PoisonError::into_inner).insert(address, task);
    }

    /// Has those from an address closed from now on.
    pub(crate) fn remove(&self, address: IpAddr) {
        self.tasks.write().unwrap_or_else(PoisonError::into_inner).remove(&address);
    }

    fn task(&self, address: IpAddr) -> Option<mpsc::Sender<TcpStream>> {
        self.tasks.read().unwrap_or_else(PoisonError::into_inner).get(&address).cloned()
    }
}

/// Opens a listening socket. An IPv6 one takes IPv6 alone, so that both families' wildcards can be listened on.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts for as long as the task lives.
pub(crate) async fn accept(listener: TcpListener, expected: Arc<Expected>) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => hand_over(stream, from, &expected),
            Err(fault) => {
                warn!(%fault, "a connection could not be accepted");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

fn hand_over(stream: TcpStream, from: SocketAddr, expected: &Expected) {
    let handed = expected.task(from.ip().to_canonical()).map(|task| task.try_send(stream));
    match handed {
        Some(Ok(())) => {}
        Some(Err(_)) => debug!(%from, "a connection was closed: the peer's task has others to deal with"),
        None => debug!(%from, "a connection was closed: no peer has this address"),
    }
}
