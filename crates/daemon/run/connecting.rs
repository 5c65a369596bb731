//! A connection that is being made, on which a task goes on waiting while it waits for other things.

use std::future::Future;
use std::io;
use std::pin::Pin;

use tokio::net::TcpStream;

/// A connection that is being made.
pub(crate) type Connecting = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// What becomes of it. Where none is being made, nothing ever does.
pub(crate) async fn connected(connecting: &mut Option<Connecting>) -> Option<io::Result<TcpStream>> {
    match connecting {
        Some(connecting) => Some(connecting.await),
        None => std::future::pending().await,
    }
}
