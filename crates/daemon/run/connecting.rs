//! Connecting to a peer, which a task goes on with while it waits for other things.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use tokio::net::{TcpSocket, TcpStream};

/// A connection that is being made.
pub(crate) type Connecting = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Connects, from an address of ours where one is given.
pub(crate) async fn connect(remote: SocketAddr, bind: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(address) = bind {
        socket.bind(SocketAddr::new(address, 0))?;
    }
    socket.connect(remote).await
}

/// What becomes of it. Where none is being made, nothing ever does.
pub(crate) async fn connected(connecting: &mut Option<Connecting>) -> Option<io::Result<TcpStream>> {
    match connecting {
        Some(connecting) => Some(connecting.await),
        None => std::future::pending().await,
    }
}
